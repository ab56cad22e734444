"""The shape of an answer: the types that an interface promises, before any value is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from trackspec import PagedList
from trackspec_conformance.expectations import Unexpected, shown


class Shape(Protocol):
    """What a method may return."""

    def require(self, method: str, answer: Any) -> None:
        """Require that an answer has this shape.

        :raises Unexpected: if it has not.
        """


@dataclass(frozen=True)
class One:
    """A value of one of these types."""

    kinds: tuple[type, ...]

    def require(self, method: str, answer: Any) -> None:
        """Require the type."""
        if not isinstance(answer, self.kinds):
            names = " or ".join("None" if kind is type(None) else kind.__name__ for kind in self.kinds)
            raise Unexpected(f"{method} returns {names}", shown(answer))


@dataclass(frozen=True)
class Many:
    """A list of entities, with a page token where it is ``paged``."""

    kind: type
    paged: bool = False

    def require(self, method: str, answer: Any) -> None:
        """Require the list and each item's type."""
        if not isinstance(answer, list):
            raise Unexpected(f"{method} returns a list", shown(answer))
        strangers = [item for item in answer if not isinstance(item, self.kind)]
        if strangers:
            raise Unexpected(f"{method} returns {self.kind.__name__} entities", shown(strangers[0]))
        if self.paged and not _is_paged(answer):
            raise Unexpected(f"{method} returns a PagedList, its token a string or None", shown(answer))


def one(*kinds: type) -> Shape:
    """The shape of a method that returns a value of one of these types."""
    return One(kinds)


def require_shape(shapes: Mapping[str, Shape], method: str, answer: Any) -> None:
    """Require that an answer has the shape that the interface promises for the method.

    :raises Unexpected: if it has not.
    """
    if method in shapes:
        shapes[method].require(method, answer)


def _is_paged(answer: list[Any]) -> bool:
    token = getattr(answer, "token", answer)
    return isinstance(answer, PagedList) and (token is None or isinstance(token, str))
