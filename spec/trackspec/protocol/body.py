"""JSON bodies, read strictly: what one reader takes one way and the next another is refused."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from trackspec.errors import invalid
from trackspec.protocol.kinds import Json

CONTENT_TYPE = "application/json"

write_text = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")
).encode


def write_body(fields: dict[str, Json]) -> bytes:
    """A JSON object in UTF-8."""
    return write_text(fields).encode()


def read_body(body: bytes) -> dict[str, Json]:
    """The JSON object of a body.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if the body is not one JSON object in UTF-8, names a field
        twice, holds a number beyond the range of a double, or is nested too deeply.
    """
    return _object(body, _DECODER)


def _object(body: bytes, decoder: json.JSONDecoder) -> dict[str, Json]:
    try:
        value = decoder.decode(body.decode())
    except UnicodeDecodeError:
        raise invalid("The body is not in UTF-8.") from None
    except RecursionError:
        raise invalid("The body is nested too deeply.") from None
    except ValueError as error:
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise invalid(f"The body is no JSON{where}.") from None
    if type(value) is not dict:
        raise invalid(f"The body must be a JSON object, not {_named(value)}.")
    return value


def read_answer(body: bytes) -> dict[str, Json]:
    """The JSON object of an answer. What a good server never says twice is not looked for, which takes longest.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if it is not one JSON object in UTF-8, or holds what is no
        number of JSON.
    """
    return _object(body, _ANSWER_DECODER)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise invalid(f"The body names the field {twice[:80]!r} twice.")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise invalid(f"The number {text[:80]} is beyond the range of a double.")
    return number


def _no_number(text: str) -> NoReturn:
    raise invalid(f"{text} is no JSON number; NaN and the infinities are strings.")


_DECODER = json.JSONDecoder(object_pairs_hook=_members, parse_float=_finite, parse_constant=_no_number)
_ANSWER_DECODER = json.JSONDecoder(parse_constant=_no_number)


def _named(value: Json) -> str:
    names = {list: "a list", str: "a string", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")
