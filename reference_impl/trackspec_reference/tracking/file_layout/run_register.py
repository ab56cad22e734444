"""An experiment's run register: the log of its runs' creation records.

Creating a run is one append to a file that exists, which is all that a durable create needs to cost. A run gets a
log of its own with its first write, and its record a note of that, so that a log that is lost later is missed. The
records do not depend on each other: a damaged one is passed over.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from trackspec_reference.tracking.file_layout.append_log import AppendLog, LockedFile
from trackspec_reference.tracking.file_layout.durability import Durability
from trackspec_reference.tracking.file_layout.log_format import (
    CHECKS_SIZE,
    HEADER_SIZE,
    NOTED,
    UNREADABLE,
    Body,
    Damaged,
    behind_record,
    encode,
    length_without_nuls,
    mark_of,
    parse,
)
from trackspec_reference.tracking.file_layout.run_ids import parse_run_id

_BLOCK = 1 << 20
_FIRST_READ = 4096


class Record(NamedTuple):
    """A run's creation, and whether the run has got a log since."""

    run_id: str
    body: Body
    has_log: bool


class RunRegister(AppendLog):
    """The register of one experiment."""

    def __init__(self, path: str, durability: Durability, experiment_id: str) -> None:
        super().__init__(path, durability)
        self._experiment_id = experiment_id
        self._end = 0

    def add(self, record_at: Callable[[int], Body]) -> Body:
        """Append the record that ``record_at`` makes for its offset, and return it.

        :raises OSError: if it cannot be written; the register is then as it was.
        :raises Damaged: if the register has lost what its records follow.
        """
        with self.exclusive() as file:
            if file.status.st_size == self._end:
                end, lead = self._end, b""
            else:
                end, lead = _end_of(file)
            body = record_at(end + len(lead))
            line = lead + encode(body)
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

    def note_log(self, file: LockedFile, offset: int) -> None:
        """Note that the run whose record stands at an offset has got a log. A loss of power may undo the note."""
        os.pwrite(file.fd, bytes([NOTED]), offset + CHECKS_SIZE)

    def get(self, offset: int) -> Record | None:
        """The record at an offset, or None if none starts there.

        :raises Damaged: if one does, and is damaged or lost, or the register is in a state to have lost any.
        """
        if offset < HEADER_SIZE:
            return None
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            if os.path.isdir(os.path.dirname(self.path)):
                raise Damaged from None
            return None
        try:
            record = self._read(fd, offset)
            if record is None:
                self._require_sound_start(fd)
            return record
        except OSError as error:
            if error.errno in UNREADABLE:
                raise Damaged from None
            raise
        finally:
            os.close(fd)

    def scan(self, start: int) -> Iterator[tuple[Record | None, int]]:
        """The records from an offset on, None for a damaged stretch; each with the offset behind it."""
        fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(fd).st_size
            data, base = b"", start
            while base + len(data) < size:
                data += os.pread(fd, min(_BLOCK, size - base - len(data)), base + len(data))
                at = 0
                for record, at in self._parsed(data, base, is_end=base + len(data) >= size):
                    yield record, base + at
                data, base = data[at:], base + at
        finally:
            os.close(fd)

    def _read(self, fd: int, offset: int) -> Record | None:
        size = _FIRST_READ
        while True:
            data = os.pread(fd, size, offset)
            try:
                parsed = self._record(data, 0, offset)
            except Damaged:
                if os.pread(fd, 1, offset - 1) in (b"\n", b"\x00"):
                    raise
                return None
            if parsed is not None:
                return parsed[0]
            if len(data) < size:
                break
            size *= 16
        if offset < _once_complete(fd):
            raise Damaged
        return None

    def _require_sound_start(self, fd: int) -> None:
        """Refuse a file that does not begin as this register does: what is not in it may have been lost."""
        mark = mark_of(os.pread(fd, HEADER_SIZE, 0))
        if mark > HEADER_SIZE and self._read(fd, HEADER_SIZE) is None:
            raise Damaged

    def _parsed(self, data: bytes, base: int, *, is_end: bool) -> Iterator[tuple[Record | None, int]]:
        at = 0
        while at < len(data):
            found: tuple[Record | None, int] | None
            try:
                found = self._record(data, at, base + at)
                if found is None and is_end and b"\n" in data[at:]:  # a length that was damaged upwards
                    raise Damaged
            except Damaged:
                behind = _behind_damage(data, at)
                found = None if behind is None else (None, behind)
            if found is None:
                return
            yield found
            at = found[1]

    def _record(self, data: bytes, at: int, offset: int) -> tuple[Record, int] | None:
        """As :func:`log_format.parse`; a record whose id does not lead to its offset is damaged."""
        parsed = parse(data, at)
        if parsed is None:
            return None
        body, behind = parsed
        try:
            run_id = body["run"]["id"]
            leads_here = parse_run_id(run_id) == (self._experiment_id, offset)
        except (KeyError, TypeError):
            leads_here = False
        if not leads_here:
            raise Damaged
        return Record(run_id, body, data[at + CHECKS_SIZE] == NOTED), behind


def _behind_damage(data: bytes, at: int) -> int | None:
    """Where the first record behind a damaged one starts, if the data reach that far."""
    line_feed = data.find(b"\n", at)
    if line_feed < 0:
        return None
    try:  # if it is the line feed that is damaged, the next record is on the same line
        behind = behind_record(data, at)
        if behind < line_feed and parse(data, behind) is not None:
            return behind
    except Damaged:
        pass
    return line_feed + 1


def _end_of(file: LockedFile) -> tuple[int, bytes]:
    """The offset to append at, and what has to stand before the next record there."""
    size = length_without_nuls(file.fd, file.status.st_size)
    mark = _once_complete(file.fd)
    if size < mark:
        # The end is lost. Ids that lead there shall not find other runs.
        return mark, b"\n"
    start = _last_line(file.fd, size)
    try:
        parse(os.pread(file.fd, size - start, start), 0)
    except Damaged:
        return size, b"\n"
    return start, b""


def _once_complete(fd: int) -> int:
    """The offset up to which the register was once complete, as far as one can know.

    :raises Damaged: if all is lost, and it might have been anything.
    """
    try:
        return mark_of(os.pread(fd, HEADER_SIZE, 0))
    except Damaged:
        size = os.fstat(fd).st_size
        if size < HEADER_SIZE:
            raise
        return size


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
