"""Searches and histories as SELECT statements. What they return are positions in a total order, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from trackspec.search.query import ExperimentQuery, RunQuery
from trackspec_reference.tracking.sql.dialect import Dialect
from trackspec_reference.tracking.sql.filters import (
    experiment_conditions,
    run_conditions,
    stage_conditions,
)
from trackspec_reference.tracking.sql.numbers import Condition
from trackspec_reference.tracking.sql.ordering import (
    Ordering,
    experiment_ordering,
    history_terms,
    run_ordering,
)
from trackspec_reference.tracking.sql.schema import experiments, metric_points, runs
from trackspec_reference.tracking.sql.statements import POINT


def select_runs(query: RunQuery, within: Sequence[int], dialect: Dialect) -> sa.Select[Any]:
    """The row ids of the runs that a query finds in the experiments of these row ids, in its order."""
    # A list is written out, since a database takes fewer parameters than a caller may give experiments. A single
    # experiment is compared with, so that the index yields the order too.
    listed = sa.bindparam("within", list(within), expanding=True, literal_execute=True, type_=sa.BigInteger)
    of_experiments = runs.c.experiment == within[0] if len(within) == 1 else runs.c.experiment.in_(listed)
    conditions = [
        of_experiments,
        *stage_conditions(runs, query.view_type),
        *run_conditions(query.filter, dialect),
    ]
    return _select(runs.c.id, run_ordering(query.order_by), conditions, query.after)


def select_experiments(query: ExperimentQuery, dialect: Dialect) -> sa.Select[Any]:
    """The row ids of the experiments that a query finds, in its order."""
    conditions = [
        *stage_conditions(experiments, query.view_type),
        *experiment_conditions(query.filter, dialect),
    ]
    return _select(experiments.c.id, experiment_ordering(query.order_by), conditions, query.after)


def select_points(metric: int, conditions: Sequence[Condition], limit: int | None) -> sa.Select[Any]:
    """The points of the metric of a row id, in the order of its history."""
    columns = metric_points.c
    return (
        sa.select(*(columns[name] for name in POINT))
        .where(columns.metric == metric, *conditions)
        .order_by(*(term.clause() for term in history_terms()))
        .limit(limit)
    )


def _select(
    row_id: sa.Column[int], ordering: Ordering, conditions: Sequence[Condition], after: list[Any] | None
) -> sa.Select[Any]:
    select = sa.select(row_id).select_from(ordering.source).where(*conditions)
    if after is not None:
        select = select.where(ordering.behind(after))
    return select.order_by(*ordering.clauses())
