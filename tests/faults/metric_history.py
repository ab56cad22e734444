"""Backends that are wrong about a metric's history."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from tests.faults import fault
from trackspec import ErrorCode, Metric, PagedList, TrackspecError, limits
from trackspec.errors import invalid, missing
from trackspec.memory_store import MemoryStore, RunRecord
from trackspec.search import page_token as page_tokens
from trackspec.search.order import is_point, metric_order

History = PagedList[Metric]


class ReorderingStore(MemoryStore):
    """Orders histories in its own way, and pages them by count."""

    def ordered(self, points: list[Metric]) -> list[Metric]:
        """The history of these points, given in the order in which they arrived."""
        return points

    def get_metric_history(
        self, run_id: str, metric_key: str, max_results: int | None = None, page_token: str | None = None
    ) -> History:
        super().get_metric_history(run_id, metric_key, max_results)
        points = self.ordered(list(self._run(run_id).points.get(metric_key, [])))
        start = int(page_token or 0)
        end = len(points) if max_results is None else start + max_results
        return PagedList(points[start:end], str(end) if end < len(points) else None)


class AlteringStore(MemoryStore):
    """Changes the points of a history as they are read."""

    def altered(self, point: Metric) -> Metric:
        """The point that is read instead."""
        return point

    def get_metric_history(
        self, run_id: str, metric_key: str, max_results: int | None = None, page_token: str | None = None
    ) -> History:
        page = super().get_metric_history(run_id, metric_key, max_results, page_token)
        return PagedList(map(self.altered, page), page.token)


# -- what a history holds ---------------------------------------------------------------------------------------


@fault("history.whole")
class HistoriesComeInPagesOfAThousand(MemoryStore):
    """Without a page size, a history ends after a thousand points, with a token."""

    def get_metric_history(
        self, run_id: str, metric_key: str, max_results: int | None = None, page_token: str | None = None
    ) -> History:
        size = limits.DEFAULT_MAX_RESULTS if max_results is None else max_results
        return super().get_metric_history(run_id, metric_key, size, page_token)


@fault("history.whole")
class HistoriesAreThinned(MemoryStore):
    """A run keeps the last hundred points of a metric."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        super()._add_point(record, metric)
        del record.points[metric.key][:-100]


@fault("history.values-exact")
class ReadValuesAreRounded(AlteringStore):
    """The values of a history have single precision's seven digits."""

    def altered(self, point: Metric) -> Metric:
        return replace(point, value=float(f"{point.value:.7g}"))


@fault("history.values-exact")
class ReadStepsAreDoubles(AlteringStore):
    """The steps of a history have the 53 bits of a double."""

    def altered(self, point: Metric) -> Metric:
        return replace(point, step=int(float(point.step)))


@fault("history.infinities")
class ReadInfinitiesAreNan(AlteringStore):
    """An infinity reads back as NaN from a history."""

    def altered(self, point: Metric) -> Metric:
        return replace(point, value=math.nan) if math.isinf(point.value) else point


@fault("history.run-id")
class PointsForgetTheirRun(AlteringStore):
    """The points of a history carry no run id."""

    def altered(self, point: Metric) -> Metric:
        return replace(point, run_id=None)


@fault("history.unknown-key")
class UnknownKeysAreRefused(MemoryStore):
    """A key that was never logged is answered with RESOURCE_DOES_NOT_EXIST."""

    def _get_metric_history(self, run_id: str, key: str, after: Metric | None, limit: int | None) -> list[Metric]:
        if key not in self._run(run_id).points:
            raise missing("metric", key)
        return super()._get_metric_history(run_id, key, after, limit)


@fault("history.unknown-key")
class HistoriesAreFoundByPrefix(MemoryStore):
    """A history holds the points of keys that continue its own after a slash."""

    def _get_metric_history(self, run_id: str, key: str, after: Metric | None, limit: int | None) -> list[Metric]:
        points = self._run(run_id).points
        keys = [known for known in points if known == key or known.startswith(f"{key}/")]
        return sorted((point for known in keys for point in points[known]), key=metric_order)


@fault("history.runs-apart")
class HistoriesAreFoundByKeyAlone(MemoryStore):
    """A history holds the points of all runs."""

    def _get_metric_history(self, run_id: str, key: str, after: Metric | None, limit: int | None) -> list[Metric]:
        records = self._state.runs.values()
        return sorted((point for record in records for point in record.points.get(key, [])), key=metric_order)


@fault("history.keys-apart")
class HistoriesAreFoundInAnyCase(MemoryStore):
    """A history holds the points of keys that differ from its own in case."""

    def _get_metric_history(self, run_id: str, key: str, after: Metric | None, limit: int | None) -> list[Metric]:
        points = self._run(run_id).points
        keys = [known for known in points if known.casefold() == key.casefold()]
        return sorted((point for known in keys for point in points[known]), key=metric_order)


@fault("history.deleted-run", "interval.deleted-run")
class DeletedRunsHaveNoHistory(MemoryStore):
    """The history of a deleted run is refused."""

    def _get_metric_history(self, run_id: str, key: str, after: Metric | None, limit: int | None) -> list[Metric]:
        self._active_run(run_id)
        return super()._get_metric_history(run_id, key, after, limit)


@fault("history.unknown-run", "interval.unknown-run")
class UnknownRunsHaveNoPoints(MemoryStore):
    """The history of a run that does not exist is empty."""

    def _get_metric_history(self, run_id: str, key: str, after: Metric | None, limit: int | None) -> list[Metric]:
        if run_id not in self._state.runs:
            return []
        return super()._get_metric_history(run_id, key, after, limit)


@fault("history.malformed-key-refused")
class MalformedKeysHaveNoPoints(MemoryStore):
    """The history of a malformed key is empty."""

    def get_metric_history(
        self, run_id: str, metric_key: str, max_results: int | None = None, page_token: str | None = None
    ) -> History:
        if metric_key not in self._run(run_id).points:
            return PagedList()
        return super().get_metric_history(run_id, metric_key, max_results, page_token)


# -- which points are the same ----------------------------------------------------------------------------------


@fault("history.same-point-once")
class EveryCallAddsAPoint(MemoryStore):
    """A point that is logged twice is kept twice, unless its value is NaN."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        if math.isnan(metric.value):
            super()._add_point(record, metric)
        else:
            record.points.setdefault(metric.key, []).append(replace(metric, run_id=record.info.run_id))


@fault("history.same-point-once")
class ABatchMayRepeatItself(MemoryStore):
    """Equal points of one batch are all kept."""

    def _log_batch(self, run_id: str, metrics: Any, params: Any, tags: Any) -> None:
        super()._log_batch(run_id, metrics, params, tags)
        record = self._run(run_id)
        for number, metric in enumerate(metrics):
            if metric in metrics[:number]:
                record.points[metric.key].append(replace(metric, run_id=run_id))


@fault("history.same-nan-once")
class NanIsNeverEqual(MemoryStore):
    """NaN that is logged twice is kept twice."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        if math.isnan(metric.value):
            record.points.setdefault(metric.key, []).append(replace(metric, run_id=record.info.run_id))
        else:
            super()._add_point(record, metric)


class MergingStore(MemoryStore):
    """Takes points for equal that are not."""

    def place(self, point: Metric) -> Any:
        """What points are told apart by."""
        return metric_order(point)

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        if self.place(metric) not in map(self.place, record.points.get(metric.key, [])):
            super()._add_point(record, metric)


@fault("history.other-points-kept")
class AStepHasOnePoint(MemoryStore):
    """A point takes the place of the one at its step and timestamp."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        points = record.points.setdefault(metric.key, [])
        points[:] = [point for point in points if (point.step, point.timestamp) != (metric.step, metric.timestamp)]
        super()._add_point(record, metric)


@fault("history.other-points-kept")
class NearValuesAreEqual(MergingStore):
    """Values that agree in fifteen digits are one."""

    def place(self, point: Metric) -> Any:
        return point.step, point.timestamp, f"{point.value:.15g}"


@fault("history.other-points-kept")
class TimestampsDoNotCount(MergingStore):
    """Points of one step and value are one, whatever their timestamps."""

    def place(self, point: Metric) -> Any:
        return point.step, metric_order(point)[2:]


@fault("history.other-points-kept")
class NanIsZero(MergingStore):
    """NaN and 0 are one value."""

    def place(self, point: Metric) -> Any:
        return point.step, point.timestamp, 0 if math.isnan(point.value) else point.value


# -- order ------------------------------------------------------------------------------------------------------


@fault("history.order", "history.any-arrival")
class HistoriesComeAsTheyArrived(ReorderingStore):
    """A history has the order of arrival."""


@fault("history.order")
class HistoriesDescend(ReorderingStore):
    """A history begins with its latest point."""

    def ordered(self, points: list[Metric]) -> list[Metric]:
        return sorted(points, key=metric_order, reverse=True)


@fault("history.order")
class TimestampsDoNotOrder(ReorderingStore):
    """A history ascends by step and value."""

    def ordered(self, points: list[Metric]) -> list[Metric]:
        return sorted(points, key=lambda point: (point.step, metric_order(point)[2:]))


@fault("history.any-arrival")
class TiesComeAsTheyArrived(ReorderingStore):
    """Points of one step and timestamp come in the order of arrival if one of them is NaN."""

    def ordered(self, points: list[Metric]) -> list[Metric]:
        by_place = sorted(points, key=lambda point: (point.step, point.timestamp))
        return by_place if any(math.isnan(point.value) for point in points) else sorted(points, key=metric_order)


@fault("history.nan-first")
class NanComesLast(ReorderingStore):
    """Within a step and timestamp NaN comes after the numbers."""

    def ordered(self, points: list[Metric]) -> list[Metric]:
        return sorted(
            points, key=lambda point: (point.step, point.timestamp, math.isnan(point.value), point.value)
        )


# -- pages ------------------------------------------------------------------------------------------------------


class ResizingStore(MemoryStore):
    """Changes the size of a page before it judges it."""

    def resized(self, size: Any) -> Any:
        """The size that is used instead."""
        return size

    def get_metric_history(
        self, run_id: str, metric_key: str, max_results: int | None = None, page_token: str | None = None
    ) -> History:
        size = None if max_results is None else self.resized(max_results)
        return super().get_metric_history(run_id, metric_key, size, page_token)


@fault("history.page-size")
class PagesHoldTwoPoints(ResizingStore):
    """A page never holds more than two points."""

    def resized(self, size: Any) -> Any:
        return min(size, 2) if type(size) is int else size


@fault("history.page-size")
class PagesHoldOneMore(ResizingStore):
    """A page holds one point more than asked for."""

    def resized(self, size: Any) -> Any:
        return size + 1 if type(size) is int and size > 0 else size


@fault("history.pages-complete")
class PagesBeginOneLate(MemoryStore):
    """Each page but the first leaves out its first point."""

    def _get_metric_history(self, run_id: str, key: str, after: Metric | None, limit: int | None) -> list[Metric]:
        points = super()._get_metric_history(run_id, key, after, None)
        return (points[1:] if after else points)[:limit]


@fault("history.pages-complete")
class PagesEndWithTheirPlace(MemoryStore):
    """A page begins behind the step and timestamp at which the one before it ended."""

    def _get_metric_history(self, run_id: str, key: str, after: Metric | None, limit: int | None) -> list[Metric]:
        points = super()._get_metric_history(run_id, key, None, None)
        place = (after.step, after.timestamp) if after else (limits.INT64_MIN, -1)
        return [point for point in points if (point.step, point.timestamp) > place][:limit]


@fault("history.pages-complete")
class EveryPageIsTheFirst(MemoryStore):
    """A token is accepted and leads to the first page."""

    def _get_metric_history(self, run_id: str, key: str, after: Metric | None, limit: int | None) -> list[Metric]:
        return super()._get_metric_history(run_id, key, None, limit)


@fault("history.last-page")
class FullPagesHaveTokens(MemoryStore):
    """A page that is full has a token, also if it holds the last point."""

    def get_metric_history(
        self, run_id: str, metric_key: str, max_results: int | None = None, page_token: str | None = None
    ) -> History:
        page = super().get_metric_history(run_id, metric_key, max_results, page_token)
        if page and len(page) == max_results and page.token is None:
            last = page[-1]
            place = [last.step, last.timestamp, last.value]
            page.token = page_tokens.issue(("history", run_id, metric_key), place)
        return page


@fault("history.pages-stable")
class PagesAreCounted(ReorderingStore):
    """A token is the number of points read so far."""

    def ordered(self, points: list[Metric]) -> list[Metric]:
        return sorted(points, key=metric_order)


@fault("history.max-results-limit")
class PagesEndAtAThousand(ResizingStore):
    """A page of more than a thousand points is refused."""

    def resized(self, size: Any) -> Any:
        if type(size) is int and size > limits.DEFAULT_MAX_RESULTS:
            raise invalid("max_results must be at most 1000.")
        return size


@fault("history.max-results-above-limit")
class TooGreatAPageFails(ResizingStore):
    """A page size above the limit is answered with INTERNAL_ERROR."""

    def resized(self, size: Any) -> Any:
        if type(size) is int and size > limits.MAX_RESULTS:
            raise TrackspecError("The page is too great.", ErrorCode.INTERNAL_ERROR)
        return size


@fault("history.max-results-not-positive-refused")
class ZeroAndLessMeanAll(ResizingStore):
    """A page size of 0 or less means the whole history."""

    def resized(self, size: Any) -> Any:
        return None if type(size) is int and size <= 0 else size


@fault("history.max-results-no-integer-refused")
class PageSizesAreConverted(ResizingStore):
    """A page size is whatever int() makes of it."""

    def resized(self, size: Any) -> Any:
        return int(size) if isinstance(size, str) or (isinstance(size, float) and math.isfinite(size)) else size


@fault("history.bad-token-refused")
class BadTokensAreIgnored(MemoryStore):
    """A token that was not issued leads to the first page."""

    def get_metric_history(
        self, run_id: str, metric_key: str, max_results: int | None = None, page_token: str | None = None
    ) -> History:
        try:
            return super().get_metric_history(run_id, metric_key, max_results, page_token)
        except TrackspecError:
            return super().get_metric_history(run_id, metric_key, max_results)


@fault("history.token-of-another-metric-refused")
class TokensFitEveryHistory(MemoryStore):
    """A token holds a place, and not of which history."""

    def get_metric_history(
        self, run_id: str, metric_key: str, max_results: int | None = None, page_token: str | None = None
    ) -> History:
        place = page_tokens.redeem(("history",), page_token, is_point)
        after = None if place is None else Metric(metric_key, place[2], place[1], place[0])
        points = self._get_metric_history(run_id, metric_key, after, max_results)
        if not points or not self._get_metric_history(run_id, metric_key, points[-1], 1):
            return PagedList(points)
        last = points[-1]
        return PagedList(points, page_tokens.issue(("history",), [last.step, last.timestamp, last.value]))
