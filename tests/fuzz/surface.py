"""What a surface is, and what may not come of an input."""

from __future__ import annotations

import contextlib
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import ClassVar

from hypothesis.strategies import SearchStrategy

from trackspec import TrackspecError
from trackspec.errors import ErrorCode

SECRET = "the-canary-that-nobody-reads"
_QUICK = "/dev/shm"
"""A folder in memory, where there is one: what is written for an input need not outlive it."""
_FAILURES = {ErrorCode.INTERNAL_ERROR, ErrorCode.NOT_IMPLEMENTED}


class Found(Exception):
    """An input that brought about what none may.

    :ivar kind: ``escape``, ``crash`` or ``5xx``.
    """

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(f"{kind}: {what}")
        self.kind = kind


class Surface(ABC):
    """Something that takes text or bytes from people whom nobody knows.

    Beside what it uses lie canaries, which are looked at after each input.

    :ivar name: as on the command line.
    :ivar seeds: good inputs to start from.
    """

    name: ClassVar[str]
    seeds: ClassVar[tuple[bytes, ...]]

    def __enter__(self) -> Surface:
        self._stack = contextlib.ExitStack()
        made = tempfile.TemporaryDirectory(prefix="trackspec-", dir=_QUICK if os.path.isdir(_QUICK) else None)
        self.directory = Path(self._stack.enter_context(made))
        self.inside = self.directory / "inside"
        self.inside.mkdir()
        (self.directory / "outside").mkdir()
        (self.directory / "outside" / "canary").write_text(SECRET)
        (self.directory / "canary").write_text(SECRET)
        self.open()
        self._outside = self._look_outside()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
        self._stack.close()

    @abstractmethod
    def inputs(self) -> SearchStrategy[bytes]:
        """Inputs that know the grammar, and break it."""

    @abstractmethod
    def open(self) -> None:
        """Make what is tried."""

    def close(self) -> None:
        """Give back what :meth:`open` made."""
        return

    @abstractmethod
    def take(self, data: bytes) -> object:
        """Hand an input in; what is returned is searched for what lies outside."""

    def attempt(self, data: bytes) -> None:
        """Hand an input in.

        :raises Found: if it brings about what none may.
        """
        try:
            told = self.take(data)
        except TrackspecError as refused:
            if refused.error_code in _FAILURES:
                raise Found("5xx", f"{refused.error_code}: {refused.message}") from refused
            told = refused.message
        except Found:
            raise
        except Exception as crash:
            raise Found("crash", f"{type(crash).__name__}: {crash}") from crash
        if SECRET in repr(told):
            raise Found("escape", f"it reads what lies outside: {told!r:.300}")
        if self._look_outside() != self._outside:
            raise Found("escape", "it changes what lies outside")

    def _look_outside(self) -> list[tuple[str, int, int]]:
        folders = (self.directory, self.directory / "outside")
        entries = [entry for folder in folders for entry in os.scandir(folder) if entry.name != "inside"]
        return sorted((entry.path, entry.stat().st_mtime_ns, entry.stat().st_size) for entry in entries)


def text_of(data: bytes) -> str:
    """Bytes as text, those that are no UTF-8 as lone surrogates."""
    return data.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """Text as bytes, whatever it holds."""
    return text.encode("utf-8", "surrogatepass")


def each(*calls: Callable[[], object]) -> list[object]:
    """What each of these calls returns, or is refused with; a failure that is no refusal is raised."""
    told: list[object] = []
    for call in calls:
        try:
            told.append(call())
        except TrackspecError as refused:  # noqa: PERF203 - the calls are few
            if refused.error_code in _FAILURES:
                raise
            told.append(refused.message)
    return told
