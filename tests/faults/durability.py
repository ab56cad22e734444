"""Faults of durability: what is acknowledged too early, or is half written when the process dies."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from typing import Any

from trackspec.entities import LifecycleStage, Run, RunTag
from trackspec.errors import ErrorCode, TrackspecError
from trackspec.memory_store import MemoryStore, RunRecord

from . import fault
from .kept_in_a_file import PAUSE, KeptSafely, placed

HERE = "tests.faults.durability"


class WrittenInSteps(KeptSafely):
    """A store that writes its state more than once in a call."""

    def _save_first(self) -> None:
        self._save()
        time.sleep(10 * PAUSE)


@fault("durability.acknowledged")
class WritesAreBuffered(KeptSafely):
    """The state is written with every fifth call only."""

    LOCATOR = f"{HERE}:WritesAreBuffered"
    _calls = 0

    def _load(self) -> None:
        if self._calls % 5 == 0:
            super()._load()

    def _save(self) -> None:
        self._calls += 1
        if self._calls % 5 == 0:
            super()._save()


@fault("durability.batch-whole")
class BatchesAreWrittenPieceByPiece(WrittenInSteps):
    """The tags of a batch are written before the rest of it."""

    LOCATOR = f"{HERE}:BatchesAreWrittenPieceByPiece"

    def _put_tag(self, record: RunRecord, tag: RunTag) -> None:
        super()._put_tag(record, tag)
        if tag.key == "t5":
            self._save_first()


@fault("durability.overwritten")
class TagsAreEmptiedFirst(WrittenInSteps):
    """A tag that has a value is emptied before it gets another."""

    LOCATOR = f"{HERE}:TagsAreEmptiedFirst"

    def _put_tag(self, record: RunRecord, tag: RunTag) -> None:
        if tag.key in record.tags:
            record.tags[tag.key] = ""
            self._save_first()
        super()._put_tag(record, tag)


@fault("durability.readable")
class RunsAreMoved(KeptSafely):
    """A run that is deleted or restored is taken out, and put back at its new place."""

    LOCATOR = f"{HERE}:RunsAreMoved"

    def _set_run_stage(self, run_id: str, stage: LifecycleStage) -> None:
        with self._state.lock, self._alone():
            self._load()
            record = self._state.runs.pop(run_id)
            self._save()
            time.sleep(10 * PAUSE)
            self._state.runs[run_id] = record
            MemoryStore._set_run_stage(self, run_id, stage)
            self._save()


@fault("durability.create-whole")
class RunsAreNamedLater(WrittenInSteps):
    """A run is written without its name first."""

    LOCATOR = f"{HERE}:RunsAreNamedLater"

    def _create_run(self, *args: Any) -> Run:
        *others, name = args
        run = super()._create_run(*others, "")
        self._update_run_info(run.info.run_id, None, None, name)
        return self._get_run(run.info.run_id)


@fault("durability.name-not-lost")
class NamesAreTakenFirst(KeptSafely):
    """The name of an experiment is marked as taken before there is the experiment."""

    LOCATOR = f"{HERE}:NamesAreTakenFirst"

    def _create_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> str:
        mark = self._file.with_name(f"name-{name}")
        if mark.exists():
            raise TrackspecError("taken", ErrorCode.RESOURCE_ALREADY_EXISTS)
        mark.touch()
        time.sleep(PAUSE)
        return super()._create_experiment(name, artifact_location, tags)


@fault("durability.usable", "durability.others-go-on")
class LocksOutliveTheirHolders(KeptSafely):
    """The lock is a file that its holder removes, and a killed one does not."""

    LOCATOR = f"{HERE}:LocksOutliveTheirHolders"

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        lock = self._file.with_name("lock-file")
        deadline = time.monotonic() + 0.5
        while True:
            try:
                os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
                break
            except FileExistsError:
                if time.monotonic() > deadline:
                    raise TrackspecError("locked", ErrorCode.TEMPORARILY_UNAVAILABLE) from None
                time.sleep(0.001)
        try:
            yield
        finally:
            lock.unlink()


@fault("durability.full-refused")
class FullStoragesAreIgnored(KeptSafely):
    """What cannot be written is acknowledged all the same."""

    PLACED = placed(f"{HERE}:FullStoragesAreIgnored")

    def _load(self) -> None:
        return

    def _save(self) -> None:
        with contextlib.suppress(TrackspecError):
            super()._save()


@fault("durability.full-keeps", "durability.full-keeps-old-values")
class FilesAreWrittenInPlace(KeptSafely):
    """The file is emptied before the new state is written to it."""

    PLACED = placed(f"{HERE}:FilesAreWrittenInPlace")

    def _write(self, content: bytes) -> None:
        try:
            self._file.write_bytes(b"")
            self._file.with_name("filler").open("ab").write(b"x" * len(content))
            self._file.write_bytes(content)
        except OSError:
            raise TrackspecError("There is no room.", ErrorCode.TEMPORARILY_UNAVAILABLE) from None


@fault("durability.full-recovers")
class FailuresAreForGood(KeptSafely):
    """After a write has failed, the store object refuses all others."""

    PLACED = placed(f"{HERE}:FailuresAreForGood")
    _failed = False

    def _write(self, content: bytes) -> None:
        if self._failed:
            raise TrackspecError("failed before", ErrorCode.TEMPORARILY_UNAVAILABLE)
        try:
            super()._write(content)
        except TrackspecError:
            self._failed = True
            raise
