"""The first items of a search's results, found without holding all of them."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Any, TypeVar

from trackspec.search.order import PRESENT, SortKey
from trackspec.search.query import ExperimentQuery, RunQuery
from trackspec.search.syntax import OrderBy

T = TypeVar("T")

Rank = tuple[Any, ...]
"""A sort key that Python itself sorts as the search is ordered."""


class _Descending:
    """A text that sorts the other way round."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and bool(self.value == other.value)

    def __lt__(self, other: _Descending) -> bool:
        return bool(other.value < self.value)

    def __hash__(self) -> int:
        return hash(self.value)


def rank(key: SortKey, order_by: tuple[OrderBy, ...]) -> Rank:
    """The rank that a sort key gives."""
    ranked: list[Any] = []
    for clause, (presence, value) in zip(order_by, key, strict=False):
        ranked.append(presence)
        if presence == PRESENT:
            ranked.append(value if clause.ascending else descending(value))
    return (*ranked, -key[-2], key[-1])


def descending(value: Any) -> Any:
    """What sorts the other way round."""
    return _Descending(value) if isinstance(value, str) else -value


def first(ranked: Iterable[tuple[Rank, T]], query: ExperimentQuery | RunQuery) -> list[T]:
    """The page of a query among all that matches, in no order. No two items have the same rank."""
    if query.after is not None:
        after = rank(query.after, query.order_by)
        ranked = (pair for pair in ranked if pair[0] > after)
    return [item for _, item in heapq.nsmallest(query.limit, ranked)]
