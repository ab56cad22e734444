"""The model with its state in a file: what faults are made of that several processes use."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pickle
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from trackspec.errors import ErrorCode, TrackspecError
from trackspec.memory_store import MemoryStore, State
from trackspec.validated_store import ValidatedStore

_VARIABLE = "TRACKSPEC_FAULT_STATE"
_WHERE = Path(os.environ.setdefault(_VARIABLE, f"{tempfile.mkdtemp(prefix='trackspec-')}/where"))
"""A file that tells other processes where the state is: their environment is that of the first of them."""

PAUSE = 0.002
"""Seconds in which another client gets between two steps that belong together, or death does."""


class KeptInAFile(MemoryStore):
    """The model with its state in a file, which each call reads and writes, without a lock on it."""

    _inside = False

    @staticmethod
    def prepare() -> None:
        """Let the stores that are opened from now on have a new state."""
        _WHERE.write_text(f"{tempfile.mkdtemp(prefix='trackspec-')}/state")

    def __init__(self, store_uri: str = "") -> None:
        if not _WHERE.exists():
            self.prepare()
        self._file = Path(_WHERE.read_text())
        super().__init__()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes out."""
        yield

    def _load(self) -> None:
        if self._file.exists():
            for name, value in pickle.loads(self._file.read_bytes()).items():
                setattr(self._state, name, value)

    def _save(self) -> None:
        kept = {item.name: getattr(self._state, item.name) for item in fields(State) if item.name != "lock"}
        self._write(pickle.dumps(kept))

    def _write(self, content: bytes) -> None:
        unfinished = self._file.with_name(f"{self._file.name}.{os.getpid()}.{threading.get_ident()}")
        try:
            unfinished.write_bytes(content)
        except OSError:
            unfinished.unlink()
            raise TrackspecError("There is no room.", ErrorCode.TEMPORARILY_UNAVAILABLE) from None
        unfinished.replace(self._file)


class KeptSafely(KeptInAFile):
    """The same with a lock that its holder's death gives back: nothing is wrong with it."""

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        with self._file.with_name("lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def placed(name: str) -> Callable[[str], str]:
    """What puts a store of this locator into a directory."""

    def put(directory: str) -> str:
        _WHERE.write_text(f"{directory}/state")
        return name

    return put


def _in_the_file(name: str) -> Callable[..., Any]:
    method = getattr(MemoryStore, name)

    def call(store: KeptInAFile, *args: Any) -> Any:
        with store._state.lock:
            if store._inside:
                return method(store, *args)
            with store._alone():
                store._inside = True
                try:
                    store._load()
                    time.sleep(PAUSE)
                    answer = method(store, *args)
                    if not name.startswith(("_get", "_search", "_configured")):
                        store._save()
                    return answer
                finally:
                    store._inside = False

    return call


for _name in ValidatedStore.__abstractmethods__:
    setattr(KeptInAFile, _name, _in_the_file(_name))
