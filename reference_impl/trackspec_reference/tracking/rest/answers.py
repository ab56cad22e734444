"""What an answer says: the fields of a good one, the error of any other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from trackspec.errors import ErrorCode, TrackspecError
from trackspec.protocol.body import CONTENT_TYPE
from trackspec.protocol.endpoint import Endpoint
from trackspec.protocol.kinds import Json
from trackspec_reference.credentials.host_creds import HostCreds, masked
from trackspec_reference.json_bodies import read_answer
from trackspec_reference.tracking.rest.repeating import NOT_SERVED, Reply
from trackspec_reference.tracking.rest.transport import Answer

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_MAX_MESSAGE = 2000
_KNOWN = {member.value: member for member in ErrorCode}
_CODE_OF_STATUS = {
    400: ErrorCode.INVALID_PARAMETER_VALUE,
    401: ErrorCode.UNAUTHENTICATED,
    403: ErrorCode.PERMISSION_DENIED,
    404: ErrorCode.ENDPOINT_NOT_FOUND,
    405: ErrorCode.ENDPOINT_NOT_FOUND,
    413: ErrorCode.INVALID_PARAMETER_VALUE,
    414: ErrorCode.INVALID_PARAMETER_VALUE,
    429: ErrorCode.TEMPORARILY_UNAVAILABLE,
    431: ErrorCode.INVALID_PARAMETER_VALUE,
    501: ErrorCode.NOT_IMPLEMENTED,
    502: ErrorCode.TEMPORARILY_UNAVAILABLE,
    503: ErrorCode.TEMPORARILY_UNAVAILABLE,
    504: ErrorCode.TEMPORARILY_UNAVAILABLE,
}
"""What an error means that does not say it: it comes from something that stands before the server, or is none."""


def returned(endpoint: Endpoint, reply: Reply, creds: HostCreds) -> Any:
    """What a call returned.

    :raises TrackspecError: the error that the server answers; INTERNAL_ERROR if the answer is none to this call.
    """
    fields = answered(endpoint.name, reply, creds)
    try:
        return endpoint.answer.read(fields)
    except TrackspecError as error:
        raise lie(endpoint.name, error.message) from None


def answered(name: str, reply: Reply, creds: HostCreds) -> Mapping[str, Json]:
    """The fields of a good answer.

    :param name: what was asked for.
    :raises TrackspecError: the error that the server answers; INTERNAL_ERROR if the answer is no JSON object.
    """
    answer = reply.answer
    fields = _fields(answer)
    if answer.status == 200 and fields is not None and "error_code" not in fields:
        return fields
    if answer.status == 200 and fields is None:
        raise lie(name, "it is no JSON object")
    raise _error(name, reply, fields or {}, creds)


def _fields(answer: Answer) -> Mapping[str, Json] | None:
    """The fields of a body that is a JSON object, and says so; None of any other."""
    media_type = answer.headers.get("Content-Type", "").partition(";")[0]
    if media_type.strip().lower() != CONTENT_TYPE:
        return None
    try:
        return read_answer(answer.body)
    except TrackspecError:
        return None


def _error(name: str, reply: Reply, fields: Mapping[str, Json], creds: HostCreds) -> TrackspecError:
    status = reply.answer.status
    code, message = fields.get("error_code"), fields.get("message")
    if not (isinstance(code, str) and _CODE.fullmatch(code)):
        if status not in _CODE_OF_STATUS and not 500 <= status < 600:
            return lie(name, _told_of(reply.answer))
        code = _CODE_OF_STATUS.get(status, ErrorCode.INTERNAL_ERROR)
    if not isinstance(message, str) or not message:
        message = f"The server at {creds.host} answers {status} to {name}."
    message = _CONTROLS.sub(" ", masked(message, reply.credentials))[:_MAX_MESSAGE]
    if status == 401:
        message = f"{message} {creds.advice}".strip()
    if status == NOT_SERVED:
        return TrackspecError(message, ErrorCode.TEMPORARILY_UNAVAILABLE)
    return TrackspecError(message, _KNOWN.get(str(code), str(code)))


def _told_of(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        try:
            place = urlsplit(answer.headers.get("Location", ""))
            port = place.port
        except ValueError:
            return f"it is a redirection ({answer.status}), which is not followed"
        there = f" to {place.scheme}://{place.hostname}{f':{port}' if port else ''}" if place.hostname else ""
        return f"it is a redirection{there}, which is not followed; open the store by the URI of the server itself"
    return f"its status is {answer.status}"


def lie(name: str, why: str) -> TrackspecError:
    """The error for an answer that is none to what was asked for."""
    return TrackspecError(f"What the server answers is no answer to {name}: {why}.")
