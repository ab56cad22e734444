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

DISK_FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
DISK_WORN = OSError(errno.EIO, os.strerror(errno.EIO))


class Died(BaseException):
    """The process ended here: nothing is tidied up, and what was held is let go."""


class SystemCalls:
    """The changing system calls of this process, of which one, or all from one on, fail.

    :param succeeding: how many calls succeed before; None lets all of them.
    :param failure: what the failing ones raise.
    :param lasting: whether all later calls fail too.
    :param torn: which part of its data a failing write leaves behind.
    :ivar made: the names of the calls made so far.
    """

    def __init__(
        self,
        succeeding: int | None = None,
        failure: BaseException = DISK_FULL,
        *,
        lasting: bool = False,
        torn: float = 0,
    ) -> None:
        self.made: list[str] = []
        self._succeeding = succeeding
        self._failure = failure
        self._lasting = lasting
        self._torn = torn

    @property
    def has_failed(self) -> bool:
        """Whether it came to a failure."""
        return self._succeeding is not None and len(self.made) > self._succeeding

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
            if not self._fails(len(self.made) - 1):
                return call(*args, **kwargs)
            if name == "pwrite":
                fd, data, offset = args
                call(fd, data[: int(self._torn * len(data))], offset)
            raise self._failure

        return made

    def _fails(self, count: int) -> bool:
        if self._succeeding is None:
            return False
        return count == self._succeeding or (self._lasting and count > self._succeeding)
