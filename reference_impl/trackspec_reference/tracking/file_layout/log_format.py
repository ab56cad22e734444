"""How a log lies in its file: a header of fixed size, then records, each a line with a checksum.

A record is ``CCCCCCCCLLLLLLLL JSON`` and a line feed: the length of the JSON text in bytes, and the CRC-32 of this
length and the text, both as eight hexadecimal digits. JSON text holds neither a raw line feed nor a raw NUL, so a
line feed always ends a record. The blank before the text becomes a plus sign where a record of the run register is
noted to have led to a log.

The header holds the *mark*: an offset up to which the log was once complete. It lags behind the end of the log by
the last record at most. What is wrong before the mark is damage. What is wrong behind it is a write that was cut
short, and was never acknowledged.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

Body = dict[str, Any]
"""What a record says, as JSON."""

_MAGIC = b"trackspec log 1 "
HEADER_SIZE = len(_MAGIC) + 16
CHECKS_SIZE = 16
_PREFIX_SIZE = CHECKS_SIZE + 1
_BLANK, NOTED = b" +"
_BLOCK = 1 << 20

UNREADABLE = {errno.EBADMSG, errno.EIO, errno.EISDIR, errno.ENOTDIR}
"""What a file fails with that is damaged, while others can be read."""

encode_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_decode_json = json.JSONDecoder().raw_decode


class Damaged(Exception):
    """A log that no interrupted write can have left."""


def header(mark: int) -> bytes:
    """The header of a log that is complete up to ``mark``."""
    return b"%b%015d\n" % (_MAGIC, mark)


def is_log(path: Path) -> bool:
    """Whether a file starts as a log does."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def mark_of(content: bytes) -> int:
    """The mark in the header that a log's content starts with.

    :raises Damaged: if it starts with none.
    """
    found = content[:HEADER_SIZE]
    digits = found[len(_MAGIC) : -1]
    if not digits.isdigit() or found != header(int(digits)):
        raise Damaged
    return int(digits)


def encode(body: Body) -> bytes:
    """A record as its line."""
    text = encode_json(body).encode()
    length = b"%08x" % len(text)
    return b"%08x%b %b\n" % (crc32(text, crc32(length)), length, text)


def parse(data: bytes, at: int) -> tuple[Body, int] | None:
    """The record that starts at an offset, and the offset behind it; None if the data end before it does.

    :raises Damaged: if what starts there is no record.
    """
    checks = data[at : at + CHECKS_SIZE]
    if len(checks) < CHECKS_SIZE:
        if checks.strip(b"0123456789abcdef"):
            raise Damaged
        return None
    end = at + _PREFIX_SIZE + _length(checks[8:])
    if end >= len(data):
        return None
    text = data[at + _PREFIX_SIZE : end]
    if data[end] != 0x0A or data[at + CHECKS_SIZE] not in (_BLANK, NOTED) or not _holds(checks, text):
        raise Damaged
    return decode_json(text), end + 1


def _length(digits: bytes) -> int:
    """What the digits of a length say; they may hold anything, such as a sign."""
    try:
        length = int(digits, 16)
    except ValueError:
        raise Damaged from None
    if length < 0:
        raise Damaged
    return length


def _holds(checks: bytes, text: bytes) -> bool:
    return checks[:8] == b"%08x" % crc32(text, crc32(checks[8:]))


def behind_record(data: bytes, at: int) -> int:
    """The offset behind the record at an offset, by the length it gives.

    :raises Damaged: if it gives none.
    """
    return at + _PREFIX_SIZE + _length(data[at + 8 : at + CHECKS_SIZE]) + 1


def decode_json(text: bytes) -> Any:
    """The value of a JSON text.

    :raises Damaged: if it is none.
    """
    try:
        return _decode_json(str(text, "utf-8"))[0]
    except ValueError:
        raise Damaged from None


def records(fd: int, start: int, end: int, data: bytes = b"") -> Iterator[tuple[Body, bytes, int]]:
    """The records of a file between two offsets: each with its line and the offset of that line.

    The bytes behind the last line may be the beginning of one, cut short in writing; they are passed over.

    :param data: what has been read already, from ``start`` on.
    :raises Damaged: if there is anything else.
    """
    base = start
    while True:
        at = 0
        while at < len(data) and (parsed := parse(data, at)) is not None:
            body, behind = parsed
            yield body, data[at:behind], base + at
            at = behind
        data, base = data[at:], base + at
        block = os.pread(fd, max(0, min(_BLOCK, end - base - len(data))), base + len(data))
        if not block:
            break
        data += block
    if b"\n" in data:  # the length was damaged upwards: a line that was cut short in writing has no end yet
        raise Damaged


def records_with(fd: int, start: int, end: int, text: bytes) -> Iterator[Body]:
    """Those records between two offsets whose JSON text has ``text`` in it.

    All records have been read before; what was damaged since is seen in those that are yielded, not in the others.

    :param end: the end of a record.
    :raises Damaged: if one of them is damaged, or the end is lost.
    """
    data = b""
    while start < end:
        block = os.pread(fd, min(_BLOCK, end - start), start)
        if not block:
            raise Damaged
        start += len(block)
        lines = (data + block).split(b"\n")
        data = lines.pop()
        found = [_text_of(line) for line in lines if text in line]
        yield from decode_json(b"[%b]" % b",".join(found))


def _text_of(line: bytes) -> bytes:
    """The JSON text of a record's line, given without the line feed."""
    text = line[_PREFIX_SIZE:]
    if not _holds(line[:CHECKS_SIZE], text):
        raise Damaged
    return text


def length_without_nuls(fd: int, size: int) -> int:
    """The size of a file, not counting the NUL bytes that a loss of power can leave at its end."""
    while size > 0:
        block = os.pread(fd, min(4096, size), size - min(4096, size))
        written = len(block.rstrip(b"\x00"))
        if written or not block:
            return size - len(block) + written
        size -= len(block)
    return 0
