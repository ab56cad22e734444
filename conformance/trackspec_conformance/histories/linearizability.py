"""Whether calls that overlapped have the effects of calls made one after the other.

The search is that of Wing and Gong with the memory of Lowe: it tries to place one call after another, each at some
moment between its beginning and its end, and remembers which states it has seen with which calls placed. Calls on
different objects are judged apart, which keeps histories short.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Protocol

from trackspec_conformance.histories.operation import End, Operation


class Model(Protocol):
    """One object as a program that serves one call at a time."""

    def start(self) -> Hashable:
        """The state before the first call."""

    def after(self, state: Any, operation: Operation) -> Iterable[Hashable]:
        """The states in which the call may leave the object; none if it cannot end as it did.

        A call whose end is unknown may leave it as it was, which is not among them.
        """


def explained(history: Sequence[Operation], model: Model) -> bool:
    """Whether some order of the calls, true to who waited for whom, explains every answer."""
    operations = sorted(history, key=lambda operation: operation.invoked)
    certain = frozenset(number for number, item in enumerate(operations) if item.end is not End.UNKNOWN)
    begun: list[tuple[frozenset[int], Hashable]] = [(frozenset(), model.start())]
    seen = set(begun)
    while begun:
        placed, state = begun.pop()
        placed, changing = _without_effect(operations, placed, state, model)
        if certain <= placed:
            return True
        for number, left in reversed(changing):  # the first is tried first: it is pushed last
            position = placed | {number}, left
            if position not in seen:
                seen.add(position)
                begun.append(position)
    return False


def _without_effect(
    operations: Sequence[Operation], placed: frozenset[int], state: Hashable, model: Model
) -> tuple[frozenset[int], list[tuple[int, Hashable]]]:
    """Place what may come next and leaves everything as it is; and what else may come next, with what it leaves.

    A call that never has an effect may come as soon as it is explained: no other order explains more.
    """
    while True:
        possible = [
            (number, left)
            for number in _next(operations, placed)
            for left in model.after(state, operations[number])
        ]
        idle = {number for number, _ in possible if operations[number].idle}
        if not idle:
            return placed, possible
        placed |= idle


def _next(operations: Sequence[Operation], placed: frozenset[int]) -> list[int]:
    """The calls that may come next: those that began before any other that is not placed yet had ended."""
    waiting = [number for number in range(len(operations)) if number not in placed]
    first_end = min((operations[number].ended for number in waiting), default=0.0)
    return [number for number in waiting if operations[number].invoked <= first_end]
