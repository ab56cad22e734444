"""Faulty backends for the chapter on experiments: wrong in one call only, and right in the calls beside it."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

from trackspec import ErrorCode, LifecycleStage, Run, RunStatus, TrackspecError
from trackspec.memory_store import MemoryStore

from . import fault


def _without_zeros(experiment_id: Any) -> Any:
    return experiment_id.lstrip("0") or "0" if isinstance(experiment_id, str) and experiment_id else experiment_id


@fault("experiment.id-exact")
class RenamingTrimsIds(MemoryStore):
    """rename_experiment takes an id with white space around it."""

    def rename_experiment(self, experiment_id: Any, new_name: str) -> None:
        super().rename_experiment(
            experiment_id.strip() if isinstance(experiment_id, str) else experiment_id, new_name
        )


@fault("experiment.id-exact")
class RestoringReadsIdsAsNumbers(MemoryStore):
    """restore_experiment takes an id with zeros before it."""

    def restore_experiment(self, experiment_id: str) -> None:
        if experiment_id != _without_zeros(experiment_id):
            return
        super().restore_experiment(experiment_id)


@fault("experiment.id-exact")
class RunsAreCreatedByNumber(MemoryStore):
    """create_run takes an experiment's id with zeros before it."""

    def create_run(self, experiment_id: str, *others: Any, **options: Any) -> Run:
        return super().create_run(_without_zeros(experiment_id), *others, **options)


@fault("experiment.rename")
class NewNamesAreTrimmed(MemoryStore):
    """White space around a new name is lost."""

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        super()._rename_experiment(experiment_id, new_name.strip() or new_name)


@fault("experiment.rename")
class NewNamesAreNormalised(MemoryStore):
    """A new name is kept in normal form C."""

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        super()._rename_experiment(experiment_id, unicodedata.normalize("NFC", new_name))


@fault("experiment.rename")
class NewNamesAreCut(MemoryStore):
    """A new name is cut to 256 characters."""

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        super()._rename_experiment(experiment_id, new_name[:256])


@fault("experiment.names-exact")
class NewNamesAreComparedWithoutCase(MemoryStore):
    """A new name is refused where another experiment has it in another case."""

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        for other in self._state.experiments.values():
            if other.experiment_id != experiment_id and other.name.lower() == new_name.lower():
                raise TrackspecError("This name is taken.", ErrorCode.RESOURCE_ALREADY_EXISTS)
        super()._rename_experiment(experiment_id, new_name)


@fault("experiment.name-look-alikes")
class NamesAreFoldedAsInTurkish(MemoryStore):
    """A dotless i in a name is taken for an i."""

    def _require_free_name(self, name: str) -> None:
        super()._require_free_name(name)
        if any(other.name.replace("ı", "i") == name.replace("ı", "i") for other in self._experiments()):
            raise TrackspecError("This name is taken.", ErrorCode.RESOURCE_ALREADY_EXISTS)

    def _experiments(self) -> list[Any]:
        return list(self._state.experiments.values())


@fault("experiment.delete-runs")
class FinishedRunsOutliveTheirExperiment(MemoryStore):
    """Deleting an experiment leaves its finished runs active."""

    def _set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        infos = {run_id: record.info for run_id, record in self._state.runs.items()}
        super()._set_experiment_stage(experiment_id, stage)
        if stage is LifecycleStage.DELETED:
            for run_id, info in infos.items():
                if info.experiment_id == experiment_id and info.status is RunStatus.FINISHED:
                    self._state.runs[run_id].info = info


@fault("experiment.reopened")
class UpdateTimesAreNotWritten(MemoryStore):
    """An experiment that is read by an object opened later was last updated when it was created."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        for experiment_id, experiment in self._state.experiments.items():
            created = replace(experiment, last_update_time=experiment.creation_time)
            self._state.experiments[experiment_id] = created


@fault("experiment.tag-delete-missing")
class MissingTagsAreFoundWithoutCase(MemoryStore):
    """Deleting a tag that an experiment lacks deletes the one whose key differs in case."""

    def _delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        tags = self._active_experiment(experiment_id).tags
        near = [other for other in tags if other.lower() == key.lower()]
        super()._delete_experiment_tag(experiment_id, key if key in tags or not near else near[0])
