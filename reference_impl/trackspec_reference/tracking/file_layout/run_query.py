"""A search's filter and order, evaluated on runs as they are kept, without making entities of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isnan
from operator import attrgetter
from typing import Any

from trackspec.search.evaluate import holds
from trackspec.search.order import MISSING, NAN, PRESENT
from trackspec.search.syntax import Comparison, Entity, Filter, Identifier, OrderBy
from trackspec.search.vocabulary import DATASET_CONTEXT_TAG
from trackspec_reference.tracking.file_layout.page import Rank, descending
from trackspec_reference.tracking.file_layout.run_state import RunState

Test = Callable[[RunState], bool]


def matcher(clauses: Filter) -> Test:
    """What tells whether a run matches a filter, as :func:`trackspec.search.evaluate.run_matches` would."""
    tests = [_test(clause) for clause in clauses]

    def matches(state: RunState) -> bool:
        for test in tests:  # noqa: SIM110 - a generator would cost more than the tests
            if not test(state):
                return False
        return True

    return matches


def _test(clause: Comparison) -> Test:
    if clause.identifier.entity is Entity.DATASET:
        key = clause.identifier.key
        return lambda state: any(holds(clause, value) for value in _dataset_values(state, key))
    value_of = _value_of(clause.identifier)
    return lambda state: holds(clause, value_of(state))


def ranker(order_by: tuple[OrderBy, ...]) -> Callable[[RunState], Rank]:
    """What gives a run's rank, as :func:`trackspec.search.order.run_sort_key` gives its sort key."""
    columns = [(_value_of(clause.identifier), clause.ascending) for clause in order_by]

    def rank(state: RunState) -> Rank:
        ranked: list[Any] = []
        for value_of, ascending in columns:
            value = value_of(state)
            if value is None:
                ranked.append(MISSING)
            elif isinstance(value, float) and isnan(value):
                ranked.append(NAN)
            else:
                ranked += PRESENT, value if ascending else descending(value)
        return (*ranked, -state.start_time, state.run_id)

    return rank


def _value_of(identifier: Identifier) -> Callable[[RunState], Any]:
    """What gives the value that an identifier names on a run, or None."""
    key = identifier.key
    if identifier.entity is Entity.METRIC:
        return lambda state: float(state.latest[key][1]) if key in state.latest else None
    if identifier.entity is Entity.PARAM:
        return lambda state: state.params.get(key)
    if identifier.entity is Entity.TAG:
        return lambda state: state.tags.get(key)
    return attrgetter(key)


def _dataset_values(state: RunState, key: str) -> Iterator[str | None]:
    for name, digest, *_, tags in state.inputs:
        yield dict(tags).get(DATASET_CONTEXT_TAG) if key == "context" else name if key == "name" else digest
