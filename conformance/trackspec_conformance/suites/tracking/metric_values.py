"""The checks of the chapter on metrics: which values, timestamps and steps a point may have."""

import math
import numbers
import sys
from decimal import Decimal
from fractions import Fraction
from typing import Any

from trackspec import ErrorCode, Metric, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, refused
from trackspec_conformance.fresh import Fresh

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


@numbers.Number.register
class Scalar:
    """A number of no type that a backend knows, as array libraries have them."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __float__(self) -> float:
        return self.value

    def __repr__(self) -> str:
        return f"Scalar({self.value})"


# -- values -----------------------------------------------------------------------------------------------------


@check("metric.finite-values")
def finite_values_read_back_exactly(store: TrackingStore, fresh: Fresh) -> None:
    """The greatest, the smallest and the longest doubles keep every bit."""
    run_id = fresh.run()
    values = {
        "max": sys.float_info.max,
        "-max": -sys.float_info.max,
        "min": sys.float_info.min,
        "tiny": math.ulp(0.0),
        "-tiny": -math.ulp(0.0),
        "tenth": 0.1,
        "next to a tenth": math.nextafter(0.1, 1.0),
        "third": 1 / 3,
        "17 digits": 123456789.12345679,
        "beyond 53 bits": 2.0**53 + 2,
        "zero": 0.0,
    }

    for key, value in values.items():
        store.log_metric(run_id, Metric(key, value, 0, 0))

    expect_equal(values, store.get_run(run_id).data.metrics, "the run's metrics")


@check("metric.infinities")
def infinities_stay_infinite(store: TrackingStore, fresh: Fresh) -> None:
    """Infinity and minus infinity read back as themselves."""
    run_id = fresh.run()

    store.log_metric(run_id, Metric("up", math.inf, 0, 0))
    store.log_metric(run_id, Metric("down", -math.inf, 0, 0))

    expect_equal({"up": math.inf, "down": -math.inf}, store.get_run(run_id).data.metrics, "the run's metrics")


@check("metric.nan")
def nan_stays_nan(store: TrackingStore, fresh: Fresh) -> None:
    """NaN reads back as NaN."""
    run_id = fresh.run()

    store.log_metric(run_id, Metric("lost", math.nan, 0, 0))

    expect_equal({"lost": math.nan}, store.get_run(run_id).data.metrics, "the run's metrics")


@check("metric.negative-zero")
def negative_zero_is_a_zero(store: TrackingStore, fresh: Fresh) -> None:
    """-0.0 reads back as a zero of either sign."""
    run_id = fresh.run()

    store.log_metric(run_id, Metric("zero", -0.0, 0, 0))

    expect_equal({"zero": 0.0}, store.get_run(run_id).data.metrics, "the run's metrics")


@check("metric.integer-value")
def an_integer_becomes_a_double(store: TrackingStore, fresh: Fresh) -> None:
    """Integers read back as floats, those beyond 2^53 as the nearest one."""
    run_id = fresh.run()
    values = {"small": 3, "negative": -7, "odd": 2**53 + 1, "beyond int64": 2**70, "huge": 10**300}

    for key, value in values.items():
        store.log_metric(run_id, Metric(key, value, 0, 0))

    metrics = store.get_run(run_id).data.metrics
    expect_equal({key: float(value) for key, value in values.items()}, metrics, "the run's metrics")
    expect(all(isinstance(value, float) for value in metrics.values()), "values of type float", metrics)


@check("metric.number-types")
def fractions_and_decimals_become_doubles(store: TrackingStore, fresh: Fresh) -> None:
    """A fraction and a decimal read back as the double they convert to."""
    run_id = fresh.run()
    values: dict[str, Any] = {"fraction": Fraction(1, 3), "decimal": Decimal("0.1")}

    for key, value in values.items():
        store.log_metric(run_id, Metric(key, value, 0, 0))
    store.log_batch(run_id, [Metric(f"batch {key}", value, 0, 0) for key, value in values.items()], [], [])

    metrics = store.get_run(run_id).data.metrics
    expected = {"fraction": 1 / 3, "decimal": 0.1, "batch fraction": 1 / 3, "batch decimal": 0.1}
    expect_equal(expected, metrics, "the run's metrics")
    expect(all(isinstance(value, float) for value in metrics.values()), "values of type float", metrics)


@check("metric.number-types")
def scalars_of_other_libraries_become_doubles(store: TrackingStore, fresh: Fresh) -> None:
    """An object that is registered as a number reads back as the double it converts to."""
    run_id = fresh.run()
    scalar: Any = Scalar(0.75)

    store.log_metric(run_id, Metric("scalar", scalar, 0, 0))

    expect_equal({"scalar": 0.75}, store.get_run(run_id).data.metrics, "the run's metrics")


@check("metric.bool-value-refused")
def a_bool_is_no_value(store: TrackingStore, fresh: Fresh) -> None:
    """True and False are refused as values."""
    run_id = fresh.run()

    for value in (True, False):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_metric(run_id, Metric("flag", value, 0, 0))

    expect_equal({}, store.get_run(run_id).data.metrics, "the run's metrics")


@check("metric.not-a-number-refused")
def what_is_no_number_is_no_value(store: TrackingStore, fresh: Fresh) -> None:
    """None, texts, lists and complex numbers are refused as values."""
    run_id = fresh.run()
    values: tuple[Any, ...] = (None, "", "1.0", "nan", b"1.0", [1.0], {}, 1j)

    for value in values:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_metric(run_id, Metric("m", value, 0, 0))

    expect_equal({}, store.get_run(run_id).data.metrics, "the run's metrics")


@check("metric.beyond-double-refused")
def a_number_beyond_the_doubles_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Integers and fractions that no double holds are refused."""
    run_id = fresh.run()
    values: tuple[Any, ...] = (10**400, -(10**400), Fraction(10**400, 3))

    for value in values:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_metric(run_id, Metric("m", value, 0, 0))

    expect_equal({}, store.get_run(run_id).data.metrics, "the run's metrics")


# -- timestamps and steps ---------------------------------------------------------------------------------------


@check("metric.timestamp-range")
def timestamps_read_back_exactly(store: TrackingStore, fresh: Fresh) -> None:
    """Timestamps keep every digit, from 0 to the greatest 64-bit integer."""
    run_id = fresh.run()
    # Times that come out a millisecond short if they pass through seconds.
    seconds = (1_089_049_631_972, 1_074_279_696_771)
    timestamps = (0, 1, 2**31, *seconds, 2**53 + 1, INT64_MAX - 1, INT64_MAX)

    for timestamp in timestamps:
        store.log_metric(run_id, Metric(str(timestamp), 1.0, timestamp, 0))

    latest = store.get_run(run_id).data.latest_metrics
    expect_equal(
        {str(timestamp): timestamp for timestamp in timestamps},
        {key: point.timestamp for key, point in latest.items()},
        "the timestamps by key",
    )


@check("metric.step-range")
def steps_read_back_exactly(store: TrackingStore, fresh: Fresh) -> None:
    """Steps keep every digit, from the least to the greatest 64-bit integer."""
    run_id = fresh.run()
    steps = (INT64_MIN, INT64_MIN + 1, -(2**53) - 1, -1, 0, 1, 2**31, 2**53 + 1, INT64_MAX - 1, INT64_MAX)

    for step in steps:
        store.log_metric(run_id, Metric(str(step), 1.0, 0, step))

    latest = store.get_run(run_id).data.latest_metrics
    expect_equal(
        {str(step): step for step in steps}, {key: point.step for key, point in latest.items()}, "the steps by key"
    )


def _expect_no_timestamp(store: TrackingStore, run_id: str, timestamps: tuple[Any, ...]) -> None:
    for timestamp in timestamps:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_metric(run_id, Metric("m", 1.0, timestamp, 0))

    expect_equal({}, store.get_run(run_id).data.metrics, "the run's metrics")


def _expect_no_step(store: TrackingStore, run_id: str, steps: tuple[Any, ...]) -> None:
    for step in steps:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_metric(run_id, Metric("m", 1.0, 0, step))

    expect_equal({}, store.get_run(run_id).data.metrics, "the run's metrics")


@check("metric.negative-timestamp-refused")
def a_negative_timestamp_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Times before the epoch are refused."""
    _expect_no_timestamp(store, fresh.run(), (-1, INT64_MIN))


@check("metric.timestamp-beyond-int64-refused")
def a_timestamp_beyond_64_bits_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """2^63 and more are refused as timestamps."""
    _expect_no_timestamp(store, fresh.run(), (INT64_MAX + 1, 2**64, 10**30))


@check("metric.timestamp-not-an-integer-refused")
def a_fraction_is_no_timestamp(store: TrackingStore, fresh: Fresh) -> None:
    """Floats, whole ones too, and texts are refused as timestamps."""
    _expect_no_timestamp(store, fresh.run(), (1.7, 2.0, math.nan, math.inf, "7", b"7", Decimal(7), [7]))


@check("metric.timestamp-bool-refused")
def a_bool_is_no_timestamp(store: TrackingStore, fresh: Fresh) -> None:
    """True and False are refused as timestamps."""
    _expect_no_timestamp(store, fresh.run(), (True, False))


@check("metric.timestamp-none-refused")
def none_is_no_timestamp(store: TrackingStore, fresh: Fresh) -> None:
    """None is refused as a timestamp."""
    _expect_no_timestamp(store, fresh.run(), (None,))


@check("metric.step-beyond-int64-refused")
def a_step_beyond_64_bits_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """What is above 2^63-1 or below -2^63 is refused as a step."""
    _expect_no_step(store, fresh.run(), (INT64_MAX + 1, INT64_MIN - 1, 2**64, -(10**30)))


@check("metric.step-not-an-integer-refused")
def a_fraction_is_no_step(store: TrackingStore, fresh: Fresh) -> None:
    """Floats, whole ones too, and texts are refused as steps."""
    _expect_no_step(store, fresh.run(), (1.7, 2.0, math.nan, -math.inf, "7", b"7", Decimal(7), [7]))


@check("metric.step-bool-refused")
def a_bool_is_no_step(store: TrackingStore, fresh: Fresh) -> None:
    """True and False are refused as steps."""
    _expect_no_step(store, fresh.run(), (True, False))


@check("metric.step-none-refused")
def none_is_no_step(store: TrackingStore, fresh: Fresh) -> None:
    """None is refused as a step."""
    _expect_no_step(store, fresh.run(), (None,))
