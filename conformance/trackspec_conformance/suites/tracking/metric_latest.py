"""The checks of the chapter on metrics: which of a metric's points is the latest."""

import math
import sys
from dataclasses import replace

from trackspec import Metric, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal
from trackspec_conformance.fresh import Fresh


@check("metric.latest-step")
def a_greater_step_is_later(store: TrackingStore, fresh: Fresh) -> None:
    """The greatest step wins over a later time, a greater value and a later arrival."""
    run_id = fresh.run()
    furthest = Metric("m", 1.0, 100, 3)

    for point in (Metric("m", 5.0, 200, 1), furthest, Metric("m", 9.0, 900, 2)):
        store.log_metric(run_id, point)

    expect_equal({"m": furthest}, store.get_run(run_id).data.latest_metrics, "the latest points")


@check("metric.latest-step")
def steps_compare_as_numbers(store: TrackingStore, fresh: Fresh) -> None:
    """Step 10 is later than step 9, and two steps beyond 2^53 differ in their last digit."""
    run_id = fresh.run()

    for step in (10, 9):
        store.log_metric(run_id, Metric("small", float(step), 0, step))
    for step in (2**53 + 1, 2**53):
        store.log_metric(run_id, Metric("great", float(2**53 - step), 0, step))

    expect_equal({"small": 10.0, "great": -1.0}, store.get_run(run_id).data.metrics, "the latest values")


@check("metric.latest-negative-step")
def negative_steps_come_first(store: TrackingStore, fresh: Fresh) -> None:
    """Step 0 is later than -1, and -1 than -2."""
    run_id = fresh.run()

    for step in (0, -1, -2):
        store.log_metric(run_id, Metric("to zero", float(-step), 0, step))
    for step in (-2, -1, -3):
        store.log_metric(run_id, Metric("below zero", float(-step), 0, step))

    expect_equal({"to zero": 0.0, "below zero": 1.0}, store.get_run(run_id).data.metrics, "the latest values")


@check("metric.latest-timestamp")
def a_greater_timestamp_is_later(store: TrackingStore, fresh: Fresh) -> None:
    """Within a step, the greatest timestamp wins over a greater value and a later arrival."""
    run_id = fresh.run()
    youngest, near = Metric("m", 1.0, 300, 1), Metric("near", 1.0, 2**53 + 1, 1)

    for point in (
        Metric("m", 5.0, 100, 1),
        youngest,
        Metric("m", 9.0, 299, 1),
        near,
        replace(near, value=9.0, timestamp=2**53),
    ):
        store.log_metric(run_id, point)

    expect_equal({"m": youngest, "near": near}, store.get_run(run_id).data.latest_metrics, "the latest points")


@check("metric.latest-value")
def a_greater_value_is_later(store: TrackingStore, fresh: Fresh) -> None:
    """Within a step and timestamp, the greatest value wins over a later arrival."""
    run_id = fresh.run()

    for value in (5.0, 9.0, 1.0):
        store.log_metric(run_id, Metric("m", value, 0, 0))
    for value in (-5.0, -9.0, -1.0, -3.0):
        store.log_metric(run_id, Metric("negative", value, 0, 0))

    expect_equal({"m": 9.0, "negative": -1.0}, store.get_run(run_id).data.metrics, "the latest values")


@check("metric.latest-nan")
def a_number_is_later_than_nan(store: TrackingStore, fresh: Fresh) -> None:
    """Within a step and timestamp, numbers below and above 0 win over NaN, whichever is logged first."""
    run_id = fresh.run()
    points = {
        "NaN then 5": (math.nan, 5.0),
        "5 then NaN": (5.0, math.nan),
        "NaN then 0": (math.nan, 0.0),
        "0 then NaN": (0.0, math.nan),
        "NaN then -5": (math.nan, -5.0),
        "-5 then NaN": (-5.0, math.nan),
    }

    for key, (first, second) in points.items():
        store.log_metric(run_id, Metric(key, first, 0, 0))
        store.log_metric(run_id, Metric(key, second, 0, 0))

    expected = {"NaN then 5": 5.0, "5 then NaN": 5.0, "NaN then 0": 0.0, "0 then NaN": 0.0}
    expected |= {"NaN then -5": -5.0, "-5 then NaN": -5.0}
    expect_equal(expected, store.get_run(run_id).data.metrics, "the latest values")


@check("metric.latest-nan")
def nan_of_a_greater_step_is_the_latest(store: TrackingStore, fresh: Fresh) -> None:
    """NaN at a greater step or a greater timestamp is the latest point."""
    run_id = fresh.run()

    for point in (Metric("step", math.nan, 0, 2), Metric("step", 1.0, 0, 1)):
        store.log_metric(run_id, point)
    for point in (Metric("timestamp", 1.0, 1, 0), Metric("timestamp", math.nan, 2, 0)):
        store.log_metric(run_id, point)

    expected = {"step": math.nan, "timestamp": math.nan}
    expect_equal(expected, store.get_run(run_id).data.metrics, "the latest values")


@check("metric.latest-infinities")
def infinities_are_the_extremes(store: TrackingStore, fresh: Fresh) -> None:
    """Infinity is later than the greatest double, and minus infinity earlier than the least."""
    run_id = fresh.run()

    for value in (math.inf, sys.float_info.max):
        store.log_metric(run_id, Metric("up first", value, 0, 0))
    for value in (sys.float_info.max, math.inf):
        store.log_metric(run_id, Metric("up last", value, 0, 0))
    for value in (-math.inf, -sys.float_info.max):
        store.log_metric(run_id, Metric("down", value, 0, 0))

    expected = {"up first": math.inf, "up last": math.inf, "down": -sys.float_info.max}
    expect_equal(expected, store.get_run(run_id).data.metrics, "the latest values")


@check("metric.latest-any-arrival")
def the_first_and_the_last_to_arrive_are_equal(store: TrackingStore, fresh: Fresh) -> None:
    """Points of one place have one latest, logged forwards and backwards, one by one and at once."""
    points = [Metric("m", value, 0, 0) for value in (0.0, math.nan, -1.0)]
    forwards, backwards, at_once = fresh.run(), fresh.run(), fresh.run()

    for point in points:
        store.log_metric(forwards, point)
    for point in reversed(points):
        store.log_metric(backwards, point)
    store.log_batch(at_once, points, [], [])

    latest = [store.get_run(run_id).data.metrics.get("m") for run_id in (forwards, backwards, at_once)]
    expect_equal([latest[0]] * 3, latest, "the latest values")


@check("metric.latest-whole")
def the_latest_point_is_one_that_was_logged(store: TrackingStore, fresh: Fresh) -> None:
    """The greatest step, timestamp and value, each of another point, make no point of their own."""
    run_id = fresh.run()
    furthest = Metric("m", 1.0, 100, 9)

    for point in (furthest, Metric("m", 2.0, 900, 1), Metric("m", 90.0, 200, 2)):
        store.log_metric(run_id, point)

    expect_equal({"m": furthest}, store.get_run(run_id).data.latest_metrics, "the latest points")
