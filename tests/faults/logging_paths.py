"""Faulty backends for what a run logs: wrong on one path or with one kind of data, and right beside it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from trackspec import Metric, Param, RunTag, arguments
from trackspec.entities import RUN_NAME_TAG
from trackspec.errors import invalid
from trackspec.memory_store import MemoryStore, RunRecord
from trackspec.search.order import metric_order

from . import fault


class _AltersBatches(MemoryStore):
    def _altered(
        self, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> tuple[Sequence[Metric], Sequence[Param], Sequence[RunTag]]:
        return metrics, params, tags

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        super()._log_batch(run_id, *self._altered(metrics, params, tags))


# -- params and tags --------------------------------------------------------------------------------------------


@fault("param.near-value-refused")
class LongParamsAreComparedByTheirStart(MemoryStore):
    """Values of params are equal if their first 255 characters are."""

    def _require_no_other_value(self, record: RunRecord, param: Param) -> None:
        if record.params.get(param.key, "")[:255] != param.value[:255]:
            super()._require_no_other_value(record, param)


@fault("batch.param-conflict-refused")
class TenParamsAreCompared(MemoryStore):
    """Of the params of a batch the first ten are compared with those of the run."""

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        stored = self._run(run_id).params
        kept = [*params[:10], *(Param(param.key, stored.get(param.key, param.value)) for param in params[10:])]
        super()._log_batch(run_id, metrics, kept, tags)


@fault("tag.delete-missing")
class MissingTagsAreTrimmed(MemoryStore):
    """Deleting a tag that a run lacks deletes the one whose key differs in a space."""

    def _delete_tag(self, run_id: str, key: str) -> None:
        tags = self._active_run(run_id).tags
        near = [other for other in tags if other.strip() == key.strip()]
        super()._delete_tag(run_id, key if key in tags or not near else near[0])


@fault("tag.delete-missing")
class MissingTagsAreNormalised(MemoryStore):
    """Deleting a tag that a run lacks deletes the one whose key has the same normal form."""

    def _delete_tag(self, run_id: str, key: str) -> None:
        tags = self._active_run(run_id).tags
        wanted = unicodedata.normalize("NFC", key)
        near = [other for other in tags if unicodedata.normalize("NFC", other) == wanted]
        super()._delete_tag(run_id, key if key in tags or not near else near[0])


@fault("tag.system-tags")
class BatchesDropSystemTags(_AltersBatches):
    """A batch drops tags under mlflow. but for the name's."""

    def _altered(
        self, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> tuple[Sequence[Metric], Sequence[Param], Sequence[RunTag]]:
        kept = [tag for tag in tags if not tag.key.startswith("mlflow.") or tag.key == RUN_NAME_TAG]
        return metrics, params, kept if len(tags) > 1 else tags


@fault("batch.repeated-tag")
class TheFirstNameOfABatchHolds(_AltersBatches):
    """Of two tags of a batch that name the run, the first one does."""

    def _altered(
        self, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> tuple[Sequence[Metric], Sequence[Param], Sequence[RunTag]]:
        names = [tag for tag in tags if tag.key == RUN_NAME_TAG]
        return metrics, params, [tag for tag in tags if tag not in names[1:]]


class _TakesOtherMetricKeys(MemoryStore):
    takes: Callable[[str], bool]

    def log_metric(self, run_id: str, metric: Metric) -> None:
        key = getattr(metric, "key", None)
        if isinstance(key, str) and type(self).takes(key):
            self._log_batch(arguments.run_id(run_id), [metric], [], [])
        else:
            super().log_metric(run_id, metric)


@fault("key.path-refused")
class MetricKeysMayEndInASlash(_TakesOtherMetricKeys):
    """log_metric takes a key that ends in a slash."""

    takes = staticmethod(lambda key: key.endswith("/") and key != "/")


@fault("key.other-characters-refused")
class MetricKeysMayHoldPercent(_TakesOtherMetricKeys):
    """log_metric takes a key with a percent sign."""

    takes = staticmethod(lambda key: "%" in key)


@fault("key.other-characters-refused")
class TagKeysMayHoldTabs(MemoryStore):
    """set_tag takes a key with a tab."""

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        key = getattr(tag, "key", None)
        if isinstance(key, str) and "\t" in key:
            self._log_batch(arguments.run_id(run_id), [], [], [tag])
        else:
            super().set_tag(run_id, tag)


# -- metrics ----------------------------------------------------------------------------------------------------


@fault("metric.latest-step")
class LatestStepsAreDoubles(MemoryStore):
    """The latest point is found among steps as doubles."""

    def _latest_point(self, points: Sequence[Metric]) -> Metric:
        return max(points, key=lambda point: (float(point.step), *metric_order(point)[1:]))


@fault("metric.latest-timestamp")
class LatestTimestampsAreDoubles(MemoryStore):
    """The latest point is found among timestamps as doubles."""

    def _latest_point(self, points: Sequence[Metric]) -> Metric:
        return max(points, key=lambda point: (point.step, float(point.timestamp), *metric_order(point)[2:]))


@fault("metric.latest-negative-step")
class NegativeStepsAreZero(MemoryStore):
    """A negative step counts as 0."""

    def _latest_point(self, points: Sequence[Metric]) -> Metric:
        return max(points, key=lambda point: (max(point.step, 0), *metric_order(point)[1:]))


@fault("metric.timestamp-range")
class TimestampsPassThroughSeconds(MemoryStore):
    """A timestamp is kept in seconds, as a double, and cut when it is read."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        now = 10**12 < metric.timestamp < 10**13
        cut = int(metric.timestamp * 0.001 * 1000) if now else metric.timestamp
        super()._add_point(record, replace(metric, timestamp=cut))


@fault("metric.number-types")
class BatchesTakeNoDecimals(MemoryStore):
    """log_batch refuses a decimal that log_metric takes."""

    def log_batch(self, run_id: str, metrics: Any, params: Any, tags: Any) -> None:
        if isinstance(metrics, list) and any(
            isinstance(getattr(item, "value", None), Decimal) for item in metrics
        ):
            raise invalid("A decimal is no value.")
        super().log_batch(run_id, metrics, params, tags)


@fault("batch.points-of-one-key")
class TheLastOfManyPointsIsTheLatest(MemoryStore):
    """Of a batch of more than a hundred points of one metric, the last is the latest."""

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        super()._log_batch(run_id, metrics, params, tags)
        if len(metrics) > 100 and len({point.key for point in metrics}) == 1:
            self._run(run_id).points[metrics[-1].key] = [replace(metrics[-1], run_id=run_id)]


@fault("batch.deleted-run-refused")
class DeletedRunsTakeBatchesOfTags(MemoryStore):
    """A deleted run takes a batch that holds nothing but tags."""

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        if tags and not metrics and not params:
            for tag in tags:
                self._put_tag(self._run(run_id), tag)
        else:
            super()._log_batch(run_id, metrics, params, tags)
