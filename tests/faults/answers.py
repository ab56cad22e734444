"""Faulty backends for the chapter on entities: what a store answers, and how soon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from trackspec import (
    DatasetInput,
    Experiment,
    LifecycleStage,
    Metric,
    PagedList,
    Param,
    Run,
    RunData,
    RunInfo,
    RunStatus,
    RunTag,
)
from trackspec.memory_store import MemoryStore, RunRecord
from trackspec.search.query import ExperimentQuery, RunQuery

from . import fault

# -- types ------------------------------------------------------------------------------------------------------


@fault("entity.run-fields")
class TagsAreAList(MemoryStore):
    """The tags of a run come as a list of tags."""

    def _entity(self, record: RunRecord) -> Run:
        run = super()._entity(record)
        tags: Any = [RunTag(key, value) for key, value in run.data.tags.items()]
        return replace(run, data=replace(run.data, tags=tags))


@fault("entity.run-fields")
class LatestStepsAreFloats(MemoryStore):
    """The step of a latest point comes as a float."""

    def _entity(self, record: RunRecord) -> Run:
        run = super()._entity(record)
        latest: Any = {
            key: replace(point, step=float(point.step)) for key, point in run.data.latest_metrics.items()
        }
        return replace(run, data=replace(run.data, latest_metrics=latest))


@fault("search.whole-runs")
class SearchesAnswerStatusesAsText(MemoryStore):
    """A search answers statuses as plain text."""

    def _search_runs(self, query: RunQuery) -> list[Run]:
        found = super()._search_runs(query)
        plain: Any = [replace(run, info=replace(run.info, status=str(run.info.status))) for run in found]
        return list(plain)


@fault("search-experiments.whole")
class SearchesAnswerTimesAsFloats(MemoryStore):
    """A search answers the times of experiments as floats."""

    def _search_experiments(self, query: ExperimentQuery) -> list[Experiment]:
        found: list[Any] = list(super()._search_experiments(query))
        return [replace(experiment, creation_time=float(experiment.creation_time)) for experiment in found]


@fault("history.values-exact")
class HistoriesHoldFloatsForTimestamps(MemoryStore):
    """The timestamps of a history come as floats."""

    def _get_metric_history(self, run_id: str, key: str, after: Metric | None, limit: int | None) -> list[Metric]:
        points: list[Any] = list(super()._get_metric_history(run_id, key, after, limit))
        return [replace(point, timestamp=float(point.timestamp)) for point in points]


# -- arguments --------------------------------------------------------------------------------------------------


@fault("entity.arguments-unchanged")
class InputsAreTakenOffTheList(MemoryStore):
    """The caller's list of dataset inputs is empty when all are recorded."""

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput] | None = None) -> None:
        super().log_inputs(run_id, datasets)
        if isinstance(datasets, list):
            datasets.clear()


@fault("entity.arguments-unchanged")
class ExperimentIdsAreSortedInPlace(MemoryStore):
    """The caller's list of experiments is sorted by a search."""

    def search_runs(self, experiment_ids: Sequence[str], *others: Any, **options: Any) -> PagedList[Run]:
        found = super().search_runs(experiment_ids, *others, **options)
        if isinstance(experiment_ids, list):
            experiment_ids.sort()
        return found


@fault("entity.arguments-unchanged")
class TieBreakersAreAppended(MemoryStore):
    """A search of experiments appends the tie-breaker to the caller's columns."""

    def search_experiments(self, *others: Any, order_by: Any = None, **options: Any) -> PagedList[Experiment]:
        found = super().search_experiments(*others, order_by=order_by, **options)
        if isinstance(order_by, list):
            order_by.append("experiment_id")
        return found


@fault("entity.arguments-unchanged")
class RunIdsAreSortedInPlace(MemoryStore):
    """The caller's list of runs is sorted when points are drawn."""

    def get_metric_history_bulk_interval(
        self, run_ids: Sequence[str], *others: Any, **options: Any
    ) -> list[Metric]:
        drawn = super().get_metric_history_bulk_interval(run_ids, *others, **options)
        if isinstance(run_ids, list):
            run_ids.sort()
        return drawn


# -- snapshots and copies ---------------------------------------------------------------------------------------


@fault("entity.answers-are-copies")
class SearchesHandOutTheParams(MemoryStore):
    """The params of a run that a search found are those of the store."""

    def _search_runs(self, query: RunQuery) -> list[Run]:
        return [self._unguarded(run) for run in super()._search_runs(query)]

    def _unguarded(self, run: Run) -> Run:
        record = self._state.runs[run.info.run_id]
        return replace(run, data=RunData(run.data.latest_metrics, record.params, record.tags))


@fault("entity.answers-are-copies")
class SearchesHandOutExperiments(MemoryStore):
    """The tags of an experiment that a search found are those of the store."""

    def _search_experiments(self, query: ExperimentQuery) -> list[Experiment]:
        return [self._state.experiments[item.experiment_id] for item in super()._search_experiments(query)]


@fault("entity.answers-are-copies", "entity.answers-are-snapshots")
class NamesFindTheStoresOwn(MemoryStore):
    """The tags of an experiment that was found by name are those of the store."""

    def _get_experiment_by_name(self, name: str) -> Experiment | None:
        found = super()._get_experiment_by_name(name)
        return found and self._state.experiments[found.experiment_id]


@fault("entity.answers-are-copies", "entity.answers-are-snapshots")
class CreatingHandsOutTheTags(MemoryStore):
    """The tags of the run that create_run returns are those of the store."""

    def _create_run(self, *arguments: Any) -> Run:
        run = super()._create_run(*arguments)
        record = self._state.runs[run.info.run_id]
        return replace(run, data=RunData({}, record.params, record.tags))


@fault("entity.answers-are-copies")
class LatestPointsAreHandedOut(MemoryStore):
    """The dictionary of latest points is made once for each state of the run, and handed out each time."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._made: dict[tuple[str, int], dict[str, Metric]] = {}

    def _entity(self, record: RunRecord) -> Run:
        run = super()._entity(record)
        state = record.info.run_id, sum(map(len, record.points.values()))
        latest = self._made.setdefault(state, run.data.latest_metrics)
        return replace(run, data=replace(run.data, latest_metrics=latest))


@fault("entity.answers-are-copies")
class HistoriesAreHandedOut(MemoryStore):
    """The list of points that a history is answered in is that of the store."""

    def get_metric_history(
        self, run_id: str, metric_key: str, max_results: int | None = None, page_token: str | None = None
    ) -> PagedList[Metric]:
        history = super().get_metric_history(run_id, metric_key, max_results, page_token)
        if max_results is None and history:
            self._state.runs[run_id].points[metric_key] = history
        return history


# -- how soon ---------------------------------------------------------------------------------------------------


@fault("entity.read-your-writes")
class AMissIsRemembered(MemoryStore):
    """A name that was looked up in vain is not found until some experiment is renamed."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._missed: set[str] = set()

    def _get_experiment_by_name(self, name: str) -> Experiment | None:
        found = None if name in self._missed else super()._get_experiment_by_name(name)
        if found is None:
            self._missed.add(name)
        return found

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        super()._rename_experiment(experiment_id, new_name)
        self._missed.clear()


class _CachesRuns(MemoryStore):
    """Runs are read from a cache that what is logged, updates and stages empty."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._cache: dict[str, Run] = {}

    def _get_run(self, run_id: str) -> Run:
        if run_id not in self._cache:
            self._cache[run_id] = super()._get_run(run_id)
        return self._cache[run_id]

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        super()._log_batch(run_id, metrics, params, tags)
        self._cache.pop(run_id, None)

    def _log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        super()._log_inputs(run_id, datasets)
        self._cache.pop(run_id, None)

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        info = super()._update_run_info(run_id, status, end_time, run_name)
        self._cache.pop(run_id, None)
        return info

    def _set_run_stage(self, run_id: str, stage: LifecycleStage) -> None:
        super()._set_run_stage(run_id, stage)
        self._cache.pop(run_id, None)


@fault("entity.read-your-writes")
class ExperimentsLeaveTheCacheOfRuns(_CachesRuns):
    """A run is read from a cache that deleting its experiment does not empty."""

    def _delete_tag(self, run_id: str, key: str) -> None:
        super()._delete_tag(run_id, key)
        self._cache.pop(run_id, None)

    def _get_run(self, run_id: str) -> Run:
        run = super()._get_run(run_id)  # copied, so that the cache is what is wrong
        return replace(run, data=RunData(*map(dict, (run.data.latest_metrics, run.data.params, run.data.tags))))


@fault("entity.read-your-writes")
class SearchesAreCached(MemoryStore):
    """A search is answered from a cache that new runs, stages and updates empty, but no tag."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._answers: dict[str, list[Run]] = {}

    def _search_runs(self, query: RunQuery) -> list[Run]:
        infos = [record.info for record in self._state.runs.values()]
        key = repr((query, infos))
        if key not in self._answers:
            self._answers[key] = super()._search_runs(query)
        return list(self._answers[key])


@fault("entity.read-your-writes")
class HistoriesAreCached(MemoryStore):
    """A history that was read once is read from a cache thereafter."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._read: dict[tuple[object, ...], list[Metric]] = {}

    def _get_metric_history(self, run_id: str, key: str, after: Metric | None, limit: int | None) -> list[Metric]:
        place = run_id, key, after, limit
        if place not in self._read:
            self._read[place] = super()._get_metric_history(run_id, key, after, limit)
        return list(self._read[place])


@fault("entity.no-stale-reads")
class NamesAreCachedByObject(MemoryStore):
    """What a name finds is cached until this object renames or creates an experiment."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._found: dict[str, str | None] = {}

    def _get_experiment_by_name(self, name: str) -> Experiment | None:
        if name not in self._found:
            found = super()._get_experiment_by_name(name)
            self._found[name] = found and found.experiment_id
        experiment_id = self._found[name]
        return None if experiment_id is None else self._get_experiment(experiment_id)

    def _create_experiment(self, *arguments: Any) -> str:
        self._found.clear()
        return super()._create_experiment(*arguments)

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        self._found.clear()
        super()._rename_experiment(experiment_id, new_name)


@fault("entity.no-stale-reads")
class SearchesAreCachedByObject(MemoryStore):
    """A search is answered from a cache that only this object's own writes empty."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._answers: dict[RunQuery, list[Run]] = {}

    def __getattribute__(self, name: str) -> Any:
        if name.startswith(("_log", "_set", "_delete", "_update", "_create")):
            self._answers.clear()
        return super().__getattribute__(name)

    def _search_runs(self, query: RunQuery) -> list[Run]:
        if query not in self._answers:
            self._answers[query] = super()._search_runs(query)
        return list(self._answers[query])
