"""Faults of runs: deleting and restoring them, and runs of deleted experiments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from trackspec.entities import LifecycleStage, Metric, Param, Run, RunInfo, RunStatus, RunTag
from trackspec.errors import ErrorCode, TrackspecError, invalid, missing
from trackspec.memory_store import MemoryStore

from . import fault


@fault("run.delete")
class DeletingARunDoesNothing(MemoryStore):
    """delete_run is reported done and leaves the run active."""

    def delete_run(self, run_id: str) -> None:
        self.get_run(run_id)


@fault("run.delete-again")
class DeletingARunTwiceFails(MemoryStore):
    """A deleted run is not found by delete_run."""

    def delete_run(self, run_id: str) -> None:
        if self.get_run(run_id).info.lifecycle_stage is LifecycleStage.DELETED:
            raise missing("run", run_id)
        super().delete_run(run_id)


@fault("run.delete-again")
class DeletingTwiceRestores(MemoryStore):
    """delete_run switches between the stages."""

    def delete_run(self, run_id: str) -> None:
        if self.get_run(run_id).info.lifecycle_stage is LifecycleStage.DELETED:
            super().restore_run(run_id)
        else:
            super().delete_run(run_id)


@fault("run.delete-alone")
class DeletingTakesNamesakes(MemoryStore):
    """Deleting a run deletes the runs of its name."""

    def delete_run(self, run_id: str) -> None:
        name = self.get_run(run_id).info.run_name
        for record in list(self._state.runs.values()):
            if record.info.run_name == name:
                super().delete_run(record.info.run_id)


@fault("run.delete-unknown")
class UnknownRunsAreDeleted(MemoryStore):
    """Deleting a run that does not exist is reported done."""

    def _set_run_stage(self, run_id: str, stage: LifecycleStage) -> None:
        if stage is LifecycleStage.ACTIVE or run_id in self._state.runs:
            super()._set_run_stage(run_id, stage)


@fault("run.deleted-readable")
class DeletedRunsAreNotFound(MemoryStore):
    """A deleted run is not read."""

    def _get_run(self, run_id: str) -> Run:
        run = super()._get_run(run_id)
        if run.info.lifecycle_stage is LifecycleStage.DELETED:
            raise missing("run", run_id)
        return run


@fault("run.deleted-readable")
class DeletedRunsShowNoTags(MemoryStore):
    """A deleted run is read without its tags."""

    def _get_run(self, run_id: str) -> Run:
        run = super()._get_run(run_id)
        if run.info.lifecycle_stage is LifecycleStage.DELETED:
            return replace(run, data=replace(run.data, tags={}))
        return run


@fault("run.deleted-refuses-update")
class DeletedRunsAreUpdated(MemoryStore):
    """A deleted run takes updates."""

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        record = self._run(run_id)
        stage = record.info.lifecycle_stage
        record.info = replace(record.info, lifecycle_stage=LifecycleStage.ACTIVE)
        info = super()._update_run_info(run_id, status, end_time, run_name)
        record.info = replace(info, lifecycle_stage=stage)
        return record.info


@fault("run.deleted-refuses-update")
class DeletedRunsAreRenamed(MemoryStore):
    """A deleted run takes a new name."""

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        record = self._run(run_id)
        if run_name is not None and record.info.lifecycle_stage is LifecycleStage.DELETED:
            self._set_run_name(record, run_name)
            return record.info
        return super()._update_run_info(run_id, status, end_time, run_name)


@fault("run.deleted-refuses-params")
class DeletedRunsTakeParams(MemoryStore):
    """A deleted run takes params."""

    def log_param(self, run_id: str, param: Param) -> None:
        if run_id in self._state.runs:
            self._require_no_other_value(self._run(run_id), param)
            self._run(run_id).params[param.key] = param.value
        else:
            super().log_param(run_id, param)


@fault("run.deleted-refuses-params")
class DeletedRunsTakeTheParamsTheyHave(MemoryStore):
    """A deleted run accepts a param that it has, with the same value."""

    def log_param(self, run_id: str, param: Param) -> None:
        if self.get_run(run_id).data.params.get(param.key) != param.value:
            super().log_param(run_id, param)


@fault("run.deleted-refuses-tags")
class DeletedRunsTakeTags(MemoryStore):
    """A deleted run takes tags."""

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        if self.get_run(run_id).info.lifecycle_stage is LifecycleStage.DELETED:
            self._put_tag(self._run(run_id), tag)
        else:
            super().set_tag(run_id, tag)


@fault("run.deleted-refuses-tags")
class DeletedRunsHaveTheWrongCode(MemoryStore):
    """Setting a tag on a deleted run is answered as if there were no run."""

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        if self.get_run(run_id).info.lifecycle_stage is LifecycleStage.DELETED:
            raise missing("run", run_id)
        super().set_tag(run_id, tag)


@fault("run.deleted-refuses-tag-deletion")
class DeletedRunsLoseTags(MemoryStore):
    """A tag of a deleted run is deleted."""

    def delete_tag(self, run_id: str, key: str) -> None:
        if self.get_run(run_id).info.lifecycle_stage is LifecycleStage.DELETED:
            self._run(run_id).tags.pop(key, None)
        else:
            super().delete_tag(run_id, key)


@fault("run.restore")
class RestoringARunDoesNothing(MemoryStore):
    """restore_run is reported done and leaves the run deleted."""

    def restore_run(self, run_id: str) -> None:
        self.get_run(run_id)


@fault("run.restore-again")
class RestoringAnActiveRunFails(MemoryStore):
    """An active run is not found by restore_run."""

    def restore_run(self, run_id: str) -> None:
        if self.get_run(run_id).info.lifecycle_stage is LifecycleStage.ACTIVE:
            raise missing("deleted run", run_id)
        super().restore_run(run_id)


@fault("run.restore-unknown")
class UnknownRunsAreRestored(MemoryStore):
    """Restoring a run that does not exist is reported done."""

    def _set_run_stage(self, run_id: str, stage: LifecycleStage) -> None:
        if stage is LifecycleStage.DELETED or run_id in self._state.runs:
            super()._set_run_stage(run_id, stage)


@fault("run.restored-whole")
class RestoredRunsHaveNoEnd(MemoryStore):
    """A restored run has lost its end time."""

    def restore_run(self, run_id: str) -> None:
        super().restore_run(run_id)
        record = self._run(run_id)
        record.info = replace(record.info, end_time=None)


@fault("run.restored-writable")
class RestoredRunsAreSealed(MemoryStore):
    """A run that was deleted once refuses what is logged to it."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._sealed: set[str] = set()

    def delete_run(self, run_id: str) -> None:
        super().delete_run(run_id)
        self._sealed.add(run_id)

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        if run_id in self._sealed:
            raise invalid("The run is sealed.")
        super()._log_batch(run_id, metrics, params, tags)


@fault("run.readable-in-deleted-experiment")
class RunsGoWithTheirExperiment(MemoryStore):
    """The runs of a deleted experiment are not read."""

    def _get_run(self, run_id: str) -> Run:
        run = super()._get_run(run_id)
        if self._experiment(run.info.experiment_id).lifecycle_stage is LifecycleStage.DELETED:
            raise missing("run", run_id)
        return run


@fault("run.restored-in-deleted-experiment")
class RestoringNeedsTheExperiment(MemoryStore):
    """A run is not restored while its experiment is deleted."""

    def restore_run(self, run_id: str) -> None:
        experiment = self._experiment(self.get_run(run_id).info.experiment_id)
        if experiment.lifecycle_stage is LifecycleStage.DELETED:
            raise TrackspecError("The run's experiment is deleted.", ErrorCode.INVALID_STATE)
        super().restore_run(run_id)


@fault("run.writable-in-deleted-experiment")
class DeletedExperimentsSealTheirRuns(MemoryStore):
    """A run of a deleted experiment refuses what is logged to it, though it is active."""

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        self._active_experiment(self._run(run_id).info.experiment_id)
        super()._log_batch(run_id, metrics, params, tags)
