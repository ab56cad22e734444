"""Filters compiled to SQL conditions, with the answers of :mod:`trackspec.search.evaluate`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from trackspec.entities import LifecycleStage, ViewType
from trackspec.search.syntax import Comparator, Comparison, Entity, Filter
from trackspec.search.vocabulary import DATASET_CONTEXT_TAG
from trackspec_reference.tracking.sql.dialect import Dialect
from trackspec_reference.tracking.sql.numbers import Condition, compare_double, compare_int64
from trackspec_reference.tracking.sql.schema import (
    datasets,
    experiment_tags,
    experiments,
    input_tags,
    inputs,
    metrics,
    params,
    run_tags,
    runs,
)


def run_conditions(clauses: Filter, dialect: Dialect) -> Iterator[Condition]:
    """What must hold for a row of ``runs``."""
    for clause in clauses:
        entity, key = clause.identifier.entity, clause.identifier.key
        if entity is Entity.ATTRIBUTE:
            yield _holds(clause, runs.c[key], dialect)
        elif entity is Entity.METRIC:
            assert isinstance(clause.value, (int, float))
            of_key = sa.and_(metrics.c.run == runs.c.id, metrics.c.key == key)
            yield _exists(metrics, of_key, compare_double(metrics, clause.comparator, clause.value))
        elif entity is Entity.DATASET:
            yield _has_input(clause, dialect)
        else:
            table = params if entity is Entity.PARAM else run_tags
            yield _of_key(clause, table, table.c.run == runs.c.id, dialect)


def experiment_conditions(clauses: Filter, dialect: Dialect) -> Iterator[Condition]:
    """What must hold for a row of ``experiments``."""
    for clause in clauses:
        if clause.identifier.entity is Entity.ATTRIBUTE:
            yield _holds(clause, experiments.c[clause.identifier.key], dialect)
        else:
            owned = experiment_tags.c.experiment == experiments.c.id
            yield _of_key(clause, experiment_tags, owned, dialect)


def stage_conditions(table: sa.Table, view_type: ViewType) -> Iterator[Condition]:
    """What a view type asks of a row."""
    if view_type is not ViewType.ALL:
        stage = next(stage for stage in LifecycleStage if view_type.shows(stage))
        yield table.c.lifecycle_stage == stage.value


def _of_key(clause: Comparison, table: sa.Table, owned: Condition, dialect: Dialect) -> Condition:
    """Whether the param or tag that a clause names compares so."""
    of_key = sa.and_(owned, table.c.key == clause.identifier.key)
    if clause.comparator is Comparator.IS_NULL:
        return sa.not_(_exists(table, of_key))
    if clause.comparator is Comparator.IS_NOT_NULL:
        return _exists(table, of_key)
    return _exists(table, of_key, _holds(clause, table.c.value, dialect))


def _has_input(clause: Comparison, dialect: Dialect) -> Condition:
    """Whether a run has some dataset input that compares so."""
    of_run = inputs.c.run == runs.c.id
    if clause.identifier.key == "context":
        used = inputs.join(input_tags, input_tags.c.input == inputs.c.id)
        of_context = sa.and_(of_run, input_tags.c.key == DATASET_CONTEXT_TAG)
        return _exists(used, of_context, _holds(clause, input_tags.c.value, dialect))
    used = inputs.join(datasets, datasets.c.id == inputs.c.dataset)
    return _exists(used, of_run, _holds(clause, datasets.c[clause.identifier.key], dialect))


def _exists(source: sa.FromClause, *conditions: Condition) -> Condition:
    return sa.exists(sa.select(sa.literal_column("1")).select_from(source).where(*conditions))


def _holds(clause: Comparison, column: sa.ColumnElement[Any], dialect: Dialect) -> Condition:
    """Whether a column of text or of times compares so; NULL does not."""
    comparator, value = clause.comparator, clause.value
    if isinstance(value, (int, float)):
        return compare_int64(column, comparator, value)
    if isinstance(value, tuple):
        return column.in_(value) if comparator is Comparator.IN else column.not_in(value)
    assert isinstance(value, str)
    if comparator is Comparator.LIKE:
        return dialect.like(column, value)
    if comparator is Comparator.ILIKE:
        return dialect.ilike(column, value)
    return column == value if comparator is Comparator.EQ else column != value
