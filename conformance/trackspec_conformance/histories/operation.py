"""One call of a history, and when it was made."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from enum import Enum
from typing import Any

READING = ("read", "search", "history", "find", "download", "list")
"""The kinds of calls that change nothing."""

_SHORT = reprlib.Repr()
_SHORT.maxdict, _SHORT.maxlist = 5, 3
_SHORT.maxstring = 20
"""How a call is told: of a large batch, and of what a read has found, only the beginning."""


class End(str, Enum):
    """How a call ended, as its caller knows it."""

    ANSWERED = "answered"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """The answer was lost: the call has happened, or will, or never does."""


@dataclass(frozen=True)
class Operation:
    """One call on one object.

    :ivar client: who made it; the calls of one client follow each other.
    :ivar subject: the run, the name or the path that it is about; calls on different ones are independent.
    :ivar kind: what was done, such as ``"log"`` or ``"read"``.
    :ivar given: what it was given.
    :ivar answer: what it answered, or the code that it was refused with.
    :ivar invoked: when it was made, on a clock that all clients share.
    :ivar ended: when its end was known; infinite if it never was.
    """

    client: str
    subject: str
    kind: str
    given: Any
    end: End
    answer: Any
    invoked: float
    ended: float

    @property
    def idle(self) -> bool:
        """Whether it has no effect, whenever it takes place."""
        return self.end is End.REFUSED or (self.end is End.ANSWERED and self.kind in READING)

    def __str__(self) -> str:
        told = {
            End.ANSWERED: f"-> {_SHORT.repr(self.answer)}",
            End.REFUSED: f"-> refused with {self.answer}",
            End.UNKNOWN: "-> no answer",
        }[self.end]
        shown = "" if self.given is None else _SHORT.repr(self.given)
        return f"{self.client}: {self.kind}({shown}) {told}"
