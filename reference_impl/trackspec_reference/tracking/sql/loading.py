"""From rows to entities. Whole pages are read with one statement a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from trackspec.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    LifecycleStage,
    Metric,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
)
from trackspec_reference.tracking.sql import numbers
from trackspec_reference.tracking.sql import statements as sql
from trackspec_reference.tracking.sql.database import Row, Session
from trackspec_reference.tracking.sql.dialect import Fault

T = TypeVar("T")

_STAGES = {stage.value: stage for stage in LifecycleStage}
_STATUSES = {status.value: status for status in RunStatus}


def load_experiments(session: Session, rows: Sequence[int]) -> list[Experiment]:
    """The experiments of these row ids, in their order.

    :raises TrackspecError: DATA_LOSS if what is stored for one of them is none.
    """
    tags: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for owner, key, value in session.rows_of(sql.EXPERIMENT_TAGS, rows):
        tags[owner][key] = value
    found = {row[0]: row for row in session.rows_of(sql.EXPERIMENTS, rows)}
    try:
        return [_experiment(found[row], tags[row]) for row in rows]
    except KeyError:
        raise Fault.DAMAGED.error() from None


def load_runs(session: Session, rows: Sequence[int]) -> list[Run]:
    """The runs of these row ids, whole, in their order.

    :raises TrackspecError: DATA_LOSS if what is stored for one of them is none.
    """
    found = {row[0]: row for row in session.rows_of(sql.RUNS, rows)}
    params: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for run, key, value in session.rows_of(sql.PARAMS, rows):
        params[run][key] = value
    tags: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for run, key, value in session.rows_of(sql.RUN_TAGS, rows):
        tags[run][key] = value
    metrics: defaultdict[int, dict[str, Metric]] = defaultdict(dict)
    try:
        for run, key, *point in session.rows_of(sql.LATEST_METRICS, rows):
            metrics[run][key] = _metric(found[run][1], key, *point)
        inputs = _load_inputs(session, rows)
        return [
            Run(
                _run_info(found[row]),
                RunData(metrics[row], params[row], tags[row]),
                RunInputs(tuple(inputs[row])),
            )
            for row in rows
        ]
    except KeyError:
        raise Fault.DAMAGED.error() from None


def load_run_info(session: Session, row: int) -> RunInfo:
    """The info of the run of a row id.

    :raises TrackspecError: DATA_LOSS if what is stored for it is none.
    """
    try:
        (found,) = session.rows_of(sql.RUNS, [row])
        return _run_info(found)
    except (KeyError, ValueError):
        raise Fault.DAMAGED.error() from None


def _run_info(row: Row) -> RunInfo:
    _, run_id, name, experiment_id, user_id, status, start_time, end_time, stage, artifact_uri = row
    return RunInfo(
        run_id,
        name,
        experiment_id,
        user_id,
        _STATUSES[status],
        start_time,
        end_time,
        _STAGES[stage],
        artifact_uri,
    )


def _experiment(row: Row, tags: dict[str, str]) -> Experiment:
    _, experiment_id, name, location, stage, created, updated = row
    return Experiment(experiment_id, name, location, _STAGES[stage], created, updated, tags)


def _load_inputs(session: Session, rows: Sequence[int]) -> defaultdict[int, list[DatasetInput]]:
    by_run: defaultdict[int, list[DatasetInput]] = defaultdict(list)
    used = list(session.rows_of(sql.INPUTS, rows))
    if not used:
        return by_run
    tags: defaultdict[int, list[InputTag]] = defaultdict(list)
    for owner, key, value in session.rows_of(sql.INPUT_TAGS, [row for _, row, _ in used]):
        tags[owner].append(InputTag(key, value))
    datasets = _load_datasets(session, sorted({dataset for _, _, dataset in used}))
    for run, row, dataset in used:
        by_run[run].append(DatasetInput(datasets[dataset], tuple(tags[row])))
    return by_run


def _load_datasets(session: Session, rows: Sequence[int]) -> dict[int, Dataset]:
    profiles: defaultdict[int, list[str]] = defaultdict(list)
    for dataset, text in session.rows_of(sql.DATASET_PROFILES, rows):
        profiles[dataset].append(text)
    return {
        row: Dataset(
            name, digest, source_type, source, schema, "".join(profiles[row]) if row in profiles else None
        )
        for row, name, digest, source_type, source, schema in session.rows_of(sql.DATASETS, rows)
    }


def load_points(session: Session, run_id: str, key: str, select: sa.Select[Any]) -> list[Metric]:
    """The points of a run's metric that a select selects.

    :raises TrackspecError: DATA_LOSS if the value of one of them is none.
    """
    try:
        return [_metric(run_id, key, *point) for point in session.select(select)]
    except KeyError:
        raise Fault.DAMAGED.error() from None


def _metric(
    run_id: str,
    key: str,
    step: int,
    timestamp: int,
    value_class: int,
    value: float,
    dataset_name: str | None,
    dataset_digest: str | None,
) -> Metric:
    return Metric(key, numbers.join(value_class, value), timestamp, step, run_id, dataset_name, dataset_digest)


def page(
    session: Session,
    select: sa.Select[Any],
    limit: int,
    load: Callable[[Session, Sequence[int]], list[T]],
) -> list[T]:
    """The first ``limit`` entities of those whose row ids ``select`` selects.

    One that is damaged is left out, so that it does not hide the others.

    :raises TrackspecError: DATA_LOSS if none of many can be read.
    """
    found: list[T] = []
    passed = 0
    while len(found) < limit:
        wanted = limit - len(found)
        rows = [row for (row,) in session.select(select.limit(wanted).offset(passed or None))]
        readable = _readable(session, rows, load)
        if rows and not readable:
            raise Fault.DAMAGED.error()
        found += readable
        passed += len(rows)
        if len(rows) < wanted:
            break
    return found


def _readable(session: Session, rows: Sequence[int], load: Callable[[Session, Sequence[int]], list[T]]) -> list[T]:
    try:
        return load(session, rows)
    except Exception as error:
        if not session.is_damage(error):
            raise
    if len(rows) == 1:
        return []
    middle = len(rows) // 2
    return _readable(session, rows[:middle], load) + _readable(session, rows[middle:], load)
