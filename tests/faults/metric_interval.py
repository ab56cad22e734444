"""Backends that are wrong about the points they draw from an interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.faults import fault
from trackspec import ErrorCode, Metric, TrackspecError, arguments, limits
from trackspec.errors import invalid, missing
from trackspec.memory_store import MemoryStore
from trackspec.metric_sampling import evenly_spaced
from trackspec.search.order import metric_order


class DrawingStore(MemoryStore):
    """Draws points in its own way."""

    def drawn(self, points: list[Metric], size: int) -> list[Metric]:
        """The points that are drawn of a run's points in the interval."""
        return evenly_spaced(points, size)

    def get_metric_history_bulk_interval(
        self,
        run_ids: Sequence[str],
        metric_key: str,
        max_results: int,
        start_step: int | None = None,
        end_step: int | None = None,
    ) -> list[Metric]:
        super().get_metric_history_bulk_interval(run_ids, metric_key, max_results, start_step, end_step)
        runs, low, high = arguments.interval(run_ids, start_step, end_step)
        intervals = [self._metric_interval(run_id, metric_key, low, high) for run_id in runs]
        return [point for points in intervals for point in self.drawn(points, max_results)]


class AlteringStore(MemoryStore):
    """Changes the arguments of a drawing before it judges them, and what it answers."""

    def altered(self, runs: Any, key: Any, size: Any, start: Any, end: Any) -> tuple[Any, Any, Any, Any, Any]:
        """The arguments that are used instead."""
        return runs, key, size, start, end

    def answered(self, points: list[Metric]) -> list[Metric]:
        """The points that are returned instead."""
        return points

    def get_metric_history_bulk_interval(
        self,
        run_ids: Sequence[str],
        metric_key: str,
        max_results: int,
        start_step: int | None = None,
        end_step: int | None = None,
    ) -> list[Metric]:
        given = self.altered(run_ids, metric_key, max_results, start_step, end_step)
        return self.answered(super().get_metric_history_bulk_interval(*given))


# -- how many ---------------------------------------------------------------------------------------------------


@fault("interval.all-if-few")
class FewPointsAreDrawnFromToo(DrawingStore):
    """One point less is drawn than asked for, even if there are no more than that."""

    def drawn(self, points: list[Metric], size: int) -> list[Metric]:
        return (
            evenly_spaced(points, max(2, min(len(points), size) - 1)) if size > 2 else evenly_spaced(points, size)
        )


@fault("interval.at-most-max-results")
class OneMoreIsDrawn(DrawingStore):
    """One point more is drawn than asked for."""

    def drawn(self, points: list[Metric], size: int) -> list[Metric]:
        return evenly_spaced(points, size + 1)


@fault("interval.at-most-max-results")
class StepsAreCountedInsteadOfPoints(DrawingStore):
    """As many steps as asked for are drawn, with all of their points."""

    def drawn(self, points: list[Metric], size: int) -> list[Metric]:
        one_each = {point.step: point for point in points}
        steps = {point.step for point in evenly_spaced(list(one_each.values()), size)}
        return [point for point in points if point.step in steps]


@fault("interval.first-and-last")
class TheBeginningIsDrawn(DrawingStore):
    """The first points of the interval are drawn."""

    def drawn(self, points: list[Metric], size: int) -> list[Metric]:
        return points[:size]


@fault("interval.first-and-last")
class TheFirstIsLeftOut(DrawingStore):
    """The first point of the interval is not drawn where there are more than asked for."""

    def drawn(self, points: list[Metric], size: int) -> list[Metric]:
        return evenly_spaced(points[1:], size) if len(points) > size > 1 else evenly_spaced(points, size)


@fault("interval.one-of-one")
class NoneIsDrawnOfOne(DrawingStore):
    """Where one point is asked for, none is drawn."""

    def drawn(self, points: list[Metric], size: int) -> list[Metric]:
        return evenly_spaced(points, size) if size > 1 else []


@fault("interval.no-more-than-logged")
class PointsAreAveraged(DrawingStore):
    """Where there are more points than asked for, the values drawn are averages of neighbours."""

    def drawn(self, points: list[Metric], size: int) -> list[Metric]:
        drawn = evenly_spaced(points, size)
        if len(drawn) == len(points):
            return drawn
        return [
            replace(point, value=(point.value + other.value) / 2)
            for point, other in zip(drawn, [*drawn[1:], drawn[-1]], strict=True)
        ]


@fault("interval.no-more-than-logged")
class PointsAreDrawnAgain(DrawingStore):
    """Where there are more points than asked for, the last one comes twice."""

    def drawn(self, points: list[Metric], size: int) -> list[Metric]:
        drawn = evenly_spaced(points, size)
        return drawn if len(drawn) == len(points) or size < 3 else [*drawn[:-2], drawn[-1], drawn[-1]]


@fault("interval.evenly-spread")
class TheBeginningAndTheLastAreDrawn(DrawingStore):
    """The first points of the interval and the last one are drawn."""

    def drawn(self, points: list[Metric], size: int) -> list[Metric]:
        return points if len(points) <= size else [*points[: size - 1], points[-1]]


@fault("interval.takes-2500")
class AThousandIsTheMost(AlteringStore):
    """More than a thousand points of each run are refused."""

    def altered(self, runs: Any, key: Any, size: Any, start: Any, end: Any) -> tuple[Any, Any, Any, Any, Any]:
        if type(size) is int and size > 1000:
            raise invalid("max_results must be at most 1000.")
        return runs, key, size, start, end


@fault("interval.above-2500")
class TooManyPointsFail(AlteringStore):
    """More than 2,500 points are answered with INTERNAL_ERROR."""

    def altered(self, runs: Any, key: Any, size: Any, start: Any, end: Any) -> tuple[Any, Any, Any, Any, Any]:
        if type(size) is int and size > limits.MAX_POINTS_PER_INTERVAL:
            raise TrackspecError("Too many points.", ErrorCode.INTERNAL_ERROR)
        return runs, key, size, start, end


@fault("interval.max-results-not-positive-refused")
class NothingMeansOne(AlteringStore):
    """0 and less mean one point."""

    def altered(self, runs: Any, key: Any, size: Any, start: Any, end: Any) -> tuple[Any, Any, Any, Any, Any]:
        return runs, key, max(1, size) if type(size) is int else size, start, end


@fault("interval.max-results-no-integer-refused")
class NoNumberMeansTheMost(AlteringStore):
    """None means as many points as may be."""

    def altered(self, runs: Any, key: Any, size: Any, start: Any, end: Any) -> tuple[Any, Any, Any, Any, Any]:
        return runs, key, limits.MAX_POINTS_PER_INTERVAL if size is None else size, start, end


# -- from which steps -------------------------------------------------------------------------------------------


@fault("interval.bounds-inclusive")
class TheEndIsExcluded(MemoryStore):
    """The interval ends before its upper bound, unless it is one step long."""

    def _metric_interval(self, run_id: str, key: str, start_step: int, end_step: int) -> list[Metric]:
        end = end_step if end_step in {start_step, limits.INT64_MAX} else end_step - 1
        return super()._metric_interval(run_id, key, start_step, end)


@fault("interval.bounds-inclusive")
class BoundsAreIgnored(MemoryStore):
    """The interval is always the whole history."""

    def _metric_interval(self, run_id: str, key: str, start_step: int, end_step: int) -> list[Metric]:
        return super()._metric_interval(run_id, key, limits.INT64_MIN, limits.INT64_MAX)


@fault("interval.negative-steps")
class IntervalsBeginAtZero(AlteringStore):
    """Without bounds the interval begins at step 0."""

    def altered(self, runs: Any, key: Any, size: Any, start: Any, end: Any) -> tuple[Any, Any, Any, Any, Any]:
        return (runs, key, size, 0, limits.INT64_MAX) if start is end is None else (runs, key, size, start, end)


@fault("interval.int64-steps")
class StepsCompareAsDoubles(MemoryStore):
    """Steps are compared with the bounds as doubles."""

    def _metric_interval(self, run_id: str, key: str, start_step: int, end_step: int) -> list[Metric]:
        history = self._get_metric_history(run_id, key, None, None)
        return [point for point in history if float(start_step) <= float(point.step) <= float(end_step)]


@fault("interval.one-bound-refused")
class AMissingBoundIsOpen(AlteringStore):
    """An interval with one bound is open on the other side."""

    def altered(self, runs: Any, key: Any, size: Any, start: Any, end: Any) -> tuple[Any, Any, Any, Any, Any]:
        if start is not None and end is None:
            end = limits.INT64_MAX
        return runs, key, size, start, end


@fault("interval.one-bound-refused")
class ABoundOfZeroIsNone(AlteringStore):
    """A bound of 0 is taken for one that is missing."""

    def altered(self, runs: Any, key: Any, size: Any, start: Any, end: Any) -> tuple[Any, Any, Any, Any, Any]:
        if start == 0 and end is None:
            start = None
        return runs, key, size, start, end


@fault("interval.bounds-no-integer-refused")
class BoundsAreTruncated(AlteringStore):
    """A fractional bound loses its fraction."""

    def altered(self, runs: Any, key: Any, size: Any, start: Any, end: Any) -> tuple[Any, Any, Any, Any, Any]:
        if isinstance(start, float) and math.isfinite(start):
            start = int(start)
        return runs, key, size, start, end


@fault("interval.reversed-bounds")
class ReversedBoundsAreTurned(AlteringStore):
    """Bounds in the wrong order are put into the right one."""

    def altered(self, runs: Any, key: Any, size: Any, start: Any, end: Any) -> tuple[Any, Any, Any, Any, Any]:
        if type(start) is type(end) is int and start > end:
            start, end = end, start
        return runs, key, size, start, end


# -- of which runs and keys -------------------------------------------------------------------------------------


@fault("interval.run-id")
class DrawnPointsForgetTheirRun(AlteringStore):
    """The points that are drawn carry no run id."""

    def answered(self, points: list[Metric]) -> list[Metric]:
        return [replace(point, run_id=None) for point in points]


@fault("interval.several-runs", "interval.runs-alone")
class TheFirstRunIsDrawnFrom(AlteringStore):
    """Of several runs, the first gives points."""

    def answered(self, points: list[Metric]) -> list[Metric]:
        return [point for point in points if point.run_id == points[0].run_id]


@fault("interval.runs-alone")
class RunsShareTheNumber(AlteringStore):
    """Of several runs, each gives its part of the number asked for."""

    def altered(self, runs: Any, key: Any, size: Any, start: Any, end: Any) -> tuple[Any, Any, Any, Any, Any]:
        shared = isinstance(runs, list) and len(runs) > 1 and type(size) is int and size > 1
        return runs, key, size // len(runs) if shared else size, start, end


@fault("interval.run-order")
class PointsComeByStep(AlteringStore):
    """The points of all runs come in the order of their steps."""

    def answered(self, points: list[Metric]) -> list[Metric]:
        return sorted(points, key=metric_order)


@fault("interval.repeated-run")
class EachMentionCounts(MemoryStore):
    """A run that is named twice gives its points twice."""

    def get_metric_history_bulk_interval(
        self,
        run_ids: Sequence[str],
        metric_key: str,
        max_results: int,
        start_step: int | None = None,
        end_step: int | None = None,
    ) -> list[Metric]:
        alone = super().get_metric_history_bulk_interval
        runs = arguments.identifiers(run_ids, "run_ids") and run_ids
        return [
            point for run_id in runs for point in alone([run_id], metric_key, max_results, start_step, end_step)
        ]


@fault("interval.no-runs")
class NoRunsMeanAll(AlteringStore):
    """An empty list of runs means all runs."""

    def altered(self, runs: Any, key: Any, size: Any, start: Any, end: Any) -> tuple[Any, Any, Any, Any, Any]:
        return list(self._state.runs) if runs == [] else runs, key, size, start, end


@fault("interval.unknown-key")
class RunsWithoutTheKeyAreRefused(MemoryStore):
    """A run that never logged the key is answered with RESOURCE_DOES_NOT_EXIST."""

    def _metric_interval(self, run_id: str, key: str, start_step: int, end_step: int) -> list[Metric]:
        if key not in self._run(run_id).points:
            raise missing("metric", key)
        return super()._metric_interval(run_id, key, start_step, end_step)


@fault("interval.unknown-run")
class UnknownRunsAreLeftOut(MemoryStore):
    """A run that does not exist contributes no points."""

    def _metric_interval(self, run_id: str, key: str, start_step: int, end_step: int) -> list[Metric]:
        if run_id not in self._state.runs:
            return []
        return super()._metric_interval(run_id, key, start_step, end_step)


@fault("interval.no-list-of-runs-refused")
class OneIdIsAList(AlteringStore):
    """A run id alone is taken for a list of it."""

    def altered(self, runs: Any, key: Any, size: Any, start: Any, end: Any) -> tuple[Any, Any, Any, Any, Any]:
        return [runs] if isinstance(runs, str) else runs, key, size, start, end


@fault("interval.malformed-key-refused")
class MalformedKeysAreDrawnFrom(AlteringStore):
    """A malformed key is replaced by one that nobody logged."""

    def altered(self, runs: Any, key: Any, size: Any, start: Any, end: Any) -> tuple[Any, Any, Any, Any, Any]:
        return runs, key if key == "m" else "nobody logged this", size, start, end


@fault("interval.deleted-run")
class DeletedRunsAreLeftOut(MemoryStore):
    """A deleted run contributes no points."""

    def _metric_interval(self, run_id: str, key: str, start_step: int, end_step: int) -> list[Metric]:
        if self._run(run_id).info.lifecycle_stage == "deleted":
            return []
        return super()._metric_interval(run_id, key, start_step, end_step)
