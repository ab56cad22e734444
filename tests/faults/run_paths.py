"""Faulty backends for the chapter on runs: wrong on one path only, and right on the paths beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from trackspec import LifecycleStage, Metric, Param, Run, RunInfo, RunStatus, RunTag, uris
from trackspec.entities import RUN_NAME_TAG
from trackspec.errors import invalid
from trackspec.memory_store import MemoryStore, RunRecord

from . import fault

ENDED = (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED)

# -- creating and reading ---------------------------------------------------------------------------------------


@fault("run.create-answer")
class TheStartIsToldBeforeItIsSet(MemoryStore):
    """create_run answers another start time than it stores, where none was given."""

    def create_run(self, experiment_id: str, user_id: Any, start_time: Any, tags: Any, run_name: Any) -> Run:
        run = super().create_run(experiment_id, user_id, start_time, tags, run_name)
        return run if start_time else replace(run, info=replace(run.info, start_time=run.info.start_time - 1))


class _AltersFirstTags(MemoryStore):
    def _altered(self, tags: dict[str, str]) -> dict[str, str]:
        return tags

    def _create_run(self, experiment_id: str, user_id: str, start_time: int, tags: Any, run_name: str) -> Run:
        altered = {**self._altered(tags), RUN_NAME_TAG: run_name}
        return super()._create_run(experiment_id, user_id, start_time, altered, run_name)


@fault("run.create-tags")
class FirstTagsLoseTheirLineEnds(_AltersFirstTags):
    """The tags of a new run have line feeds alone."""

    def _altered(self, tags: dict[str, str]) -> dict[str, str]:
        return {key: value.replace("\r\n", "\n") for key, value in tags.items()}


@fault("run.create-tags")
class FirstTagsAreTrimmed(_AltersFirstTags):
    """The tags of a new run lose the white space around them."""

    def _altered(self, tags: dict[str, str]) -> dict[str, str]:
        return {key: value.strip() for key, value in tags.items()}


@fault("run.create-tags")
class FirstTagsAreCut(_AltersFirstTags):
    """The tags of a new run are cut at 5000 characters."""

    def _altered(self, tags: dict[str, str]) -> dict[str, str]:
        return {key: value[:5000] for key, value in tags.items()}


@fault("run.create-tags")
class FirstTagsAreFolded(_AltersFirstTags):
    """The tags of a new run have keys in lower case."""

    def _altered(self, tags: dict[str, str]) -> dict[str, str]:
        return {key if key.startswith("mlflow.") else key.lower(): value for key, value in tags.items()}


@fault("run.create-tags")
class AHundredTagsAreSetAtCreation(_AltersFirstTags):
    """A new run has the first hundred of its tags."""

    def _altered(self, tags: dict[str, str]) -> dict[str, str]:
        return dict(list(tags.items())[:100])


@fault("run.create-duplicate-tags")
class TheFirstNameTagHolds(MemoryStore):
    """Of two tags that name a new run, the first one does."""

    def create_run(self, experiment_id: str, user_id: Any, start_time: Any, tags: Any, run_name: Any) -> Run:
        names = [tag for tag in tags or () if getattr(tag, "key", None) == RUN_NAME_TAG]
        kept = [tag for tag in tags if tag not in names[1:]] if len(names) > 1 else tags
        return super().create_run(experiment_id, user_id, start_time, kept, run_name)


@fault("run.get-whole")
class TwoHundredParamsAreRead(MemoryStore):
    """get_run returns no more than two hundred params."""

    def _get_run(self, run_id: str) -> Run:
        run = super()._get_run(run_id)
        return replace(run, data=replace(run.data, params=dict(list(run.data.params.items())[:200])))


@fault("run.get-whole")
class AThousandMetricsAreRead(MemoryStore):
    """get_run returns no more than a thousand metrics."""

    def _get_run(self, run_id: str) -> Run:
        run = super()._get_run(run_id)
        latest = dict(list(run.data.latest_metrics.items())[:1000])
        return replace(run, data=replace(run.data, latest_metrics=latest))


# -- ids --------------------------------------------------------------------------------------------------------


@fault("run.id-exact")
class LoggingFoldsRunIds(MemoryStore):
    """log_metric takes a run's id in capitals."""

    def log_metric(self, run_id: Any, metric: Metric) -> None:
        super().log_metric(run_id.lower() if isinstance(run_id, str) else run_id, metric)


@fault("run.id-exact")
class DeletingTrimsRunIds(MemoryStore):
    """delete_run takes a run's id with white space around it."""

    def delete_run(self, run_id: Any) -> None:
        super().delete_run(run_id.strip() if isinstance(run_id, str) else run_id)


# -- opening again ----------------------------------------------------------------------------------------------


class _LosesWhenOpened(MemoryStore):
    """What a run has is altered by the object that is opened next."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        for record in self._state.runs.values():
            self._lose(record)

    def _lose(self, record: RunRecord) -> None:
        return


@fault("run.reopened")
class InputsAreNotWritten(_LosesWhenOpened):
    """The inputs of a run live in the store object alone."""

    def _lose(self, record: RunRecord) -> None:
        record.inputs.clear()


@fault("run.reopened")
class HistoriesAreNotWritten(_LosesWhenOpened):
    """Of each metric the latest point is written."""

    def _lose(self, record: RunRecord) -> None:
        record.points = {key: [self._latest_point(points)] for key, points in record.points.items()}


@fault("run.reopened")
class NanIsNotWritten(_LosesWhenOpened):
    """A point whose value is NaN is not written."""

    def _lose(self, record: RunRecord) -> None:
        finite = {
            key: [point for point in points if point.value == point.value] for key, points in record.points.items()
        }
        record.points = {key: points for key, points in finite.items() if points}


@fault("run.reopened")
class LineEndsAreReadAsOne(_LosesWhenOpened):
    """A carriage return in a param is a line feed when it is read from the disk."""

    def _lose(self, record: RunRecord) -> None:
        record.params = {key: value.replace("\r\n", "\n") for key, value in record.params.items()}


@fault("run.reopened")
class EmptyTagsAreNotWritten(_LosesWhenOpened):
    """A tag with an empty value is not written."""

    def _lose(self, record: RunRecord) -> None:
        record.tags = {key: value for key, value in record.tags.items() if value}


@fault("entity.closing-loses-nothing")
class MetricsWaitForTheNextWrite(MemoryStore):
    """What was logged last is not written when the object is closed."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._pending: dict[str, dict[str, list[Metric]]] = {}

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        if run_id in self._state.runs:
            self._pending = {run_id: {key: list(value) for key, value in self._state.runs[run_id].points.items()}}
        super()._log_batch(run_id, metrics, params, tags)

    def close(self) -> None:
        for run_id, points in self._pending.items():
            self._state.runs[run_id].points = points


# -- updating, names and stages ---------------------------------------------------------------------------------


class _AltersUpdates(MemoryStore):
    def _altered(
        self, record: RunRecord, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> tuple[RunStatus | None, int | None, str | None]:
        return status, end_time, run_name

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        altered = self._altered(self._active_run(run_id), status, end_time, run_name)
        return super()._update_run_info(run_id, *altered)


@fault("run.update-none-keeps")
class EndingSetsTheEnd(_AltersUpdates):
    """A run that ends without an end time ends now."""

    def _altered(
        self, record: RunRecord, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> tuple[RunStatus | None, int | None, str | None]:
        if status in ENDED and end_time is None and record.info.end_time is None:
            end_time = self._now()
        return status, end_time, run_name


@fault("run.update")
class NewRunNamesAreTrimmed(_AltersUpdates):
    """A run that is renamed loses the white space around its name."""

    def _altered(
        self, record: RunRecord, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> tuple[RunStatus | None, int | None, str | None]:
        return status, end_time, run_name and run_name.strip()


@fault("run.rename-mirrored")
class RenamingUpdatesTheTagThereIs(MemoryStore):
    """A run that is renamed after its name tag was deleted has none."""

    def _set_run_name(self, record: RunRecord, run_name: str) -> None:
        tagged = RUN_NAME_TAG in record.tags
        super()._set_run_name(record, run_name)
        if not tagged:
            del record.tags[RUN_NAME_TAG]


@fault("run.name-never-cut")
class NamesAreCutInTags(MemoryStore):
    """A name that is set by its tag is cut at 250 characters."""

    def _put_tag(self, record: RunRecord, tag: RunTag) -> None:
        value = tag.value[:250] if tag.key == RUN_NAME_TAG else tag.value
        super()._put_tag(record, RunTag(tag.key, value))


@fault("run.name-never-cut")
class NamesFromTagsAreCut(MemoryStore):
    """A run that is named by its first tags gets the first 250 characters."""

    def create_run(self, experiment_id: str, user_id: Any, start_time: Any, tags: Any, run_name: Any) -> Run:
        if isinstance(tags, list) and run_name is None:
            tags = [
                RunTag(tag.key, tag.value[:250]) if isinstance(tag, RunTag) and tag.key == RUN_NAME_TAG else tag
                for tag in tags
            ]
        return super().create_run(experiment_id, user_id, start_time, tags, run_name)


@fault("run.finished-writable")
class KilledRunsAreSealed(MemoryStore):
    """A killed run refuses what is logged to it."""

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        if self._run(run_id).info.status is RunStatus.KILLED:
            raise invalid("This run was killed.")
        super()._log_batch(run_id, metrics, params, tags)


@fault("run.finished-writable")
class FailedRunsDropMetrics(MemoryStore):
    """A failed run takes points and forgets them."""

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        kept = [] if self._run(run_id).info.status is RunStatus.FAILED else metrics
        super()._log_batch(run_id, kept, params, tags)


class _AltersDeleted(MemoryStore):
    def _alter(self, record: RunRecord) -> None:
        return

    def _set_run_stage(self, run_id: str, stage: LifecycleStage) -> None:
        super()._set_run_stage(run_id, stage)
        if stage is LifecycleStage.DELETED:
            self._alter(self._state.runs[run_id])


@fault("run.deleted-readable")
class DeletingEndsTheRun(_AltersDeleted):
    """A run that is deleted while it goes on has ended."""

    def _alter(self, record: RunRecord) -> None:
        record.info = replace(record.info, end_time=record.info.end_time or self._now())


@fault("run.deleted-readable")
class DeletingKillsTheRun(_AltersDeleted):
    """A run that is deleted while it goes on is killed."""

    def _alter(self, record: RunRecord) -> None:
        if record.info.status is RunStatus.RUNNING:
            record.info = replace(record.info, status=RunStatus.KILLED)


@fault("run.delete-again")
class DeletingTwiceErases(MemoryStore):
    """Deleting a deleted run erases its params."""

    def _set_run_stage(self, run_id: str, stage: LifecycleStage) -> None:
        record = self._run(run_id)
        if stage is record.info.lifecycle_stage is LifecycleStage.DELETED:
            record.params = {}
        super()._set_run_stage(run_id, stage)


# -- artifacts --------------------------------------------------------------------------------------------------


@fault("run.artifact-uri-query")
class FragmentsSwallowTheRun(MemoryStore):
    """A run's path is appended to the fragment of the location."""

    def _create_run(self, experiment_id: str, *others: Any) -> Run:
        run = super()._create_run(experiment_id, *others)
        location = self._experiment(experiment_id).artifact_location
        if "#" in location:
            record = self._state.runs[run.info.run_id]
            record.info = replace(record.info, artifact_uri=f"{location}/{run.info.run_id}/artifacts")
            return self._entity(record)
        return run


@fault("run.artifact-uri-fixed")
class RestoringMovesArtifacts(MemoryStore):
    """The artifacts of a restored experiment's runs are below the artifact root."""

    def _set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        super()._set_experiment_stage(experiment_id, stage)
        root = uris.join(self.get_artifact_root(), experiment_id)
        for record in self._state.runs.values():
            if stage is LifecycleStage.ACTIVE and record.info.experiment_id == experiment_id:
                uri = uris.join(root, record.info.run_id, "artifacts")
                record.info = replace(record.info, artifact_uri=uri)
