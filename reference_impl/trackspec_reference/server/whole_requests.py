"""Requests of the form that most have, and that arrive in one piece: read at a tenth of the cost of reading any.

What has another form is left to httptools and uvicorn: pieces, chunks, repeated or strange header fields, the wish
to end the connection, and whatever is no HTTP.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from trackspec_reference.server.requests import Scope

_HEAD = re.compile(
    rb"(GET|POST) (/[A-Za-z0-9/._-]*)(?:\?([A-Za-z0-9%&=+_.~-]*))? HTTP/1\.1\r\n"
    rb"((?:[A-Za-z0-9-]+: [!-~]+(?: [!-~]+)*\r\n)+)\r\n"
)
_LENGTH = re.compile(rb"[0-9]{1,7}")
_END = b"\r\n\r\n"
_LARGEST_HEAD = 2048
_LEFT_ALONE = frozenset({b"connection", b"expect", b"te", b"trailer", b"transfer-encoding", b"upgrade"})
"""Header fields that say more of a message than its length."""


class Head(NamedTuple):
    """What the head of a request says.

    :ivar length: the bytes of the body.
    """

    scope: Scope
    length: int


class _NobodyWaits:
    def set(self) -> None:
        return


class WholeRequest:
    """A request whose body is there. Whoever answers it may take it for uvicorn's.

    :param server: the address that it came to.
    """

    more_body = False
    message_event = _NobodyWaits()

    def __init__(self, head: Head, body: bytes, server: Any) -> None:
        self.scope: Scope = {**head.scope, "server": server}
        self.body = body
        self.keep_alive = True
        self.disconnected = self.response_started = self.response_complete = False


def whole_request(data: bytes, server: Any, largest_head: int = _LARGEST_HEAD) -> WholeRequest | None:
    """The request that has arrived, if it is of that form and nothing follows it.

    :param largest_head: bytes; of those that are larger than 2,048, none is read.
    """
    start = data.find(_END, 0, min(largest_head, _LARGEST_HEAD)) + len(_END)
    head = _read(data[:start])
    if head is None or len(data) != start + head.length:
        return None
    return WholeRequest(head, data[start:], server)


@lru_cache(maxsize=256)  # a client's requests have the same few
def _read(text: bytes) -> Head | None:
    """What a head says, if it is of that form."""
    match = _HEAD.fullmatch(text)
    if match is None:
        return None
    method, path, query, lines = match.groups()
    pairs = [line.split(b": ", 1) for line in lines.split(b"\r\n")[:-1]]
    headers = [(name.lower(), value) for name, value in pairs]
    fields = dict(headers)
    length = fields.get(b"content-length", b"0" if method == b"GET" else b"")
    if len(fields) != len(headers) or not _LEFT_ALONE.isdisjoint(fields) or not _LENGTH.fullmatch(length):
        return None
    scope = {
        "method": method.decode(),
        "path": path.decode(),
        "raw_path": path,
        "query_string": query or b"",
        "headers": headers,
    }
    return Head(scope, int(length))
