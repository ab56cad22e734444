"""Faults of the chapter on entities: fields, arguments, answers, errors and store objects."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from trackspec.entities import Experiment, ExperimentTag, LifecycleStage, Metric, Param, Run, RunTag
from trackspec.errors import ErrorCode, TrackspecError, invalid
from trackspec.memory_store import MemoryStore

from . import fault


@fault("entity.experiment-fields")
class FloatTimes(MemoryStore):
    """An experiment's creation time is a float."""

    def _get_experiment(self, experiment_id: str) -> Experiment:
        experiment = super()._get_experiment(experiment_id)
        return replace(experiment, creation_time=float(experiment.creation_time))  # type: ignore[arg-type]


@fault("entity.experiment-fields")
class NumbersForTagValues(MemoryStore):
    """A tag value that is a number comes back as one."""

    def _get_experiment(self, experiment_id: str) -> Experiment:
        experiment = super()._get_experiment(experiment_id)
        tags: dict[str, Any] = {
            key: int(value) if value.isdecimal() else value for key, value in experiment.tags.items()
        }
        return replace(experiment, tags=tags)


@fault("entity.run-fields")
class StatusIsText(MemoryStore):
    """A run's status is plain text."""

    def _get_run(self, run_id: str) -> Run:
        run = super()._get_run(run_id)
        return replace(run, info=replace(run.info, status=run.info.status.value))  # type: ignore[arg-type]


@fault("entity.times-in-milliseconds")
class Microseconds(MemoryStore):
    """The store's own times are microseconds."""

    def _now(self) -> int:
        return time.time_ns() // 1000


@fault("entity.experiment-id-form")
class DottedExperimentIds(MemoryStore):
    """An experiment id holds a dot."""

    def _new_experiment_id(self) -> str:
        return f"exp.{super()._new_experiment_id()}"


@fault("entity.run-id-form")
class PathsForRunIds(MemoryStore):
    """A run id holds a slash."""

    @staticmethod
    def _new_run_id() -> str:
        return f"runs/{MemoryStore._new_run_id()}"


@fault("entity.tuples-accepted")
class ListsOnly(MemoryStore):
    """A tuple of tags is refused."""

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Sequence[ExperimentTag] | None = None
    ) -> str:
        if isinstance(tags, tuple):
            raise invalid("tags must be a list.")
        return super().create_experiment(name, artifact_location, tags)


@fault("entity.arguments-unchanged")
class SortsItsArguments(MemoryStore):
    """The caller's list of metrics is sorted in place."""

    def log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        if isinstance(metrics, list):
            metrics.sort(key=lambda metric: metric.step)
        super().log_batch(run_id, metrics, params, tags)


@fault("entity.arguments-not-kept")
class KeepsTheListOfTags(MemoryStore):
    """An experiment's first tags are read from the caller's list each time."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._given: dict[str, Sequence[ExperimentTag]] = {}

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Sequence[ExperimentTag] | None = None
    ) -> str:
        experiment_id = super().create_experiment(name, artifact_location, tags)
        self._given[experiment_id] = tags or ()
        return experiment_id

    def _get_experiment(self, experiment_id: str) -> Experiment:
        experiment = super()._get_experiment(experiment_id)
        given = {tag.key: tag.value for tag in self._given.get(experiment_id, ())}
        return replace(experiment, tags=experiment.tags | given)


@fault("entity.int64-exact")
class TimesAreDoubles(MemoryStore):
    """A start time passes through a double."""

    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: Sequence[RunTag] | None,
        run_name: str | None,
    ) -> Run:
        if isinstance(start_time, int) and 2**53 < start_time < 2**62:
            start_time = int(float(start_time))
        return super().create_run(experiment_id, user_id, start_time, tags, run_name)


@fault("entity.answers-are-snapshots", "entity.answers-are-copies")
class HandsOutItsOwnTags(MemoryStore):
    """The tags of an experiment that was read are those of the store."""

    def _get_experiment(self, experiment_id: str) -> Experiment:
        return self._experiment(experiment_id)


@fault("entity.answers-are-copies")
class HandsOutItsOwnParams(MemoryStore):
    """The params of a run that was read are those of the store."""

    def _get_run(self, run_id: str) -> Run:
        run = super()._get_run(run_id)
        return replace(run, data=replace(run.data, params=self._run(run_id).params))


@fault("entity.read-your-writes")
class CachesForGood(MemoryStore):
    """An experiment that was read once is read from a cache thereafter."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._cache: dict[str, Experiment] = {}

    def _get_experiment(self, experiment_id: str) -> Experiment:
        return self._cache.setdefault(experiment_id, super()._get_experiment(experiment_id))


@fault("entity.no-stale-reads")
class CachesUntilItWrites(MemoryStore):
    """An experiment is read from a cache that only this object's own writes empty."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._cache: dict[str, Experiment] = {}

    def _get_experiment(self, experiment_id: str) -> Experiment:
        return self._cache.setdefault(experiment_id, super()._get_experiment(experiment_id))

    def _set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        super()._set_experiment_tag(experiment_id, tag)
        self._cache.clear()

    def _delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        super()._delete_experiment_tag(experiment_id, key)
        self._cache.clear()

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        super()._rename_experiment(experiment_id, new_name)
        self._cache.clear()

    def _set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        super()._set_experiment_stage(experiment_id, stage)
        self._cache.clear()


@fault("entity.error-code")
class BareKeyErrors(MemoryStore):
    """An unknown experiment is a bare KeyError."""

    def _experiment(self, experiment_id: str) -> Experiment:
        return self._state.experiments[experiment_id]


@fault("entity.mistake-is-no-failure")
class MistakesAreItsFailure(MemoryStore):
    """Renaming an unknown experiment is called a failure of the store."""

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        if experiment_id not in self._state.experiments:
            raise TrackspecError("Something went wrong.", ErrorCode.INTERNAL_ERROR)
        super()._rename_experiment(experiment_id, new_name)


@fault("entity.message-clean")
class QuotesItsStatements(MemoryStore):
    """The message about a taken name quotes a statement."""

    def _require_free_name(self, name: str) -> None:
        try:
            super()._require_free_name(name)
        except TrackspecError as error:
            message = "UNIQUE constraint failed [SQL: INSERT INTO experiments (name) VALUES (?)]"
            raise TrackspecError(message, error.error_code) from error


@fault("entity.thread-safe")
class LosesTagsOfOtherThreads(MemoryStore):
    """Setting a tag reads all tags and writes them back, without a lock."""

    def _set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        experiment = self._active_experiment(experiment_id)
        tags = dict(experiment.tags)
        time.sleep(0.02)
        tags[tag.key] = tag.value
        self._state.experiments[experiment_id] = replace(self._experiment(experiment_id), tags=tags)


@fault("entity.closing-loses-nothing")
class ClosingDropsWhatItMade(MemoryStore):
    """Closing an object discards the experiments that were created through it."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._made: list[str] = []

    def _create_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> str:
        self._made.append(super()._create_experiment(name, artifact_location, tags))
        return self._made[-1]

    def close(self) -> None:
        for experiment_id in self._made:
            self._state.experiments.pop(experiment_id, None)


@fault("entity.close-again")
class ClosesOnce(MemoryStore):
    """Closing a closed object raises an error."""

    closed = False

    def close(self) -> None:
        if self.closed:
            raise TrackspecError("The store is closed.", ErrorCode.INVALID_STATE)
        self.closed = True
