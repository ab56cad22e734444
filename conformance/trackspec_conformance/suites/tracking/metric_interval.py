"""The checks of the chapter on metric history: drawing points from an interval of steps."""

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from trackspec import ErrorCode, Metric, TrackingStore
from trackspec.search.order import metric_order
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, refused, unless_refused
from trackspec_conformance.fresh import Fresh

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


def _points(*steps: int, key: str = "m") -> list[Metric]:
    """A point for each step, its value the step, its timestamp ascending."""
    return [Metric(key, float(step), 1_000 + number, step) for number, step in enumerate(steps)]


def _steps(points: Iterable[Metric]) -> list[int]:
    """The steps of points, ascending: in which order the points come, a requirement of its own says."""
    return sorted(point.step for point in points)


def _by_step(points: Iterable[Metric]) -> list[Metric]:
    """Points in ascending order, in whatever order they came."""
    return sorted(points, key=metric_order)


# -- how many ---------------------------------------------------------------------------------------------------


@check("interval.all-if-few")
def few_points_are_all_drawn(store: TrackingStore, fresh: Fresh) -> None:
    """A run with as many points as may be drawn, or fewer, gives all of them unchanged."""
    places = ((0, math.nan), (1, 5.0), (2, -1.0), (2, 0.1), (2, 1e300), (7, -1e300))
    points = [Metric("m", value, 1_000, step) for step, value in places]
    run_id = fresh.run(metrics=points)

    for size in (6, 7, 1000):
        drawn = store.get_metric_history_bulk_interval([run_id], "m", size, None, None)
        expect_equal(points, _by_step(drawn), f"the points drawn with max_results {size}")


@check("interval.all-if-few", rests_on=("metric.infinities",))
def infinite_points_are_drawn(store: TrackingStore, fresh: Fresh) -> None:
    """Points with infinite values are drawn like others."""
    points = [Metric("m", value, 1_000, step) for step, value in enumerate((-math.inf, 1.0, math.inf))]
    run_id = fresh.run(metrics=points)

    drawn = store.get_metric_history_bulk_interval([run_id], "m", 10, None, None)

    expect_equal(points, _by_step(drawn), "the points drawn")


@check("interval.at-most-max-results")
def no_more_are_drawn_than_asked_for(store: TrackingStore, fresh: Fresh) -> None:
    """Of 60 points, at most 1, 2, 7 or 59 are drawn if so many are asked for."""
    run_id = fresh.run(metrics=_points(*range(60)))

    for size in (1, 2, 7, 59):
        drawn = store.get_metric_history_bulk_interval([run_id], "m", size, None, None)
        expect(0 < len(drawn) <= size, f"1 to {size} points", drawn)


@check("interval.at-most-max-results")
def points_of_one_step_count_each(store: TrackingStore, fresh: Fresh) -> None:
    """Of points that share their step with others, at most 5 are drawn, or 30, if so many are asked for."""
    two_steps = fresh.run(metrics=[Metric("m", float(number), number, number % 2) for number in range(20)])
    many_steps = fresh.run(metrics=[Metric("m", float(number), number, number // 2) for number in range(120)])

    for run_id, size in ((two_steps, 5), (many_steps, 30)):
        drawn = store.get_metric_history_bulk_interval([run_id], "m", size, None, None)
        expect(0 < len(drawn) <= size, f"1 to {size} points", drawn)


@check("interval.first-and-last")
def the_ends_are_drawn(store: TrackingStore, fresh: Fresh) -> None:
    """The first and the last step of the history, and those of an interval, are always drawn."""
    run_id = fresh.run(metrics=_points(*range(0, 100, 3)))

    for size in (2, 3, 5, 10):
        drawn = _steps(store.get_metric_history_bulk_interval([run_id], "m", size, None, None))
        expect({0, 99} <= set(drawn), "steps 0 and 99 among those drawn", drawn)
        drawn = _steps(store.get_metric_history_bulk_interval([run_id], "m", size, 10, 80))
        expect({12, 78} <= set(drawn), "steps 12 and 78 among those drawn from 10 to 80", drawn)


@check("interval.one-of-one")
def one_point_is_drawn(store: TrackingStore, fresh: Fresh) -> None:
    """With max_results 1, one point of each run is drawn, and it is one of that run's."""
    run_id, other_id = fresh.run(metrics=_points(1, 2, 3)), fresh.run(metrics=_points(4, 5, 6))

    drawn = store.get_metric_history_bulk_interval([run_id, other_id], "m", 1, None, None)

    expect_equal(2, len(drawn), "the number of points")
    steps = _steps(drawn)
    expect(steps[0] in {1, 2, 3} and steps[1] in {4, 5, 6}, "one point of each run", drawn)


@check("interval.no-more-than-logged")
def what_is_drawn_was_logged(store: TrackingStore, fresh: Fresh) -> None:
    """Of unevenly spaced points, those drawn are points that were logged, each once."""
    points = _points(-50, 0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 1000, 10_000, 10_001)
    run_id = fresh.run(metrics=points)

    drawn = store.get_metric_history_bulk_interval([run_id], "m", 6, None, None)

    expect(len(drawn) > 0, "some points", drawn)
    invented = [point for point in drawn if point not in points]
    expect_equal([], invented, "points that were never logged")
    expect_equal(len(drawn), len(set(_steps(drawn))), "the number of different points")


@check("interval.evenly-spread")
def points_are_drawn_evenly(store: TrackingStore, fresh: Fresh) -> None:
    """Ten of a hundred points of even steps are nowhere further apart than 22 steps."""
    run_id = fresh.run(metrics=_points(*range(100)))

    drawn = _steps(store.get_metric_history_bulk_interval([run_id], "m", 10, None, None))

    expect(len(drawn) >= 2, "several points", drawn)
    gaps = [after - before for before, after in pairwise(drawn)]
    expect(max(gaps) <= 22, "gaps of at most 22 steps", drawn)
    expect(drawn[0] <= 22 and drawn[-1] >= 77, "points near both ends", drawn)


@check("interval.takes-2500")
def the_greatest_number_is_accepted(store: TrackingStore, fresh: Fresh) -> None:
    """2,500 points of each run may be asked for."""
    run_id = fresh.run(metrics=_points(1, 2, 3))

    drawn = store.get_metric_history_bulk_interval([run_id], "m", 2500, None, None)

    expect_equal(_points(1, 2, 3), _by_step(drawn), "the points drawn")


@check("interval.above-2500")
def too_great_a_number_is_refused_or_served(store: TrackingStore, fresh: Fresh) -> None:
    """More than 2,500 points asked for are refused, or what there is is drawn."""
    run_id = fresh.run(metrics=_points(1, 2, 3))

    for size in (2501, 1_000_000):
        with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
            drawn = store.get_metric_history_bulk_interval([run_id], "m", size, None, None)
            expect_equal(_points(1, 2, 3), _by_step(drawn), "the points drawn")


@check("interval.max-results-not-positive-refused")
def nothing_is_no_number_of_points(store: TrackingStore, fresh: Fresh) -> None:
    """0 and less are refused as the number of points."""
    run_id = fresh.run(metrics=_points(1, 2, 3))

    for size in (0, -1, -3):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.get_metric_history_bulk_interval([run_id], "m", size, None, None)


@check("interval.max-results-no-integer-refused")
def the_number_of_points_is_an_integer(store: TrackingStore, fresh: Fresh) -> None:
    """None, fractions, texts and bools are refused as the number of points."""
    run_id = fresh.run(metrics=_points(1, 2, 3))
    sizes: tuple[Any, ...] = (None, 1.5, 2.0, "2", True, [2])

    for size in sizes:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.get_metric_history_bulk_interval([run_id], "m", size, None, None)


# -- from which steps -------------------------------------------------------------------------------------------


@check("interval.bounds-inclusive")
def both_bounds_belong_to_the_interval(store: TrackingStore, fresh: Fresh) -> None:
    """The points from the one bound to the other are drawn, those on the bounds too, and no others."""
    run_id = fresh.run(metrics=_points(*range(10)))

    for start, end in ((3, 6), (0, 9), (5, 5), (8, 20), (10, 20)):
        drawn = store.get_metric_history_bulk_interval([run_id], "m", 100, start, end)
        expect_equal(list(range(start, min(end, 9) + 1)), _steps(drawn), f"the steps from {start} to {end}")


@check("interval.negative-steps")
def negative_steps_are_drawn(store: TrackingStore, fresh: Fresh) -> None:
    """Runs whose steps are partly or all negative give them, with bounds and without."""
    run_id, other_id = fresh.run(metrics=_points(-3, -2, -1)), fresh.run(metrics=_points(-2, 0, 2))

    below_zero = store.get_metric_history_bulk_interval([run_id], "m", 10, None, None)
    across_zero = store.get_metric_history_bulk_interval([other_id], "m", 10, None, None)
    bounded = store.get_metric_history_bulk_interval([run_id], "m", 10, -3, -2)

    expect_equal([-3, -2, -1], _steps(below_zero), "the steps below 0")
    expect_equal([-2, 0, 2], _steps(across_zero), "the steps across 0")
    expect_equal([-3, -2], _steps(bounded), "the steps from -3 to -2")


@check("interval.int64-steps")
def extreme_steps_are_drawn(store: TrackingStore, fresh: Fresh) -> None:
    """The least and the greatest 64-bit integers are steps and bounds like others."""
    extremes = (INT64_MIN, -(2**53) - 1, 0, 2**53 + 1, INT64_MAX)
    run_id = fresh.run(metrics=_points(*extremes))

    unbounded = store.get_metric_history_bulk_interval([run_id], "m", 5, None, None)
    bounded = store.get_metric_history_bulk_interval([run_id], "m", 5, INT64_MIN, INT64_MAX)
    sampled = store.get_metric_history_bulk_interval([run_id], "m", 2, None, None)
    upper = store.get_metric_history_bulk_interval([run_id], "m", 5, 2**53 + 1, INT64_MAX - 1)

    expect_equal(list(extremes), _steps(unbounded), "all steps, without bounds")
    expect_equal(list(extremes), _steps(bounded), "all steps, with the extreme bounds")
    expect_equal([INT64_MIN, INT64_MAX], _steps(sampled), "two of the steps")
    expect_equal([2**53 + 1], _steps(upper), "the steps from 2^53+1 to 2^63-2")


@check("interval.one-bound-refused")
def bounds_come_in_pairs(store: TrackingStore, fresh: Fresh) -> None:
    """One bound without the other is refused, also where it is 0."""
    run_id = fresh.run(metrics=_points(1, 2, 3))

    for start, end in ((0, None), (2, None), (None, 0), (None, 2)):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.get_metric_history_bulk_interval([run_id], "m", 10, start, end)


@check("interval.bounds-no-integer-refused")
def bounds_are_integers(store: TrackingStore, fresh: Fresh) -> None:
    """Fractions, texts, bools and integers beyond 64 bits are refused as bounds."""
    run_id = fresh.run(metrics=_points(1, 2, 3))
    bounds: tuple[Any, ...] = (1.5, 2.0, "2", True, math.nan, 2**63, [2])

    for bound in bounds:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.get_metric_history_bulk_interval([run_id], "m", 10, 0, bound)
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.get_metric_history_bulk_interval([run_id], "m", 10, bound, 3)


@check("interval.reversed-bounds")
def a_reversed_interval_holds_nothing(store: TrackingStore, fresh: Fresh) -> None:
    """Bounds in the wrong order are refused, or nothing is drawn."""
    run_id = fresh.run(metrics=_points(1, 2, 3))

    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        drawn = store.get_metric_history_bulk_interval([run_id], "m", 10, 3, 1)
        expect_equal([], list(drawn), "the points drawn")


# -- of which runs and keys -------------------------------------------------------------------------------------


@check("interval.run-id")
def drawn_points_carry_their_run(store: TrackingStore, fresh: Fresh) -> None:
    """Each point drawn names the run that it was logged to."""
    run_id, other_id = fresh.run(metrics=_points(1, 2)), fresh.run(metrics=_points(3, 4))

    drawn = store.get_metric_history_bulk_interval([run_id, other_id], "m", 10, None, None)

    expected = {(run_id, 1), (run_id, 2), (other_id, 3), (other_id, 4)}
    expect_equal(expected, {(point.run_id, point.step) for point in drawn}, "run ids and steps")


@check("interval.several-runs")
def each_run_is_drawn_from(store: TrackingStore, fresh: Fresh) -> None:
    """Each of several runs gives points of its own, its first and last among them, up to the number asked for."""
    run_id, other_id = fresh.run(metrics=_points(*range(100, 150))), fresh.run(metrics=_points(*range(200, 260)))
    fresh.run(metrics=_points(500, 501))
    without = [fresh.run() for _ in range(10)]

    drawn = _steps(store.get_metric_history_bulk_interval([run_id, *without, other_id], "m", 5, None, None))

    for steps in (range(100, 150), range(200, 260)):
        of_run = [step for step in drawn if step in steps]
        expect(
            len(of_run) <= 5 and {steps[0], steps[-1]} <= set(of_run), f"2 to 5 of {steps}, with both ends", drawn
        )
    expect(max(drawn) < 500, "no points of other runs", drawn)


@check("interval.runs-alone")
def runs_do_not_crowd_each_other_out(store: TrackingStore, fresh: Fresh) -> None:
    """A short history that is drawn whole by itself is drawn whole beside a long one."""
    long_id, short_id = fresh.run(metrics=_points(*range(100, 150))), fresh.run(metrics=_points(1, 2, 3))

    drawn = _steps(store.get_metric_history_bulk_interval([long_id, short_id], "m", 5, None, None))

    expect_equal([1, 2, 3], [step for step in drawn if step < 100], "the steps of the short history")


@check("interval.run-order")
def runs_come_in_the_order_asked_for(store: TrackingStore, fresh: Fresh) -> None:
    """The points of each run come together, ascending by step, the runs as they were named."""
    run_id, other_id = fresh.run(metrics=_points(3, 1, 2)), fresh.run(metrics=_points(2, 1, 3))

    forwards = store.get_metric_history_bulk_interval([run_id, other_id], "m", 10, None, None)
    backwards = store.get_metric_history_bulk_interval([other_id, run_id], "m", 10, None, None)

    expect_equal(
        [(run_id, 1), (run_id, 2), (run_id, 3), (other_id, 1), (other_id, 2), (other_id, 3)],
        [(point.run_id, point.step) for point in forwards],
        "run ids and steps",
    )
    expect_equal(
        [(other_id, 1), (other_id, 2), (other_id, 3), (run_id, 1), (run_id, 2), (run_id, 3)],
        [(point.run_id, point.step) for point in backwards],
        "run ids and steps, the runs named the other way round",
    )


@check("interval.repeated-run")
def a_run_named_twice_counts_once(store: TrackingStore, fresh: Fresh) -> None:
    """A run that is named twice gives each of its points once."""
    run_id = fresh.run(metrics=_points(1, 2, 3))

    drawn = store.get_metric_history_bulk_interval([run_id, run_id], "m", 10, None, None)

    expect_equal([1, 2, 3], _steps(drawn), "the steps drawn")


@check("interval.no-runs")
def no_runs_give_no_points(store: TrackingStore, fresh: Fresh) -> None:
    """An empty list of runs gives an empty answer, or is refused."""
    fresh.run(metrics=_points(1))

    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        drawn = store.get_metric_history_bulk_interval([], "m", 10, None, None)
        expect_equal([], list(drawn), "the points drawn")


@check("interval.unknown-key")
def a_run_without_the_key_gives_no_points(store: TrackingStore, fresh: Fresh) -> None:
    """A run that never logged the key gives nothing, beside one that did and alone."""
    run_id, other_id = fresh.run(metrics=_points(1, 2)), fresh.run(metrics=_points(1, 2, key="m/n"))

    beside = store.get_metric_history_bulk_interval([other_id, run_id], "m", 10, None, None)
    alone = store.get_metric_history_bulk_interval([other_id], "m", 10, None, None)

    expect_equal(_points(1, 2), _by_step(beside), "the points drawn of both runs")
    expect_equal([], list(alone), "the points drawn of the run without the key")


@check("interval.unknown-run")
def an_unknown_run_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A run that does not exist is refused, alone and beside one that does."""
    run_id, unknown = fresh.run(metrics=_points(1, 2)), fresh.unknown_run_id()

    for run_ids in ([unknown], [run_id, unknown], [unknown, run_id]):
        with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
            store.get_metric_history_bulk_interval(run_ids, "m", 10, None, None)
        with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
            store.get_metric_history_bulk_interval(run_ids, "m", 10, 0, 5)


@check("interval.no-list-of-runs-refused")
def what_is_no_list_of_runs_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """None, one id alone, a number, and lists of None or numbers are refused."""
    run_id = fresh.run(metrics=_points(1, 2))
    strangers: tuple[Any, ...] = (None, run_id, 5, {run_id: 1}, [None], [5], [run_id, None], [[run_id]])

    for stranger in strangers:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.get_metric_history_bulk_interval(stranger, "m", 10, None, None)


@check("interval.malformed-key-refused")
def a_malformed_key_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A key that no metric can have is refused."""
    run_id = fresh.run(metrics=_points(1))
    keys: tuple[Any, ...] = ("", "..", "../m", "/m", "m//n", "m" * 251, None, 5)

    for key in keys:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.get_metric_history_bulk_interval([run_id], key, 10, None, None)


@check("interval.deleted-run", rests_on=("run.delete",))
def a_deleted_run_is_drawn_from(store: TrackingStore, fresh: Fresh) -> None:
    """The points of a deleted run, and of one whose experiment is deleted, are drawn like before."""
    experiment_id = fresh.experiment("deleted")
    run_id, other_id = fresh.run(metrics=_points(1, 2, 3)), fresh.run(experiment_id, metrics=_points(4, 5))
    store.delete_run(run_id)
    store.delete_experiment(experiment_id)

    drawn = store.get_metric_history_bulk_interval([run_id, other_id], "m", 10, None, None)

    expect_equal([1, 2, 3, 4, 5], _steps(drawn), "the steps drawn")
