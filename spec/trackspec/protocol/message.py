"""Messages: JSON objects with fields of known names and kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
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
        self._writers = [
            (field.name, field.argument, None if field.kind.is_json else field.kind.write) for field in kept
        ]
        self._nothing = {field.argument: None for field in kept}
        self._readers = {
            reading: {
                name: (_reader(field.kind, reading), field if field in kept else None, field.argument)
                for field in fields
                for name in (field.name, *field.also)
            }
            for reading in ("read", "read_answer", "read_query")
        }
        self._required = [(field.argument, field.name) for field in fields if field.required]
        optional = [field for field in kept if not field.required]
        self._defaults = {field.argument: field.default for field in optional}
        self._fresh = [(field.argument, field.default) for field in optional if isinstance(field.default, type)]

    def write(self, value: Any) -> dict[str, Json]:
        written: dict[str, Json] = {}
        for name, attribute, write in self._writers:
            item = getattr(value, attribute)
            if item is None:
                continue
            if write is not None and (item := write(item)) == []:
                continue
            written[name] = item
        return written

    def write_attributes(self, given: Mapping[str, Any]) -> dict[str, Json]:
        """The JSON object of these attributes; one that is not given is None."""
        return self.write(SimpleNamespace(**{**self._nothing, **given}))

    def read(self, value: Json, field: str) -> Any:
        return self._build(**self._attributes(_object(value, field), "read", lenient=False))

    def read_answer(self, value: Json, field: str) -> Any:
        return self._build(**self._attributes(_object(value, field), "read_answer", lenient=True))

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
        readers = self._readers[reading]
        for name, value in given.items():
            if value is None:
                continue
            if name not in readers:
                if lenient:
                    continue
                raise invalid(f"There is no field {name[:80]!r} in {self.name}.")
            read, field, argument = readers[name]
            item = read(value, name)
            if field is None:  # it is read to be refused, and has no place
                continue
            if field.also and found.get(argument, item) != item:  # such fields are required
                raise invalid(f"The fields {' and '.join((field.name, *field.also))} differ.")
            found[argument] = item
        for argument, name in self._required:
            if argument not in found:
                raise invalid(f"The field {name!r} is missing.")
        return found

    def schema(self) -> dict[str, Any]:
        return {"$ref": f"#/components/schemas/{self.name}"}


def _reader(kind: Kind, reading: str) -> Callable[[Any, str], Any]:
    """The method of a kind that reads so, without a detour where it only hands on."""
    hands_on = reading == "read_answer" and type(kind).read_answer is Kind.read_answer
    found: Callable[[Any, str], Any] = kind.read if hands_on else getattr(kind, reading)
    return found


class Pairs(Kind):
    """A dictionary of texts, written as a list of objects with a key and a value."""

    def write(self, value: Mapping[str, str]) -> Json:
        return [{"key": key, "value": text} for key, text in value.items()]

    def read(self, value: Json, field: str) -> dict[str, str]:
        return _plain_pairs(value) or dict(_PAIRS.read(value, field))

    def read_answer(self, value: Json, field: str) -> dict[str, str]:
        return _plain_pairs(value) or dict(_PAIRS.read_answer(value, field))

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"$ref": "#/components/schemas/Pair"}}


def _pair(key: str, value: str) -> tuple[str, str]:
    return key, value


PAIR = Message("Pair", _pair, Field("key", Text(), required=True), Field("value", Text(), default=""))
_PAIRS = Items(PAIR)


def _plain_pairs(value: Json) -> dict[str, str] | None:
    """The dictionary, where nothing is missing, left over or amiss: the short way for what is usual."""
    if type(value) is not list:
        return None
    found = {}
    for pair in value:
        if type(pair) is not dict or len(pair) != 2:
            return None
        key, text = pair.get("key"), pair.get("value")
        if type(key) is not str or type(text) is not str:
            return None
        found[key] = text
    return found


def _object(value: Json, field: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise invalid(f"The field {field!r} must be an object, not {shown(value)}.")
    return value
