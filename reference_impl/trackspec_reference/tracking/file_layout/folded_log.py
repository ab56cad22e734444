"""A log together with the state that its records add up to."""

from __future__ import annotations

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
from trackspec_reference.tracking.file_layout.log_format import UNREADABLE, Body, Damaged, encode

S = TypeVar("S", bound=State)


class FoldedLog(AppendLog, Generic[S]):
    """A log whose state is kept in memory, and current.

    :param subject: what a person calls the resource, such as ``run '…'``; for errors.
    :param empty: makes the state of a log without records.
    :param absent: makes the error to raise if there is no log.
    """

    def __init__(
        self,
        path: str,
        durability: Durability,
        subject: str,
        empty: Callable[[], S],
        *,
        absent: Callable[[], Exception] = FileNotFoundError,
        stays_open: bool = False,
    ) -> None:
        super().__init__(path, durability, stays_open=stays_open)
        self._subject = subject
        self._empty = empty
        self._absent = absent
        self._folded: Folded[S] | None = None
        self._reading = threading.RLock()

    @contextmanager
    def current(self) -> Iterator[Folded[S]]:
        """The state of now; the caller only reads it, and only within the context. Waits for no writer.

        :raises TrackspecError: DATA_LOSS if the log is damaged.
        """
        with self._reading:
            yield self._refreshed()

    def _refreshed(self) -> Folded[S]:
        try:
            status = os.stat(self.path)
            if self._folded is not None and self._folded.seen == (status.st_ino, status.st_size):
                return self._folded
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise self._reported(error) from None
        try:
            return self._read(fd, None)
        finally:
            os.close(fd)

    def _open(self) -> int:
        try:
            return super()._open()
        except OSError as error:
            raise self._reported(error) from None

    def _reported(self, error: OSError) -> Exception:
        return self._absent() if isinstance(error, FileNotFoundError) else reported(error, self._subject)

    @contextmanager
    def changing(self) -> Iterator[Change[S]]:
        """Hold the log against other writers and see its state.

        :raises TrackspecError: DATA_LOSS if the log is damaged.
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
        self._log.sync(self._file, self._folded.end)


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
        try:
            if known is not None and known.catch_up(fd, status or os.fstat(fd)):
                return known
            folded = new()
            folded.load(fd)
        except Damaged:
            folded = new()
            _load_at_rest(fd, folded, locked=status is not None)
    except (Damaged, OSError) as error:
        raise reported(error, subject) from None
    return folded


def _load_at_rest(fd: int, folded: Folded[S], *, locked: bool) -> None:
    """Read a log that seemed damaged, which may have been a glimpse of a writer at work."""
    if locked:
        return folded.load(fd)
    lock_file(fd, fcntl.LOCK_SH)
    try:
        folded.load(fd)
    finally:
        unlock_file(fd)


def reported(error: Damaged | OSError, subject: str) -> TrackspecError | OSError:
    """What to raise where reading a resource failed: DATA_LOSS if the resource alone is the reason."""
    if isinstance(error, Damaged) or error.errno in UNREADABLE:
        return damage(subject)
    return error


def damage(subject: str) -> TrackspecError:
    """The error that reports a damaged resource."""
    return TrackspecError(f"The stored data of {subject} are damaged.", ErrorCode.DATA_LOSS)
