"""The executable model: the contract as the plainest program that keeps it.

Nothing here is clever or fast. Where this code and a chapter disagree, one of them has a bug.
"""

from __future__ import annotations

import functools
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from trackspec import uris
from trackspec.entities import (
    RUN_NAME_TAG,
    Dataset,
    DatasetInput,
    Experiment,
    ExperimentTag,
    LifecycleStage,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
    RunTag,
)
from trackspec.errors import ErrorCode, TrackspecError, invalid, key_of_another, missing
from trackspec.search.evaluate import experiment_matches, run_matches
from trackspec.search.order import (
    compare_sort_keys,
    experiment_sort_key,
    metric_order,
    run_sort_key,
)
from trackspec.search.query import ExperimentQuery, RunQuery
from trackspec.validated_store import ValidatedStore

DEFAULT_EXPERIMENT_ID = "0"
DEFAULT_EXPERIMENT_NAME = "Default"


@dataclass
class RunRecord:
    """A run as the model keeps it."""

    info: RunInfo
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    points: dict[str, list[Metric]] = field(default_factory=dict)
    inputs: list[DatasetInput] = field(default_factory=list)


@dataclass
class State:
    """All that one store keeps."""

    experiments: dict[str, Experiment] = field(default_factory=dict)
    runs: dict[str, RunRecord] = field(default_factory=dict)
    datasets: dict[tuple[str, str, str], Dataset] = field(default_factory=dict)
    experiment_keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    run_keys: dict[str, str] = field(default_factory=dict)
    artifact_root: str | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)


_NAMED: dict[str, State] = {}


class MemoryStore(ValidatedStore):
    """A tracking store in this process's memory.

    :param store_uri: ``memory:`` for a store of its own, ``memory:NAME`` for the one that all objects of that name
        in this process share.
    :raises TrackspecError: INVALID_PARAMETER_VALUE for any other URI.
    """

    def __init__(self, store_uri: str = "memory:") -> None:
        scheme, _, name = store_uri.partition(":")
        if scheme != "memory" or "?" in name or "#" in name:
            raise invalid("A memory store's URI is 'memory:' or 'memory:NAME', without options.")
        self._state = _NAMED.setdefault(name, State()) if name else State()
        with self._state.lock:
            if DEFAULT_EXPERIMENT_ID not in self._state.experiments:
                self._add_experiment(DEFAULT_EXPERIMENT_ID, DEFAULT_EXPERIMENT_NAME, None, {})

    # -- experiments ----------------------------------------------------------------------------------------

    def _create_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> str:
        with self._state.lock:
            self._require_free_name(name)
            experiment_id = self._new_experiment_id()
            self._add_experiment(experiment_id, name, artifact_location, tags)
            return experiment_id

    def _add_experiment(
        self, experiment_id: str, name: str, artifact_location: str | None, tags: dict[str, str]
    ) -> None:
        location = artifact_location or uris.join(self.get_artifact_root(), experiment_id)
        now = self._now()
        self._state.experiments[experiment_id] = Experiment(
            experiment_id, name, location, LifecycleStage.ACTIVE, now, now, dict(tags)
        )

    def _create_experiment_once(
        self, key: str, name: str, artifact_location: str | None, tags: dict[str, str]
    ) -> str:
        with self._state.lock:
            if key not in self._state.experiment_keys:
                experiment_id = self._create_experiment(name, artifact_location, tags)
                self._state.experiment_keys[key] = experiment_id, name
            made, named = self._state.experiment_keys[key]
            if named != name:
                raise key_of_another("experiment")
            return made

    def _get_experiment(self, experiment_id: str) -> Experiment:
        with self._state.lock:
            experiment = self._experiment(experiment_id)
            return replace(experiment, tags=dict(experiment.tags))

    def _get_experiment_by_name(self, name: str) -> Experiment | None:
        with self._state.lock:
            for experiment in self._state.experiments.values():
                if experiment.name == name:
                    return replace(experiment, tags=dict(experiment.tags))
            return None

    def _set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        with self._state.lock:
            experiment = self._experiment(experiment_id)
            if experiment.lifecycle_stage is stage:
                raise TrackspecError(
                    f"Experiment {experiment_id!r} is {stage} already.", ErrorCode.RESOURCE_DOES_NOT_EXIST
                )
            if experiment_id == DEFAULT_EXPERIMENT_ID:
                raise invalid("The default experiment cannot be deleted.")
            self._change_experiment(experiment_id, lifecycle_stage=stage)
            for record in self._state.runs.values():
                if record.info.experiment_id == experiment_id:
                    record.info = replace(record.info, lifecycle_stage=stage)

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        with self._state.lock:
            experiment = self._experiment(experiment_id)
            if experiment.lifecycle_stage is not LifecycleStage.ACTIVE:
                raise TrackspecError(
                    f"Experiment {experiment_id!r} is deleted and cannot be renamed.", ErrorCode.INVALID_STATE
                )
            if new_name != experiment.name:
                self._require_free_name(new_name)
                self._change_experiment(experiment_id, name=new_name)

    def _set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        with self._state.lock:
            self._active_experiment(experiment_id).tags[tag.key] = tag.value

    def _delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        with self._state.lock:
            tags = self._active_experiment(experiment_id).tags
            if key not in tags:
                raise missing("experiment tag", key)
            del tags[key]

    def _search_experiments(self, query: ExperimentQuery) -> list[Experiment]:
        with self._state.lock:
            found = [
                replace(experiment, tags=dict(experiment.tags))
                for experiment in self._state.experiments.values()
                if query.view_type.shows(experiment.lifecycle_stage)
                and experiment_matches(experiment, query.filter)
            ]
        position = functools.cmp_to_key(compare_sort_keys(query.order_by))
        found.sort(key=lambda experiment: position(experiment_sort_key(experiment, query.order_by)))
        if query.after is not None:
            after = position(query.after)
            found = [item for item in found if position(experiment_sort_key(item, query.order_by)) > after]
        return found[: query.limit]

    # -- runs -----------------------------------------------------------------------------------------------

    def _create_run(
        self, experiment_id: str, user_id: str, start_time: int, tags: dict[str, str], run_name: str
    ) -> Run:
        with self._state.lock:
            experiment = self._experiment(experiment_id)
            if experiment.lifecycle_stage is not LifecycleStage.ACTIVE:
                raise TrackspecError(f"Experiment {experiment_id!r} is deleted.", ErrorCode.INVALID_STATE)
            run_id = self._new_run_id()
            info = RunInfo(
                run_id=run_id,
                run_name=run_name,
                experiment_id=experiment_id,
                user_id=user_id,
                status=RunStatus.RUNNING,
                start_time=start_time,
                end_time=None,
                lifecycle_stage=LifecycleStage.ACTIVE,
                artifact_uri=uris.join(experiment.artifact_location, run_id, "artifacts"),
            )
            self._state.runs[run_id] = RunRecord(info, tags=dict(tags))
            return self._entity(self._state.runs[run_id])

    def _create_run_once(
        self,
        key: str,
        experiment_id: str,
        user_id: str,
        start_time: int,
        tags: dict[str, str],
        run_name: str,
    ) -> Run:
        with self._state.lock:
            if key not in self._state.run_keys:
                run = self._create_run(experiment_id, user_id, start_time, tags, run_name)
                self._state.run_keys[key] = run.info.run_id
            made = self._get_run(self._state.run_keys[key])
            if made.info.experiment_id != experiment_id:
                raise key_of_another("run")
            return made

    def _get_run(self, run_id: str) -> Run:
        with self._state.lock:
            return self._entity(self._run(run_id))

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        with self._state.lock:
            record = self._active_run(run_id)
            if status is not None:
                record.info = replace(record.info, status=status)
            if end_time is not None:
                record.info = replace(record.info, end_time=end_time)
            if run_name is not None:
                self._set_run_name(record, run_name)
            return record.info

    def _set_run_name(self, record: RunRecord, run_name: str) -> None:
        record.info = replace(record.info, run_name=run_name)
        record.tags[RUN_NAME_TAG] = run_name

    def _set_run_stage(self, run_id: str, stage: LifecycleStage) -> None:
        with self._state.lock:
            record = self._run(run_id)
            record.info = replace(record.info, lifecycle_stage=stage)

    # -- what a run logs ------------------------------------------------------------------------------------

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        with self._state.lock:
            record = self._active_run(run_id)
            for param in params:
                self._require_no_other_value(record, param)
            for metric in metrics:
                self._add_point(record, metric)
            for param in params:
                record.params[param.key] = param.value
            for tag in tags:
                self._put_tag(record, tag)

    def _require_no_other_value(self, record: RunRecord, param: Param) -> None:
        if record.params.get(param.key, param.value) != param.value:
            raise invalid(f"Param {param.key!r} has another value already; params are written once.")

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        points = record.points.setdefault(metric.key, [])
        if metric_order(metric) not in map(metric_order, points):
            points.append(replace(metric, run_id=record.info.run_id))

    def _put_tag(self, record: RunRecord, tag: RunTag) -> None:
        if tag.key == RUN_NAME_TAG:
            self._set_run_name(record, tag.value)
        else:
            record.tags[tag.key] = tag.value

    def _delete_tag(self, run_id: str, key: str) -> None:
        with self._state.lock:
            tags = self._active_run(run_id).tags
            if key not in tags:
                raise missing("tag", key)
            del tags[key]

    def _log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        with self._state.lock:
            record = self._active_run(run_id)
            for given in datasets:
                identity = self._dataset_identity(record.info.experiment_id, given.dataset)
                dataset = self._state.datasets.setdefault(identity, given.dataset)
                if dataset not in [known.dataset for known in record.inputs]:
                    record.inputs.append(DatasetInput(dataset, given.tags))

    def _dataset_identity(self, experiment_id: str, dataset: Dataset) -> tuple[str, str, str]:
        return experiment_id, dataset.name, dataset.digest

    # -- metric history -------------------------------------------------------------------------------------

    def _get_metric_history(self, run_id: str, key: str, after: Metric | None, limit: int | None) -> list[Metric]:
        with self._state.lock:
            points = sorted(self._run(run_id).points.get(key, []), key=metric_order)
        if after is not None:
            points = [metric for metric in points if metric_order(metric) > metric_order(after)]
        return points[:limit]

    # -- search ---------------------------------------------------------------------------------------------

    def _search_runs(self, query: RunQuery) -> list[Run]:
        with self._state.lock:
            in_view = [
                self._entity(record)
                for record in self._state.runs.values()
                if record.info.experiment_id in query.experiment_ids
                and query.view_type.shows(record.info.lifecycle_stage)
            ]
        found = [run for run in in_view if run_matches(run, query.filter)]
        position = functools.cmp_to_key(compare_sort_keys(query.order_by))
        found.sort(key=lambda run: position(run_sort_key(run, query.order_by)))
        if query.after is not None:
            after = position(query.after)
            found = [run for run in found if position(run_sort_key(run, query.order_by)) > after]
        return found[: query.limit]

    # -- configuration --------------------------------------------------------------------------------------

    def _configured_artifact_root(self) -> str | None:
        return self._state.artifact_root

    def _configure_artifact_root(self, artifact_root: str) -> None:
        self._state.artifact_root = artifact_root

    def _built_in_artifact_root(self) -> str:
        return "memory:/artifacts"

    # -- what the calls above share -------------------------------------------------------------------------

    def _experiment(self, experiment_id: str) -> Experiment:
        if experiment_id not in self._state.experiments:
            raise missing("experiment", experiment_id)
        return self._state.experiments[experiment_id]

    def _active_experiment(self, experiment_id: str) -> Experiment:
        experiment = self._experiment(experiment_id)
        if experiment.lifecycle_stage is not LifecycleStage.ACTIVE:
            raise invalid(f"Experiment {experiment_id!r} is deleted.")
        return experiment

    def _change_experiment(
        self, experiment_id: str, *, name: str | None = None, lifecycle_stage: LifecycleStage | None = None
    ) -> None:
        experiment = self._state.experiments[experiment_id]
        self._state.experiments[experiment_id] = replace(
            experiment,
            name=name or experiment.name,
            lifecycle_stage=lifecycle_stage or experiment.lifecycle_stage,
            last_update_time=max(self._now(), experiment.last_update_time),
        )

    def _require_free_name(self, name: str) -> None:
        if any(experiment.name == name for experiment in self._state.experiments.values()):
            raise TrackspecError(f"An experiment named {name!r} exists.", ErrorCode.RESOURCE_ALREADY_EXISTS)

    def _new_experiment_id(self) -> str:
        return str(10**11 + secrets.randbelow(9 * 10**11))

    def _run(self, run_id: str) -> RunRecord:
        if run_id not in self._state.runs:
            raise missing("run", run_id)
        return self._state.runs[run_id]

    def _active_run(self, run_id: str) -> RunRecord:
        record = self._run(run_id)
        if record.info.lifecycle_stage is not LifecycleStage.ACTIVE:
            raise invalid(f"Run {run_id!r} is deleted.")
        return record

    def _entity(self, record: RunRecord) -> Run:
        latest = {key: self._latest_point(points) for key, points in sorted(record.points.items())}
        data = RunData(latest, dict(record.params), dict(record.tags))
        return Run(record.info, data, RunInputs(tuple(record.inputs)))

    def _latest_point(self, points: Sequence[Metric]) -> Metric:
        return max(points, key=metric_order)
