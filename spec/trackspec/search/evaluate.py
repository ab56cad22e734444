"""What a filter means: whether one run or experiment matches it.

The plainest statement of the semantics. A store may evaluate filters otherwise, with the same answers.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

from trackspec.entities import Experiment, Run
from trackspec.search.order import experiment_value, run_value
from trackspec.search.syntax import Comparator, Comparison, Entity, Filter
from trackspec.search.vocabulary import DATASET_CONTEXT_TAG


def run_matches(run: Run, clauses: Filter) -> bool:
    """Whether every clause holds for the run."""
    return all(
        any(holds(clause, value) for value in _dataset_values(run, clause.identifier.key))
        if clause.identifier.entity is Entity.DATASET
        else holds(clause, run_value(run, clause.identifier))
        for clause in clauses
    )


def experiment_matches(experiment: Experiment, clauses: Filter) -> bool:
    """Whether every clause holds for the experiment."""
    return all(holds(clause, experiment_value(experiment, clause.identifier)) for clause in clauses)


def holds(clause: Comparison, value: Any) -> bool:
    """Whether a clause holds for one value; for a missing one (None), only IS NULL does."""
    comparator, wanted = clause.comparator, clause.value
    if comparator is Comparator.IS_NULL:
        return value is None
    if value is None:
        return False
    if comparator is Comparator.IS_NOT_NULL:
        return True
    # NaN needs no case of its own: in Python too it compares as nothing but unequal.
    return bool(_HOLDS[comparator](value, wanted))


def like(value: str, pattern: str) -> bool:
    """Whether the whole value fits a pattern in which ``%`` is any text and ``_`` any one character."""
    first, *parts = pattern.split("%")
    if not parts:
        return len(value) == len(pattern) and _fits(value, pattern, 0)
    last = parts.pop()
    end = len(value) - len(last)
    at = len(first)
    if at > end or not _fits(value, first, 0) or not _fits(value, last, end):
        return False
    # The leftmost place of a part leaves the most room for the parts behind it, so no choice is revisited.
    for part in parts:
        while at + len(part) <= end and not _fits(value, part, at):
            at += 1
        at += len(part)
    return at <= end


def ilike(value: str, pattern: str) -> bool:
    """As :func:`like`, the letters A to Z being equal to a to z."""
    return like(_folded(value), _folded(pattern))


def _fits(value: str, part: str, at: int) -> bool:
    """Whether ``part``, in which ``_`` is any character, stands in ``value`` at the index ``at``."""
    if "_" not in part:
        return value.startswith(part, at)
    return all(wanted in ("_", found) for wanted, found in zip(part, value[at : at + len(part)], strict=True))


def _folded(text: str) -> str:
    return text.translate(_ASCII_LOWER)


_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}

_HOLDS: dict[Comparator, Callable[[Any, Any], bool]] = {
    Comparator.EQ: operator.eq,
    Comparator.NE: operator.ne,
    Comparator.LT: operator.lt,
    Comparator.LE: operator.le,
    Comparator.GT: operator.gt,
    Comparator.GE: operator.ge,
    Comparator.LIKE: like,
    Comparator.ILIKE: ilike,
    Comparator.IN: lambda value, listed: value in listed,
    Comparator.NOT_IN: lambda value, listed: value not in listed,
}


def _dataset_values(run: Run, key: str) -> Iterator[str | None]:
    """The values that a key of datasets has on the inputs of a run."""
    for item in run.inputs.dataset_inputs:
        if key == "context":
            yield next((tag.value for tag in item.tags if tag.key == DATASET_CONTEXT_TAG), None)
        else:
            yield item.dataset.name if key == "name" else item.dataset.digest
