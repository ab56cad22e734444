"""The checks of the chapter on params and tags: params."""

from contextlib import suppress

from hypothesis import strategies as st

from trackspec import ErrorCode, Param, TrackingStore
from trackspec_conformance import strategies
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, refused
from trackspec_conformance.exploring import explore
from trackspec_conformance.fresh import Fresh

LOGGED = ("param.log",)


@check("param.log")
def a_param_is_logged(store: TrackingStore, fresh: Fresh) -> None:
    """Every param is read with the value that it was logged with."""
    run_id = fresh.run()

    store.log_param(run_id, Param("lr", "0.1"))
    store.log_param(run_id, Param("model", "cnn"))
    store.log_param(run_id, Param("depth", "4"))

    expect_equal({"lr": "0.1", "model": "cnn", "depth": "4"}, store.get_run(run_id).data.params, "the params")


@check("param.value-exact", rests_on=LOGGED)
def awkward_values_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """Values that formats and databases like to tidy are read as log_param and log_batch logged them."""
    run_id = fresh.run()
    values = (
        "a\r\nb\rc\n",
        "\n",
        " a\t",
        "1.0",
        "007",
        "1e5",
        "NaN",
        "null",
        "True",
        "{}",
        'it\'s "so" `x` \\n %s',
        "'; DROP TABLE params; --",
        "\u00e9 \u212b 😀",
        "e\u0301 A\u030a",
        "\u2028\ufeff\u200b\x01\x7f",
    )

    for number, value in enumerate(values):
        store.log_param(run_id, Param(f"p{number}", value))
    store.log_batch(run_id, [], [Param(f"q{number}", value) for number, value in enumerate(values)], [])

    expected = {f"{letter}{number}": value for letter in "pq" for number, value in enumerate(values)}
    expect_equal(expected, store.get_run(run_id).data.params, "the params")


@check("param.value-exact", rests_on=LOGGED)
def any_values_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """Params of any values are read as a batch logged them."""

    def holds(values: list[str]) -> None:
        run_id = fresh.run()
        params = [Param(f"p{number}", value) for number, value in enumerate(values)]

        store.log_batch(run_id, [], params, [])

        expected = {param.key: param.value for param in params}
        expect_equal(expected, store.get_run(run_id).data.params, "the params")

    explore(fresh, st.lists(strategies.param_values(), min_size=1, max_size=6), holds, examples=25)


@check("param.empty-value", rests_on=LOGGED)
def the_empty_string_is_a_value(store: TrackingStore, fresh: Fresh) -> None:
    """A param with the empty value is there, and can be logged again but not changed."""
    run_id = fresh.run()

    store.log_param(run_id, Param("p", ""))
    store.log_param(run_id, Param("p", ""))
    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_param(run_id, Param("p", "x"))

    expect_equal({"p": ""}, store.get_run(run_id).data.params, "the params")


@check("param.same-value-again", rests_on=LOGGED)
def logging_twice_is_harmless(store: TrackingStore, fresh: Fresh) -> None:
    """A param is logged again with the value that it has, alone and in a batch."""
    run_id = fresh.run()
    store.log_param(run_id, Param("lr", "0.1"))

    store.log_param(run_id, Param("lr", "0.1"))
    store.log_batch(run_id, [], [Param("lr", "0.1")], [])

    expect_equal({"lr": "0.1"}, store.get_run(run_id).data.params, "the params")


@check("param.same-line-breaks-again", rests_on=("param.same-value-again",))
def line_breaks_do_not_make_another_value(store: TrackingStore, fresh: Fresh) -> None:
    """Values with line breaks of every kind are logged again."""
    run_id = fresh.run()

    for key, value in (("crlf", "a\r\nb"), ("cr", "a\rb"), ("lf", "a\nb"), ("trailing", "a\r\n")):
        store.log_param(run_id, Param(key, value))
        store.log_param(run_id, Param(key, value))

    expected = {"crlf": "a\r\nb", "cr": "a\rb", "lf": "a\nb", "trailing": "a\r\n"}
    expect_equal(expected, store.get_run(run_id).data.params, "the params")


@check("param.other-value-refused", rests_on=LOGGED)
def another_value_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Another value for a param is refused, and the first one stays."""
    run_id = fresh.run()
    store.log_param(run_id, Param("lr", "0.1"))

    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_param(run_id, Param("lr", "0.2"))

    expect_equal({"lr": "0.1"}, store.get_run(run_id).data.params, "the params")


@check("param.near-value-refused", rests_on=("param.other-value-refused",))
def a_near_value_is_another(store: TrackingStore, fresh: Fresh) -> None:
    """A value that is equal but for case, space, number format or Unicode form is refused."""
    run_id = fresh.run()
    pairs = (
        ("adam", "Adam"),
        ("a", "a "),
        ("a\n", "a"),
        ("a\r\nb", "a\nb"),
        ("1", "1.0"),
        ("é", "e\u0301"),
        ("e", "é"),
        ("K", "\u212a"),
        ("", " "),
        ("None", "null"),
        ("2", "\u00b2"),
        ("v" * 300 + "x", "v" * 300 + "y"),
        ("w" * 5999 + "x", "w" * 5999 + "y"),
    )
    params = [Param(f"p{number}", value) for number, (value, _) in enumerate(pairs)]
    store.log_batch(run_id, [], params, [])

    for number, (_, near) in enumerate(pairs):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_param(run_id, Param(f"p{number}", near))

    expected = {param.key: param.value for param in params}
    expect_equal(expected, store.get_run(run_id).data.params, "the params")


@check("param.longest-value", rests_on=LOGGED)
def values_of_6000_characters_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """A value of 6000 characters of one to four bytes is kept whole, by every call."""
    run_id = fresh.run()
    values = {"ascii": "v" * 5999 + "x", "two": "é" * 5999 + "x", "four": "😀" * 5999 + "x"}

    for key, value in values.items():
        store.log_param(run_id, Param(key, value))
    store.log_batch(run_id, [], [Param(f"batch {key}", value) for key, value in values.items()], [])

    expected = values | {f"batch {key}": value for key, value in values.items()}
    expect_equal(expected, store.get_run(run_id).data.params, "the params")


@check("param.over-long-refused")
def values_of_6001_characters_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A value of more than 6000 characters is refused, and nothing of it is logged."""
    run_id = fresh.run()

    for value in ("v" * 6001, "v" * 10_000):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_param(run_id, Param("p", value))
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_batch(run_id, [], [Param("p", value)], [])

    expect_equal({}, store.get_run(run_id).data.params, "the params")


@check("param.value-type-refused")
def what_is_no_text_is_no_value(store: TrackingStore, fresh: Fresh) -> None:
    """A value that is no string is refused, and nothing is logged."""
    run_id = fresh.run()

    for value in (None, 5, 1.5, True, b"x", ["x"]):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_param(run_id, Param("p", value))  # type: ignore[arg-type]
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_batch(run_id, [], [Param("p", value)], [])  # type: ignore[arg-type]

    expect_equal({}, store.get_run(run_id).data.params, "the params")


@check("param.surrogates-refused")
def lone_surrogates_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A value that no encoding holds is refused, and nothing is logged."""
    run_id = fresh.run()

    for value in ("\ud800", "a\udfffb"):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_param(run_id, Param("p", value))
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_batch(run_id, [], [Param("p", value)], [])

    expect_equal({}, store.get_run(run_id).data.params, "the params")


@check("param.refused-value-leaves-key-free", rests_on=LOGGED)
def a_refused_value_does_not_take_the_key(store: TrackingStore, fresh: Fresh) -> None:
    """After a value was refused the param is logged with a good one."""
    run_id = fresh.run()

    for key, bad in (("surrogate", "\ud800"), ("none", None), ("number", 5), ("long", "v" * 6001)):
        with suppress(Exception):
            store.log_param(run_id, Param(key, bad))  # type: ignore[arg-type]
            continue  # that it is refused is another requirement
        store.log_param(run_id, Param(key, "good"))

        expect_equal("good", store.get_run(run_id).data.params.get(key), "the param's value")


@check("param.prefix-keys", rests_on=LOGGED)
def a_key_may_continue_another(store: TrackingStore, fresh: Fresh) -> None:
    """Params whose keys continue each other after a slash are logged in either order."""
    run_id = fresh.run()
    keys = ("a", "a/b", "a/b/c", "z/y/x", "z/y", "z")

    for key in keys:
        store.log_param(run_id, Param(key, f"is {key}"))

    expect_equal({key: f"is {key}" for key in keys}, store.get_run(run_id).data.params, "the params")


@check("param.unknown-run")
def an_unknown_run_takes_no_params(store: TrackingStore, fresh: Fresh) -> None:
    """A param for a run that does not exist is refused."""
    with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
        store.log_param(fresh.unknown_run_id(), Param("p", "1"))
