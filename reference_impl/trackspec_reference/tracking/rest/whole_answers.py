"""Answers of the form that most have, and that are short: read at a tenth of the cost of reading any.

What has another form is left to urllib3 and the standard library: chunks, a body that ends with the connection,
folded, repeated or strange header fields, and whatever is no HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from urllib3 import HTTPConnectionPool
    from urllib3.connection import HTTPConnection

_HEAD = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2}) [ -~]*\r\n((?:[A-Za-z0-9-]+: [ -~]*\r\n)+)\r\n")
_LENGTH = re.compile(r"[0-9]{1,5}")
_END = b"\r\n\r\n"
_NO_BODY = frozenset({204, 304})


class Fields(dict[str, str]):
    """Header fields by their names in lower case, found by a name in any case."""

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


class _Head(NamedTuple):
    status: int
    fields: Fields
    length: int


class WholeAnswer:
    """An answer whose body is there. Whoever reads it may take it for urllib3's."""

    version_string = "HTTP/1.1"
    retries: Any = None
    _pool: HTTPConnectionPool | None = None
    _connection: HTTPConnection | None = None

    def __init__(self, status: int, headers: Fields, body: bytes) -> None:
        self.status, self.headers = status, headers
        self._body = body

    @property
    def length_remaining(self) -> int:
        """The bytes that are not read yet."""
        return len(self._body)

    def read(self, amount: int | None = None, *, decode_content: bool = False) -> bytes:  # noqa: ARG002 - never
        """The body, or the next bytes of it."""
        piece = self._body[:amount]
        self._body = self._body[len(piece) :]
        return piece

    def release_conn(self) -> None:
        """Give the connection back for another request."""
        pool, connection = self._pool, self._connection
        self._pool = self._connection = None
        if pool is not None and connection is not None:
            pool._put_conn(connection)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
        self.release_conn()


def whole_answer(receive: Callable[[], bytes]) -> tuple[WholeAnswer | None, bytes]:
    """The answer that arrives, if it is of that form, and all that was received of it.

    :param receive: waits for the next bytes; there are none at the end.
    """
    data = receive()
    start = data.find(_END) + len(_END)
    head = _read(data[:start])
    if head is None:
        return None, data
    end = start + head.length
    while len(data) < end and (piece := receive()):
        data += piece
    return (WholeAnswer(head.status, head.fields, data[start:]) if len(data) == end else None), data


@lru_cache(maxsize=64)  # one second's answers to one client have the same few
def _read(head: bytes) -> _Head | None:
    """What a head says, if it is of that form."""
    match = _HEAD.fullmatch(head)
    if match is None:
        return None
    lines = match[2].decode("ascii").split("\r\n")[:-1]
    pairs = [line.split(": ", 1) for line in lines]
    fields = Fields((name.lower(), value) for name, value in pairs)
    length, status = fields.get("content-length", ""), int(match[1])
    if (
        len(fields) != len(lines)
        or "transfer-encoding" in fields
        or "connection" in fields
        or status in _NO_BODY
        or not _LENGTH.fullmatch(length)
    ):
        return None
    return _Head(status, fields, int(length))
