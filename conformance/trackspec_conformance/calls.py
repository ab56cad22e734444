"""The calls of a check, as they are told: as Python source, and by what was called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Made:
    """What was called, for those who tell it in another language.

    :ivar receiver: the variable of the object whose method it is.
    """

    receiver: str
    method: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Call:
    """One call, as Python source.

    :ivar name: the variable that later calls know its answer by.
    :ivar outcome: None while it has not ended, ``"returned"``, or the error that it raised.
    :ivar made: what was called, where that is known.
    :ivar references: the ids and tokens in the answer, each with the path that leads to it.
    """

    source: str
    name: str
    outcome: str | None = None
    made: Made | None = None
    references: Sequence[tuple[str, str]] = ()
