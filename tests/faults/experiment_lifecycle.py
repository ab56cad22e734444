"""Faults of the chapter on experiments: ids, times, deleting, restoring and renaming."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from trackspec.entities import Experiment, ExperimentTag, LifecycleStage
from trackspec.errors import ErrorCode, TrackspecError, invalid, missing
from trackspec.memory_store import DEFAULT_EXPERIMENT_ID, MemoryStore

from . import fault

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED


@fault("experiment.ids-distinct")
class CountsActiveExperiments(MemoryStore):
    """An id is the number of active experiments."""

    def _new_experiment_id(self) -> str:
        return str(sum(item.lifecycle_stage is ACTIVE for item in self._state.experiments.values()))


@fault("experiment.unknown-id")
class UnknownIsInvalid(MemoryStore):
    """The id of no experiment is called malformed."""

    def _experiment(self, experiment_id: str) -> Experiment:
        if experiment_id not in self._state.experiments:
            raise invalid(f"Malformed experiment id {experiment_id!r}.")
        return super()._experiment(experiment_id)


@fault("experiment.unknown-id")
class DeletingTheUnknownSucceeds(MemoryStore):
    """Deleting an experiment that does not exist succeeds."""

    def _set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        if experiment_id in self._state.experiments:
            super()._set_experiment_stage(experiment_id, stage)


@fault("experiment.ids-opaque")
class IdsAreNumbers(MemoryStore):
    """An id that is no number is called malformed."""

    def _experiment(self, experiment_id: str) -> Experiment:
        if not experiment_id.isdecimal():
            raise invalid(f"Malformed experiment id {experiment_id!r}.")
        return super()._experiment(experiment_id)


@fault("experiment.large-number-id")
class IdsOverflow(MemoryStore):
    """An id whose number is beyond 64 bits makes the store fail."""

    def _experiment(self, experiment_id: str) -> Experiment:
        if experiment_id.isdecimal() and int(experiment_id) >= 2**63:
            raise TrackspecError("The store failed.", ErrorCode.INTERNAL_ERROR)
        return super()._experiment(experiment_id)


@fault("experiment.id-exact")
class ReadsIdsAsNumbers(MemoryStore):
    """Zeros before an id do not count."""

    def _experiment(self, experiment_id: str) -> Experiment:
        return super()._experiment(experiment_id.lstrip("0") or "0")


@fault("experiment.id-exact")
class TrimsIds(MemoryStore):
    """White space around an id does not count."""

    def get_experiment(self, experiment_id: str) -> Experiment:
        return super().get_experiment(experiment_id.strip() if isinstance(experiment_id, str) else experiment_id)


@fault("experiment.absent-id-refused")
class NoIdMeansDefault(MemoryStore):
    """No id stands for the default experiment."""

    def get_experiment(self, experiment_id: str) -> Experiment:
        return super().get_experiment(experiment_id or DEFAULT_EXPERIMENT_ID)


@fault("experiment.id-type-refused")
class NumbersAreIds(MemoryStore):
    """A number is taken for the id of its digits."""

    def delete_experiment(self, experiment_id: str) -> None:
        super().delete_experiment(str(experiment_id) if isinstance(experiment_id, int) else experiment_id)


@fault("experiment.malformed-id-refused")
class MalformedIdsMakeItFail(MemoryStore):
    """A slash in an id makes the store fail."""

    def get_experiment(self, experiment_id: str) -> Experiment:
        if isinstance(experiment_id, str) and "/" in experiment_id:
            raise TrackspecError("The store failed.", ErrorCode.INTERNAL_ERROR)
        return super().get_experiment(experiment_id)


@fault("experiment.malformed-id-code")
class MalformedIsUnknown(MemoryStore):
    """A malformed id is called unknown."""

    def get_experiment(self, experiment_id: str) -> Experiment:
        try:
            return super().get_experiment(experiment_id)
        except TrackspecError as error:
            if isinstance(experiment_id, str) and experiment_id:
                raise missing("experiment", experiment_id) from error
            raise


# -- deleting and restoring -------------------------------------------------------------------------------------


@fault("experiment.delete")
class DeletingDropsTags(MemoryStore):
    """A deleted experiment loses its tags."""

    def _set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        super()._set_experiment_stage(experiment_id, stage)
        if stage is DELETED:
            self._experiment(experiment_id).tags.clear()


@fault("experiment.delete")
class DeletingDoesNothing(MemoryStore):
    """Deleting an experiment succeeds without effect."""

    def delete_experiment(self, experiment_id: str) -> None:
        self.get_experiment(experiment_id)


@fault("experiment.delete-runs")
class DeletingLeavesRuns(MemoryStore):
    """The runs of a deleted experiment stay active."""

    def _set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        if stage is DELETED:
            self._require_stage(experiment_id, ACTIVE)
            self._change_experiment(experiment_id, lifecycle_stage=stage)
        else:
            super()._set_experiment_stage(experiment_id, stage)

    def _require_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        if self._experiment(experiment_id).lifecycle_stage is not stage:
            raise missing(f"{stage} experiment", experiment_id)


@fault("experiment.delete-alone")
class DeletingDeletesAllRuns(MemoryStore):
    """Deleting an experiment deletes the runs of all."""

    def _set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        super()._set_experiment_stage(experiment_id, stage)
        if stage is DELETED:
            for record in self._state.runs.values():
                record.info = replace(record.info, lifecycle_stage=DELETED)


@fault("experiment.delete-again")
class DeletesAgain(MemoryStore):
    """Deleting a deleted experiment succeeds."""

    def delete_experiment(self, experiment_id: str) -> None:
        if self.get_experiment(experiment_id).lifecycle_stage is ACTIVE:
            super().delete_experiment(experiment_id)


@fault("experiment.restore")
class RestoresWithoutTags(MemoryStore):
    """A restored experiment has lost its tags."""

    def _set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        super()._set_experiment_stage(experiment_id, stage)
        if stage is ACTIVE:
            self._experiment(experiment_id).tags.clear()


@fault("experiment.restore-runs")
class DeletedRunsStayDeleted(MemoryStore):
    """Runs that were deleted one by one stay deleted when their experiment is restored."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._deleted_alone: set[str] = set()

    def _set_run_stage(self, run_id: str, stage: LifecycleStage) -> None:
        super()._set_run_stage(run_id, stage)
        (self._deleted_alone.add if stage is DELETED else self._deleted_alone.discard)(run_id)

    def _set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        super()._set_experiment_stage(experiment_id, stage)
        for run_id in self._deleted_alone:
            record = self._run(run_id)
            record.info = replace(record.info, lifecycle_stage=DELETED)


@fault("experiment.restore-alone")
class RestoringRestoresAllRuns(MemoryStore):
    """Restoring an experiment restores the runs of all."""

    def _set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        super()._set_experiment_stage(experiment_id, stage)
        if stage is ACTIVE:
            for record in self._state.runs.values():
                record.info = replace(record.info, lifecycle_stage=ACTIVE)


@fault("experiment.restore-active")
class RestoresTheActive(MemoryStore):
    """Restoring an active experiment succeeds."""

    def restore_experiment(self, experiment_id: str) -> None:
        if self.get_experiment(experiment_id).lifecycle_stage is DELETED:
            super().restore_experiment(experiment_id)


# -- times ------------------------------------------------------------------------------------------------------


@fault("experiment.creation-time-fixed")
class RenamingCreatesAnew(MemoryStore):
    """A renamed experiment counts as created at that time."""

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        super()._rename_experiment(experiment_id, new_name)
        experiment = self._experiment(experiment_id)
        self._state.experiments[experiment_id] = replace(experiment, creation_time=experiment.last_update_time)


@fault("experiment.times-ordered")
class UpdatedBeforeItWasCreated(MemoryStore):
    """The last update time starts at zero."""

    def _create_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> str:
        experiment_id = super()._create_experiment(name, artifact_location, tags)
        self._state.experiments[experiment_id] = replace(self._experiment(experiment_id), last_update_time=0)
        return experiment_id


@fault("experiment.update-time-moves")
class RestoringIsNoUpdate(MemoryStore):
    """Restoring an experiment leaves its last update time."""

    def _set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        time = self._experiment(experiment_id).last_update_time
        super()._set_experiment_stage(experiment_id, stage)
        if stage is ACTIVE:
            self._state.experiments[experiment_id] = replace(
                self._experiment(experiment_id), last_update_time=time
            )


@fault("experiment.update-time-stays")
class TaggingIsAnUpdate(MemoryStore):
    """Setting a tag moves the last update time."""

    def _set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        super()._set_experiment_tag(experiment_id, tag)
        self._change_experiment(experiment_id)


# -- renaming ---------------------------------------------------------------------------------------------------


@fault("experiment.rename")
class RenamingDoesNothing(MemoryStore):
    """Renaming an experiment succeeds without effect."""

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        self._experiment(experiment_id)


@fault("experiment.rename-alone")
class RenamingDropsTags(MemoryStore):
    """A renamed experiment loses its tags."""

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        super()._rename_experiment(experiment_id, new_name)
        self._experiment(experiment_id).tags.clear()


@fault("experiment.rename-frees-name")
class OldNamesStayTaken(MemoryStore):
    """A name that an experiment once had cannot be taken."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._old_names: set[str] = set()

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        old_name = self._experiment(experiment_id).name
        super()._rename_experiment(experiment_id, new_name)
        self._old_names.add(old_name)

    def _require_free_name(self, name: str) -> None:
        super()._require_free_name(name)
        if name in self._old_names:
            raise TrackspecError("The name is taken.", ErrorCode.RESOURCE_ALREADY_EXISTS)


@fault("experiment.rename-to-taken")
class RenamesToTheNameOfADeletedOne(MemoryStore):
    """An experiment can be renamed to the name of a deleted one."""

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        holder = self._get_experiment_by_name(new_name)
        if holder and holder.lifecycle_stage is DELETED:
            self._change_experiment(experiment_id, name=new_name)
        else:
            super()._rename_experiment(experiment_id, new_name)


@fault("experiment.rename-to-taken")
class TakenNamesAreInvalid(MemoryStore):
    """Renaming to a taken name is called an invalid value."""

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        try:
            super()._rename_experiment(experiment_id, new_name)
        except TrackspecError as error:
            if error.error_code is ErrorCode.RESOURCE_ALREADY_EXISTS:
                raise invalid("The name is taken.") from error
            raise


@fault("experiment.rename-to-own-name")
class OwnNameIsTaken(MemoryStore):
    """An experiment cannot be renamed to the name that it has."""

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        self._experiment(experiment_id)
        self._require_free_name(new_name)
        super()._rename_experiment(experiment_id, new_name)


@fault("experiment.rename-case")
class RenamingIgnoresCase(MemoryStore):
    """Renaming to the present name in another case has no effect."""

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        if self._experiment(experiment_id).name.casefold() != new_name.casefold():
            super()._rename_experiment(experiment_id, new_name)


@fault("experiment.rename-deleted")
class RenamesTheDeleted(MemoryStore):
    """A deleted experiment can be renamed."""

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        if self._experiment(experiment_id).lifecycle_stage is DELETED:
            self._require_free_name(new_name)
            self._change_experiment(experiment_id, name=new_name)
        else:
            super()._rename_experiment(experiment_id, new_name)


@fault("experiment.rename-refused")
class IgnoresInvalidNames(MemoryStore):
    """Renaming to a name that is none succeeds without effect."""

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        if isinstance(new_name, str) and new_name:
            super().rename_experiment(experiment_id, new_name)
        else:
            with suppress(TrackspecError):
                self.get_experiment(experiment_id)
