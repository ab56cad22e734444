"""A log that threads and processes append to in turn: a record is in it whole, or not at all."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from trackspec_reference.tracking.file_layout.durability import Durability, write_all
from trackspec_reference.tracking.file_layout.locking import lock_file, lock_thread, unlock_file
from trackspec_reference.tracking.file_layout.log_format import header


class LockedFile(NamedTuple):
    """An open log that no one else can append to, and what it was like when it was locked."""

    fd: int
    status: os.stat_result


class AppendLog:
    """A log file.

    :param path: the file.
    :param durability: what an appended record survives.
    :param stays_open: whether the file is kept open between two writes.
    """

    def __init__(self, path: str, durability: Durability, *, stays_open: bool = True) -> None:
        self.path = path
        self._durability = durability
        self._stays_open = stays_open
        self._writers = threading.Lock()
        self._fd: int | None = None

    @contextmanager
    def exclusive(self) -> Iterator[LockedFile]:
        """Hold the log against other writers.

        :raises FileNotFoundError: if there is no log.
        """
        lock_thread(self._writers)
        try:
            file = self._lock()
            try:
                yield file
            finally:
                unlock_file(file.fd)
                if not self._stays_open:
                    self._close()
        finally:
            self._writers.release()

    def _lock(self) -> LockedFile:
        while True:
            if self._fd is None:
                self._fd = self._open()
            lock_file(self._fd)
            status = os.fstat(self._fd)
            if status.st_nlink:
                return LockedFile(self._fd, status)
            self._close()  # another file has been put in its place

    def _open(self) -> int:
        return os.open(self.path, os.O_RDWR | os.O_CLOEXEC)

    def write(self, file: LockedFile, lines: bytes, end: int) -> None:
        """Append behind the last whole record, over what a write that was cut short may have left there.

        On return the lines survive what the log's durability says.

        :raises OSError: if they cannot be written; the log is then as it was.
        """
        try:
            if file.status.st_size > end:
                os.ftruncate(file.fd, end)
            write_all(file.fd, lines, end)
            self._durability.sync(file.fd)
        except OSError:
            with suppress(OSError):
                os.ftruncate(file.fd, end)
            raise
        self._set_mark(file, end + len(lines))

    def sync(self, file: LockedFile, end: int) -> None:
        """Return once what the log holds survives: another writer may have died between writing and syncing."""
        self._durability.sync(file.fd)
        self._set_mark(file, end)

    def _set_mark(self, file: LockedFile, end: int) -> None:
        with suppress(OSError):  # the mark may lag
            os.pwrite(file.fd, header(end), 0)

    def _close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def __del__(self) -> None:
        self._close()
