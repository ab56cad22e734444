"""The checks of the chapter on metrics: logging a point, its key, and what a mistake leaves behind."""

from contextlib import suppress
from fractions import Fraction
from typing import Any

from trackspec import ErrorCode, Metric, Param, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, refused
from trackspec_conformance.fresh import Fresh

GOOD = Metric("good", 0.5, 1_000, 1)


@check("metric.log")
def a_point_reads_back(store: TrackingStore, fresh: Fresh) -> None:
    """A logged point is its run's latest point of that key."""
    run_id = fresh.run()

    store.log_metric(run_id, Metric("loss", 0.25, 1_700_000_000_123, 7))

    data = store.get_run(run_id).data
    expect_equal({"loss": Metric("loss", 0.25, 1_700_000_000_123, 7)}, data.latest_metrics, "the latest points")
    expect_equal({"loss": 0.25}, data.metrics, "the run's metrics")


@check("metric.log")
def a_point_of_zeros_reads_back(store: TrackingStore, fresh: Fresh) -> None:
    """A point whose value, timestamp and step are 0 is a point."""
    run_id = fresh.run()

    store.log_metric(run_id, Metric("loss", 0.0, 0, 0))

    expect_equal(
        {"loss": Metric("loss", 0.0, 0, 0)}, store.get_run(run_id).data.latest_metrics, "the latest points"
    )


@check("metric.one-of-several")
def other_metrics_stay(store: TrackingStore, fresh: Fresh) -> None:
    """Logging to one metric leaves those before and after it alone."""
    before, after = Metric("a", 1.0, 10, 1), Metric("c", 3.0, 30, 3)
    run_id = fresh.run(metrics=[before, after])

    store.log_metric(run_id, Metric("b", 2.0, 20, 2))

    expect_equal(
        {"a": before, "b": Metric("b", 2.0, 20, 2), "c": after},
        store.get_run(run_id).data.latest_metrics,
        "the latest points",
    )


@check("metric.not-a-metric-refused")
def what_is_no_metric_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """None, a tuple, a mapping and an entity of another kind are no metrics."""
    run_id = fresh.run(metrics=[GOOD])
    strangers: tuple[Any, ...] = (None, ("m", 1.0, 1, 0), {"key": "m", "value": 1.0}, Param("m", "1.0"), "m", 1.0)

    for stranger in strangers:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_metric(run_id, stranger)

    expect_equal({"good": 0.5}, store.get_run(run_id).data.metrics, "the run's metrics")


@check("metric.unknown-run")
def an_unknown_run_takes_no_point(store: TrackingStore, fresh: Fresh) -> None:
    """A point for a run that does not exist is refused."""
    run_id = fresh.unknown_run_id()

    with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
        store.log_metric(run_id, GOOD)


@check("metric.deleted-run-refused", rests_on=("run.delete",))
def a_deleted_run_takes_no_point(store: TrackingStore, fresh: Fresh) -> None:
    """A point for a deleted run is refused, and the run stays as it was."""
    run_id = fresh.run(metrics=[GOOD])
    store.delete_run(run_id)

    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_metric(run_id, Metric("late", 1.0, 2_000, 2))

    expect_equal({"good": 0.5}, store.get_run(run_id).data.metrics, "the run's metrics")


@check("metric.keys-exact")
def similar_keys_are_different_metrics(store: TrackingStore, fresh: Fresh) -> None:
    """Keys that differ in case, form, width, spaces or punctuation name different metrics."""
    run_id = fresh.run()
    similar = (
        "loss",
        "Loss",
        "loss ",
        " loss",
        "lo_s",
        "lo.s",
        "K",
        "\u212a",
        "\uac00",
        "\u1100\u1161",
        "ﬁ",
        "fi",
    )

    for number, key in enumerate(similar):
        store.log_metric(run_id, Metric(key, float(number), 0, 0))

    expected = {key: float(number) for number, key in enumerate(similar)}
    expect_equal(expected, store.get_run(run_id).data.metrics, "the run's metrics")


@check("metric.prefix-keys")
def a_longer_key_follows_its_prefix(store: TrackingStore, fresh: Fresh) -> None:
    """A metric is logged beside one whose key continues its own with a slash."""
    run_id = fresh.run()

    for number, key in enumerate(("val", "val/loss", "val/loss/mean")):
        store.log_metric(run_id, Metric(key, float(number), 0, 0))

    expected = {"val": 0.0, "val/loss": 1.0, "val/loss/mean": 2.0}
    expect_equal(expected, store.get_run(run_id).data.metrics, "the run's metrics")


@check("metric.prefix-keys")
def a_prefix_follows_the_longer_key(store: TrackingStore, fresh: Fresh) -> None:
    """A metric is logged beside one whose key its own continues with a slash."""
    run_id = fresh.run()

    for number, key in enumerate(("val/loss/mean", "val/loss", "val")):
        store.log_metric(run_id, Metric(key, float(number), 0, 0))

    expected = {"val/loss/mean": 0.0, "val/loss": 1.0, "val": 2.0}
    expect_equal(expected, store.get_run(run_id).data.metrics, "the run's metrics")


@check("metric.refused-leaves-nothing")
def a_refused_point_changes_nothing(store: TrackingStore, fresh: Fresh) -> None:
    """The metrics of a run are the same before and after calls that are refused."""
    run_id = fresh.run(metrics=[GOOD])

    for bad in (
        Metric("good", 9.0, -1, 9),
        Metric("new", 9.0, -1, 9),
        Metric("../new", 9.0, 9_000, 9),
        Metric("x" * 251, 9.0, 9_000, 9),
    ):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_metric(run_id, bad)

    expect_equal({"good": GOOD}, store.get_run(run_id).data.latest_metrics, "the latest points")


@check("metric.run-stays-readable")
def a_run_survives_every_point(store: TrackingStore, fresh: Fresh) -> None:
    """Points of odd types, whether accepted or not, leave the run readable and its other metric in place."""
    odd: Any
    for odd in (
        Metric("odd", Fraction(1, 3), 2_000, 2),  # type: ignore[arg-type]
        Metric("odd", 10**400, 2_000, 2),
        Metric("odd", 1.0, 1.7, 2),  # type: ignore[arg-type]
        Metric("odd", 1.0, True, 2),
        Metric("odd", 1.0, 2_000, 2.5),  # type: ignore[arg-type]
        Metric("odd", 1.0, 2_000, True),
        Metric("odd", 1.0, 2_000, float("nan")),  # type: ignore[arg-type]
        Metric("odd", 1.0, 2**63, 2**63),
    ):
        run_id = fresh.run(metrics=[GOOD])
        with suppress(Exception):
            store.log_metric(run_id, odd)

        expect_equal(0.5, store.get_run(run_id).data.metrics.get("good"), "the metric logged before")
