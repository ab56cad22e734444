"""The kinds of values on the wire: how each is written in JSON and in a query, and read back.

Reading is strict. What does not fit is refused with INVALID_PARAMETER_VALUE, and never dropped, cut or replaced by
a default: a client that misspells a number must not find a zero stored in its place.
"""

from __future__ import annotations

import math
import re
import reprlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

from trackspec.errors import TrackspecError, invalid
from trackspec.limits import INT64_MAX, INT64_MIN

Json = Any
"""What :mod:`json` reads and writes."""

_INTEGER = re.compile(r"-?\d{1,19}", re.ASCII)
_EXACT = 2**53


class Kind(ABC):
    """One kind of value.

    :cvar is_json: whether the value is its own JSON.
    """

    is_json = False

    @abstractmethod
    def write(self, value: Any) -> Json:
        """The value as JSON."""

    @abstractmethod
    def read(self, value: Json, field: str) -> Any:
        """The value of a field that holds this JSON; None is never passed.

        :raises TrackspecError: INVALID_PARAMETER_VALUE if the JSON is not of this kind.
        """

    def read_answer(self, value: Json, field: str) -> Any:
        """The same, but for fields that the protocol does not have: a newer server may answer them."""
        return self.read(value, field)

    def read_query(self, texts: Sequence[str], field: str) -> Any:
        """The value of a field that a query gives, once or several times.

        :raises TrackspecError: INVALID_PARAMETER_VALUE if it is given more than once, or is not of this kind.
        """
        if len(texts) != 1:
            raise invalid(f"The query gives {field!r} more than once.")
        return self.read(texts[0], field)

    def write_query(self, value: Any) -> list[str]:
        """The texts that a query gives for the value."""
        return [str(self.write(value))]

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of what is written, as in an OpenAPI document."""


class Text(Kind):
    """A string."""

    is_json = True

    def write(self, value: str) -> Json:
        return value

    def read(self, value: Json, field: str) -> str:
        if type(value) is not str:
            raise _wrong(field, "a string", value)
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}


class Truth(Kind):
    """A truth value."""

    is_json = True

    def write(self, value: bool) -> Json:
        return value

    def read(self, value: Json, field: str) -> bool:
        if type(value) is not bool:
            raise _wrong(field, "a truth value", value)
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


class Int64(Kind):
    """A signed 64-bit integer. A number without a fraction and a string of digits are read too."""

    is_json = True

    def write(self, value: int) -> Json:
        return value

    def read(self, value: Json, field: str) -> int:
        if type(value) is int:
            number = value
        elif (type(value) is str and _INTEGER.fullmatch(value)) or (
            type(value) is float and value.is_integer() and abs(value) <= _EXACT
        ):
            number = int(value)
        else:
            raise _wrong(field, "a 64-bit integer", value)
        if not INT64_MIN <= number <= INT64_MAX:
            raise invalid(f"The field {field!r} must lie within {INT64_MIN} and {INT64_MAX}.")
        return number

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "format": "int64"}


class Double(Kind):
    """A double. NaN and the infinities, for which JSON has no number, are the strings of their names."""

    NAMES: Mapping[str, float] = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

    def write(self, value: float) -> Json:
        if value - value == 0.0:
            return value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"

    def read(self, value: Json, field: str) -> float:
        if type(value) is float and value - value == 0.0:  # what is infinite here overflowed in reading
            return value
        if type(value) is int:
            try:
                return float(value)
            except OverflowError:
                raise invalid(f"The field {field!r} is beyond the range of a double.") from None
        if type(value) is str and value in self.NAMES:
            return self.NAMES[value]
        raise _wrong(field, "a number, 'NaN', 'Infinity' or '-Infinity'", value)

    def schema(self) -> dict[str, Any]:
        return {"oneOf": [{"type": "number", "format": "double"}, {"type": "string", "enum": list(self.NAMES)}]}


class Texts(Kind):
    """An object whose members are texts."""

    is_json = True

    def write(self, value: Mapping[str, str]) -> Json:
        return value

    def read(self, value: Json, field: str) -> dict[str, str]:
        if type(value) is not dict or not all(type(text) is str for text in value.values()):
            raise _wrong(field, "an object of strings", value)
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": {"type": "string"}}


class Choice(Kind):
    """A member of an enumeration.

    :param members: the enumeration.
    :param by_value: whether a member is known by its value instead of its name.
    """

    def __init__(self, members: type[Enum], *, by_value: bool = False) -> None:
        self._words = {str(member.value) if by_value else member.name: member for member in members}
        self._members = {member: word for word, member in self._words.items()}

    def write(self, value: Enum) -> Json:
        return self._members[value]

    def read(self, value: Json, field: str) -> Enum:
        if type(value) is not str or value not in self._words:
            raise _wrong(field, "one of " + ", ".join(map(repr, self._words)), value)
        return self._words[value]

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self._words)}


class Items(Kind):
    """A list of values of one kind. An empty list and a missing one are the same.

    :ivar item: the kind of each value.
    """

    def __init__(self, item: Kind) -> None:
        self.item = item

    def write(self, value: Sequence[Any]) -> Json:
        write = self.item.write
        return [write(item) for item in value]

    def read(self, value: Json, field: str) -> list[Any]:
        return self._read_each(value, field, self.item.read)

    def read_answer(self, value: Json, field: str) -> list[Any]:
        return self._read_each(value, field, self.item.read_answer)

    def _read_each(self, value: Json, field: str, read: Callable[[Json, str], Any]) -> list[Any]:
        if type(value) is not list:
            raise _wrong(field, "a list", value)
        if None in value:
            raise invalid(f"The list {field!r} holds null.")
        return [read(item, field) for item in value]

    def read_query(self, texts: Sequence[str], field: str) -> list[Any]:
        return [self.item.read_query([text], field) for text in texts]

    def write_query(self, value: Sequence[Any]) -> list[str]:
        return [text for item in value for text in self.item.write_query(item)]

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.item.schema()}


class Unsupported(Kind):
    """What other servers take and this protocol has no place for: refused where it says anything."""

    def write(self, value: Any) -> Json:
        return value

    def read(self, value: Json, field: str) -> None:
        if value not in ("", [], {}):
            raise invalid(f"The field {field!r} is not supported here; it may only be empty.")

    def read_answer(self, value: Json, field: str) -> None:  # noqa: ARG002 - whatever it holds
        return

    def schema(self) -> dict[str, Any]:
        return {"description": "Not supported; may be empty."}


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 80
_SHORT.maxlevel = 3


def shown(value: Json) -> str:
    """A value in a message, cut where it is long or deep."""
    text = _SHORT.repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _wrong(field: str, wanted: str, value: Json) -> TrackspecError:
    return invalid(f"The field {field!r} must be {wanted}, not {shown(value)}.")
