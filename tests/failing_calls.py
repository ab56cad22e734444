"""System calls that fail: what a full disk, a worn one or a sudden end makes of a write."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CHANGING = ("fdatasync", "fsync", "ftruncate", "mkdir", "open", "pwrite", "rename", "unlink")
"""The calls with which a file store changes files, ``open`` where it creates one."""


class SystemCalls:
    """The changing system calls of this process, of which one or all from one on fail.

    :param failing_at: how many calls succeed before; None lets all of them.
    :param number: the error's.
    :param lasting: whether all later calls fail too.
    :param torn: how many bytes a failing write leaves behind.
    :ivar made: the names of the calls made so far.
    """

    def __init__(
        self, failing_at: int | None = None, number: int = errno.ENOSPC, *, lasting: bool = False, torn: int = 0
    ) -> None:
        self.made: list[str] = []
        self._failing_at = failing_at
        self._number = number
        self._lasting = lasting
        self._torn = torn

    @property
    def has_failed(self) -> bool:
        """Whether it came to a failure."""
        return self._failing_at is not None and len(self.made) > self._failing_at

    @contextmanager
    def patched(self) -> Iterator[None]:
        """Let the calls of this process be these."""
        with pytest.MonkeyPatch.context() as patch:
            for name in CHANGING:
                patch.setattr(os, name, self._replacing(name, getattr(os, name)))
            yield

    def _replacing(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def made(*args: Any, **kwargs: Any) -> Any:
            if name == "open" and not args[1] & os.O_CREAT:
                return call(*args, **kwargs)
            self.made.append(name)
            count = len(self.made) - 1
            if (
                self._failing_at is None
                or count < self._failing_at
                or (count > self._failing_at and not self._lasting)
            ):
                return call(*args, **kwargs)
            if name == "pwrite":
                call(args[0], args[1][: self._torn], args[2])
            raise OSError(self._number, os.strerror(self._number))

        return made
