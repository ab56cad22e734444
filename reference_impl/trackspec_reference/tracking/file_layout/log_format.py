"""How a log lies in its file: a header of fixed size, then records, each a line with a checksum.

A record is ``CCCCCCCCLLLLLLLL JSON`` and a line feed: the length of the JSON text in bytes, and the CRC-32 of all
that stands between checksum and line feed, both as eight hexadecimal digits. JSON text holds neither a raw line
feed nor a raw NUL, so a line feed always ends a record.

The header holds the *mark*: an offset up to which the log was once complete. It lags behind the end of the log by
the last record at most, and tells a log that lost its end from one whose last record was cut short in writing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any
from zlib import crc32

Body = dict[str, Any]
"""What a record says, as JSON."""

_MAGIC = b"trackspec log 1 "
HEADER_SIZE = len(_MAGIC) + 16
_CHECKS = 16
_PREFIX = _CHECKS + 1
_BLOCK = 1 << 20

encode_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_decode_json = json.JSONDecoder().raw_decode


class Damaged(Exception):
    """A log that no interrupted write can have left."""


def header(mark: int) -> bytes:
    """The header of a log that is complete up to ``mark``."""
    return b"%b%015d\n" % (_MAGIC, mark)


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
    checked = b"%08x %b" % (len(text), text)
    return b"%08x%b\n" % (crc32(checked), checked)


def parse(data: bytes, at: int) -> tuple[Body, int] | None:
    """The record that starts at an offset, and the offset behind it; None if the data end before it does.

    :raises Damaged: if what starts there is no record.
    """
    checks = data[at : at + _CHECKS]
    try:
        end = at + _PREFIX + int(checks[8:], 16)
        checksum = int(checks[:8], 16)
    except ValueError:
        if len(checks) < _CHECKS and not checks.strip(b"0123456789abcdef"):
            return None
        raise Damaged from None
    if end >= len(data):
        return None
    if crc32(data[at + 8 : end]) != checksum or data[end] != 0x0A or data[at + _CHECKS] != 0x20:
        raise Damaged
    return decode_json(data[at + _PREFIX : end]), end + 1


def behind_record(data: bytes, at: int) -> int:
    """The offset behind the record at an offset, by the length it gives.

    :raises ValueError: if it gives none.
    """
    return at + _PREFIX + int(data[at + 8 : at + _CHECKS], 16) + 1


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
    if line[:8] != b"%08x" % crc32(line[8:]):
        raise Damaged
    return line[_PREFIX:]


def length_without_nuls(fd: int, size: int) -> int:
    """The size of a file, not counting the NUL bytes that a loss of power can leave at its end."""
    while size > 0:
        block = os.pread(fd, min(4096, size), size - min(4096, size))
        written = len(block.rstrip(b"\x00"))
        if written or not block:
            return size - len(block) + written
        size -= len(block)
    return 0
