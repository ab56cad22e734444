"""The checks of the chapter on batches: a batch is logged whole or not at all."""

import math
from contextlib import suppress
from fractions import Fraction
from typing import Any

from trackspec import ErrorCode, Metric, Param, RunTag, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, refused, unless_refused
from trackspec_conformance.fresh import Fresh

METRIC, PARAM, TAG = Metric("m", 1.0, 1, 1), Param("p", "1"), RunTag("t", "1")
MALFORMED_KEYS = ("", "..", "../x", "/x", "x//y", "x\ty", "x" * 251)
KEYS_OF_TAGS = frozenset(("t", "u", "t/u", *MALFORMED_KEYS))


def _expect_nothing_logged(store: TrackingStore, run_id: str) -> None:
    """Require that the run has no metric, no param, and none of the tags of this module."""
    data = store.get_run(run_id).data
    expect_equal({}, data.metrics, "the run's metrics")
    expect_equal({}, data.params, "the run's params")
    # A store may set tags of its own.
    ours = {key: value for key, value in data.tags.items() if key in KEYS_OF_TAGS}
    expect_equal({}, ours, "the run's tags")


def _expect_bad_metrics_refused(store: TrackingStore, run_id: str, *bad: Metric) -> None:
    for metric in bad:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_batch(run_id, [METRIC, metric], [PARAM], [TAG])

    _expect_nothing_logged(store, run_id)


def _expect_bad_params_refused(store: TrackingStore, run_id: str, *bad: Param) -> None:
    for param in bad:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_batch(run_id, [METRIC], [PARAM, param], [TAG])

    _expect_nothing_logged(store, run_id)


def _expect_bad_tags_refused(store: TrackingStore, run_id: str, *bad: RunTag) -> None:
    for tag in bad:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_batch(run_id, [METRIC], [PARAM], [TAG, tag])

    _expect_nothing_logged(store, run_id)


# -- what contradicts itself or the run -------------------------------------------------------------------------


@check("batch.param-conflict-refused")
def another_value_in_a_batch_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A batch that gives a param another value, the last of a hundred, is refused, and the param keeps it."""
    run_id = fresh.run(params=[Param("lr", "0.1")])
    others = [Param(f"p{number}", "1") for number in range(99)]

    for params in ([Param("lr", "0.2")], [*others, Param("lr", "0.2")]):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_batch(run_id, [], params, [])

    expect_equal({"lr": "0.1"}, store.get_run(run_id).data.params, "the params")


@check("batch.param-conflict-writes-nothing")
def nothing_is_written_beside_another_value(store: TrackingStore, fresh: Fresh) -> None:
    """New params before and after one in conflict, a metric and a tag are not written."""
    run_id = fresh.run(params=[Param("lr", "0.1")])

    # Which error it is, another check judges.
    with suppress(Exception):
        store.log_batch(run_id, [METRIC], [PARAM, Param("lr", "0.2"), Param("q", "1")], [TAG])

    data = store.get_run(run_id).data
    expect_equal({"lr": "0.1"}, data.params, "the run's params")
    expect_equal({}, data.metrics, "the run's metrics")
    expect("t" not in data.tags, "no tag t", data.tags)


@check("batch.repeated-param-refused")
def a_param_named_twice_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A batch with two params of one key is refused, with different values and with the same."""
    _expect_bad_params_refused(store, fresh.run(), Param("p", "2"), Param("p", "1"))


@check("batch.repeated-tag")
def a_tag_named_twice_has_its_last_value(store: TrackingStore, fresh: Fresh) -> None:
    """Of two tags of one key the last is stored, unless the batch is refused and nothing stored."""
    run_id, named = fresh.run(), fresh.run(run_name="old")

    stored = False
    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_batch(run_id, [METRIC], [PARAM], [RunTag("t", "1"), RunTag("u", "1"), RunTag("t", "2")])
        stored = True

    if not stored:
        _expect_nothing_logged(store, run_id)
    else:
        tags = store.get_run(run_id).data.tags
        expect_equal({"t": "2", "u": "1"}, {key: tags.get(key) for key in ("t", "u")}, "the run's tags")

    names = [RunTag("mlflow.runName", "first"), RunTag("mlflow.runName", "last")]
    name = "old"
    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_batch(named, [], [], names)
        name = "last"
    run = store.get_run(named)
    expect_equal((name, name), (run.info.run_name, run.data.tags.get("mlflow.runName")), "the name and its tag")


@check("batch.all-or-nothing")
def nothing_is_written_by_a_batch_that_fails(store: TrackingStore, fresh: Fresh) -> None:
    """Where a batch fails, for whatever reason and with whatever error, nothing of it is written."""
    none: Any = None
    batches: tuple[tuple[list[Metric], list[Param], list[RunTag]], ...] = (
        ([METRIC, Metric("n", 1.0, 1, 2**63)], [PARAM], [TAG]),
        ([METRIC, Metric("n", 10**400, 1, 1)], [PARAM], [TAG]),
        ([METRIC, Metric("m/n", 1.0, 1, 1)], [PARAM], [TAG]),
        ([METRIC], [PARAM, Param("q", none)], [TAG]),
        ([METRIC], [PARAM, Param("p/q", "1")], [TAG]),
        ([METRIC], [PARAM], [TAG, RunTag("t/u", "1"), RunTag("u", "\ud800")]),
    )

    for metrics, params, tags in batches:
        run_id = fresh.run()
        failed = True
        with suppress(Exception):
            store.log_batch(run_id, metrics, params, tags)
            failed = False

        # Whether it has to fail, other checks judge.
        if failed:
            _expect_nothing_logged(store, run_id)


# -- items that are not valid -----------------------------------------------------------------------------------


@check("batch.bad-metric-key")
def a_malformed_metric_key_stops_a_batch(store: TrackingStore, fresh: Fresh) -> None:
    """One metric with a malformed key, the last, keeps the whole batch out."""
    _expect_bad_metrics_refused(store, fresh.run(), *(Metric(key, 1.0, 1, 1) for key in MALFORMED_KEYS))


@check("batch.bad-metric-value")
def a_bad_metric_value_stops_a_batch(store: TrackingStore, fresh: Fresh) -> None:
    """One metric whose value is no double, the last, keeps the whole batch out."""
    values: tuple[Any, ...] = (None, "1.0", True, 1j, 10**400, Fraction(10**400))

    _expect_bad_metrics_refused(store, fresh.run(), *(Metric("n", value, 1, 1) for value in values))


@check("batch.bad-metric-time")
def a_bad_metric_time_stops_a_batch(store: TrackingStore, fresh: Fresh) -> None:
    """One metric whose timestamp or step is no 64-bit integer, the last, keeps the whole batch out."""
    steps: tuple[Any, ...] = (2**63, -(2**63) - 1, 1.5, "1", None, True)
    timestamps: tuple[Any, ...] = (2**63, -1, 1.5, "1", None, True, math.nan)

    _expect_bad_metrics_refused(
        store,
        fresh.run(),
        *(Metric("n", 1.0, 1, step) for step in steps),
        *(Metric("n", 1.0, timestamp, 1) for timestamp in timestamps),
    )


@check("batch.bad-param-key")
def a_malformed_param_key_stops_a_batch(store: TrackingStore, fresh: Fresh) -> None:
    """One param with a malformed key, the last, keeps the whole batch out."""
    _expect_bad_params_refused(store, fresh.run(), *(Param(key, "1") for key in MALFORMED_KEYS))


@check("batch.bad-param-value")
def a_bad_param_value_stops_a_batch(store: TrackingStore, fresh: Fresh) -> None:
    """One param whose value is no storable string, the last, keeps the whole batch out."""
    values: tuple[Any, ...] = (None, 5, 1.5, True, b"x", ["x"], "\ud800")

    _expect_bad_params_refused(store, fresh.run(), *(Param("q", value) for value in values))


@check("batch.bad-tag-key")
def a_malformed_tag_key_stops_a_batch(store: TrackingStore, fresh: Fresh) -> None:
    """One tag with a malformed key, the last, keeps the whole batch out."""
    _expect_bad_tags_refused(store, fresh.run(), *(RunTag(key, "1") for key in MALFORMED_KEYS))


@check("batch.bad-tag-value")
def a_bad_tag_value_stops_a_batch(store: TrackingStore, fresh: Fresh) -> None:
    """One tag whose value is no storable string, the last, keeps the whole batch out."""
    values: tuple[Any, ...] = (None, 5, 1.5, True, b"x", ["x"], "x\udfff")

    _expect_bad_tags_refused(store, fresh.run(), *(RunTag("u", value) for value in values))


# -- lists that are none ----------------------------------------------------------------------------------------


@check("batch.none-refused")
def none_is_no_list(store: TrackingStore, fresh: Fresh) -> None:
    """None is refused in the place of each of the lists, whatever the others hold."""
    run_id = fresh.run()
    none: Any = None

    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_batch(run_id, none, [PARAM], [TAG])
    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_batch(run_id, [METRIC], none, [TAG])
    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_batch(run_id, [METRIC], [PARAM], none)

    _expect_nothing_logged(store, run_id)


@check("batch.not-a-list-refused")
def a_text_or_a_mapping_is_no_list(store: TrackingStore, fresh: Fresh) -> None:
    """Texts, numbers, mappings and single entities are refused in the place of each of the lists."""
    run_id = fresh.run()
    strangers: tuple[Any, ...] = ("", "m", 5, {"m": 1.0})

    for stranger in (*strangers, METRIC):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_batch(run_id, stranger, [PARAM], [TAG])
    for stranger in (*strangers, PARAM):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_batch(run_id, [METRIC], stranger, [TAG])
    for stranger in (*strangers, TAG):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_batch(run_id, [METRIC], [PARAM], stranger)

    _expect_nothing_logged(store, run_id)


@check("batch.foreign-items-refused")
def items_of_another_kind_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """None, texts, tuples and entities of another kind are no items of a list."""
    run_id = fresh.run()
    strangers: tuple[Any, ...] = (None, "m", ("m", "1"), {"key": "m", "value": "1"})

    for stranger in (*strangers, PARAM):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_batch(run_id, [METRIC, stranger], [PARAM], [TAG])
    for stranger in (*strangers, METRIC):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_batch(run_id, [METRIC], [PARAM, stranger], [TAG])
    for stranger in (*strangers, METRIC):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_batch(run_id, [METRIC], [PARAM], [TAG, stranger])

    _expect_nothing_logged(store, run_id)


@check("batch.generators")
def a_generator_is_taken_whole_or_not_at_all(store: TrackingStore, fresh: Fresh) -> None:
    """A generator in the place of any list is refused with nothing written, or everything is stored."""
    for position in range(3):
        lists: list[Any] = [[METRIC, Metric("n", 2.0, 1, 1)], [PARAM, Param("q", "2")], [TAG, RunTag("u", "2")]]
        lists[position] = (item for item in lists[position])
        run_id = fresh.run()

        stored = False
        with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_batch(run_id, *lists)
            stored = True

        if not stored:
            _expect_nothing_logged(store, run_id)
        else:
            data = store.get_run(run_id).data
            expect_equal({"m": 1.0, "n": 2.0}, data.metrics, "the run's metrics")
            expect_equal({"p": "1", "q": "2"}, data.params, "the run's params")
            expect_equal({"t": "1", "u": "2"}, {key: data.tags.get(key) for key in ("t", "u")}, "the run's tags")
