"""The objects of tracking stores and artifact repositories, as programs that serve one call at a time."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

from trackspec_conformance.histories.operation import READING, End, Operation

Items = tuple[tuple[str, str], ...]
"""Keys and values, in order of their keys, so that equal ones are equal states."""


class RunModel:
    """A run: what it has logged, and its stage.

    Kinds of calls: ``log`` is given ``{"params": {…}, "tags": {…}, "points": [[key, step, value], …]}``, all of
    which it logs or none; ``untag`` a key; ``delete`` and ``restore`` nothing. ``read``, ``search`` and
    ``history`` answer what they have looked at: ``{"params", "tags", "latest", "stage", "points"}``, or a part;
    points and the latest ones are steps and values, by key.
    """

    def start(self) -> Hashable:
        return (), (), frozenset(), "active"

    def after(self, state: Any, operation: Operation) -> Iterable[Hashable]:
        params, tags, points, _ = state
        if operation.kind in READING:
            return [state] if operation.end is not End.ANSWERED or _agrees(state, operation.answer) else []
        if operation.kind in ("delete", "restore"):
            moved = "deleted" if operation.kind == "delete" else "active"
            return [] if operation.end is End.REFUSED else [(params, tags, points, moved)]
        served = self._served(state, operation)
        if operation.end is End.REFUSED:
            return [state] if served is None else []
        return [] if served is None else [served]

    def _served(self, state: Any, operation: Operation) -> Hashable | None:
        """The state that a writing call leaves, or None where it is to be refused."""
        params, tags, points, stage = state
        if stage != "active":
            return None
        if operation.kind == "untag":
            if operation.given not in dict(tags):
                return None
            return params, tuple(item for item in tags if item[0] != operation.given), points, stage
        known = dict(params)
        for key, value in operation.given.get("params", {}).items():
            if known.setdefault(key, value) != value:
                return None
        written = dict(tags) | operation.given.get("tags", {})
        added = frozenset(map(tuple, operation.given.get("points", ())))
        return _items(known), _items(written), points | added, stage


class NameModel:
    """A name that experiments may have.

    ``create`` answers the id of the experiment that has the name from then on; ``find`` answers it too, or None.
    """

    def start(self) -> Hashable:
        return None

    def after(self, state: Any, operation: Operation) -> Iterable[Hashable]:
        answered = operation.end is End.ANSWERED
        if operation.kind == "find":
            if not answered or state == operation.answer:
                return [state]
            return [operation.answer] if state == _SOME and operation.answer is not None else []
        if operation.end is End.REFUSED:
            return [] if state is None else [state]
        if state is not None:
            return []
        return [operation.answer if answered else _SOME]


_SOME = "an experiment whose id nobody was told"


class FileModel:
    """A path that files are logged to.

    ``upload`` is given which file it is; ``download`` and ``list`` answer that, and None where there is none.
    """

    def start(self) -> Hashable:
        return None

    def after(self, state: Any, operation: Operation) -> Iterable[Hashable]:
        if operation.kind in READING:
            return [state] if operation.end is not End.ANSWERED or operation.answer == state else []
        return [] if operation.end is End.REFUSED else [operation.given]


def _agrees(state: Any, answer: dict[str, Any]) -> bool:
    params, tags, points, stage = state
    looked: dict[str, Callable[[Any], bool]] = {
        "params": lambda read: read == dict(params),
        "tags": lambda read: read == dict(tags),
        "stage": lambda read: read == stage,
        "latest": lambda read: read == _latest(points),
        "points": lambda read: all(_history(points, key) == history for key, history in read.items()),
    }
    return all(looked[part](read) for part, read in answer.items())


def _history(points: Iterable[tuple[str, int, float]], key: str) -> list[list[float]]:
    """Step and value of the points of a key."""
    return [[step, value] for _, step, value in sorted(point for point in points if point[0] == key)]


def _latest(points: Iterable[tuple[str, int, float]]) -> dict[str, list[float]]:
    """Step and value of the latest point of each key."""
    return {key: [step, value] for key, step, value in sorted(points)}


def _items(values: dict[str, str]) -> Items:
    return tuple(sorted(values.items()))
