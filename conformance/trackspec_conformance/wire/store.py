"""The plainest store over a server: each call is one request, as the table of endpoints has it.

It adds nothing of its own: no retry, no judgement of what the server is to judge. So what it finds is the server's
doing, and a client that finds something else has done that itself.
"""

from __future__ import annotations

import http.client
import inspect
import json
import numbers
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from trackspec import ErrorCode, TrackingStore, TrackspecError
from trackspec.errors import invalid
from trackspec.protocol.endpoint import KEY_HEADER, Endpoint
from trackspec.protocol.endpoints import BY_NAME
from trackspec_conformance.expectations import Unexpected
from trackspec_conformance.wire.client import Answer, Request, Wire, get_request, post_request


def request_of(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Request:
    """The request that asks for a call of a store's method.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if an argument is of a type that the method does not take, for
        which the protocol has no form.
    """
    endpoint = BY_NAME[name]
    arguments = _typed(name, args, kwargs)
    key = arguments.pop("idempotency_key", None)
    written = endpoint.fields(arguments)
    try:
        if endpoint.methods[0] == "GET":
            return get_request(endpoint.paths[0], _texts(endpoint, written))
        headers = {} if key is None else {KEY_HEADER: key}
        body = json.dumps(written, ensure_ascii=False, allow_nan=False)
        return post_request(endpoint.paths[0], body, headers=headers)
    except UnicodeEncodeError:
        raise invalid("A text holds what UTF-8 does not.") from None


def _texts(endpoint: Endpoint, written: Mapping[str, Any]) -> list[tuple[str, str]]:
    kinds = {item.name: item.kind for item in endpoint.request.fields}
    return [(name, text) for name, value in written.items() for text in kinds[name].write_query(value)]


# -- the store ---------------------------------------------------------------------------------------------------


class _WireStore:
    """Calls become requests; what is answered becomes what the call returns.

    :param wire: sends the requests.
    """

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def _call(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        endpoint = BY_NAME[name]
        answer = self._sent(request_of(name, args, kwargs))
        if answer.status != 200:
            error = _error(answer)
            if endpoint.none_is_missing and error.error_code == ErrorCode.RESOURCE_DOES_NOT_EXIST:
                return None
            raise error
        try:
            return endpoint.answer.read(answer.json)
        except (TrackspecError, Unexpected, AttributeError) as error:
            raise TrackspecError(f"The server answers what is no answer to {name}: {error}") from error

    def _sent(self, request: Request) -> Answer:
        try:
            return self.wire.send(request)
        except ValueError as error:
            raise invalid(f"No request can say that: {error}") from None
        except (OSError, http.client.HTTPException) as error:
            raise TrackspecError(f"Connection failed: {error}", ErrorCode.TEMPORARILY_UNAVAILABLE) from error

    def close(self) -> None:
        self.wire.close()


def _method(name: str) -> Any:
    def method(self: _WireStore, *args: Any, **kwargs: Any) -> Any:
        return self._call(name, args, kwargs)

    return method


_METHODS = {name: _method(name) for name in BY_NAME}

WireStore: Callable[[Wire], TrackingStore] = types.new_class(
    "WireStore", (_WireStore, TrackingStore), {}, lambda body: body.update({"__module__": __name__, **_METHODS})
)


def _error(answer: Answer) -> TrackspecError:
    try:
        told = answer.json
        return TrackspecError(str(told["message"]), _code(str(told["error_code"])))
    except (Unexpected, KeyError, TypeError):
        return TrackspecError(f"The server answers {answer}", ErrorCode.INTERNAL_ERROR)


def _code(text: str) -> ErrorCode | str:
    return ErrorCode(text) if text in ErrorCode.__members__ else text


# -- types, as a client in a language with them has them ---------------------------------------------------------


def _typed(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by name, each of the type that the method takes."""
    bound = _signature(name).bind(*args, **kwargs).arguments
    hints = _hints(getattr(TrackingStore, name))
    return {argument: _fitted(value, hints[argument], argument) for argument, value in bound.items()}


@cache
def _signature(name: str) -> inspect.Signature:
    whole = inspect.signature(getattr(TrackingStore, name))
    return whole.replace(parameters=list(whole.parameters.values())[1:])


def _hints(of: Any) -> dict[str, Any]:
    return get_type_hints(of)


def _fitted(value: Any, hint: Any, what: str) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        if value is None and type(None) in get_args(hint):
            return None
        (hint,) = [kind for kind in get_args(hint) if kind is not type(None)]
    if get_args(hint):
        if isinstance(value, (list, tuple)):
            return [_fitted(item, get_args(hint)[0], what) for item in value]
    elif hint is float:
        if isinstance(value, numbers.Number) and not isinstance(value, bool):
            return _double(value, what)
    elif hint is int:
        if type(value) is int:
            return value
    elif hint is str:
        if isinstance(value, str) and not isinstance(value, Enum):
            return value
    elif isinstance(value, hint):
        return _fitted_entity(value) if is_dataclass(hint) else value
    raise invalid(f"{what} is no {getattr(hint, '__name__', 'list')}.")


def _fitted_entity(entity: Any) -> Any:
    hints = _hints(type(entity))
    return replace(
        entity,
        **{item.name: _fitted(getattr(entity, item.name), hints[item.name], item.name) for item in fields(entity)},
    )


def _double(value: Any, what: str) -> float:
    try:
        return float(value)
    except (OverflowError, TypeError, ValueError):
        raise invalid(f"{what} does not convert to a double.") from None
