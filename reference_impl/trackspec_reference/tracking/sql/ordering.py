"""Orderings compiled to SQL, and positions within them: what a page token continues from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from trackspec.entities import Metric
from trackspec.search.order import MISSING, NAN, PRESENT, SortKey
from trackspec.search.syntax import Entity, OrderBy
from trackspec_reference.tracking.sql import numbers, schema
from trackspec_reference.tracking.sql.numbers import Condition
from trackspec_reference.tracking.sql.schema import experiments, metric_points, metrics, params, run_tags, runs


@dataclass(frozen=True)
class Term:
    """One expression that results are ordered by."""

    expression: sa.ColumnElement[Any]
    ascending: bool = True

    def clause(self) -> sa.ColumnElement[Any]:
        """The term for ORDER BY."""
        return self.expression.asc() if self.ascending else self.expression.desc()

    def beyond(self, value: Any) -> Condition:
        """Whether a row comes after one that has the value."""
        beyond: Condition = self.expression > value if self.ascending else self.expression < value
        return beyond

    def reached(self, value: Any) -> Condition:
        """Whether a row has the value or comes after one that has."""
        reached: Condition = self.expression >= value if self.ascending else self.expression <= value
        return reached


@dataclass(frozen=True)
class Column:
    """One of the caller's columns.

    :ivar rank: the expression that tells values, NaN and missing ones apart, unless all rows have a value.
    :ivar terms: order the values; the same in all rows of another rank.
    """

    rank: sa.ColumnElement[int] | None
    terms: tuple[Term, ...]

    def clauses(self) -> list[sa.ColumnElement[Any]]:
        """The column for ORDER BY."""
        ranks = [] if self.rank is None else [self.rank.asc()]
        return [*ranks, *(term.clause() for term in self.terms)]

    def pairs(self, rank: int, value: Any) -> list[tuple[Term, Any]]:
        """Each term with what it is at the position of a sort key."""
        ranks = [] if self.rank is None else [(Term(self.rank), rank)]
        if rank != PRESENT:
            return ranks
        values = numbers.split(value) if isinstance(value, float) else (value,)
        return [*ranks, *zip(self.terms, values, strict=True)]


@dataclass(frozen=True)
class Ordering:
    """A total order of the rows of a table.

    :ivar source: the table, joined with what the order looks at.
    :ivar columns: the caller's columns.
    :ivar ties: the terms that decide between rows that are equal so far.
    """

    source: sa.FromClause
    columns: tuple[Column, ...]
    ties: tuple[Term, Term]

    def clauses(self) -> list[sa.ColumnElement[Any]]:
        """All of it for ORDER BY."""
        clauses = [clause for column in self.columns for clause in column.clauses()]
        return [*clauses, *(term.clause() for term in self.ties)]

    def behind(self, position: SortKey) -> Condition:
        """Whether a row comes after the one of a sort key."""
        pairs = [
            pair
            for column, (rank, value) in zip(self.columns, position[:-2], strict=True)
            for pair in column.pairs(rank, value)
        ]
        pairs += zip(self.ties, position[-2:], strict=True)
        behind = behind_all(pairs)
        if not self.columns:
            # Says nothing new, but in a form that lets the database enter the index at the position.
            behind = sa.and_(self.ties[0].reached(position[-2]), behind)
        return behind


def behind_all(pairs: Sequence[tuple[Term, Any]]) -> Condition:
    """Whether a row comes after one that has these values, term by term."""
    # Flat, though it repeats itself: nested, ten columns are too deep for SQLite's parser.
    equal = [term.expression == value for term, value in pairs]
    return sa.or_(*(sa.and_(*equal[:place], term.beyond(value)) for place, (term, value) in enumerate(pairs)))


def run_ordering(order_by: tuple[OrderBy, ...]) -> Ordering:
    """The order of a search of runs."""
    source: sa.FromClause = runs
    columns = []
    for clause in order_by:
        entity, key = clause.identifier.entity, clause.identifier.key
        if entity is Entity.ATTRIBUTE:
            columns.append(_attribute(runs.c[key], clause.ascending))
            continue
        table = {Entity.METRIC: metrics, Entity.PARAM: params, Entity.TAG: run_tags}[entity].alias()
        source = source.outerjoin(table, sa.and_(table.c.run == runs.c.id, table.c.key == key))
        column = _metric if entity is Entity.METRIC else _text
        columns.append(column(table, clause.ascending))
    return Ordering(source, tuple(columns), (Term(runs.c.start_time, ascending=False), Term(runs.c.run_id)))


def experiment_ordering(order_by: tuple[OrderBy, ...]) -> Ordering:
    """The order of a search of experiments."""
    columns = tuple(_attribute(experiments.c[clause.identifier.key], clause.ascending) for clause in order_by)
    ties = Term(experiments.c.creation_time, ascending=False), Term(experiments.c.experiment_id)
    return Ordering(experiments, columns, ties)


def history_terms() -> tuple[Term, ...]:
    """The order of a metric's points."""
    return tuple(map(Term, (metric_points.c[name] for name in ("step", "timestamp", "value_class", "value"))))


def behind_point(point: Metric) -> Condition:
    """Whether a row of ``metric_points`` comes after a point in the metric's history."""
    values = (point.step, point.timestamp, *numbers.split(point.value))
    entered = metric_points.c.step >= point.step
    return sa.and_(entered, behind_all(list(zip(history_terms(), values, strict=True))))


def _attribute(column: sa.Column[Any], ascending: bool) -> Column:
    rank = _ranked(column.is_(None), MISSING) if column.nullable else None
    return Column(rank, (Term(column, ascending),))


def _text(table: sa.FromClause, ascending: bool) -> Column:
    return Column(_ranked(table.c.run.is_(None), MISSING), (Term(table.c.value, ascending),))


def _metric(table: sa.FromClause, ascending: bool) -> Column:
    rank = sa.case(
        (table.c.run.is_(None), _constant(MISSING)),
        (table.c.value_class == _constant(schema.NAN), _constant(NAN)),
        else_=_constant(PRESENT),
    )
    return Column(rank, (Term(table.c.value_class, ascending), Term(table.c.value, ascending)))


def _ranked(condition: Condition, rank: int) -> sa.ColumnElement[int]:
    return sa.case((condition, _constant(rank)), else_=_constant(PRESENT))


def _constant(number: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(number), sa.Integer)
