"""Faults of concurrency: locks that are missing, dropped too early, or held by one process only."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from trackspec.entities import LifecycleStage, Metric, Param, Run, RunTag
from trackspec.errors import ErrorCode, TrackspecError
from trackspec.memory_store import MemoryStore, RunRecord
from trackspec.search.query import RunQuery

from . import fault
from .kept_in_a_file import PAUSE, KeptInAFile


@fault("concurrency.order")
class ReadsMayBeOld(MemoryStore):
    """Reading a run answers what it was a moment ago."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._seen: dict[str, tuple[float, Run]] = {}

    def _get_run(self, run_id: str) -> Run:
        now = time.monotonic()
        read, run = self._seen.get(run_id, (0.0, None))
        if run is None or now - read > PAUSE:
            run = super()._get_run(run_id)
            self._seen[run_id] = now, run
        return run


@fault("concurrency.order-processes")
class ProcessesOverwriteEachOther(KeptInAFile):
    """Each process reads the state, changes it and writes it back, whatever others have written meanwhile."""

    LOCATOR = "tests.faults.concurrency:ProcessesOverwriteEachOther"


@fault("concurrency.points-kept")
class PointsAreReadAndWrittenBack(MemoryStore):
    """The points of a metric are read, added to, and written back, without a lock."""

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        record = self._run(run_id)
        points = {key: list(known) for key, known in record.points.items()}
        super()._log_batch(run_id, metrics, params, tags)
        if metrics:
            time.sleep(PAUSE)
            for metric in metrics:
                added = [point for point in record.points[metric.key] if point == metric]
                record.points[metric.key] = points.get(metric.key, []) + added


@fault("concurrency.batches-whole")
class BatchesAreLoggedPieceByPiece(MemoryStore):
    """The tags of a batch are set one after the other, each by itself."""

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        for tag in tags[:-1]:
            super()._log_batch(run_id, [], [], [tag])
            time.sleep(PAUSE)
        super()._log_batch(run_id, metrics, params, tags[-1:])


@fault("concurrency.param-one-value")
class ParamsAreCheckedTooEarly(MemoryStore):
    """Whether a param has a value is looked up before the lock is taken."""

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        for param in params:
            self._require_no_other_value(self._active_run(run_id), param)
        if params:
            time.sleep(PAUSE)
            self._run(run_id).params.update((param.key, param.value) for param in params)
        super()._log_batch(run_id, metrics, [], tags)


@fault("concurrency.own-writes")
class WritesAreSeenLater(MemoryStore):
    """A tag that was set is seen a moment later."""

    def _put_tag(self, record: RunRecord, tag: RunTag) -> None:
        later = threading.Timer(PAUSE, super()._put_tag, (record, tag))
        later.daemon = True
        later.start()


@fault("concurrency.never-back")
class ReplicasLagBehind(MemoryStore):
    """Every other read of a history is answered by a copy that lags behind."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._reads = 0

    def _get_metric_history(self, run_id: str, key: str, after: Metric | None, limit: int | None) -> list[Metric]:
        found = super()._get_metric_history(run_id, key, after, limit)
        self._reads += 1
        time.sleep(PAUSE / 2)
        return found[: len(found) // 2] if self._reads % 2 else found


@fault("concurrency.deleted-refuses")
class StagesAreCachedForAMoment(MemoryStore):
    """Whether a run is active is remembered for some milliseconds."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._active_until: dict[str, float] = {}

    def _active_run(self, run_id: str) -> RunRecord:
        if self._active_until.get(run_id, 0.0) < time.monotonic():
            super()._active_run(run_id)
            self._active_until[run_id] = time.monotonic() + 1
        return self._run(run_id)

    def _log_batch(self, *args: Any) -> None:
        super()._log_batch(*args)
        time.sleep(PAUSE)


class NamesCheckedTooEarly(MemoryStore):
    """A store that looks a name up, and then gives it, with room for others between the two."""

    def _require_free_name(self, name: str) -> None:
        super()._require_free_name(name)
        lock = self._state.lock
        lock.release()
        time.sleep(PAUSE)
        lock.acquire()


@fault("concurrency.name-one-winner")
class NewNamesAreCheckedTooEarly(NamesCheckedTooEarly):
    """Several clients find a name free and create an experiment of it."""

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        with self._state.lock:
            MemoryStore._require_free_name(self, new_name)
            self._change_experiment(experiment_id, name=new_name)


@fault("concurrency.rename-one-winner")
class NamesOfRenamedAreCheckedTooEarly(NamesCheckedTooEarly):
    """Several clients find a name free and rename their experiments to it."""

    def _create_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> str:
        with self._state.lock:
            MemoryStore._require_free_name(self, name)
            experiment_id = self._new_experiment_id()
            self._add_experiment(experiment_id, name, artifact_location, tags)
            return experiment_id


@fault("concurrency.ids-distinct")
class IdsAreCountedWithoutALock(MemoryStore):
    """The id of a run is the number of runs there are, counted before the lock is taken."""

    def _create_run(self, *args: Any) -> Run:
        number = len(self._state.runs)
        time.sleep(PAUSE)
        self._next = f"run-{number}"
        return super()._create_run(*args)

    def _new_run_id(self) -> str:  # type: ignore[override]
        return self._next


@fault("concurrency.walk")
class PagesAreCountedOff(MemoryStore):
    """A page starts behind so many runs as the pages before had, whatever was deleted meanwhile."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._served: dict[str, int] = {}

    def _set_run_stage(self, run_id: str, stage: LifecycleStage) -> None:
        super()._set_run_stage(run_id, stage)
        time.sleep(PAUSE)

    def _search_runs(self, query: RunQuery) -> list[Run]:
        passed = 0 if query.after is None else self._served[query.after[-1]]
        time.sleep(PAUSE / 10)
        everything = super()._search_runs(replace(query, after=None, limit=1000))
        found = everything[passed : passed + query.limit]
        if len(found) == query.limit:
            self._served[found[-2].info.run_id] = passed + query.limit - 1
        return found


@fault("concurrency.all-end")
class LocksAreTakenInTheOrderGiven(MemoryStore):
    """Each tag has a lock, and a batch takes them in the order in which it names them."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._locks: dict[str, threading.Lock] = {}

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        taken: list[threading.Lock] = []
        try:
            for tag in tags:
                lock = self._locks.setdefault(f"{run_id}/{tag.key}", threading.Lock())
                if not lock.acquire(timeout=0.05):
                    raise TrackspecError("deadlock", ErrorCode.INTERNAL_ERROR)
                taken.append(lock)
                time.sleep(PAUSE / 10)
            super()._log_batch(run_id, metrics, params, tags)
        finally:
            for lock in taken:
                lock.release()


@fault("concurrency.no-conflict")
class OneWriterAtATime(MemoryStore):
    """Who finds a run in the hands of another writer is told to come again."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._busy = threading.Lock()

    def _log_batch(self, *args: Any) -> None:
        if not self._busy.acquire(blocking=False):
            raise TrackspecError("busy", ErrorCode.TEMPORARILY_UNAVAILABLE)
        try:
            time.sleep(PAUSE)
            super()._log_batch(*args)
        finally:
            self._busy.release()
