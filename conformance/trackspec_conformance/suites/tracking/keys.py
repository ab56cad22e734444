"""The checks of the chapter on params and tags: keys."""

from collections.abc import Callable

from trackspec import ErrorCode, Metric, Param, RunTag, TrackingStore
from trackspec_conformance import strategies
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, refused
from trackspec_conformance.exploring import explore
from trackspec_conformance.fresh import Fresh

LOGGED = ("param.log", "tag.set")


@check("key.characters", rests_on=LOGGED)
def permitted_characters_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """Letters and digits of every script and the six other characters make keys."""
    run_id = fresh.run()
    keys = ("k", "K9_-.:/ x", "a/b/c", ".a", "a..b", "a/.b", ":", "-", "Größe", "층", "層2", "Ω", "۳", "½", "ª")

    for key in keys:
        store.log_param(run_id, Param(key, f"param {key}"))
    store.log_batch(run_id, [], [], [RunTag(key, f"tag {key}") for key in keys])

    data = store.get_run(run_id).data
    expect_equal({key: f"param {key}" for key in keys}, data.params, "the params")
    expect_equal({key: f"tag {key}" for key in keys}, {key: data.tags.get(key) for key in keys}, "the tags")


@check("key.spaces-kept", rests_on=LOGGED)
def spaces_are_part_of_the_key(store: TrackingStore, fresh: Fresh) -> None:
    """A key with spaces at its ends is another key than the one without."""
    run_id = fresh.run()
    keys = ("a", "a ", " a", "a  ", " ", "  ")

    for key in keys:
        store.log_param(run_id, Param(key, repr(key)))
    store.log_batch(run_id, [], [], [RunTag(key, repr(key)) for key in keys])

    data = store.get_run(run_id).data
    expect_equal({key: repr(key) for key in keys}, data.params, "the params")
    expect_equal({key: repr(key) for key in keys}, {key: data.tags.get(key) for key in keys}, "the tags")


@check("key.kept-exactly")
def all_colliding_keys_together_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """Params and tags of all keys that are known to be confused are read from one run, logged in either order."""
    for keys in (strategies.COLLIDING_KEYS, strategies.COLLIDING_KEYS[::-1]):
        run_id = fresh.run()
        params = [Param(key, f"param {number}") for number, key in enumerate(keys)]
        tags = [RunTag(key, f"tag {number}") for number, key in enumerate(keys)]

        for start in range(0, len(keys), 50):
            store.log_batch(run_id, [], params[start : start + 50], tags[start : start + 50])

        data = store.get_run(run_id).data
        expect_equal({param.key: param.value for param in params}, data.params, "the params")
        expect_equal({tag.key: tag.value for tag in tags}, {key: data.tags.get(key) for key in keys}, "the tags")


@check("key.kept-exactly", rests_on=("param.log",))
def colliding_param_keys_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """Params of any keys that are easily confused are read as they were logged."""

    def holds(keys: list[str]) -> None:
        run_id = fresh.run()

        for number, key in enumerate(keys):
            store.log_param(run_id, Param(key, str(number)))

        expected = {key: str(number) for number, key in enumerate(keys)}
        expect_equal(expected, store.get_run(run_id).data.params, "the params")

    explore(fresh, strategies.distinct_keys(max_size=4), holds, examples=20)


@check("key.kept-exactly", rests_on=("tag.set",))
def colliding_tag_keys_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """Tags of any keys that are easily confused are read as they were set."""

    def holds(keys: list[str]) -> None:
        run_id = fresh.run()

        store.log_batch(run_id, [], [], [RunTag(key, str(number)) for number, key in enumerate(keys)])

        tags = store.get_run(run_id).data.tags
        expected = {key: str(number) for number, key in enumerate(keys)}
        expect_equal(expected, {key: tags.get(key) for key in keys}, "the tags")

    explore(fresh, strategies.distinct_keys(), holds, examples=25)


@check("key.case-apart", rests_on=LOGGED)
def case_tells_keys_apart(store: TrackingStore, fresh: Fresh) -> None:
    """Keys that differ in case hold values of their own."""
    run_id = fresh.run()
    keys = ("loss", "Loss", "LOSS", "é", "É", "straße", "strasse", "i", "ı", "I", "İ")

    for key in keys:
        store.log_param(run_id, Param(key, f"is {key}"))
    store.log_batch(run_id, [], [], [RunTag(key, f"is {key}") for key in keys])

    data = store.get_run(run_id).data
    expect_equal({key: f"is {key}" for key in keys}, data.params, "the params")
    expect_equal({key: f"is {key}" for key in keys}, {key: data.tags.get(key) for key in keys}, "the tags")


@check("key.look-alikes-apart", rests_on=LOGGED)
def look_alikes_are_different_keys(store: TrackingStore, fresh: Fresh) -> None:
    """Keys that a normalisation or a collation takes for equal hold values of their own."""
    run_id = fresh.run()
    keys = (
        "K",
        "\u212a",
        "Å",
        "\u212b",
        "Ω",
        "\u2126",
        "fi",
        "\ufb01",
        "A",
        "\uff21",
        "2",
        "\u00b2",
        "e",
        "é",
        "а",
    )

    for key in keys:
        store.log_param(run_id, Param(key, ascii(key)))
    store.log_batch(run_id, [], [], [RunTag(key, ascii(key)) for key in keys])

    data = store.get_run(run_id).data
    expect_equal({key: ascii(key) for key in keys}, data.params, "the params")
    expect_equal({key: ascii(key) for key in keys}, {key: data.tags.get(key) for key in keys}, "the tags")


@check("key.kinds-apart", rests_on=LOGGED)
def kinds_do_not_share_keys(store: TrackingStore, fresh: Fresh) -> None:
    """A param, a metric and a tag with one key do not touch each other."""
    run_id = fresh.run()

    store.log_param(run_id, Param("same", "a param"))
    store.set_tag(run_id, RunTag("same", "a tag"))
    store.log_metric(run_id, Metric("same", 0.5, 1_700_000_000_000, 0))

    data = store.get_run(run_id).data
    expect_equal({"same": "a param"}, data.params, "the params")
    expect_equal("a tag", data.tags.get("same"), "the tag's value")
    expect_equal({"same": 0.5}, data.metrics, "the metrics")


@check("key.longest", rests_on=LOGGED)
def keys_of_250_characters_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """A key of 250 ASCII characters is kept whole."""
    run_id = fresh.run()
    key = "abcdefghi/" * 24 + "abcdefghij"

    store.log_param(run_id, Param(key, "1"))
    store.set_tag(run_id, RunTag(key, "2"))

    data = store.get_run(run_id).data
    expect_equal({key: "1"}, data.params, "the params")
    expect_equal("2", data.tags.get(key), "the tag's value")


@check("key.longest-wide", rests_on=LOGGED)
def wide_characters_count_once(store: TrackingStore, fresh: Fresh) -> None:
    """A key of 250 characters of two, three or four bytes is kept whole."""
    run_id = fresh.run()
    keys = ("é" * 250, "層" * 250, "\U00020000" * 250)

    for key in keys:
        store.log_param(run_id, Param(key, key[0]))
        store.set_tag(run_id, RunTag(key, key[0]))

    data = store.get_run(run_id).data
    expect_equal({key: key[0] for key in keys}, data.params, "the params")
    expect_equal({key: key[0] for key in keys}, {key: data.tags.get(key) for key in keys}, "the tags")


@check("key.longest-apart", rests_on=("key.longest", *LOGGED))
def the_last_character_tells_keys_apart(store: TrackingStore, fresh: Fresh) -> None:
    """Two keys of 250 characters that differ in the last one hold values of their own."""
    run_id = fresh.run()
    keys = ("k" * 249 + "x", "k" * 249 + "y")

    for key in keys:
        store.log_param(run_id, Param(key, key[-1]))
        store.set_tag(run_id, RunTag(key, key[-1]))

    data = store.get_run(run_id).data
    expect_equal({key: key[-1] for key in keys}, data.params, "the params")
    expect_equal({key: key[-1] for key in keys}, {key: data.tags.get(key) for key in keys}, "the tags")


@check("key.over-long-refused")
def keys_of_251_characters_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A key of 251 characters is refused by every call that logs, and nothing is logged."""
    run_id = fresh.run()
    metric = Metric("k" * 251, 0.5, 1_700_000_000_000, 0)
    param = Param("k" * 251, "1")
    tag = RunTag("k" * 251, "1")

    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_metric(run_id, metric)
    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_param(run_id, param)
    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.set_tag(run_id, tag)
    for metrics, params, tags in (([metric], [], []), ([], [param], []), ([], [], [tag])):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_batch(run_id, metrics, params, tags)

    data = store.get_run(run_id).data
    expect_equal(({}, {}), (data.metrics, data.params), "the metrics and the params")
    expect_equal([], [key for key in data.tags if key.startswith("k")], "the keys of the tags that were refused")


@check("key.empty-refused")
def the_empty_key_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A metric, a param and a tag without a key are refused, and nothing is logged."""
    run_id = fresh.run()

    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_metric(run_id, Metric("", 0.5, 1_700_000_000_000, 0))
    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_param(run_id, Param("", "1"))
    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.set_tag(run_id, RunTag("", "1"))

    data = store.get_run(run_id).data
    expect_equal(({}, {}), (data.metrics, data.params), "the metrics and the params")
    expect_equal(None, data.tags.get(""), "the tag without a key")


@check("key.path-refused")
def keys_that_leave_their_place_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A key that as a path is absolute, leads upwards or makes a detour is refused, and nothing is logged."""
    run_id = fresh.run()
    keys = (".", "..", "..a", "../a", "a/..", "a/../b", "/", "/a", "a/", "a//b", "./a", "a/./b", "a/.")

    for key in keys:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_param(run_id, Param(key, "1"))
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.set_tag(run_id, RunTag(key, "1"))
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_metric(run_id, Metric(key, 0.5, 1_700_000_000_000, 0))

    data = store.get_run(run_id).data
    expect_equal(({}, {}), (data.metrics, data.params), "the metrics and the params")
    expect_equal({}, {key: data.tags[key] for key in keys if key in data.tags}, "the tags that were refused")


@check("key.other-characters-refused")
def other_characters_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A key with a character beyond the permitted ones is refused, and nothing is logged."""
    run_id = fresh.run()
    keys = ["a" + character + "b" for character in "\t%'\x00\n\\\"`😀\r\x7f!#$&()*+,;<=>?@[]^{|}~\u00a0\u200b–"]
    keys.insert(0, "e\u0301")
    logs: tuple[Callable[[str], None], ...] = (
        lambda key: store.log_param(run_id, Param(key, "1")),
        lambda key: store.set_tag(run_id, RunTag(key, "1")),
        lambda key: store.log_metric(run_id, Metric(key, 0.5, 1_700_000_000_000, 0)),
    )

    # The characters that storage stumbles over are tried with each kind, the others with one kind in turn.
    for number, key in enumerate(keys):
        for log in logs if number < 10 else logs[number % 3 :][:1]:
            with refused(ErrorCode.INVALID_PARAMETER_VALUE):
                log(key)

    data = store.get_run(run_id).data
    expect_equal(({}, {}), (data.metrics, data.params), "the metrics and the params")
    expect_equal({}, {key: data.tags[key] for key in keys if key in data.tags}, "the tags that were refused")


@check("key.trailing-newline-refused")
def a_newline_at_the_end_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A key is not permitted one newline just because it is the last character."""
    run_id = fresh.run()

    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_param(run_id, Param("a\n", "1"))
    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.set_tag(run_id, RunTag("a\n", "1"))


@check("key.type-refused")
def what_is_no_text_is_no_key(store: TrackingStore, fresh: Fresh) -> None:
    """A key that is no string is refused, and nothing is logged."""
    run_id = fresh.run()

    for key in (None, 5, b"k", ["k"]):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_metric(run_id, Metric(key, 0.5, 1_700_000_000_000, 0))  # type: ignore[arg-type]
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_param(run_id, Param(key, "1"))  # type: ignore[arg-type]
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.set_tag(run_id, RunTag(key, "1"))  # type: ignore[arg-type]

    data = store.get_run(run_id).data
    expect_equal(({}, {}), (data.metrics, data.params), "the metrics and the params")
