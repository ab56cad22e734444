"""The total orders of searches and histories, as sort keys that a page token can carry.

A column of a sort key is ``(rank, value)``: rank 0 for a value, 1 for NaN (value None), 2 for a missing key.
Ranks ascend whatever the direction of the column, so NaN and then missing keys come last both ways.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from typing import Any

from trackspec import limits
from trackspec.entities import Experiment, Metric, Run
from trackspec.search.syntax import Entity, Identifier, OrderBy

SortKey = list[Any]
"""JSON-ready: one ``[rank, value]`` for each ordering column, then the tie-breakers' values."""

PRESENT, NAN, MISSING = 0, 1, 2


def run_sort_key(run: Run, order_by: tuple[OrderBy, ...]) -> SortKey:
    """Where a run stands among the results: the caller's columns, then start time (descending) and run id."""
    return [_column(run_value(run, clause.identifier)) for clause in order_by] + [
        run.info.start_time,
        run.info.run_id,
    ]


def experiment_sort_key(experiment: Experiment, order_by: tuple[OrderBy, ...]) -> SortKey:
    """Where an experiment stands among the results: the columns, then creation time (descending) and id."""
    return [_column(experiment_value(experiment, clause.identifier)) for clause in order_by] + [
        experiment.creation_time,
        experiment.experiment_id,
    ]


def compare_sort_keys(order_by: tuple[OrderBy, ...]) -> Callable[[SortKey, SortKey], int]:
    """A three-way comparison of the sort keys of one ordering, for :func:`functools.cmp_to_key`."""

    def compare(left: SortKey, right: SortKey) -> int:
        for clause, (left_rank, left_value), (right_rank, right_value) in zip(order_by, left, right, strict=False):
            if left_rank != right_rank:
                return -1 if left_rank < right_rank else 1
            if left_rank == PRESENT and left_value != right_value:
                return -1 if (left_value < right_value) == clause.ascending else 1
        left_time, left_id = left[-2:]
        right_time, right_id = right[-2:]
        if left_time != right_time:
            return -1 if left_time > right_time else 1
        return int(left_id > right_id) - int(left_id < right_id)

    return compare


def is_sort_key(position: list[Any], order_by: tuple[OrderBy, ...], times: Collection[str]) -> bool:
    """Whether a value can be a sort key of an ordering, whoever made it.

    :param times: the attributes that are integers; all others are text.
    """
    if len(position) != len(order_by) + 2:
        return False
    columns = all(
        _is_column(column, clause.identifier, times)
        for column, clause in zip(position[:-2], order_by, strict=True)
    )
    return columns and _is_int64(position[-2]) and _is_text(position[-1])


def is_point(position: list[Any]) -> bool:
    """Whether a value can be the step, timestamp and value of a point, whoever made it."""
    return (
        len(position) == 3 and _is_int64(position[0]) and _is_int64(position[1]) and isinstance(position[2], float)
    )


def _is_column(column: Any, identifier: Identifier, times: Collection[str]) -> bool:
    if not isinstance(column, list) or len(column) != 2 or type(column[0]) is not int:
        return False
    rank, value = column
    if rank != PRESENT:
        return rank in (NAN, MISSING) and value is None
    if identifier.entity is Entity.METRIC:
        return isinstance(value, float) and not math.isnan(value)
    if identifier.entity is Entity.ATTRIBUTE and identifier.key in times:
        return _is_int64(value)
    return _is_text(value)


def _is_int64(value: object) -> bool:
    return type(value) is int and limits.INT64_MIN <= value <= limits.INT64_MAX


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not re.search("[\0\ud800-\udfff]", value)


def metric_order(metric: Metric) -> tuple[int, int, int, float]:
    """The total order of a metric's points: step, timestamp, value, with NaN below every number.

    The latest point is the maximum; a history ascends.
    """
    if math.isnan(metric.value):
        return metric.step, metric.timestamp, 0, 0.0
    return metric.step, metric.timestamp, 1, metric.value


def run_value(run: Run, identifier: Identifier) -> Any:
    """The value that an identifier names on a run, or None where the run has none."""
    if identifier.entity is Entity.METRIC:
        metric = run.data.latest_metrics.get(identifier.key)
        return None if metric is None else metric.value
    if identifier.entity is Entity.PARAM:
        return run.data.params.get(identifier.key)
    if identifier.entity is Entity.TAG:
        return run.data.tags.get(identifier.key)
    value = getattr(run.info, identifier.key)
    return str(value) if identifier.key == "status" else value


def experiment_value(experiment: Experiment, identifier: Identifier) -> Any:
    """The value that an identifier names on an experiment, or None where the experiment has none."""
    if identifier.entity is Entity.TAG:
        return experiment.tags.get(identifier.key)
    return getattr(experiment, identifier.key)


def _column(value: Any) -> list[Any]:
    if value is None:
        return [MISSING, None]
    if isinstance(value, float) and math.isnan(value):
        return [NAN, None]
    return [PRESENT, value]
