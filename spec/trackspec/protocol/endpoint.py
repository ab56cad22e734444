"""An endpoint: one row of the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trackspec.entities import PagedList
from trackspec.errors import invalid
from trackspec.protocol.entities import TEXT
from trackspec.protocol.kinds import Items, Json, Kind
from trackspec.protocol.message import Message
from trackspec.store import TrackingStore

BASE = "/api/2.0/mlflow"
"""Where the endpoints of MLflow's protocol are."""
BROWSER_BASE = "/ajax-api/2.0/mlflow"
"""Where MLflow's pages look for the same."""
EXTENSION_BASE = "/api/2.0/trackspec"
"""Where those are that only this specification has; a server need not have them."""

KEY_HEADER = "Idempotency-Key"
"""The header field that makes a creating call repeatable."""
KEYS_SUPPORTED_HEADER = "Idempotency-Key-Supported"
"""The header field by which a server that knows such keys says so, in every answer: its value is ``true``."""


class Answer:
    """What an endpoint answers.

    :param kinds: the fields of the answer. A single one holds what the call returns; of two, the first holds the
        items of a page and the second its token.
    """

    def __init__(self, **kinds: Kind) -> None:
        self.kinds = kinds

    def write(self, returned: Any) -> dict[str, Json]:
        """The JSON object that tells what a call returned."""
        if not self.kinds:
            return {}
        name, *rest = self.kinds
        json = self.kinds[name].write(returned)
        written = {name: json} if json != [] else {}
        if rest and returned.token is not None:
            written[rest[0]] = returned.token
        return written

    def read(self, json: Mapping[str, Json]) -> Any:
        """What a call returned, by the JSON object that tells it.

        :raises TrackspecError: INVALID_PARAMETER_VALUE if it is no such answer.
        """
        if not self.kinds:
            return None
        name, *rest = self.kinds
        kind = self.kinds[name]
        value = json.get(name)
        if isinstance(kind, Items):
            value = [] if value is None else value
        if value is None:
            raise invalid(f"The field {name!r} is missing.")
        returned = kind.read_answer(value, name)
        if not rest:
            return returned
        token = json.get(rest[0])
        return PagedList(returned, None if token in (None, "") else TEXT.read(token, rest[0]))


NOTHING = Answer()


@dataclass(frozen=True)
class Endpoint:
    """One row.

    :ivar name: the method of the store that it calls.
    :ivar methods: the HTTP methods that it takes; a client uses the first.
    :ivar path: its path, below the base.
    :ivar request: its fields, as a message that builds a dictionary of them.
    :ivar answer: the fields of its answer.
    :ivar gathers: the entity that the fields beside the id make up, as the call takes it: its argument's name, and
        what builds it.
    :ivar summary: what it does, in one line.
    :ivar base: below which prefix it is.
    :ivar repeatable: whether a client may send it again when it does not know whether it was served: the second
        has no further effect.
    :ivar creates: whether it takes an idempotency key, and with one may be sent again.
    :ivar none_is_missing: whether None is answered as RESOURCE_DOES_NOT_EXIST.
    """

    name: str
    methods: tuple[str, ...]
    path: str
    request: Message
    answer: Answer
    summary: str
    gathers: tuple[str, Callable[..., Any], tuple[str, ...]] | None = None
    base: str = BASE
    repeatable: bool = True
    creates: bool = False
    none_is_missing: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """Every whole path that it is served at; a client uses the first."""
        bases = (BASE, BROWSER_BASE) if self.base == BASE else (self.base,)
        return tuple(f"{base}/{self.path}" for base in bases)

    def call(self, store: TrackingStore, fields: Mapping[str, Any]) -> Any:
        """Make the call that a request asks for, and return what it returned."""
        arguments = dict(fields)
        if self.gathers:
            argument, build, names = self.gathers
            arguments[argument] = build(**{name: arguments.pop(name) for name in names})
        return getattr(store, self.name)(**arguments)

    def fields(self, arguments: Mapping[str, Any]) -> dict[str, Json]:
        """The JSON fields of the request that asks for a call with these arguments."""
        given = dict(arguments)
        if self.gathers:
            argument, _, names = self.gathers
            entity = given.pop(argument)
            given |= {name: getattr(entity, name) for name in names}
        return self.request.write_attributes(given)
