"""Faults of runs: creating them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice

from trackspec.entities import (
    LifecycleStage,
    Metric,
    Run,
    RunData,
    RunStatus,
    RunTag,
)
from trackspec.errors import TrackspecError
from trackspec.memory_store import DEFAULT_EXPERIMENT_ID, MemoryStore, RunRecord

from . import fault


class ChangedAtCreation(MemoryStore):
    """A store that changes a run that it has just created."""

    def _create_run(
        self, experiment_id: str, user_id: str, start_time: int, tags: dict[str, str], run_name: str
    ) -> Run:
        run = super()._create_run(experiment_id, user_id, start_time, tags, run_name)
        record = self._state.runs[run.info.run_id]
        self._spoil(record)
        return self._entity(record)

    def _spoil(self, record: RunRecord) -> None:
        raise NotImplementedError


@fault("run.create")
class RunsGoToTheDefaultExperiment(MemoryStore):
    """Every run is created in the default experiment."""

    def _create_run(
        self, experiment_id: str, user_id: str, start_time: int, tags: dict[str, str], run_name: str
    ) -> Run:
        return super()._create_run(DEFAULT_EXPERIMENT_ID, user_id, start_time, tags, run_name)


@fault("run.create-answer")
class CreateAnswersWithoutData(MemoryStore):
    """The answer to create_run has no tags."""

    def _create_run(
        self, experiment_id: str, user_id: str, start_time: int, tags: dict[str, str], run_name: str
    ) -> Run:
        return replace(super()._create_run(experiment_id, user_id, start_time, tags, run_name), data=RunData())


@fault("run.ids-distinct")
class EqualArgumentsMakeOneRun(MemoryStore):
    """A run that was created with the same arguments is answered again."""

    def _create_run(
        self, experiment_id: str, user_id: str, start_time: int, tags: dict[str, str], run_name: str
    ) -> Run:
        for record in self._state.runs.values():
            info = record.info
            if (info.experiment_id, info.user_id, info.start_time, info.run_name, record.tags) == (
                experiment_id,
                user_id,
                start_time,
                run_name,
                tags,
            ):
                return self._entity(record)
        return super()._create_run(experiment_id, user_id, start_time, tags, run_name)


@fault("run.starts-running")
class RunsStartScheduled(ChangedAtCreation):
    """A new run is scheduled."""

    def _spoil(self, record: RunRecord) -> None:
        record.info = replace(record.info, status=RunStatus.SCHEDULED)


@fault("run.starts-without-end")
class RunsStartWithAnEnd(ChangedAtCreation):
    """A new run ends at the epoch."""

    def _spoil(self, record: RunRecord) -> None:
        record.info = replace(record.info, end_time=0)


@fault("run.starts-active")
class RunsStartDeleted(ChangedAtCreation):
    """A new run is deleted."""

    def _spoil(self, record: RunRecord) -> None:
        record.info = replace(record.info, lifecycle_stage=LifecycleStage.DELETED)


@fault("run.starts-empty")
class TagsAtCreationAreParamsToo(ChangedAtCreation):
    """The tags of a new run are its params as well."""

    def _spoil(self, record: RunRecord) -> None:
        record.params.update(record.tags)


@fault("run.starts-empty")
class RunsStartWithAMetric(ChangedAtCreation):
    """A new run has a metric of the system's."""

    def _spoil(self, record: RunRecord) -> None:
        self._add_point(record, Metric("duration", 0.0, record.info.start_time, 0))


@fault("run.create-unknown-experiment")
class UnknownExperimentsAreMade(MemoryStore):
    """A run's experiment is made when it does not exist."""

    def _create_run(
        self, experiment_id: str, user_id: str, start_time: int, tags: dict[str, str], run_name: str
    ) -> Run:
        if experiment_id not in self._state.experiments:
            self._add_experiment(experiment_id, f"experiment {experiment_id}", None, {})
        return super()._create_run(experiment_id, user_id, start_time, tags, run_name)


@fault("run.create-experiment-id-refused")
class NoExperimentMeansTheDefaultOne(MemoryStore):
    """None and the empty string stand for the default experiment."""

    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: Sequence[RunTag] | None,
        run_name: str | None,
    ) -> Run:
        return super().create_run(experiment_id or DEFAULT_EXPERIMENT_ID, user_id, start_time, tags, run_name)


@fault("run.create-experiment-id-refused")
class ExperimentIdsMayBeNumbers(MemoryStore):
    """A number is turned into an experiment id."""

    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: Sequence[RunTag] | None,
        run_name: str | None,
    ) -> Run:
        if isinstance(experiment_id, int):
            experiment_id = str(experiment_id)
        return super().create_run(experiment_id, user_id, start_time, tags, run_name)


@fault("run.create-in-deleted-experiment")
class RunsAreMadeInDeletedExperiments(MemoryStore):
    """A deleted experiment takes new runs."""

    def _create_run(
        self, experiment_id: str, user_id: str, start_time: int, tags: dict[str, str], run_name: str
    ) -> Run:
        experiment = self._experiment(experiment_id)
        self._state.experiments[experiment_id] = replace(experiment, lifecycle_stage=LifecycleStage.ACTIVE)
        try:
            return super()._create_run(experiment_id, user_id, start_time, tags, run_name)
        finally:
            self._state.experiments[experiment_id] = experiment


@fault("run.create-refused-leaves-nothing")
class RefusedRunsStay(MemoryStore):
    """A run is stored before its arguments are judged."""

    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: Sequence[RunTag] | None,
        run_name: str | None,
    ) -> Run:
        try:
            return super().create_run(experiment_id, user_id, start_time, tags, run_name)
        except TrackspecError:
            with suppress(TrackspecError):
                super().create_run(experiment_id, "", 0, [], None)
            raise


@fault("run.create-tags")
class TenTagsAreSetAtCreation(MemoryStore):
    """Of the tags at creation the first ten are kept."""

    def _create_run(
        self, experiment_id: str, user_id: str, start_time: int, tags: dict[str, str], run_name: str
    ) -> Run:
        return super()._create_run(experiment_id, user_id, start_time, dict(islice(tags.items(), 10)), run_name)


@fault("run.create-without-tags")
class TagsAreRequiredAtCreation(MemoryStore):
    """None for the tags raises a bare TypeError."""

    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: Sequence[RunTag] | None,
        run_name: str | None,
    ) -> Run:
        if tags is None:
            raise TypeError("'NoneType' object is not iterable")
        return super().create_run(experiment_id, user_id, start_time, tags, run_name)


@fault("run.create-tags-unaltered")
class CreateAppendsToTheCallersTags(MemoryStore):
    """The name's tag is appended to the list that the caller passed."""

    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: Sequence[RunTag] | None,
        run_name: str | None,
    ) -> Run:
        run = super().create_run(experiment_id, user_id, start_time, list(tags or ()), run_name)
        if isinstance(tags, list) and run_name:
            tags.append(RunTag("mlflow.runName", run_name))
        return run


@fault("run.create-duplicate-tags")
class TheFirstOfEqualTagsHolds(MemoryStore):
    """Of two tags with one key at creation the first one holds."""

    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: Sequence[RunTag] | None,
        run_name: str | None,
    ) -> Run:
        backwards = None if tags is None else list(reversed(tags))
        return super().create_run(experiment_id, user_id, start_time, backwards, run_name)


class LenientAtCreation(MemoryStore):
    """A store whose create_run keeps tags that it does not judge."""

    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: Sequence[RunTag] | None,
        run_name: str | None,
    ) -> Run:
        judged = [tag for tag in tags or () if not self._unjudged(tag)]
        run = super().create_run(experiment_id, user_id, start_time, judged, run_name)
        record = self._state.runs[run.info.run_id]
        record.tags.update({tag.key: str(tag.value) for tag in tags or () if self._unjudged(tag)})
        return self._entity(record)

    def _unjudged(self, tag: RunTag) -> bool:
        raise NotImplementedError


@fault("run.create-tag-key-refused")
class CreateTakesAnyTagKey(LenientAtCreation):
    """create_run does not look at the form of tag keys."""

    def _unjudged(self, tag: RunTag) -> bool:
        return isinstance(tag.key, str) and len(tag.key) <= 250


@fault("run.create-tag-key-refused")
class CreateTakesTagKeysOfAnyLength(LenientAtCreation):
    """create_run does not look at the length of tag keys."""

    def _unjudged(self, tag: RunTag) -> bool:
        return isinstance(tag.key, str) and len(tag.key) > 250


@fault("run.create-tag-value-refused")
class CreateTakesTagValuesOfAnyLength(LenientAtCreation):
    """create_run does not look at the length of tag values."""

    def _unjudged(self, tag: RunTag) -> bool:
        return isinstance(tag.value, str) and len(tag.value) > 8000


@fault("run.create-tag-value-refused")
class CreateTurnsTagValuesIntoText(LenientAtCreation):
    """create_run turns what is no text into text."""

    def _unjudged(self, tag: RunTag) -> bool:
        return not isinstance(tag.value, str)
