"""A tracking store in a directory of plain files."""

from __future__ import annotations

import functools
import os
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ParamSpec, TypeVar

from trackspec import uris
from trackspec.entities import (
    RUN_NAME_TAG,
    DatasetInput,
    Experiment,
    ExperimentTag,
    LifecycleStage,
    Metric,
    Param,
    Run,
    RunInfo,
    RunStatus,
    RunTag,
)
from trackspec.errors import ErrorCode, TrackspecError, invalid, key_of_another, missing
from trackspec.search.evaluate import experiment_matches
from trackspec.search.order import experiment_sort_key
from trackspec.search.query import ExperimentQuery, RunQuery
from trackspec.validated_store import ValidatedStore
from trackspec_reference.tracking.file_layout import page
from trackspec_reference.tracking.file_layout.creation_keys import CreationKeys
from trackspec_reference.tracking.file_layout.datasets import Datasets
from trackspec_reference.tracking.file_layout.experiments import Experiments
from trackspec_reference.tracking.file_layout.location import Location
from trackspec_reference.tracking.file_layout.metric_history import MetricHistories, MetricHistory
from trackspec_reference.tracking.file_layout.run_query import matcher, ranker
from trackspec_reference.tracking.file_layout.run_state import RunState, input_of, point_of
from trackspec_reference.tracking.file_layout.runs import Runs
from trackspec_reference.tracking.file_layout.store_directory import StoreDirectory

DEFAULT_EXPERIMENT_ID = "0"
DEFAULT_EXPERIMENT_NAME = "Default"

P = ParamSpec("P")
R = TypeVar("R")


def _reported(call: Callable[P, R]) -> Callable[P, R]:
    """Let a call raise TrackspecError where the file system fails."""

    @functools.wraps(call)
    def reporting(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        except OSError as error:
            raise TrackspecError(
                f"The file store's directory cannot be used: {os.strerror(error.errno or 0)}.",
                ErrorCode.TEMPORARILY_UNAVAILABLE,
            ) from error

    return reporting


class FileStore(ValidatedStore):
    """A tracking store in a directory of plain files, which threads and processes may share.

    :param store_uri: ``file:PATH``, ``file:///PATH`` or a path, made absolute against the working directory. The
        option ``?durability=process`` gives up that acknowledged writes survive a loss of power, and not only the
        death of the process.
    :raises TrackspecError: INVALID_PARAMETER_VALUE if the URI is none of these, or the directory holds something
        else, or a store of another format version; TEMPORARILY_UNAVAILABLE if it cannot be read or written.
    """

    def __init__(self, store_uri: str) -> None:
        self._location = Location.parse(store_uri)
        self._start()
        self._open()
        _OPEN_STORES.add(self)

    @_reported
    def _open(self) -> None:
        self._directory.open()
        self._experiments.ensure(
            DEFAULT_EXPERIMENT_ID, DEFAULT_EXPERIMENT_NAME, self._default_location, self._now()
        )

    def _start(self) -> None:
        """Begin with empty caches and closed files."""
        durability = self._location.durability
        self._directory = StoreDirectory(self._location)
        self._experiments = Experiments(self._directory)
        self._runs = Runs(self._experiments, durability)
        self._experiment_keys = CreationKeys(self._directory, "experiments")
        self._run_keys = CreationKeys(self._directory, "runs")
        self._datasets = Datasets(self._experiments, self._runs, durability)
        self._histories = MetricHistories()

    def close(self) -> None:
        _OPEN_STORES.discard(self)
        self._start()

    # -- experiments ----------------------------------------------------------------------------------------

    @_reported
    def _create_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> str:
        def locate(experiment_id: str) -> str:
            return artifact_location or self._default_location(experiment_id)

        return self._experiments.create(name, locate, tags, self._now())

    @_reported
    def _create_experiment_once(
        self, key: str, name: str, artifact_location: str | None, tags: dict[str, str]
    ) -> str:
        def locate(experiment_id: str) -> str:
            return artifact_location or self._default_location(experiment_id)

        with self._experiment_keys.held(key) as change:
            asked, made = change.state.of.get(key, ("", ""))
            if self._experiments.exists(made):
                if asked != name:
                    raise key_of_another("experiment")
                return str(made)
            return self._experiments.create(
                name,
                locate,
                tags,
                self._now(),
                lambda experiment_id: self._experiment_keys.note(change, key, name, experiment_id),
            )

    def _default_location(self, experiment_id: str) -> str:
        return uris.join(self.get_artifact_root(), experiment_id)

    @_reported
    def _get_experiment(self, experiment_id: str) -> Experiment:
        return self._experiments.get(experiment_id)

    @_reported
    def _get_experiment_by_name(self, name: str) -> Experiment | None:
        return self._experiments.named(name)

    @_reported
    def _set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        if experiment_id == DEFAULT_EXPERIMENT_ID and stage is LifecycleStage.DELETED:
            raise invalid("The default experiment cannot be deleted.")
        self._experiments.move(experiment_id, stage, self._now())

    @_reported
    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        self._experiments.rename(experiment_id, new_name, self._now())

    @_reported
    def _set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        self._experiments.set_tag(experiment_id, tag.key, tag.value)

    @_reported
    def _delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        self._experiments.delete_tag(experiment_id, key)

    @_reported
    def _search_experiments(self, query: ExperimentQuery) -> list[Experiment]:
        found = (
            (page.rank(experiment_sort_key(experiment, query.order_by), query.order_by), experiment)
            for experiment in self._experiments.all()
            if query.view_type.shows(experiment.lifecycle_stage) and experiment_matches(experiment, query.filter)
        )
        return page.first(found, query)

    # -- runs -----------------------------------------------------------------------------------------------

    @_reported
    def _create_run(
        self, experiment_id: str, user_id: str, start_time: int, tags: dict[str, str], run_name: str
    ) -> Run:
        return self._runs.create(experiment_id, user_id, start_time, {**tags, RUN_NAME_TAG: run_name})

    @_reported
    def _create_run_once(
        self,
        key: str,
        experiment_id: str,
        user_id: str,
        start_time: int,
        tags: dict[str, str],
        run_name: str,
    ) -> Run:
        with self._run_keys.held(key) as change:
            asked, place = change.state.of.get(key, ("", 0))
            made = self._runs.made_with(key, asked, place) if asked else None
            if made is not None:
                if asked != experiment_id:
                    raise key_of_another("run")
                return made
            self._run_keys.note(change, key, experiment_id, self._runs.place_of_next(experiment_id))
            return self._runs.create(experiment_id, user_id, start_time, {**tags, RUN_NAME_TAG: run_name}, key)

    @_reported
    def _get_run(self, run_id: str) -> Run:
        return self._runs.get(run_id)

    @_reported
    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        record: dict[str, Any] = {}
        if status is not None:
            record["status"] = status.value
        if end_time is not None:
            record["end_time"] = end_time
        if run_name is not None:
            record["tags"] = {RUN_NAME_TAG: run_name}
        with self._runs.changing(run_id) as change:
            if record:
                change.append(record)
            return change.state.info(LifecycleStage.ACTIVE)

    @_reported
    def _set_run_stage(self, run_id: str, stage: LifecycleStage) -> None:
        self._runs.move(run_id, stage)

    # -- what a run logs ------------------------------------------------------------------------------------

    @_reported
    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        record: dict[str, Any] = {}
        if metrics:
            record["metrics"] = list(map(point_of, metrics))
        if tags:
            record["tags"] = {tag.key: tag.value for tag in tags}
        with self._runs.changing(run_id) as change:
            if params and (new := self._new_params(change.state, params)):
                record["params"] = new
            if record:
                change.append(record)
            elif params:
                change.confirm()

    def _new_params(self, state: RunState, params: Sequence[Param]) -> dict[str, str]:
        new = {}
        for param in params:
            known = state.params.get(param.key)
            if known is None:
                new[param.key] = param.value
            elif known != param.value:
                raise invalid(f"Param {param.key!r} has another value already; params are written once.")
        return new

    @_reported
    def _delete_tag(self, run_id: str, key: str) -> None:
        with self._runs.changing(run_id) as change:
            if key not in change.state.tags:
                raise missing("tag", key)
            change.append({"untag": key})

    @_reported
    def _log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        self._datasets.record(run_id, list(map(input_of, datasets)))

    # -- metric history -------------------------------------------------------------------------------------

    @_reported
    def _get_metric_history(self, run_id: str, key: str, after: Metric | None, limit: int | None) -> list[Metric]:
        return self._history(run_id, key).behind(after, limit)

    @_reported
    def _metric_interval(self, run_id: str, key: str, start_step: int, end_step: int) -> list[Metric]:
        return self._history(run_id, key).between(start_step, end_step)

    def _history(self, run_id: str, key: str) -> MetricHistory:
        with self._runs.current(run_id) as folded:
            return self._histories.get(run_id, key, self._runs.path(run_id), folded)

    # -- search ---------------------------------------------------------------------------------------------

    @_reported
    def _search_runs(self, query: RunQuery) -> list[Run]:
        return [state.entity(stage) for state, stage in page.first(self._matches(query), query)]

    def _matches(self, query: RunQuery) -> Iterator[tuple[page.Rank, tuple[RunState, LifecycleStage]]]:
        matches, rank = matcher(query.filter), ranker(query.order_by)
        for experiment_id in filter(self._experiments.exists, query.experiment_ids):
            stage_of = self._runs.stages(experiment_id)
            for state in self._runs.scan(experiment_id).states():
                stage = stage_of(state)
                if query.view_type.shows(stage) and matches(state):
                    yield rank(state), (state, stage)

    # -- configuration --------------------------------------------------------------------------------------

    @_reported
    def _configured_artifact_root(self) -> str | None:
        return self._directory.artifact_root

    @_reported
    def _configure_artifact_root(self, artifact_root: str) -> None:
        self._directory.set_artifact_root(artifact_root)

    def _built_in_artifact_root(self) -> str:
        return self._directory.built_in_artifact_root


_OPEN_STORES: weakref.WeakSet[FileStore] = weakref.WeakSet()


def _after_fork() -> None:
    """A forked child shares its parent's open files, and with them the locks: it opens its own."""
    for store in list(_OPEN_STORES):
        store._start()


os.register_at_fork(after_in_child=_after_fork)
