"""Backends that are wrong about metrics and their latest points."""

from __future__ import annotations

import math
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from tests.faults import fault
from trackspec import Metric, RunStatus, TrackspecError, limits
from trackspec.entities import Run
from trackspec.errors import invalid
from trackspec.memory_store import MemoryStore, RunRecord
from trackspec.search.order import metric_order


class AlteringStore(MemoryStore):
    """Changes what ``log_metric`` is given before it judges it."""

    def altered(self, metric: Any) -> Any:
        """The metric that is logged instead."""
        return metric

    def log_metric(self, run_id: str, metric: Metric) -> None:
        super().log_metric(run_id, self.altered(metric) if isinstance(metric, Metric) else metric)


# -- logging ----------------------------------------------------------------------------------------------------


@fault("metric.log")
class StepsAreDropped(MemoryStore):
    """Every point is kept at step 0."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        super()._add_point(record, replace(metric, step=0))


@fault("metric.log")
class ZeroIsNoValue(MemoryStore):
    """A point whose value is 0 is taken for one without a value, and not kept."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        if metric.value:
            super()._add_point(record, metric)


@fault("metric.one-of-several")
class OneMetricIsKept(MemoryStore):
    """Logging a point drops the metrics of all other keys."""

    def log_metric(self, run_id: str, metric: Metric) -> None:
        super().log_metric(run_id, metric)
        record = self._run(run_id)
        record.points = {metric.key: record.points[metric.key]}


@fault("metric.not-a-metric-refused")
class TuplesAreMetrics(MemoryStore):
    """A tuple is taken for a metric."""

    def log_metric(self, run_id: str, metric: Metric) -> None:
        super().log_metric(run_id, Metric(*metric) if isinstance(metric, tuple) else metric)


@fault("metric.unknown-run")
class PointsOfUnknownRunsAreIgnored(MemoryStore):
    """A point for a run that does not exist is accepted and goes nowhere."""

    def log_metric(self, run_id: str, metric: Metric) -> None:
        if run_id in self._state.runs:
            super().log_metric(run_id, metric)


@fault("metric.deleted-run-refused")
class DeletedRunsTakePoints(MemoryStore):
    """A deleted run takes points like any other."""

    def log_metric(self, run_id: str, metric: Metric) -> None:
        self._add_point(self._run(run_id), metric)


# -- keys -------------------------------------------------------------------------------------------------------


@fault("metric.keys-exact")
class MetricKeysAreCaseFolded(MemoryStore):
    """Keys that differ in case name one metric."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        known = next((key for key in record.points if key.casefold() == metric.key.casefold()), metric.key)
        super()._add_point(record, replace(metric, key=known))


@fault("metric.keys-exact")
class MetricKeysAreNormalised(MemoryStore):
    """Keys are kept in Unicode's composed normal form."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        super()._add_point(record, replace(metric, key=unicodedata.normalize("NFC", metric.key)))


@fault("metric.keys-exact")
class MetricKeysAreTrimmed(MemoryStore):
    """Spaces at the end of a key are dropped."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        super()._add_point(record, replace(metric, key=metric.key.rstrip(" ") or metric.key))


@fault("metric.keys-exact")
class MetricKeysAreCut(MemoryStore):
    """Keys are kept up to their 100th character."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        super()._add_point(record, replace(metric, key=metric.key[:100]))


@fault("metric.prefix-keys")
class AFileIsNoFolder(MemoryStore):
    """A key that continues a logged one after a slash cannot be logged."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        if any(metric.key.startswith(f"{key}/") for key in record.points):
            raise NotADirectoryError(metric.key)
        super()._add_point(record, metric)


@fault("metric.prefix-keys")
class AFolderIsNoFile(MemoryStore):
    """A key that a logged one continues after a slash cannot be logged."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        if any(key.startswith(f"{metric.key}/") for key in record.points):
            raise IsADirectoryError(metric.key)
        super()._add_point(record, metric)


# -- values -----------------------------------------------------------------------------------------------------


@fault("metric.finite-values")
class ValuesHaveFifteenDigits(MemoryStore):
    """Values are written with fifteen digits."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        super()._add_point(record, replace(metric, value=float(f"{metric.value:.15g}")))


@fault("metric.finite-values")
class SubnormalsBecomeZero(MemoryStore):
    """Values below the smallest normal double become 0."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        tiny = abs(metric.value) < sys.float_info.min
        super()._add_point(record, replace(metric, value=0.0) if tiny else metric)


@fault("metric.infinities", "metric.latest-infinities", "history.infinities")
class InfinitiesAreClamped(MemoryStore):
    """The infinities become the greatest and the least double."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        limit = sys.float_info.max
        clamped = metric.value if math.isnan(metric.value) else min(max(metric.value, -limit), limit)
        super()._add_point(record, replace(metric, value=clamped))


@fault("metric.nan")
class NanBecomesZero(MemoryStore):
    """NaN is kept as 0."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        super()._add_point(record, replace(metric, value=0.0) if math.isnan(metric.value) else metric)


@fault("metric.negative-zero")
class NegativeZeroIsRefused(AlteringStore):
    """-0.0 is refused."""

    def altered(self, metric: Any) -> Any:
        if metric.value == 0 and math.copysign(1, metric.value) < 0:
            raise invalid("A value must not be -0.0.")
        return metric


@fault("metric.integer-value")
class IntegersAreNoValues(AlteringStore):
    """An int is refused as a value."""

    def altered(self, metric: Any) -> Any:
        if type(metric.value) is int:
            raise invalid("A value must be a float.")
        return metric


@fault("metric.integer-value")
class IntegersStayIntegers(MemoryStore):
    """An int reads back as an int."""

    def log_metric(self, run_id: str, metric: Metric) -> None:
        super().log_metric(run_id, metric)
        points = self._run(run_id).points[metric.key]
        points[:] = [replace(points[-1], value=metric.value)]


@fault("metric.number-types")
class OnlyBuiltInNumbersAreValues(AlteringStore):
    """Numbers of other types than int and float are refused."""

    def altered(self, metric: Any) -> Any:
        if not isinstance(metric.value, (int, float)):
            raise invalid("A value must be an int or a float.")
        return metric


@fault("metric.bool-value-refused")
class BoolsAreValues(AlteringStore):
    """True is kept as 1.0."""

    def altered(self, metric: Any) -> Any:
        return replace(metric, value=float(metric.value)) if isinstance(metric.value, bool) else metric


@fault("metric.not-a-number-refused")
class TextsAreParsedAsValues(AlteringStore):
    """A text that reads as a number is taken as a value."""

    def altered(self, metric: Any) -> Any:
        if isinstance(metric.value, str) and metric.value:
            return replace(metric, value=float(metric.value))
        return metric


@fault("metric.not-a-number-refused")
class NoneBecomesNan(AlteringStore):
    """None is kept as NaN."""

    def altered(self, metric: Any) -> Any:
        return replace(metric, value=math.nan) if metric.value is None else metric


@fault("metric.beyond-double-refused")
class HugeValuesBecomeInfinite(AlteringStore):
    """An integer beyond the doubles is kept as infinity."""

    def altered(self, metric: Any) -> Any:
        if type(metric.value) is int and abs(metric.value) > sys.float_info.max:
            return replace(metric, value=math.copysign(math.inf, 1 if metric.value > 0 else -1))
        return metric


# -- timestamps and steps ---------------------------------------------------------------------------------------


@fault("metric.timestamp-range")
class TimestampsAreDoubles(MemoryStore):
    """Timestamps are kept with the 53 bits of a double."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        super()._add_point(record, replace(metric, timestamp=int(float(metric.timestamp))))


@fault("metric.step-range")
class StepsHave32Bits(MemoryStore):
    """Steps are kept within 32 bits."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        super()._add_point(record, replace(metric, step=min(max(metric.step, -(2**31)), 2**31 - 1)))


@fault("metric.negative-timestamp-refused")
class TimestampsLoseTheirSign(AlteringStore):
    """A negative timestamp is kept without its sign."""

    def altered(self, metric: Any) -> Any:
        if type(metric.timestamp) is int and metric.timestamp < 0:
            return replace(metric, timestamp=min(-metric.timestamp, limits.INT64_MAX))
        return metric


@fault("metric.timestamp-beyond-int64-refused")
class TimestampsAreClamped(AlteringStore):
    """A timestamp beyond 64 bits becomes the greatest one."""

    def altered(self, metric: Any) -> Any:
        if type(metric.timestamp) is int:
            return replace(metric, timestamp=min(metric.timestamp, limits.INT64_MAX))
        return metric


@fault("metric.step-beyond-int64-refused")
class StepsBeyondTheRangeBecomeZero(AlteringStore):
    """A step beyond 64 bits becomes 0."""

    def altered(self, metric: Any) -> Any:
        beyond = type(metric.step) is int and not limits.INT64_MIN <= metric.step <= limits.INT64_MAX
        return replace(metric, step=0) if beyond else metric


@fault("metric.timestamp-not-an-integer-refused")
class TimestampsAreTruncated(AlteringStore):
    """A fractional timestamp loses its fraction."""

    def altered(self, metric: Any) -> Any:
        whole = isinstance(metric.timestamp, float) and math.isfinite(metric.timestamp)
        return replace(metric, timestamp=int(metric.timestamp)) if whole else metric


@fault("metric.step-not-an-integer-refused")
class WholeFloatsAreSteps(AlteringStore):
    """A float without a fraction is taken as a step."""

    def altered(self, metric: Any) -> Any:
        whole = isinstance(metric.step, float) and metric.step.is_integer()
        return replace(metric, step=int(metric.step)) if whole else metric


@fault("metric.timestamp-bool-refused")
class BoolsAreTimestamps(AlteringStore):
    """True is taken as the timestamp 1."""

    def altered(self, metric: Any) -> Any:
        is_bool = isinstance(metric.timestamp, bool)
        return replace(metric, timestamp=int(metric.timestamp)) if is_bool else metric


@fault("metric.step-bool-refused")
class BoolsAreSteps(AlteringStore):
    """True is taken as step 1."""

    def altered(self, metric: Any) -> Any:
        return replace(metric, step=int(metric.step)) if isinstance(metric.step, bool) else metric


@fault("metric.timestamp-none-refused")
class NoTimestampIsTheEpoch(AlteringStore):
    """None is taken as the timestamp 0."""

    def altered(self, metric: Any) -> Any:
        return replace(metric, timestamp=0) if metric.timestamp is None else metric


@fault("metric.step-none-refused")
class NoStepIsStepZero(AlteringStore):
    """None is taken as step 0."""

    def altered(self, metric: Any) -> Any:
        return replace(metric, step=0) if metric.step is None else metric


# -- mistakes ---------------------------------------------------------------------------------------------------


@fault("metric.refused-leaves-nothing")
class RefusedPointsLeaveTheirKey(MemoryStore):
    """A refused point leaves an empty point of its key behind."""

    def log_metric(self, run_id: str, metric: Metric) -> None:
        try:
            super().log_metric(run_id, metric)
        except TrackspecError:
            if isinstance(metric, Metric) and run_id in self._state.runs:
                self._add_point(self._run(run_id), Metric(str(metric.key), 0.0, 0, 0))
            raise


@fault("metric.run-stays-readable")
class FractionsCannotBeReadBack(MemoryStore):
    """A fraction is accepted, and no call can read its run any more."""

    def log_metric(self, run_id: str, metric: Metric) -> None:
        super().log_metric(run_id, metric)
        if isinstance(metric.value, Fraction):
            record = self._run(run_id)
            record.info = replace(record.info, status=RunStatus.FAILED)

    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        if run.info.status is RunStatus.FAILED:
            raise ValueError("could not convert string to float: '1/3'")
        return run


# -- the latest point -------------------------------------------------------------------------------------------


@fault("metric.latest-step")
class TheLatestIsTheYoungest(MemoryStore):
    """The point of the greatest timestamp is the latest, whatever its step."""

    def _latest_point(self, points: Sequence[Metric]) -> Metric:
        return max(points, key=lambda point: (point.timestamp, *metric_order(point)))


@fault("metric.latest-step", "metric.latest-timestamp", "metric.latest-value")
class TheLatestIsTheLastToArrive(MemoryStore):
    """The point that arrived last is the latest."""

    def _latest_point(self, points: Sequence[Metric]) -> Metric:
        return points[-1]


@fault("metric.latest-step")
class StepsCompareAsText(MemoryStore):
    """Steps are compared by their digits."""

    def _latest_point(self, points: Sequence[Metric]) -> Metric:
        return max(points, key=lambda point: (str(point.step), *metric_order(point)))


@fault("metric.latest-negative-step")
class StepsCompareWithoutTheirSign(MemoryStore):
    """Step -2 counts as 2."""

    def _latest_point(self, points: Sequence[Metric]) -> Metric:
        return max(points, key=lambda point: (abs(point.step), *metric_order(point)))


@fault("metric.latest-timestamp")
class TheLatestIsTheGreatestOfAStep(MemoryStore):
    """Within a step the greatest value is the latest, whatever its timestamp."""

    def _latest_point(self, points: Sequence[Metric]) -> Metric:
        return max(points, key=lambda point: (point.step, metric_order(point)[2:], point.timestamp))


@fault("metric.latest-value", "metric.latest-any-arrival")
class TiesGoToTheFirst(MemoryStore):
    """Of points of one step and timestamp, the one that arrived first is the latest."""

    def _latest_point(self, points: Sequence[Metric]) -> Metric:
        return max(points, key=lambda point: (point.step, point.timestamp))


@fault("metric.latest-nan", "metric.latest-any-arrival")
class NanComparesAsZero(MemoryStore):
    """NaN is compared as 0."""

    def _latest_point(self, points: Sequence[Metric]) -> Metric:
        return max(
            points,
            key=lambda point: (point.step, point.timestamp, point.value if point.value == point.value else 0),
        )


@fault("metric.latest-nan")
class NanIsTheGreatest(MemoryStore):
    """NaN is later than every number."""

    def _latest_point(self, points: Sequence[Metric]) -> Metric:
        return max(
            points, key=lambda point: (point.step, point.timestamp, math.isnan(point.value), metric_order(point))
        )


@fault("metric.latest-nan")
class NanIsNeverTheLatest(MemoryStore):
    """A number is later than NaN, also than one of a greater step."""

    def _latest_point(self, points: Sequence[Metric]) -> Metric:
        return max(points, key=lambda point: (not math.isnan(point.value), metric_order(point)))


@fault("metric.latest-infinities")
class InfinitiesAreIgnored(MemoryStore):
    """A finite value is later than an infinite one of its step and timestamp."""

    def _latest_point(self, points: Sequence[Metric]) -> Metric:
        return max(
            points,
            key=lambda point: (point.step, point.timestamp, not math.isinf(point.value), metric_order(point)),
        )


@fault("metric.latest-whole")
class TheLatestIsPutTogether(MemoryStore):
    """The latest point has the greatest step, the greatest timestamp and the value of the greatest step."""

    def _latest_point(self, points: Sequence[Metric]) -> Metric:
        return replace(super()._latest_point(points), timestamp=max(point.timestamp for point in points))
