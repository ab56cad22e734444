"""A log together with the state that its records add up to."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from trackspec.errors import ErrorCode, TrackspecError
from trackspec_reference.tracking.file_layout.append_log import AppendLog, LockedFile
from trackspec_reference.tracking.file_layout.durability import Durability
from trackspec_reference.tracking.file_layout.folding import Folded, State
from trackspec_reference.tracking.file_layout.locking import lock_file, unlock_file
from trackspec_reference.tracking.file_layout.log_format import Body, Damaged, encode

S = TypeVar("S", bound=State)

_UNREADABLE = {errno.EIO, errno.EISDIR, errno.EBADMSG}
"""What reading a file fails with if that file alone is damaged."""


class FoldedLog(AppendLog, Generic[S]):
    """A log whose state is kept in memory, and current.

    :param subject: what a person calls the resource, such as ``run '…'``; for errors.
    :param empty: makes the state of a log without records.
    """

    def __init__(
        self,
        path: str,
        durability: Durability,
        subject: str,
        empty: Callable[[], S],
        *,
        stays_open: bool = False,
    ) -> None:
        super().__init__(path, durability, stays_open=stays_open)
        self._subject = subject
        self._empty = empty
        self._folded: Folded[S] | None = None
        self._reading = threading.RLock()

    @contextmanager
    def current(self) -> Iterator[Folded[S]]:
        """The state of now; the caller only reads it, and only within the context. Waits for no writer.

        :raises TrackspecError: DATA_LOSS if the log is damaged.
        :raises FileNotFoundError: if there is no log.
        """
        with self._reading:
            yield self._refreshed()

    def _refreshed(self) -> Folded[S]:
        status = os.stat(self.path)
        if self._folded is not None and self._folded.seen == (status.st_ino, status.st_size):
            return self._folded
        fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return self._read(fd, None)
        finally:
            os.close(fd)

    @contextmanager
    def changing(self) -> Iterator[Change[S]]:
        """Hold the log against other writers and see its state.

        :raises TrackspecError: DATA_LOSS if the log is damaged.
        :raises FileNotFoundError: if there is no log.
        """
        with self.exclusive() as file:
            with self._reading:
                folded = self._read(*file)
            yield Change(self, file, folded)

    def append(self, file: LockedFile, folded: Folded[S], body: Body) -> None:
        """Append a record; for :class:`Change`."""
        line = encode(body)
        start = folded.end
        checkpoint = folded.due_checkpoint()
        try:
            self.write(file, line if checkpoint is None else checkpoint[1] + line, start)
            with self._reading:
                if folded.end == start:  # else a reader has taken it in already
                    if checkpoint is not None:
                        folded.take(*checkpoint, start)
                    folded.take(body, line, folded.end)
                    folded.seen = (folded.seen[0], folded.end)
        except BaseException:
            self._folded = None  # what was read of a write that failed must not count
            raise

    def packed(self) -> bytes | None:
        """What is known of the log, in few bytes."""
        with self._reading:
            return None if self._folded is None else self._folded.packed()

    def _read(self, fd: int, status: os.stat_result | None) -> Folded[S]:
        known, self._folded = self._folded, None
        self._folded = fold(fd, known, self._new, self._subject, status)
        return self._folded

    def _new(self) -> Folded[S]:
        return Folded(self._empty())


class Change(Generic[S]):
    """A log in the hands of one writer.

    :ivar state: the state before what is appended.
    """

    __slots__ = ("_file", "_folded", "_log", "state")

    def __init__(self, log: FoldedLog[S], file: LockedFile, folded: Folded[S]) -> None:
        self._log = log
        self._file = file
        self._folded = folded
        self.state = folded.state

    def append(self, body: Body) -> None:
        """Append a record, once, which on return survives what the log's durability says.

        :raises OSError: if it cannot be written; the log is then as it was.
        """
        self._log.append(self._file, self._folded, body)

    def confirm(self) -> None:
        """Return once the present state survives."""
        self._log.sync(self._file)


def fold(
    fd: int,
    known: Folded[S] | None,
    new: Callable[[], Folded[S]],
    subject: str,
    status: os.stat_result | None = None,
) -> Folded[S]:
    """The state of a log, starting from what is known of it.

    :param status: what the file is like, where it is locked.
    :raises TrackspecError: DATA_LOSS if the log is damaged.
    """
    try:
        if known is not None and known.catch_up(fd, status or os.fstat(fd)):
            return known
        folded = new()
        folded.load(fd)
    except Damaged:
        return _fold_at_rest(fd, new(), subject)
    except OSError as error:
        if error.errno in _UNREADABLE:
            raise damage(subject) from None
        raise
    return folded


def _fold_at_rest(fd: int, folded: Folded[S], subject: str) -> Folded[S]:
    """The state of a log that seemed damaged, which may have been a glimpse of a writer at work."""
    lock_file(fd, fcntl.LOCK_SH)
    try:
        folded.load(fd)
    except Damaged:
        raise damage(subject) from None
    finally:
        unlock_file(fd)
    return folded


def damage(subject: str) -> TrackspecError:
    """The error that reports a damaged resource."""
    return TrackspecError(f"The stored data of {subject} are damaged.", ErrorCode.DATA_LOSS)
