"""Messages: JSON objects with fields of known names and kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trackspec.errors import invalid
from trackspec.protocol.kinds import Items, Json, Kind, Text, Unsupported, shown


@dataclass(frozen=True)
class Field:
    """One field of a message.

    :ivar attribute: what the entity calls it, where that differs.
    :ivar also: older names of the same field; they are read, and not written.
    :ivar default: what a missing field reads as; a type is called for a value of its own.
    """

    name: str
    kind: Kind
    required: bool = False
    attribute: str | None = None
    also: tuple[str, ...] = ()
    default: Any = None

    @property
    def argument(self) -> str:
        """The name that the entity or the call knows it by."""
        return self.attribute or self.name


class Message(Kind):
    """A JSON object that stands for an entity.

    Fields that are None, and empty lists, are left out; a missing field and a null are the same. Objects with a
    field that the message does not have, or that lack a required one, are refused.

    :param name: the entity's name, as the OpenAPI document has it.
    :param build: makes the entity of its attributes.
    """

    def __init__(self, name: str, build: Callable[..., Any], *fields: Field) -> None:
        self.name = name
        self.fields = fields
        self._build = build
        kept = [field for field in fields if not isinstance(field.kind, Unsupported)]
        self._writers = [(field.name, field.argument, field.kind.write) for field in kept]
        self._readers = {name: field for field in fields for name in (field.name, *field.also)}
        self._required = [field for field in fields if field.required]
        optional = [field for field in kept if not field.required]
        self._defaults = {field.argument: field.default for field in optional}
        self._fresh = [(field.argument, field.default) for field in optional if isinstance(field.default, type)]

    def write(self, value: Any) -> Json:
        written: dict[str, Json] = {}
        for name, attribute, write in self._writers:
            item = getattr(value, attribute)
            if item is None or item == ():
                continue
            json = write(item)
            if json != []:
                written[name] = json
        return written

    def read(self, value: Json, field: str) -> Any:
        return self._build(**self.attributes(_object(value, field)))

    def read_answer(self, value: Json, field: str) -> Any:
        return self._build(**self.attributes(_object(value, field), lenient=True))

    def attributes(self, value: Mapping[str, Json], *, lenient: bool = False) -> dict[str, Any]:
        """The attributes that the fields of an object give.

        :param lenient: whether it is an answer, in which fields that the message does not have are passed over.
        :raises TrackspecError: INVALID_PARAMETER_VALUE if it is no such message.
        """
        return self._attributes(value, "read_answer" if lenient else "read", lenient)

    def query_attributes(self, texts: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """The attributes that the fields of a query give.

        :param texts: for each field, the texts that the query gives for it.
        :raises TrackspecError: INVALID_PARAMETER_VALUE if it is no such message.
        """
        return self._attributes(texts, "read_query", lenient=False)

    def _attributes(self, given: Mapping[str, Any], reading: str, lenient: bool) -> dict[str, Any]:
        found = dict(self._defaults)
        for argument, make in self._fresh:
            found[argument] = make()
        for name, value in given.items():
            field = self._readers.get(name)
            if value is None or (field is None and lenient):
                continue
            if field is None:
                raise invalid(f"There is no field {name[:80]!r} in {self.name}.")
            item = getattr(field.kind, reading)(value, name)
            if isinstance(field.kind, Unsupported):
                continue
            if field.also and found.get(field.argument, item) != item:  # such fields are required
                raise invalid(f"The fields {' and '.join((field.name, *field.also))} differ.")
            found[field.argument] = item
        for field in self._required:
            if field.argument not in found:
                raise invalid(f"The field {field.name!r} is missing.")
        return found

    def schema(self) -> dict[str, Any]:
        return {"$ref": f"#/components/schemas/{self.name}"}


class Pairs(Kind):
    """A dictionary of texts, written as a list of objects with a key and a value."""

    def write(self, value: Mapping[str, str]) -> Json:
        return [{"key": key, "value": text} for key, text in value.items()]

    def read(self, value: Json, field: str) -> dict[str, str]:
        return dict(_PAIRS.read(value, field))

    def read_answer(self, value: Json, field: str) -> dict[str, str]:
        return dict(_PAIRS.read_answer(value, field))

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"$ref": "#/components/schemas/Pair"}}


def _pair(key: str, value: str) -> tuple[str, str]:
    return key, value


PAIR = Message("Pair", _pair, Field("key", Text(), required=True), Field("value", Text(), default=""))
_PAIRS = Items(PAIR)


def _object(value: Json, field: str) -> dict[str, Json]:
    if type(value) is not dict:
        raise invalid(f"The field {field!r} must be an object, not {shown(value)}.")
    return value
