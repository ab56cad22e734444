"""Requests: what asks a server for a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from trackspec.errors import invalid
from trackspec.protocol.endpoint import Endpoint
from trackspec_reference.json_bodies import write_body
from trackspec_reference.tracking.rest.transport import Download


@dataclass(frozen=True)
class Request:
    """A request.

    :ivar name: what it asks for, as a message says it.
    :ivar target: path and query.
    :ivar repeatable: whether it may be sent again where it may have been served already.
    :ivar upload: the file that is its body, in the place of one.
    :ivar download: takes the body of a good answer.
    :ivar key: makes it repeatable too, at a server that knows idempotency keys.
    """

    name: str
    method: str
    target: str
    body: bytes | None = None
    repeatable: bool = True
    key: str | None = None
    upload: Path | None = None
    download: Download | None = None

    @classmethod
    def of(cls, endpoint: Endpoint, arguments: Mapping[str, Any]) -> Request:
        """The request that asks for a call with these arguments.

        :raises TrackspecError: INVALID_PARAMETER_VALUE if UTF-8 has no place for one of the texts.
        """
        name, method, target = endpoint.name, endpoint.methods[0], endpoint.paths[0]
        fields = endpoint.fields(arguments)
        try:
            if method == "POST":
                return cls(name, method, target, write_body(fields), endpoint.repeatable)
            query = urlencode(fields, doseq=True, quote_via=quote)
        except UnicodeEncodeError:
            raise invalid("A text holds characters that cannot be sent.") from None
        return cls(name, method, f"{target}?{query}" if query else target)
