"""Backends that a soak is to find wrong, each in one way; other processes open them too."""

from __future__ import annotations

import time
from typing import Any

from tests.faults.concurrency import ProcessesOverwriteEachOther
from tests.faults.durability import BatchesAreWrittenPieceByPiece, WritesAreBuffered
from tests.faults.kept_in_a_file import KeptInAFile
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
