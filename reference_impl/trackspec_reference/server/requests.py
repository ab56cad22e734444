"""What a request says: its header fields, its query, its body."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from trackspec.errors import ErrorCode, TrackspecError, invalid
from trackspec.protocol.body import CONTENT_TYPE
from trackspec_reference.server.answers import Refusal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_ONCE = frozenset({b"authorization", b"content-encoding", b"content-length", b"content-type", b"host", b"origin"})
"""Header fields that two readers might take from different places, where they are given twice."""

BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_MAX_QUERY_FIELDS = 1000


class Disconnected(Exception):
    """The client has gone, or has been sent away, before its request was whole."""


def header_fields(scope: Scope) -> dict[bytes, bytes]:
    """The header fields by name, in lower case.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if one that must be unambiguous is given twice.
    """
    fields: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in fields and name in _ONCE:
            raise invalid(f"The header field {name.decode()} is given twice.")
        fields[name] = value
    return fields


def query_texts(query: bytes) -> dict[str, list[str]]:
    """The fields of a query, each with every text that is given for it.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if it is malformed.
    """
    if not query:
        return {}
    if BROKEN_ESCAPE.search(query):
        raise invalid("The query has a broken percent-encoding.")
    try:
        pairs = parse_qsl(
            query.decode(),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MAX_QUERY_FIELDS,
        )
    except UnicodeDecodeError:
        raise invalid("The query is not in UTF-8.") from None
    except ValueError:
        raise invalid("The query is malformed, or has too many fields.") from None
    texts: dict[str, list[str]] = {}
    for name, value in pairs:
        texts.setdefault(name, []).append(value)
    return texts


def require_json(fields: Mapping[bytes, bytes]) -> None:
    """Accept a body that is announced as JSON, and no other.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if the content type is another or missing, or the body is
        compressed.
    """
    media_type = fields.get(b"content-type", b"").partition(b";")[0]
    if media_type.strip().lower() != CONTENT_TYPE.encode():
        raise invalid(f"The Content-Type must be {CONTENT_TYPE}.")
    if fields.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise invalid("The body must not be compressed.")


async def body(fields: dict[bytes, bytes], receive: Receive, limit: int) -> bytes:
    """The whole body.

    :raises TrackspecError: INVALID_PARAMETER_VALUE, with status 413, as soon as it is known to be too large.
    :raises Disconnected: if the client goes away before its end.
    """
    announced = fields.get(b"content-length")
    if announced is not None and int(announced) > limit:
        raise too_large(limit)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        first: bytes = message["body"]
        if len(first) > limit:
            raise too_large(limit)
        return first
    parts, size = [], 0
    while message["type"] == "http.request":
        part = message["body"]
        size += len(part)
        if size > limit:
            raise too_large(limit)
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()
    raise Disconnected


async def pieces(receive: Receive, size: int, limit: int) -> AsyncIterator[bytes]:
    """The body in pieces of at least one size; the last one is shorter, and may be empty.

    :raises TrackspecError: INVALID_PARAMETER_VALUE, with status 413, as soon as it is known to be too large.
    :raises Disconnected: if the client goes away before its end.
    """
    waiting: list[bytes] = []
    held, total = 0, 0
    while (message := await receive())["type"] == "http.request":
        part = message["body"]
        held, total = held + len(part), total + len(part)
        if total > limit:
            raise too_large(limit)
        waiting.append(part)
        if held >= size:
            yield b"".join(waiting)
            waiting, held = [], 0
        if not message.get("more_body"):
            yield b"".join(waiting)
            return
    raise Disconnected


def too_large(limit: int) -> TrackspecError:
    """What refuses a body of more bytes than are taken."""
    return Refusal(
        f"The body is larger than the {limit} bytes that are taken here.",
        ErrorCode.INVALID_PARAMETER_VALUE,
        status=413,
    )
