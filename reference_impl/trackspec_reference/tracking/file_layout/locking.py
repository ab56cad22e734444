"""Locks that exclude threads and processes, waited for within bounds."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trackspec.errors import ErrorCode, TrackspecError

PATIENCE = 60.0
"""How long a lock is waited for, in seconds."""

_SHORTEST_PAUSE = 0.0002
_LONGEST_PAUSE = 0.001
_UNSUPPORTED = {errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


def lock_file(fd: int, operation: int = fcntl.LOCK_EX) -> None:
    """Take the advisory lock of an open file.

    :raises TrackspecError: TEMPORARILY_UNAVAILABLE if others keep it for longer than :data:`PATIENCE`, or the file
        system offers no locks.
    """
    try:
        fcntl.flock(fd, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        _wait_for_file(fd, operation)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            raise _unsupported() from error
        raise


def _wait_for_file(fd: int, operation: int) -> None:
    deadline = time.monotonic() + PATIENCE
    pause = _SHORTEST_PAUSE
    while True:
        time.sleep(pause)
        try:
            return fcntl.flock(fd, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise _busy() from None
        pause = min(2 * pause, _LONGEST_PAUSE)


def unlock_file(fd: int) -> None:
    """Give the advisory lock back."""
    fcntl.flock(fd, fcntl.LOCK_UN)


def lock_thread(lock: threading.Lock) -> None:
    """Take a lock of this process.

    :raises TrackspecError: TEMPORARILY_UNAVAILABLE if others keep it for longer than :data:`PATIENCE`.
    """
    if not lock.acquire(timeout=PATIENCE):
        raise _busy()


def _unsupported() -> TrackspecError:
    return TrackspecError(
        "The file system offers no file locks (flock), which a file store needs for writing.",
        ErrorCode.TEMPORARILY_UNAVAILABLE,
    )


def _busy() -> TrackspecError:
    return TrackspecError(
        f"Others have kept the file store locked for {PATIENCE:g} seconds.", ErrorCode.TEMPORARILY_UNAVAILABLE
    )


class DirectoryLock:
    """A lock file: one holder among all threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.Lock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock."""
        lock_thread(self._threads)
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                lock_file(fd)
                try:
                    yield
                finally:
                    unlock_file(fd)  # closing would not, where a forked process shares the open file
            finally:
                os.close(fd)
        finally:
            self._threads.release()
