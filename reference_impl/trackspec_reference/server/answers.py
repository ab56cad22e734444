"""Answers, and the one shape of those that tell an error."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

from trackspec.errors import ErrorCode, TrackspecError
from trackspec.protocol.body import CONTENT_TYPE
from trackspec_reference.json_bodies import write_body

Headers = Sequence[tuple[bytes, bytes]]

LOG = logging.getLogger("trackspec.server")

RETRY_AFTER = (b"retry-after", b"1")

_COMMON = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
_JSON = ((b"content-type", CONTENT_TYPE.encode()), *_COMMON)
_FILE = (
    (b"content-type", b"application/octet-stream"),
    (b"content-disposition", b"attachment"),
    *_COMMON,
)
_TEXT = ((b"content-type", b"text/plain; charset=utf-8"), *_COMMON)


class File(NamedTuple):
    """A file that is sent; whoever sends it closes it."""

    stream: BinaryIO
    size: int


class Answer(NamedTuple):
    """What is sent back."""

    status: int
    headers: Headers
    body: bytes | File


class Refusal(TrackspecError):
    """An error with a status of its own, or with header fields.

    :param status: the HTTP status, where it is not that of the error code.
    """

    def __init__(
        self, message: str, error_code: ErrorCode, status: int | None = None, headers: Headers = ()
    ) -> None:
        super().__init__(message, error_code)
        self.status = status or error_code.http_status
        self.headers = headers


def json(body: bytes, status: int = 200, headers: Headers = ()) -> Answer:
    """A JSON text."""
    return Answer(status, [*_JSON, (b"content-length", b"%d" % len(body)), *headers], body)


def file(content: bytes | File, size: int, headers: Headers = (), status: int = 200) -> Answer:
    """An artifact, which no browser is to show: it may be a page that somebody wrote to be let in here."""
    return Answer(status, [*_FILE, (b"content-length", b"%d" % size), *headers], content)


def text(words: str) -> Answer:
    """A plain text."""
    body = words.encode()
    return Answer(200, [*_TEXT, (b"content-length", b"%d" % len(body))], body)


def error(raised: TrackspecError) -> Answer:
    """What tells a caller why a call was refused or failed."""
    code = raised.error_code
    headers: Headers = ()
    if isinstance(raised, Refusal):
        status, headers = raised.status, raised.headers
    else:
        status = code.http_status if isinstance(code, ErrorCode) else 500  # a code that another server has
        if code is ErrorCode.TEMPORARILY_UNAVAILABLE:
            headers = (RETRY_AFTER,)
    return json(write_body({"error_code": str(code), "message": raised.message}), status, headers)


def failure(raised: BaseException, what: str) -> Answer:
    """What tells a caller that the server failed, and its log why.

    :param what: what was asked for.
    """
    request_id = secrets.token_hex(8)
    LOG.error("Request %s: %s failed.", request_id, what, exc_info=raised)
    return error(TrackspecError(f"The server failed; its log knows more about request {request_id}."))
