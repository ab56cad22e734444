"""The state that a log's records add up to, kept current by reading only what was appended.

Long logs hold *checkpoints*: records of the state so far, with the CRC-32 of all records before. A checkpoint
spares a reader the decoding of these records. It is a shortcut only: where the CRC-32 does not hold, every record
is read.
"""

from __future__ import annotations

import marshal
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar
from zlib import crc32

from trackspec_reference.tracking.file_layout.log_format import (
    CHECKS_SIZE,
    HEADER_SIZE,
    Body,
    Damaged,
    encode,
    length_without_nuls,
    mark_of,
    records,
)

_CHECKPOINT_DISTANCE = 16 << 10
"""The least number of bytes between two checkpoints."""
_SHORT = 2 * _CHECKPOINT_DISTANCE
"""A log of up to this size is read in one go."""
_CHECKPOINT_RATIO = 8
"""The least number of bytes between two checkpoints, as a multiple of a checkpoint's own size."""
_CHECKPOINT_MARK = b' {"checkpoint":'
_BLOCK = 1 << 20
_STAMP = struct.Struct("<QQ")
STAMP_SIZE = _STAMP.size

Tail = tuple[int, bytes]
"""The offset of the last record that was read, and what that record starts with: its checksum and length."""

NO_TAIL: Tail = (HEADER_SIZE, b"")
"""No record was read."""


class State(Protocol):
    """What the records of a log add up to."""

    def apply(self, body: Body) -> None:
        """Take in one more record."""

    def plain(self) -> Any:
        """The state as JSON-ready values."""

    def restore(self, plain: Any) -> None:
        """Become the state of which :meth:`plain` is given."""


S = TypeVar("S", bound=State)


class Folded(Generic[S]):
    """The state of a log at one position.

    :ivar state: what the records up to ``end`` add up to.
    :ivar end: the offset behind the last whole record that was read.
    :ivar tail: that record.
    :ivar seen: inode and size of the file when it was last read to its end.
    """

    __slots__ = ("_checkpoint_due", "_crc", "end", "seen", "state", "tail")

    def __init__(self, state: S) -> None:
        self.state = state
        self.seen = (0, 0)
        self.end = HEADER_SIZE
        self.tail = NO_TAIL
        self._crc = 0
        self._checkpoint_due = HEADER_SIZE + _CHECKPOINT_DISTANCE

    # -- reading --------------------------------------------------------------------------------------------

    def load(self, fd: int) -> None:
        """Read a whole log, this object being new.

        :raises Damaged: if it is damaged before its mark, or ends before it.
        """
        content = os.pread(fd, _SHORT, 0)
        mark = mark_of(content)
        status = os.fstat(fd)
        with suppress(Damaged):
            self._load_records(fd, content, status.st_size)
        if self.end < mark:
            raise Damaged
        self.seen = (status.st_ino, status.st_size)

    def _load_records(self, fd: int, content: bytes, size: int) -> None:
        if size <= len(content):
            content = content.rstrip(b"\x00")
            self._take_all(records(fd, HEADER_SIZE, len(content), content[HEADER_SIZE:]))
        else:
            size = length_without_nuls(fd, size)
            self._resume_from_checkpoint(fd, size)
            self._take_all(records(fd, self.end, size))

    def catch_up(self, fd: int, status: os.stat_result) -> bool:
        """Read what was appended; False if the file is not the one read before, or not its continuation.

        :raises Damaged: if what was appended is damaged.
        """
        if self.seen == (status.st_ino, status.st_size):
            return True
        if self.seen[0] != status.st_ino or status.st_size < self.end:
            return False
        # A write that failed is taken back, and what was read of it must not count.
        if not is_tail(fd, self.tail):
            return False
        self._take_all(records(fd, self.end, length_without_nuls(fd, status.st_size)))
        self.seen = (status.st_ino, status.st_size)
        return True

    def _take_all(self, found: Iterator[tuple[Body, bytes, int]]) -> None:
        for body, line, at in found:
            self.take(body, line, at)

    def _resume_from_checkpoint(self, fd: int, size: int) -> None:
        start = self._last_checkpoint(fd, size)
        if start is None:
            return
        crc = 0
        for at in range(HEADER_SIZE, start, _BLOCK):
            crc = crc32(os.pread(fd, min(_BLOCK, start - at), at), crc)
        try:
            body, line, _ = next(records(fd, start, size))
            if body["checkpoint"]["crc"] != crc:
                return
            self.state.restore(body["checkpoint"]["state"])
        except (Damaged, StopIteration, KeyError, TypeError, ValueError):
            return
        self._crc = crc
        self.take(body, line, start)

    def _last_checkpoint(self, fd: int, size: int) -> int | None:
        """Where the last line that looks like a checkpoint starts."""
        window = _SHORT
        while True:
            start = max(HEADER_SIZE, size - window)
            found = os.pread(fd, size - start, start).rfind(_CHECKPOINT_MARK)
            if found >= CHECKS_SIZE:
                return start + found - CHECKS_SIZE
            if start == HEADER_SIZE or window > size:
                return None
            window *= 4

    # -- appending ------------------------------------------------------------------------------------------

    def take(self, body: Body, line: bytes, at: int) -> None:
        """Take in the record at the end of what was read.

        :raises Damaged: if it makes no sense in this log.
        """
        if "checkpoint" in body:
            self._checkpoint_due = at + len(line) + max(_CHECKPOINT_DISTANCE, _CHECKPOINT_RATIO * len(line))
        else:
            self.apply(body)
        self.end = at + len(line)
        self._crc = crc32(line, self._crc)
        self.tail = (at, line[:CHECKS_SIZE])

    def apply(self, body: Body) -> None:
        """Let the state take in one more record.

        :raises Damaged: if it makes no sense in this log.
        """
        try:
            self.state.apply(body)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            raise Damaged from None

    def due_checkpoint(self) -> tuple[Body, bytes] | None:
        """The checkpoint to append before the next record, where it is time for one."""
        if self.end < self._checkpoint_due:
            return None
        body = {"checkpoint": {"crc": self._crc, "state": self.state.plain()}}
        return body, encode(body)

    # -- in few bytes ---------------------------------------------------------------------------------------

    def packed(self) -> bytes:
        """All of this in few bytes, for this process only; they start with :func:`stamp` of ``seen``."""
        position = (self.end, self.tail, self._crc, self._checkpoint_due)
        return stamp(*self.seen) + marshal.dumps((position, self.state.plain()))

    def unpack(self, packed: bytes) -> None:
        """Become what was packed."""
        position, plain = marshal.loads(memoryview(packed)[STAMP_SIZE:])
        self.end, self.tail, self._crc, self._checkpoint_due = position
        self.seen = _STAMP.unpack_from(packed)
        self.state.restore(plain)


def is_tail(fd: int, tail: Tail) -> bool:
    """Whether a file still has the record that was the last one."""
    at, checks = tail
    return os.pread(fd, len(checks), at) == checks


def stamp(inode: int, size: int) -> bytes:
    """What tells whether a file is still as it was when it was read."""
    return _STAMP.pack(inode, size)
