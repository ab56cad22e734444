"""An experiment's run register: the log of its runs' creation records.

Creating a run is one append to a file that exists, which is all that a durable create needs to cost. A run gets a
log of its own with its first write. The records do not depend on each other: a damaged one is passed over.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from trackspec_reference.tracking.file_layout.append_log import AppendLog, LockedFile
from trackspec_reference.tracking.file_layout.log_format import (
    HEADER_SIZE,
    Body,
    Damaged,
    behind_record,
    encode,
    length_without_nuls,
    mark_of,
    parse,
)

_BLOCK = 1 << 20
_FIRST_READ = 4096


class RunRegister(AppendLog):
    """The register of one experiment."""

    _end = 0

    def add(self, record_at: Callable[[int], Body]) -> Body:
        """Append the record that ``record_at`` makes for its offset, and return it.

        :raises OSError: if it cannot be written; the register is then as it was.
        """
        with self.exclusive() as file:
            if file.status.st_size == self._end:
                end, lead = self._end, b""
            else:
                end, lead = _end_of(file)
            body = record_at(end + len(lead))
            line = lead + encode(body)
            self._end = 0
            self.write(file, line, end)
            self._end = end + len(line)
            return body

    @property
    def mark(self) -> int:
        """An offset up to which the register is complete; what is added from now on starts there or behind."""
        fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return mark_of(os.pread(fd, HEADER_SIZE, 0))
        except Damaged:
            return HEADER_SIZE
        finally:
            os.close(fd)

    def get(self, offset: int) -> Body | None:
        """The record at an offset, or None if none starts there.

        :raises Damaged: if one does, and is damaged or lost.
        """
        if offset < HEADER_SIZE:
            return None
        fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = _FIRST_READ
            while True:
                data = os.pread(fd, size, offset)
                parsed = parse(data, 0)
                if parsed is not None:
                    return parsed[0]
                if len(data) < size:
                    break
                size *= 16
            if offset < mark_of(os.pread(fd, HEADER_SIZE, 0)):
                raise Damaged
            return None
        except Damaged:
            if os.pread(fd, 1, offset - 1) in (b"\n", b"\x00"):
                raise
            return None
        finally:
            os.close(fd)

    def scan(self, start: int) -> Iterator[tuple[Body | None, int]]:
        """The records from an offset on, None for a damaged stretch; each with the offset behind it."""
        fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(fd).st_size
            data, base = b"", start
            while base + len(data) < size:
                data += os.pread(fd, min(_BLOCK, size - base - len(data)), base + len(data))
                at = 0
                for body, at in _parsed(data, is_end=base + len(data) >= size):
                    yield body, base + at
                data, base = data[at:], base + at
        finally:
            os.close(fd)


def _parsed(data: bytes, *, is_end: bool) -> Iterator[tuple[Body | None, int]]:
    at = 0
    while at < len(data):
        found: tuple[Body | None, int] | None
        try:
            found = parse(data, at)
            if found is None and is_end and b"\n" in data[at:]:  # a length that was damaged upwards
                raise Damaged
        except Damaged:
            behind = _behind_damage(data, at)
            found = None if behind is None else (None, behind)
        if found is None:
            return
        yield found
        at = found[1]


def _behind_damage(data: bytes, at: int) -> int | None:
    """Where the first record behind a damaged one starts, if the data reach that far."""
    line_feed = data.find(b"\n", at)
    if line_feed < 0:
        return None
    try:  # if it is the line feed that is damaged, the next record is on the same line
        behind = behind_record(data, at)
        if behind < line_feed and parse(data, behind) is not None:
            return behind
    except (Damaged, ValueError):
        pass
    return line_feed + 1


def _end_of(file: LockedFile) -> tuple[int, bytes]:
    """The offset to append at, and what has to stand before the next record there."""
    size = length_without_nuls(file.fd, file.status.st_size)
    mark = _mark_of(file)
    if size < mark:
        # The end is lost. Ids that lead there shall not find other runs.
        return mark, b"\n"
    start = _last_line(file.fd, size)
    try:
        parse(os.pread(file.fd, size - start, start), 0)
    except Damaged:
        return size, b"\n"
    return start, b""


def _mark_of(file: LockedFile) -> int:
    try:
        return mark_of(os.pread(file.fd, HEADER_SIZE, 0))
    except Damaged:
        return 0


def _last_line(fd: int, size: int) -> int:
    """Where the line starts that reaches to the end; the end itself, if the last line is whole."""
    window = _FIRST_READ
    while True:
        start = max(HEADER_SIZE, size - window)
        found = os.pread(fd, size - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        if start == HEADER_SIZE:
            return start
        window *= 16
