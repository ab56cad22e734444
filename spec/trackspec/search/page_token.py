"""Page tokens: a position in one query's results.

A token holds the sort key of the last item served and a digest of the query. It is refused with any other
query, and since it is a position and not a count, inserts and deletes between two pages neither repeat nor
skip an item.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from typing import Any

from trackspec import arguments
from trackspec.errors import invalid


def issue(query: tuple[Any, ...], position: list[Any]) -> str:
    """A token for the page of ``query`` that starts behind ``position``."""
    body = json.dumps(position, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_digest(query, body) + body).decode()


def redeem(query: tuple[Any, ...], token: object, is_position: Callable[[list[Any]], bool]) -> list[Any] | None:
    """The position that ``token`` holds, or None without a token.

    The empty string counts as no token.

    :param is_position: whether a value can be a position in the query's results. The digest is no secret, so that
        whoever reads this can make a token that holds anything.
    :raises TrackspecError: INVALID_PARAMETER_VALUE if the token was not issued for this query.
    """
    given = arguments.page_token(token)
    if given is None:
        return None
    try:
        raw = base64.b64decode(given.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise invalid("The page token was not issued by this store.") from None
    digest, body = raw[:_DIGEST_SIZE], raw[_DIGEST_SIZE:]
    # Base64 has several spellings of the same bytes; only the one that was issued counts.
    if digest != _digest(query, body) or base64.urlsafe_b64encode(raw).decode() != given:
        raise invalid("The page token was not issued by this store for this query.")
    try:
        position = json.loads(body)
    except (ValueError, RecursionError):
        position = None
    if not isinstance(position, list) or not is_position(position):
        raise invalid("The page token was not issued by this store.")
    return position


_DIGEST_SIZE = 12


def _digest(query: tuple[Any, ...], body: bytes) -> bytes:
    return hashlib.blake2b(repr(query).encode() + b"\0" + body, digest_size=_DIGEST_SIZE).digest()
