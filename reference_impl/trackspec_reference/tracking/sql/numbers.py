"""Numbers in SQL: NaN and infinities, which some drivers refuse, and comparisons that overflow no column."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from trackspec.limits import INT64_MAX, INT64_MIN
from trackspec.search.syntax import Comparator
from trackspec_reference.tracking.sql.schema import FINITE, MINUS_INFINITY, NAN, PLUS_INFINITY

Condition = sa.ColumnElement[bool]

_VALUES = {NAN: math.nan, MINUS_INFINITY: -math.inf, PLUS_INFINITY: math.inf}


def split(number: float) -> tuple[int, float]:
    """A double as it is stored: its class and its finite value. Pairs sort as the contract sorts the numbers."""
    if math.isfinite(number):
        return FINITE, number
    return (NAN if math.isnan(number) else PLUS_INFINITY if number > 0 else MINUS_INFINITY), 0.0


def join(value_class: int, value: float) -> float:
    """The double of a class and a finite value.

    :raises KeyError: if there is no such class.
    """
    return value if value_class == FINITE else _VALUES[value_class]


def compare_double(table: sa.FromClause, comparator: Comparator, number: float) -> Condition:
    """Whether a stored double compares so with a number that is not NaN; a stored NaN is unequal to it."""
    stored_class, stored = table.c.value_class, table.c.value
    number_class, value = split(number)
    equal = sa.and_(stored_class == number_class, stored == value)
    if comparator is Comparator.EQ:
        return equal
    if comparator is Comparator.NE:
        return sa.not_(equal)
    beyond = _STRICT[comparator]
    holds = sa.or_(
        beyond(stored_class, number_class), sa.and_(stored_class == number_class, beyond(stored, value))
    )
    if comparator in (Comparator.LE, Comparator.GE):
        holds = sa.or_(holds, equal)
    return sa.and_(stored_class != NAN, holds)


def compare_int64(column: sa.ColumnElement[int], comparator: Comparator, number: float) -> Condition:
    """Whether a 64-bit integer compares so with a number of any kind and size, NaN excepted; NULL does not."""
    if comparator is Comparator.EQ:
        return column == int(number) if _is_int64(number) else sa.false()
    if comparator is Comparator.NE:
        return column != int(number) if _is_int64(number) else column.is_not(None)
    if comparator in (Comparator.LT, Comparator.LE):
        greatest = _floor(number) - (comparator is Comparator.LT and _is_int64(number))
        if greatest >= INT64_MAX:
            return column.is_not(None)
        return column <= greatest if greatest >= INT64_MIN else sa.false()
    least = -_floor(-number) + (comparator is Comparator.GT and _is_int64(number))
    if least <= INT64_MIN:
        return column.is_not(None)
    return column >= least if least <= INT64_MAX else sa.false()


_STRICT: dict[Comparator, Callable[[Any, Any], Condition]] = {
    Comparator.LT: operator.lt,
    Comparator.LE: operator.lt,
    Comparator.GT: operator.gt,
    Comparator.GE: operator.gt,
}


def _is_int64(number: float) -> bool:
    return math.isfinite(number) and number == int(number) and INT64_MIN <= number <= INT64_MAX


def _floor(number: float) -> int:
    if math.isinf(number):
        return INT64_MAX + 1 if number > 0 else INT64_MIN - 1
    return math.floor(number)
