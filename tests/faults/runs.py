"""Faults of runs: reading them, and where their artifacts are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from trackspec.entities import (
    LifecycleStage,
    Metric,
    Param,
    Run,
    RunInfo,
    RunStatus,
    RunTag,
)
from trackspec.errors import TrackspecError, missing
from trackspec.memory_store import DEFAULT_EXPERIMENT_ID, MemoryStore, RunRecord

from . import fault
from .run_creation import ChangedAtCreation


@fault("run.get-whole")
class AHundredParamsAreRead(MemoryStore):
    """get_run returns no more than a hundred params."""

    def _get_run(self, run_id: str) -> Run:
        run = super()._get_run(run_id)
        return replace(run, data=replace(run.data, params=dict(islice(run.data.params.items(), 100))))


@fault("run.get-whole")
class AHundredMetricsAreRead(MemoryStore):
    """get_run returns no more than a hundred metrics."""

    def _get_run(self, run_id: str) -> Run:
        run = super()._get_run(run_id)
        latest = dict(islice(run.data.latest_metrics.items(), 100))
        return replace(run, data=replace(run.data, latest_metrics=latest))


@fault("run.get-whole")
class AHundredTagsAreRead(MemoryStore):
    """get_run returns no more than a hundred tags."""

    def _get_run(self, run_id: str) -> Run:
        run = super()._get_run(run_id)
        return replace(run, data=replace(run.data, tags=dict(islice(run.data.tags.items(), 100))))


class SharedByRuns(MemoryStore):
    """A store that logs some of a batch to every run of the experiment."""

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        super()._log_batch(run_id, metrics, params, tags)
        record = self._run(run_id)
        for other in self._state.runs.values():
            if other.info.experiment_id == record.info.experiment_id and other is not record:
                self._share(other, metrics, params, tags)

    def _share(
        self, other: RunRecord, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        raise NotImplementedError


@fault("run.separate")
class RunsShareParams(SharedByRuns):
    """A param is logged to every run of the experiment that does not have it."""

    def _share(
        self, other: RunRecord, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        for param in params:
            other.params.setdefault(param.key, param.value)


@fault("run.separate")
class RunsShareTags(SharedByRuns):
    """A tag is set on every run of the experiment."""

    def _share(
        self, other: RunRecord, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        for tag in tags:
            self._put_tag(other, tag)


@fault("run.reopened")
class NothingIsReopened(MemoryStore):
    """A store that is opened again is empty."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__("memory:")


@fault("run.reopened")
class EndTimesAreNotWritten(MemoryStore):
    """The end time of a run lives in the store object alone."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._ends: dict[str, int] = {}

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        super()._update_run_info(run_id, status, None, run_name)
        if end_time is not None:
            self._ends[run_id] = end_time
        return self._get_run(run_id).info

    def _entity(self, record: RunRecord) -> Run:
        run = super()._entity(record)
        return replace(run, info=replace(run.info, end_time=self._ends.get(run.info.run_id)))


@fault("run.reopened")
class TagDeletionsAreNotWritten(MemoryStore):
    """That a tag was deleted is known to the store object alone."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._deleted: set[tuple[str, str]] = set()

    def _delete_tag(self, run_id: str, key: str) -> None:
        if key not in self._get_run(run_id).data.tags:
            raise missing("tag", key)
        self._deleted.add((run_id, key))

    def _put_tag(self, record: RunRecord, tag: RunTag) -> None:
        super()._put_tag(record, tag)
        self._deleted.discard((record.info.run_id, tag.key))

    def _entity(self, record: RunRecord) -> Run:
        run = super()._entity(record)
        tags = {key: value for key, value in run.data.tags.items() if (run.info.run_id, key) not in self._deleted}
        return replace(run, data=replace(run.data, tags=tags))


@fault("run.get-unknown")
class UnknownRunsAreEmpty(MemoryStore):
    """A run that does not exist is read as one without data."""

    def _get_run(self, run_id: str) -> Run:
        if run_id in self._state.runs:
            return super()._get_run(run_id)
        stage = LifecycleStage.ACTIVE
        return Run(RunInfo(run_id, "", DEFAULT_EXPERIMENT_ID, "", RunStatus.RUNNING, 0, None, stage, ""))


@fault("run.id-exact")
class RunIdsIgnoreCase(MemoryStore):
    """A run is found by its id in any case."""

    def _run(self, run_id: str) -> RunRecord:
        return super()._run(run_id if run_id in self._state.runs else run_id.lower())


@fault("run.id-exact")
class RunIdsAreTrimmed(MemoryStore):
    """White space around a run's id does not matter."""

    def get_run(self, run_id: str) -> Run:
        return super().get_run(run_id.strip() if isinstance(run_id, str) else run_id)


@fault("run.id-exact")
class RunIdsMayBeAbbreviated(MemoryStore):
    """A run is found by the beginning of its id."""

    def _run(self, run_id: str) -> RunRecord:
        found = [known for known in self._state.runs if known.startswith(run_id)]
        return super()._run(found[0] if len(found) == 1 else run_id)


@fault("run.malformed-id-refused")
class RunIdsMustBeText(MemoryStore):
    """A run id that is no text raises a bare TypeError."""

    def get_run(self, run_id: str) -> Run:
        if not isinstance(run_id, str):
            raise TypeError("expected string or bytes-like object")
        return super().get_run(run_id)


@fault("run.malformed-id-refused")
class DeletingByAMalformedIdSucceeds(MemoryStore):
    """Deleting a run of an impossible id is reported done."""

    def delete_run(self, run_id: str) -> None:
        if isinstance(run_id, str) and "/" not in run_id:
            super().delete_run(run_id)


@fault("run.malformed-id-code")
class MalformedRunIdsAreMissing(MemoryStore):
    """A malformed run id is answered like an unknown one."""

    def get_run(self, run_id: str) -> Run:
        try:
            return super().get_run(run_id)
        except TrackspecError:
            raise missing("run", str(run_id)) from None


class OtherArtifactUri(ChangedAtCreation):
    """A store that gives runs another artifact URI."""

    def _spoil(self, record: RunRecord) -> None:
        location = self._experiment(record.info.experiment_id).artifact_location
        record.info = replace(record.info, artifact_uri=self._uri(location, record.info.run_id))

    def _uri(self, location: str, run_id: str) -> str:
        raise NotImplementedError


@fault("run.artifact-uri")
class ArtifactsLieInTheRunsFolder(OtherArtifactUri):
    """The artifact URI ends with the run's id."""

    def _uri(self, location: str, run_id: str) -> str:
        return f"{location.rstrip('/')}/{run_id}"


@fault("run.artifact-uri")
class RunsShareArtifacts(OtherArtifactUri):
    """The artifact URI of every run is the experiment's location."""

    def _uri(self, location: str, run_id: str) -> str:
        return f"{location.rstrip('/')}/artifacts"


@fault("run.artifact-uri-slash", "run.artifact-uri-query")
class ArtifactUrisArePastedTogether(OtherArtifactUri):
    """The artifact URI is the location with text appended, whatever the location ends with."""

    def _uri(self, location: str, run_id: str) -> str:
        return f"{location}/{run_id}/artifacts"


@fault("run.artifact-uri-fixed")
class ArtifactsFollowTheRunsName(MemoryStore):
    """Renaming a run moves its artifact URI."""

    def _set_run_name(self, record: RunRecord, run_name: str) -> None:
        super()._set_run_name(record, run_name)
        record.info = replace(record.info, artifact_uri=f"memory:/artifacts/{run_name}")


@fault("run.artifact-uri-fixed")
class ArtifactsFollowTheExperimentsName(MemoryStore):
    """Renaming an experiment moves the artifact URIs of its runs."""

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        super()._rename_experiment(experiment_id, new_name)
        for record in self._state.runs.values():
            if record.info.experiment_id == experiment_id:
                uri = f"memory:/artifacts/{new_name}/{record.info.run_id}/artifacts"
                record.info = replace(record.info, artifact_uri=uri)
