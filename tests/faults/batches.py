"""Backends that are wrong about batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from tests.faults import fault
from trackspec import ErrorCode, Metric, Param, RunTag, TrackspecError, arguments, limits
from trackspec.errors import invalid
from trackspec.memory_store import MemoryStore

T = TypeVar("T")

Metrics, Params, Tags = Sequence[Metric], Sequence[Param], Sequence[RunTag]


class AlteringStore(MemoryStore):
    """Changes the lists of a batch before it judges them."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        """The lists that are logged instead."""
        return metrics, params, tags

    def log_batch(self, run_id: str, metrics: Metrics, params: Params, tags: Tags) -> None:
        super().log_batch(run_id, *self.altered(run_id, metrics, params, tags))


def _passing(judge: Callable[[T], object], items: Any) -> Any:
    """The items that ``judge`` does not refuse."""
    return [item for item in items if _passes(judge, item)] if isinstance(items, list) else items


def _passes(judge: Callable[[T], object], item: T) -> bool:
    try:
        judge(item)
    except TrackspecError:
        return False
    return True


# -- what is stored ---------------------------------------------------------------------------------------------


@fault("batch.log", "batch.takes-1000-metrics")
class TheLastMetricIsLost(AlteringStore):
    """The last of a batch's metrics is not stored."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return metrics[:-1], params, tags


@fault("batch.log", "batch.takes-100-params")
class TheLastParamIsLost(AlteringStore):
    """The last of a batch's params is not stored."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return metrics, params[:-1], tags


@fault("batch.log", "batch.takes-100-tags")
class TheLastTagIsLost(AlteringStore):
    """The last of a batch's tags is not stored."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return metrics, params, tags[:-1]


@fault("batch.log")
class ABatchReplacesTheParams(MemoryStore):
    """The params of a batch take the place of those that were there."""

    def _log_batch(self, run_id: str, metrics: Metrics, params: Params, tags: Tags) -> None:
        super()._log_batch(run_id, metrics, params, tags)
        if params:
            self._run(run_id).params = {param.key: param.value for param in params}


@fault("batch.any-items")
class ValuesInBatchesAreTrimmed(AlteringStore):
    """White space around the values of params and tags is dropped."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        if not (isinstance(params, list) and isinstance(tags, list)):
            return metrics, params, tags
        return (
            metrics,
            [Param(param.key, param.value.strip()) for param in params],
            [RunTag(tag.key, tag.value.strip()) for tag in tags],
        )


@fault("batch.partial-lists")
class ABatchIsItsMetrics(AlteringStore):
    """Without metrics, the params and tags of a batch are not looked at."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return (metrics, params, tags) if metrics else ([], [], [])


@fault("batch.empty")
class EmptyBatchesAreRefused(AlteringStore):
    """A batch of nothing is refused."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        if not (metrics or params or tags):
            raise invalid("A batch must not be empty.")
        return metrics, params, tags


@fault("batch.points-of-one-key")
class OnePointPerKeyIsKept(AlteringStore):
    """Of the points of one metric in a batch, the last is kept."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return list({metric.key: metric for metric in metrics}.values()), params, tags


@fault("batch.tags-replace")
class TagsInBatchesDoNotReplace(AlteringStore):
    """A tag that the run has keeps its value."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return metrics, params, [tag for tag in tags if tag.key not in self._run(run_id).tags]


@fault("batch.params-repeated")
class ParamsAreLoggedOnce(AlteringStore):
    """A param that the run has is refused, whatever its value."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        if any(param.key in self._run(run_id).params for param in params):
            raise invalid("The run has the param already.")
        return metrics, params, tags


@fault("batch.repeatable")
class PointsAreLoggedOnce(AlteringStore):
    """A batch with a point that the run has is refused."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        if any(metric in self._run(run_id).points.get(metric.key, []) for metric in metrics):
            raise TrackspecError("The run has the point already.", ErrorCode.RESOURCE_ALREADY_EXISTS)
        return metrics, params, tags


@fault("batch.prefix-keys")
class KeysInBatchesAreFiles(AlteringStore):
    """A batch in which one param's key continues another's after a slash fails."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        keys = [param.key for param in params]
        if any(longer.startswith(f"{key}/") for key in keys for longer in keys):
            raise NotADirectoryError(keys[0])
        return metrics, params, tags


@fault("batch.unknown-run")
class BatchesOfUnknownRunsAreIgnored(MemoryStore):
    """A batch for a run that does not exist is accepted and goes nowhere."""

    def _log_batch(self, run_id: str, metrics: Metrics, params: Params, tags: Tags) -> None:
        if run_id in self._state.runs:
            super()._log_batch(run_id, metrics, params, tags)


@fault("batch.unknown-run", "batch.deleted-run-refused")
class EmptyBatchesAreNotLookedAt(MemoryStore):
    """A batch of nothing is accepted without a look at its run."""

    def log_batch(self, run_id: str, metrics: Metrics, params: Params, tags: Tags) -> None:
        if any(len(items) for items in (metrics, params, tags)):
            super().log_batch(run_id, metrics, params, tags)


@fault("batch.deleted-run-refused")
class BatchesOfDeletedRunsAreIgnored(MemoryStore):
    """A batch for a deleted run is accepted and goes nowhere."""

    def _log_batch(self, run_id: str, metrics: Metrics, params: Params, tags: Tags) -> None:
        if self._run(run_id).info.lifecycle_stage == "active":
            super()._log_batch(run_id, metrics, params, tags)


# -- how much is taken ------------------------------------------------------------------------------------------


class LimitedStore(AlteringStore):
    """Takes fewer items than it must."""

    metrics = limits.MAX_METRICS_PER_BATCH
    params = limits.MAX_PARAMS_PER_BATCH
    tags = limits.MAX_TAGS_PER_BATCH
    items = limits.MAX_ITEMS_PER_BATCH

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        if len(metrics) > self.metrics or len(params) > self.params or len(tags) > self.tags:
            raise invalid("The batch has too many items of one kind.")
        if len(metrics) + len(params) + len(tags) > self.items:
            raise invalid("The batch has too many items.")
        return metrics, params, tags


@fault("batch.takes-1000-metrics")
class MetricsEndBelowTheLimit(LimitedStore):
    """A batch of 1,000 metrics is one too many."""

    metrics = limits.MAX_METRICS_PER_BATCH - 1


@fault("batch.takes-100-params")
class ParamsEndBelowTheLimit(LimitedStore):
    """A batch of 100 params is one too many."""

    params = limits.MAX_PARAMS_PER_BATCH - 1


@fault("batch.takes-100-tags")
class TagsEndBelowTheLimit(LimitedStore):
    """A batch of 100 tags is one too many."""

    tags = limits.MAX_TAGS_PER_BATCH - 1


@fault("batch.takes-1000-items")
class ItemsEndBelowTheLimit(LimitedStore):
    """A batch of 1,000 items is one too many."""

    items = limits.MAX_ITEMS_PER_BATCH - 1


class DroppingStore(AlteringStore):
    """Drops what is over the limits instead of refusing it."""

    def dropped(self, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        """The lists within their limits."""
        return metrics, params, tags

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        if all(isinstance(items, list) for items in (metrics, params, tags)):
            return self.dropped(metrics, params, tags)
        return metrics, params, tags


@fault("batch.1001-metrics-refused")
class MetricsOverTheLimitAreDropped(DroppingStore):
    """The first 1,000 metrics of a batch are stored and the rest is dropped."""

    def dropped(self, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return metrics[: limits.MAX_METRICS_PER_BATCH], params, tags


@fault("batch.101-params-refused")
class ParamsOverTheLimitAreDropped(DroppingStore):
    """The first 100 params of a batch are stored and the rest is dropped."""

    def dropped(self, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return metrics, params[: limits.MAX_PARAMS_PER_BATCH], tags


@fault("batch.101-tags-refused")
class TagsOverTheLimitAreDropped(DroppingStore):
    """The first 100 tags of a batch are stored and the rest is dropped."""

    def dropped(self, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return metrics, params, tags[: limits.MAX_TAGS_PER_BATCH]


@fault("batch.1001-items-refused")
class ListsAreCountedAlone(MemoryStore):
    """Each list has its limit, and the batch as a whole has none."""

    def log_batch(self, run_id: str, metrics: Metrics, params: Params, tags: Tags) -> None:
        super().log_batch(run_id, metrics, [], [])
        super().log_batch(run_id, [], params, tags)


# -- all or nothing ---------------------------------------------------------------------------------------------


@fault(
    "batch.all-or-nothing",
    "batch.param-conflict-writes-nothing",
    "batch.bad-metric-key",
    "batch.bad-metric-value",
    "batch.bad-metric-time",
    "batch.bad-param-key",
    "batch.bad-param-value",
    "batch.bad-tag-key",
    "batch.bad-tag-value",
)
class ItemsAreLoggedOneByOne(MemoryStore):
    """A batch is logged item by item, up to the first one that is refused."""

    def log_batch(self, run_id: str, metrics: Metrics, params: Params, tags: Tags) -> None:
        for metric in metrics:
            self.log_metric(run_id, metric)
        for param in params:
            self.log_param(run_id, param)
        for tag in tags:
            self.set_tag(run_id, tag)


@fault("batch.all-or-nothing", "batch.bad-tag-key", "batch.bad-tag-value")
class TagsAreJudgedAfterTheRestIsWritten(MemoryStore):
    """The metrics and params of a batch are written before its tags are judged."""

    def log_batch(self, run_id: str, metrics: Metrics, params: Params, tags: Tags) -> None:
        super().log_batch(run_id, metrics, params, [])
        super().log_batch(run_id, [], [], tags)


@fault("batch.param-conflict-refused")
class ParamConflictsAreInternalErrors(MemoryStore):
    """A batch that gives a param another value is answered with INTERNAL_ERROR."""

    def _log_batch(self, run_id: str, metrics: Metrics, params: Params, tags: Tags) -> None:
        try:
            super()._log_batch(run_id, metrics, params, tags)
        except TrackspecError as error:
            raise TrackspecError(error.message, ErrorCode.INTERNAL_ERROR) from error


@fault("batch.param-conflict-refused")
class ParamConflictsAreIgnored(AlteringStore):
    """A param that has another value keeps it, and the rest of the batch is stored."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return metrics, [param for param in params if param.key not in self._run(run_id).params], tags


@fault("batch.param-conflict-writes-nothing")
class ParamsBeforeAConflictStay(MemoryStore):
    """The params before one in conflict are written before it is found."""

    def _log_batch(self, run_id: str, metrics: Metrics, params: Params, tags: Tags) -> None:
        for param in params:
            super()._log_batch(run_id, [], [param], [])
        super()._log_batch(run_id, metrics, [], tags)


@fault("batch.repeated-param-refused")
class TheLastOfTwoParamsIsStored(AlteringStore):
    """Of two params of one key the last is stored."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return metrics, list({param.key: param for param in params}.values()), tags


@fault("batch.repeated-param-refused")
class EqualParamsAreStoredOnce(AlteringStore):
    """Two params of one key and one value are taken for one."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return metrics, list(dict.fromkeys(params)), tags


@fault("batch.repeated-tag")
class TheFirstOfTwoTagsIsStored(AlteringStore):
    """Of two tags of one key the first is stored."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return metrics, params, list({tag.key: tag for tag in reversed(tags)}.values())


@fault("batch.repeated-tag")
class RepeatedTagsAreInternalErrors(AlteringStore):
    """A batch with two tags of one key is answered with INTERNAL_ERROR."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        if len({tag.key for tag in tags}) < len(tags):
            raise TrackspecError("A tag is given twice.", ErrorCode.INTERNAL_ERROR)
        return metrics, params, tags


# -- items that are not valid -----------------------------------------------------------------------------------


@fault("batch.bad-metric-key")
class MetricsWithBadKeysAreSkipped(AlteringStore):
    """A metric with a malformed key is left out, and the rest of the batch stored."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return _passing(lambda item: arguments.key(item.key, "A key"), metrics), params, tags


@fault("batch.bad-metric-value")
class MetricsWithBadValuesAreSkipped(AlteringStore):
    """A metric whose value is no double is left out, and the rest of the batch stored."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return _passing(lambda item: arguments.double(item.value, "A value"), metrics), params, tags


@fault("batch.bad-metric-time")
class MetricsWithBadTimesAreSkipped(AlteringStore):
    """A metric whose step is no 64-bit integer is left out, and the rest of the batch stored."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return _passing(lambda item: arguments.int64(item.step, "A step"), metrics), params, tags


@fault("batch.bad-param-key")
class ParamsWithBadKeysAreSkipped(AlteringStore):
    """A param with a malformed key is left out, and the rest of the batch stored."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return metrics, _passing(lambda item: arguments.key(item.key, "A key"), params), tags


@fault("batch.bad-param-value")
class ParamValuesInBatchesBecomeText(AlteringStore):
    """A param value that is no string is stored as text."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return metrics, [Param(param.key, str(param.value)) for param in params], tags


@fault("batch.bad-tag-key")
class TagsWithBadKeysAreSkipped(AlteringStore):
    """A tag with a malformed key is left out, and the rest of the batch stored."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return metrics, params, _passing(lambda item: arguments.key(item.key, "A key"), tags)


@fault("batch.bad-tag-value")
class TagValuesInBatchesBecomeText(AlteringStore):
    """A tag value that is no string is stored as text."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return metrics, params, [RunTag(tag.key, str(tag.value)) for tag in tags]


# -- lists that are none ----------------------------------------------------------------------------------------


@fault("batch.none-refused")
class NoneIsAnEmptyList(AlteringStore):
    """None is taken for an empty list."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        lists = [[] if items is None else items for items in (metrics, params, tags)]
        return lists[0], lists[1], lists[2]


@fault("batch.not-a-list-refused")
class OneEntityIsAList(AlteringStore):
    """An entity alone is taken for a list of it."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        lists = [[item] if isinstance(item, (Metric, Param, RunTag)) else item for item in (metrics, params, tags)]
        return lists[0], lists[1], lists[2]


@fault("batch.foreign-items-refused")
class ForeignItemsAreSkipped(AlteringStore):
    """An item of another kind is left out, and the rest of the batch stored."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        return (
            [item for item in metrics if isinstance(item, Metric)],
            [item for item in params if isinstance(item, Param)],
            [item for item in tags if isinstance(item, RunTag)],
        )


@fault("batch.generators")
class GeneratorsAreCountedFirst(AlteringStore):
    """A generator loses the item that was looked at to see whether there is one."""

    def altered(self, run_id: str, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        lists = (metrics, params, tags)
        if any(isinstance(items, Iterator) and next(items, None) is None for items in lists):
            raise invalid("A list is empty.")
        return list(metrics), list(params), list(tags)
