"""Backends that a soak is to find wrong, each in one way; other processes open them too."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.faults.concurrency import ProcessesOverwriteEachOther
from tests.faults.durability import BatchesAreWrittenPieceByPiece, WritesAreBuffered
from tests.faults.kept_in_a_file import KeptInAFile
from tests.faults_artifacts.concurrency import KeptForAll, ProcessesReadWhatTheyWrote
from trackspec.entities import Run
from trackspec.memory_store import MemoryStore
from trackspec_conformance.subjects import Subject


class _KeysAreForgotten(MemoryStore):
    def create_run(self, *args: Any, idempotency_key: str | None = None, **kwargs: Any) -> Run:
        return super().create_run(*args, **kwargs)


class _NamesAreCheckedTooEarly(MemoryStore):
    def _require_free_name(self, name: str) -> None:
        super()._require_free_name(name)
        self._state.lock.release()
        time.sleep(0.01)
        self._state.lock.acquire()


class _FilesGrow(KeptForAll):
    def _replace(self, target: Path, content: bytes) -> None:
        with target.open("wb") as file:
            for start in range(0, len(content), 10_000):
                file.write(content[start : start + 10_000])
                file.flush()
                time.sleep(0.002)


class _UploadsWait(KeptForAll):
    _waiting: tuple[Path, bytes] | None = None

    def _replace(self, target: Path, content: bytes) -> None:
        if self._waiting:
            super()._replace(*self._waiting)
        self._waiting = target, content


def _kept(kind: type[KeptInAFile]) -> Subject:
    return Subject(kind, reopenable=True)


def buffering() -> Subject:
    """Writes are acknowledged before they are made."""
    return _kept(WritesAreBuffered)


def tearing() -> Subject:
    """Batches are written piece by piece."""
    return _kept(BatchesAreWrittenPieceByPiece)


def overwriting() -> Subject:
    """Processes overwrite what others have written."""
    return _kept(ProcessesOverwriteEachOther)


def forgetting() -> Subject:
    """Keys of runs are not kept."""
    return Subject(lambda: _KeysAreForgotten("memory:soaked"), reopenable=False)


def racing() -> Subject:
    """Several clients find a name free."""
    return Subject(lambda: _NamesAreCheckedTooEarly("memory:soaked"), reopenable=False)


def growing() -> Subject:
    """Files are written under their names."""
    return Subject(_FilesGrow)


def waiting() -> Subject:
    """A file is stored when the next one is logged."""
    return Subject(_UploadsWait)


def remembering() -> Subject:
    """A process reads what it has written itself, whatever others have written since."""
    return Subject(ProcessesReadWhatTheyWrote)
