"""The checks of the chapter on metric history: which points a history holds, and in which order."""

import math
import sys
from typing import Any

from trackspec import ErrorCode, Metric, TrackingStore
from trackspec.search.order import metric_order
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, expect_one_of, refused
from trackspec_conformance.fresh import Fresh

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


def _points(count: int, key: str = "m") -> list[Metric]:
    """Points whose order is the same by step and by timestamp."""
    return [Metric(key, float(number), 1_000 + number, number) for number in range(count)]


def _by_step(points: list[Metric]) -> list[Metric]:
    return sorted(points, key=metric_order)


# -- what a history holds ---------------------------------------------------------------------------------------


@check("history.whole")
def all_points_are_read(store: TrackingStore, fresh: Fresh) -> None:
    """A history of 2,001 points is read to the last in one call, and has no token."""
    run_id = fresh.run(metrics=_points(1000))
    store.log_batch(run_id, _points(2000)[1000:], [], [])
    store.log_metric(run_id, _points(2001)[-1])

    history = store.get_metric_history(run_id, "m")

    expect_equal(_points(2001), list(history), "the history")
    expect_equal(None, history.token, "the token")


@check("history.whole")
def no_page_size_means_all(store: TrackingStore, fresh: Fresh) -> None:
    """max_results and page_token of None read the whole history."""
    run_id = fresh.run(metrics=_points(120))

    history = store.get_metric_history(run_id, "m", None, None)

    expect_equal((_points(120), None), (list(history), history.token), "the history and its token")


@check("history.values-exact")
def points_read_back_exactly(store: TrackingStore, fresh: Fresh) -> None:
    """NaN, the extreme doubles, steps and timestamps read back as logged."""
    points = [
        Metric("m", math.nan, 0, 1),
        Metric("m", sys.float_info.max, 3, 4),
        Metric("m", math.ulp(0.0), 4, 5),
        Metric("m", 0.1, 2**53 + 1, 2**53 + 1),
        Metric("m", 1 / 3, INT64_MAX, INT64_MAX),
    ]
    run_id = fresh.run(metrics=points)

    history = store.get_metric_history(run_id, "m")

    expect_equal(points, list(history), "the history")


@check("history.infinities")
def infinities_read_back(store: TrackingStore, fresh: Fresh) -> None:
    """The infinities in a history are infinite."""
    points = [Metric("m", math.inf, 0, 0), Metric("m", -math.inf, 1, 1), Metric("m", 1.0, 2, 2)]
    run_id = fresh.run(metrics=points)

    history = store.get_metric_history(run_id, "m")

    expect_equal(points, list(history), "the history")


@check("history.run-id")
def points_carry_their_run(store: TrackingStore, fresh: Fresh) -> None:
    """Each point of a history names the run that it was logged to, also on the pages behind the first."""
    run_id = fresh.run(metrics=_points(3))

    history = store.get_metric_history(run_id, "m")
    first = store.get_metric_history(run_id, "m", 2)
    second = store.get_metric_history(run_id, "m", 2, first.token)

    expect_equal([run_id] * 3, [point.run_id for point in history], "the points' run ids")
    expect_equal([run_id] * 3, [point.run_id for point in (*first, *second)], "the points' run ids, page by page")


@check("history.unknown-key")
def an_unknown_key_has_no_points(store: TrackingStore, fresh: Fresh) -> None:
    """Keys that were never logged, prefixes and continuations of a logged one too, have an empty history."""
    run_id = fresh.run(metrics=_points(1, "val/loss"))

    for key in ("other", "val", "val/loss/mean", "Val/loss", "val_loss"):
        history = store.get_metric_history(run_id, key)
        expect_equal(([], None), (list(history), history.token), f"the history of {key!r} and its token")


@check("history.runs-apart")
def runs_have_their_own_histories(store: TrackingStore, fresh: Fresh) -> None:
    """Two runs with points of one key have each its own."""
    run_id, other_id = fresh.run(metrics=_points(4)[::2]), fresh.run(metrics=_points(4)[1::2])

    history = store.get_metric_history(run_id, "m")
    other_history = store.get_metric_history(other_id, "m")

    expect_equal(_points(4)[::2], list(history), "the first run's history")
    expect_equal(_points(4)[1::2], list(other_history), "the second run's history")


@check("history.keys-apart")
def keys_have_their_own_histories(store: TrackingStore, fresh: Fresh) -> None:
    """Keys that differ in case, form, width, a space or a wildcard have each its own points."""
    keys = ("a_b", "axb", "A_b", "a_b ", "a_b.c", "K", "\u212a", "\uac00", "\u1100\u1161")
    points = [Metric(key, float(number), number, number) for number, key in enumerate(keys)]
    run_id = fresh.run(metrics=points)

    for point in points:
        history = store.get_metric_history(run_id, point.key)
        expect_equal([point], list(history), f"the history of {point.key!r}")


@check("history.deleted-run", rests_on=("run.delete",))
def a_deleted_runs_history_is_read(store: TrackingStore, fresh: Fresh) -> None:
    """A deleted run, and one whose experiment is deleted, keep their histories and show them."""
    experiment_id = fresh.experiment("deleted")
    run_id, other_id = fresh.run(metrics=_points(3)), fresh.run(experiment_id, metrics=_points(3))
    store.delete_run(run_id)
    store.delete_experiment(experiment_id)

    for deleted in (run_id, other_id):
        expect_equal(_points(3), list(store.get_metric_history(deleted, "m")), "the history")


@check("history.unknown-run")
def an_unknown_run_has_no_history(store: TrackingStore, fresh: Fresh) -> None:
    """A history of a run that does not exist, be its id another's but for case, is refused, not empty."""
    run_id = fresh.unknown_run_id()
    near = fresh.run(metrics=_points(1)).swapcase()

    with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
        store.get_metric_history(run_id, "m")
    with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
        store.get_metric_history(run_id, "m", 10)
    if near.swapcase() != near:
        with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
            store.get_metric_history(near, "m")


@check("history.malformed-key-refused")
def a_malformed_key_has_no_history(store: TrackingStore, fresh: Fresh) -> None:
    """A history under a key that no metric can have is refused, not empty."""
    run_id = fresh.run(metrics=_points(1))
    keys: tuple[Any, ...] = ("", "..", "../m", "/m", "m//n", "m" * 251, None, 5)

    for key in keys:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.get_metric_history(run_id, key)


# -- which points are the same ----------------------------------------------------------------------------------


@check("history.same-point-once")
def a_point_logged_again_is_the_same(store: TrackingStore, fresh: Fresh) -> None:
    """A point that is logged by three calls of both kinds is one point."""
    point = Metric("m", 0.5, 1_000, 1)
    run_id = fresh.run(metrics=[point])

    store.log_metric(run_id, point)
    store.log_batch(run_id, [point], [], [])

    expect_equal([point], list(store.get_metric_history(run_id, "m")), "the history")


@check("history.same-point-once")
def a_point_twice_in_a_batch_is_one(store: TrackingStore, fresh: Fresh) -> None:
    """Points that are twice in one batch are one point each."""
    points = [Metric("m", 0.5, 1_000, 1), Metric("m", -0.5, 1_000, 1), Metric("m", 0.5, 2_000, 2)]
    points.sort(key=metric_order)
    run_id = fresh.run()

    store.log_batch(run_id, [*points, *points], [], [])

    expect_equal(points, list(store.get_metric_history(run_id, "m")), "the history")


@check("history.same-nan-once")
def nan_logged_again_is_the_same(store: TrackingStore, fresh: Fresh) -> None:
    """NaN at one step and timestamp is one point, logged in one call or in several."""
    point = Metric("m", math.nan, 1_000, 1)
    run_id = fresh.run(metrics=[point, point])

    store.log_metric(run_id, point)

    expect_equal([point], list(store.get_metric_history(run_id, "m")), "the history")


@check("history.other-points-kept")
def points_that_differ_are_all_kept(store: TrackingStore, fresh: Fresh) -> None:
    """Points that differ in step alone, in timestamp alone or in the last bit of the value are all kept."""
    points = [
        Metric("m", 0.1, 1_000, 1),
        Metric("m", math.nextafter(0.1, 1.0), 1_000, 1),
        Metric("m", 0.1, 1_001, 1),
        Metric("m", 0.1, 1_001, 2),
        Metric("m", 0.1, 2**53, 2**53),
        Metric("m", 0.1, 2**53 + 1, 2**53),
        Metric("m", 0.1, 2**53 + 1, 2**53 + 1),
    ]
    run_id = fresh.run(metrics=points)

    expect_equal(points, list(store.get_metric_history(run_id, "m")), "the history")


@check("history.other-points-kept")
def extreme_values_are_all_kept(store: TrackingStore, fresh: Fresh) -> None:
    """Infinity and the greatest double, NaN and 0, of one step and timestamp, are all kept."""
    values = (0.0, -math.inf, -sys.float_info.max, sys.float_info.max, math.inf)
    run_id = fresh.run(metrics=[Metric("m", value, 1_000, 1) for value in (math.nan, *values)])

    history = store.get_metric_history(run_id, "m")

    expect_equal(
        sorted(values),
        sorted(point.value for point in history if not math.isnan(point.value)),
        "the numbers in the history, sorted",
    )
    expect_equal(6, len(history), "the number of points")


# -- order ------------------------------------------------------------------------------------------------------


@check("history.order")
def a_history_ascends(store: TrackingStore, fresh: Fresh) -> None:
    """Points logged in disorder come back in one of the two orders."""
    places = ((3, 10), (1, 30), (2, 20), (1, 10), (-1, 40), (10, 5), (9, 5))
    points = [Metric("m", value, timestamp, step) for step, timestamp in places for value in (2.0, -1.0, 10.0)]
    run_id = fresh.run(metrics=points)

    history = store.get_metric_history(run_id, "m")

    step_first = _by_step(points)
    timestamp_first = sorted(step_first, key=lambda point: (point.timestamp, point.step))
    expect_one_of((step_first, timestamp_first), list(history), "the history")


@check("history.any-arrival")
def arrival_does_not_order_a_history(store: TrackingStore, fresh: Fresh) -> None:
    """Points of one step and timestamp, NaN and 0 among them, come in one order however they arrive."""
    points = [Metric("m", value, 1_000, 1) for value in (0.0, math.nan, -5.0, 5.0)]
    run_id, other_id = fresh.run(), fresh.run()
    for point in points:
        store.log_metric(run_id, point)
    for point in reversed(points):
        store.log_metric(other_id, point)

    history = store.get_metric_history(run_id, "m")
    other_history = store.get_metric_history(other_id, "m")

    expect_equal(4, len(history), "the number of points")
    expect_equal(list(history), list(other_history), "the history of the same points, logged in reverse")


@check("history.nan-first")
def nan_comes_before_numbers(store: TrackingStore, fresh: Fresh) -> None:
    """Within a step and timestamp, NaN comes first, before minus infinity too."""
    values = (5.0, -math.inf, math.nan, 0.0, -5.0)
    run_id = fresh.run(metrics=[Metric("m", value, 1_000, 1) for value in values])

    history = store.get_metric_history(run_id, "m")

    expect_equal(5, len(history), "the number of points")
    expect(math.isnan(history[0].value), "NaN as the first value", [point.value for point in history])
