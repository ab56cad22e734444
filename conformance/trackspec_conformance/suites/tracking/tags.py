"""The checks of the chapter on params and tags: tags of runs."""

from contextlib import suppress
from functools import partial

from hypothesis import strategies as st

from trackspec import ErrorCode, RunTag, TrackingStore
from trackspec_conformance import strategies
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, expect_one_of, refused, shown_error
from trackspec_conformance.exploring import explore
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.racing import at_once

SET = ("tag.set",)
ROUNDS = 24
"""How often callers race: a store may lose one race in ten."""


@check("tag.set")
def a_tag_is_set(store: TrackingStore, fresh: Fresh) -> None:
    """Every tag is read with the value that it was set to."""
    run_id = fresh.run()
    tags = {"team": "blue", "stage": "draft", "note": "third"}

    for key, value in tags.items():
        store.set_tag(run_id, RunTag(key, value))

    found = store.get_run(run_id).data.tags
    expect_equal(tags, {key: found.get(key) for key in tags}, "the tags")


@check("tag.replace", rests_on=SET)
def a_tag_is_replaced(store: TrackingStore, fresh: Fresh) -> None:
    """Setting a tag again replaces its value, and that of no other."""
    run_id = fresh.run(tags=[RunTag("stage", "draft"), RunTag("other", "kept")])

    store.set_tag(run_id, RunTag("stage", "review"))
    store.set_tag(run_id, RunTag("stage", "a final one"))

    tags = store.get_run(run_id).data.tags
    expect_equal(("a final one", "kept"), (tags.get("stage"), tags.get("other")), "the values of both tags")


@check("tag.value-exact", rests_on=SET)
def awkward_values_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """Values that formats and databases like to tidy are read as set_tag and log_batch set them."""
    run_id = fresh.run()
    values = (
        "a\r\nb\rc\n",
        "\n",
        " a\t",
        "1.0",
        "007",
        "NaN",
        "null",
        "True",
        "{}",
        'it\'s "so" `x` \\n %s',
        "'; DROP TABLE tags; --",
        "\u00e9 \u212b 😀",
        "e\u0301 A\u030a",
        "\u2028\ufeff\u200b\x01\x7f",
    )

    for number, value in enumerate(values):
        store.set_tag(run_id, RunTag(f"t{number}", value))
    store.log_batch(run_id, [], [], [RunTag(f"u{number}", value) for number, value in enumerate(values)])

    tags = store.get_run(run_id).data.tags
    expected = {f"{letter}{number}": value for letter in "tu" for number, value in enumerate(values)}
    expect_equal(expected, {key: tags.get(key) for key in expected}, "the tags")


@check("tag.value-exact", rests_on=SET)
def any_values_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """Tags of any values are read as a batch set them."""

    def holds(values: list[str]) -> None:
        run_id = fresh.run()
        tags = [RunTag(f"t{number}", value) for number, value in enumerate(values)]

        store.log_batch(run_id, [], [], tags)

        found = store.get_run(run_id).data.tags
        expect_equal(
            {tag.key: tag.value for tag in tags}, {tag.key: found.get(tag.key) for tag in tags}, "the tags"
        )

    explore(fresh, st.lists(strategies.run_tag_values(), min_size=1, max_size=6), holds, examples=25)


@check("tag.empty-value", rests_on=SET)
def the_empty_string_is_a_value(store: TrackingStore, fresh: Fresh) -> None:
    """A tag is set to the empty value, at first and later."""
    run_id = fresh.run()
    store.set_tag(run_id, RunTag("later", "full"))

    store.set_tag(run_id, RunTag("first", ""))
    store.set_tag(run_id, RunTag("later", ""))

    tags = store.get_run(run_id).data.tags
    expect_equal(("", ""), (tags.get("first"), tags.get("later")), "the values of both tags")


@check("tag.longest-value", rests_on=SET)
def values_of_8000_characters_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """A value of 8000 characters of one to four bytes is kept whole, by every call."""
    run_id = fresh.run()
    values = {"ascii": "v" * 7999 + "x", "two": "é" * 7999 + "x", "four": "😀" * 7999 + "x"}

    for key, value in values.items():
        store.set_tag(run_id, RunTag(key, value))
    store.log_batch(run_id, [], [], [RunTag(f"batch {key}", value) for key, value in values.items()])

    tags = store.get_run(run_id).data.tags
    expected = values | {f"batch {key}": value for key, value in values.items()}
    expect_equal(expected, {key: tags.get(key) for key in expected}, "the tags")


@check("tag.over-long-refused")
def values_of_8001_characters_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A value of more than 8000 characters is refused, and nothing of it is set."""
    run_id = fresh.run()

    for value in ("v" * 8001, "v" * 20_000):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.set_tag(run_id, RunTag("t", value))
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_batch(run_id, [], [], [RunTag("t", value)])

    expect_equal(None, store.get_run(run_id).data.tags.get("t"), "the tag's value")


@check("tag.refused-keeps-value", rests_on=SET)
def a_refused_value_replaces_nothing(store: TrackingStore, fresh: Fresh) -> None:
    """A tag keeps its value when another one for it is refused."""
    run_id = fresh.run()

    for key, bad in (("surrogate", "\ud800"), ("none", None), ("number", 5), ("long", "v" * 8001)):
        store.set_tag(run_id, RunTag(key, "kept"))
        with suppress(Exception):
            store.set_tag(run_id, RunTag(key, bad))  # type: ignore[arg-type]
            continue  # that it is refused is another requirement

        expect_equal("kept", store.get_run(run_id).data.tags.get(key), "the tag's value")


@check("tag.value-type-refused")
def what_is_no_text_is_no_value(store: TrackingStore, fresh: Fresh) -> None:
    """A value that is no string is refused, and nothing is set."""
    run_id = fresh.run()

    for value in (None, 5, 1.5, True, b"x", ["x"]):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.set_tag(run_id, RunTag("t", value))  # type: ignore[arg-type]
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_batch(run_id, [], [], [RunTag("t", value)])  # type: ignore[arg-type]

    expect_equal(False, "t" in store.get_run(run_id).data.tags, "whether the tag exists")


@check("tag.surrogates-refused")
def lone_surrogates_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A value that no encoding holds is refused, and nothing is set."""
    run_id = fresh.run()

    for value in ("\ud800", "a\udfffb"):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.set_tag(run_id, RunTag("t", value))
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_batch(run_id, [], [], [RunTag("t", value)])

    expect_equal(False, "t" in store.get_run(run_id).data.tags, "whether the tag exists")


@check("tag.prefix-keys", rests_on=SET)
def a_key_may_continue_another(store: TrackingStore, fresh: Fresh) -> None:
    """Tags whose keys continue each other after a slash are set in either order."""
    run_id = fresh.run()
    keys = ("a", "a/b", "a/b/c", "z/y/x", "z/y", "z")

    for key in keys:
        store.set_tag(run_id, RunTag(key, f"is {key}"))

    tags = store.get_run(run_id).data.tags
    expect_equal({key: f"is {key}" for key in keys}, {key: tags.get(key) for key in keys}, "the tags")


@check("tag.system-tags", rests_on=("tag.replace", "tag.delete"))
def system_tags_are_tags(store: TrackingStore, fresh: Fresh) -> None:
    """Tags under mlflow. are set, replaced and deleted like any other."""
    run_id = fresh.run()

    for key in ("mlflow.note.content", "mlflow.user", "mlflow.source.name", "mlflow.parentRunId"):
        store.set_tag(run_id, RunTag(key, "first"))
        store.set_tag(run_id, RunTag(key, "second"))
    store.delete_tag(run_id, "mlflow.note.content")
    store.log_batch(run_id, [], [], [RunTag("other", "1"), RunTag("mlflow.log-model.history", "logged")])

    tags = store.get_run(run_id).data.tags
    expect_equal("logged", tags.get("mlflow.log-model.history"), "the value of mlflow.log-model.history")
    expect_equal(False, "mlflow.note.content" in tags, "whether the deleted tag exists")
    for key in ("mlflow.user", "mlflow.source.name", "mlflow.parentRunId"):
        expect_equal("second", tags.get(key), f"the value of {key}")


@check("tag.set-unknown-run")
def an_unknown_run_takes_no_tags(store: TrackingStore, fresh: Fresh) -> None:
    """A tag for a run that does not exist is refused."""
    with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
        store.set_tag(fresh.unknown_run_id(), RunTag("t", "1"))


@check("tag.set-concurrently", rests_on=SET)
def callers_may_set_one_tag_at_once(store: TrackingStore, fresh: Fresh) -> None:
    """Eight threads that set one new tag all succeed, and one of their values stays."""
    run_id = fresh.run()
    values = [f"value {number}" for number in range(8)]
    start = fresh.transcript.mark()

    for number in range(ROUNDS):
        fresh.transcript.rewind(start)  # a round that went well explains nothing
        key = f"t{number}"
        ends = at_once([partial(store.set_tag, run_id, RunTag(key, value)) for value in values])

        failed = [shown_error(end) for end in ends if isinstance(end, Exception)]
        expect_equal([], failed, "the calls that failed")
        expect_one_of(values, store.get_run(run_id).data.tags.get(key), f"the value of {key}")


@check("tag.delete", rests_on=SET)
def a_tag_is_deleted(store: TrackingStore, fresh: Fresh) -> None:
    """A deleted tag is gone."""
    run_id = fresh.run()
    store.set_tag(run_id, RunTag("t", "1"))

    store.delete_tag(run_id, "t")

    expect_equal(False, "t" in store.get_run(run_id).data.tags, "whether the tag exists")


@check("tag.delete-alone", rests_on=("tag.delete",))
def other_tags_stay(store: TrackingStore, fresh: Fresh) -> None:
    """Deleting a tag leaves the run's others, and the same tag of another run."""
    kept = {"T": "1", "t ": "2", "tt": "3", "other": "4"}
    run_id = fresh.run(tags=[RunTag("t", "0"), *(RunTag(key, value) for key, value in kept.items())])
    other_run_id = fresh.run(tags=[RunTag("t", "there")])

    store.delete_tag(run_id, "t")

    tags = store.get_run(run_id).data.tags
    expect_equal(kept, {key: tags.get(key) for key in kept}, "the other tags")
    expect_equal("there", store.get_run(other_run_id).data.tags.get("t"), "the other run's tag")


@check("tag.delete-alone", rests_on=("tag.delete", "tag.prefix-keys"))
def continuations_stay(store: TrackingStore, fresh: Fresh) -> None:
    """Deleting a tag leaves those whose keys continue its key after a slash, and those that it continues."""
    run_id = fresh.run()
    for key in ("a", "a/b", "a/b/c"):
        store.set_tag(run_id, RunTag(key, f"is {key}"))

    store.delete_tag(run_id, "a/b")

    tags = store.get_run(run_id).data.tags
    expect_equal(("is a", "is a/b/c"), (tags.get("a"), tags.get("a/b/c")), "the other tags")


@check("tag.delete-missing")
def a_missing_tag_is_not_deleted(store: TrackingStore, fresh: Fresh) -> None:
    """Deleting a tag that the run does not have, or no longer has, is refused, and no other one goes for it."""
    kept = {"T": "1", "x ": "2", "\u00c5": "3"}
    run_id = fresh.run(tags=[RunTag("gone", "0"), *(RunTag(key, value) for key, value in kept.items())])
    store.delete_tag(run_id, "gone")

    for key in ("never", "gone", "t", "x", "\u212b"):
        with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
            store.delete_tag(run_id, key)

    tags = store.get_run(run_id).data.tags
    expect_equal(kept, {key: tags.get(key) for key in kept}, "the other tags")


@check("tag.delete-prefix")
def a_prefix_is_no_tag(store: TrackingStore, fresh: Fresh) -> None:
    """Deleting the part of a key before a slash is refused, and the tag stays."""
    run_id = fresh.run()
    store.set_tag(run_id, RunTag("a/b/c", "1"))

    for prefix in ("a", "a/b"):
        with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
            store.delete_tag(run_id, prefix)

    expect_equal("1", store.get_run(run_id).data.tags.get("a/b/c"), "the tag's value")


@check("tag.set-after-delete", rests_on=("tag.delete",))
def a_deleted_tag_is_set_again(store: TrackingStore, fresh: Fresh) -> None:
    """A tag that was deleted is set to a new value."""
    run_id = fresh.run()
    store.set_tag(run_id, RunTag("t", "old"))
    store.delete_tag(run_id, "t")

    store.set_tag(run_id, RunTag("t", "new"))

    expect_equal("new", store.get_run(run_id).data.tags.get("t"), "the tag's value")


@check("tag.delete-key-refused")
def malformed_keys_delete_nothing(store: TrackingStore, fresh: Fresh) -> None:
    """A malformed key is refused by delete_tag, and the run stays as it was."""
    run_id = fresh.run(tags=[RunTag("a", "1"), RunTag("b/c", "2")])
    before = store.get_run(run_id)

    for key in (
        "",
        ".",
        "..",
        "../meta.yaml",
        "../tags/a",
        "a/../a",
        "./a",
        "/a",
        "b//c",
        "a\n",
        "%",
        "*",
        "k" * 251,
    ):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE, ErrorCode.RESOURCE_DOES_NOT_EXIST):
            store.delete_tag(run_id, key)

    expect_equal(before, store.get_run(run_id), "the run")


@check("tag.delete-key-code")
def malformed_keys_are_the_arguments_fault(store: TrackingStore, fresh: Fresh) -> None:
    """The code for a malformed key blames the argument."""
    run_id = fresh.run()

    for key in ("", "../meta.yaml", "/a", "a//b", "a'b", "k" * 251, None):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.delete_tag(run_id, key)  # type: ignore[arg-type]


@check("tag.delete-unknown-run")
def an_unknown_run_has_no_tags(store: TrackingStore, fresh: Fresh) -> None:
    """Deleting a tag of a run that does not exist is refused."""
    with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
        store.delete_tag(fresh.unknown_run_id(), "t")
