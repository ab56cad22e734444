"""What a run logs, written in the transaction that holds the run's row."""

from __future__ import annotations

from collections.abc import Sequence

from trackspec.entities import RUN_NAME_TAG, Dataset, DatasetInput, Metric, Param, RunTag
from trackspec.errors import invalid
from trackspec_reference.tracking.sql import numbers
from trackspec_reference.tracking.sql import statements as sql
from trackspec_reference.tracking.sql.database import Session

PROFILE_PART_LENGTH = 1_000_000
"""How many characters of a dataset's profile go into one row."""

Place = tuple[int, int, int, float]
"""Step, timestamp, and the value's class and finite value: as tuples, points sort as a history does."""


def log_params(session: Session, run: int, params: Sequence[Param]) -> None:
    """Set params that have no value yet.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if one of them has another value.
    """
    keys = [param.key for param in params]
    stored = dict[str, str](session.rows_of(sql.PARAMS_OF_KEYS, keys, run))
    for param in params:
        if stored.get(param.key, param.value) != param.value:
            raise invalid(f"Param {param.key!r} has another value already; params are written once.")
    new = sorted((run, param.key, param.value) for param in params if param.key not in stored)
    session.change_many(sql.INSERT_PARAM, new)


def set_tags(session: Session, run: int, tags: Sequence[RunTag]) -> None:
    """Set tags, the last one of each key, and with the tag that mirrors it the run's name."""
    values = {tag.key: tag.value for tag in tags}
    session.change_many(sql.SET_TAG, sorted((run, key, value) for key, value in values.items()))
    if RUN_NAME_TAG in values:
        session.change(sql.RENAME_RUN, run, values[RUN_NAME_TAG])


def log_points(session: Session, run: int, metrics: Sequence[Metric]) -> None:
    """Add points that are not stored yet, and keep the latest of each metric."""
    # Reversed, so that of equal points the first one's dataset stays.
    datasets = {
        (metric.key, *place_of(metric)): (metric.dataset_name, metric.dataset_digest)
        for metric in reversed(metrics)
    }
    points = sorted(datasets)
    latest = {point[0]: point for point in points}
    stored = _stored_metrics(session, run, list(latest))
    if new := [key for key in latest if key not in stored]:
        session.change_many(sql.INSERT_METRIC, [(run, *latest[key], *datasets[latest[key]]) for key in new])
        stored |= _stored_metrics(session, run, new)
    later = [
        (stored[key][0], *point[1:], *datasets[point])
        for key, point in latest.items()
        if point[1:] > stored[key][1]
    ]
    session.change_many(sql.MAKE_LATEST, later)
    if any(name is not None for name, _ in datasets.values()):
        rows = [(stored[point[0]][0], *point[1:], *datasets[point]) for point in points]
        session.change_many(sql.INSERT_POINT_OF_DATASET, rows)
    else:
        session.change_many(sql.INSERT_POINT, [(stored[point[0]][0], *point[1:]) for point in points])


def place_of(metric: Metric) -> Place:
    """Where a point stands in the history of its metric."""
    return metric.step, metric.timestamp, *numbers.split(metric.value)


def _stored_metrics(session: Session, run: int, keys: Sequence[str]) -> dict[str, tuple[int, Place]]:
    """The row ids of those metrics that have any point, and the place of the latest one, by key."""
    rows = session.rows_of(sql.METRICS_OF_KEYS, keys, run)
    return {
        key: (row, (step, timestamp, value_class, value)) for key, row, step, timestamp, value_class, value in rows
    }


def log_inputs(session: Session, run: int, experiment: int, given: Sequence[DatasetInput]) -> None:
    """Record inputs in the given order. What is recorded of a dataset, or of the run's use of it, stays."""
    identities = {(item.dataset.name, item.dataset.digest): item.dataset for item in reversed(given)}
    # Sorted, because transactions that create the same rows in opposite orders would wait for each other.
    rows = {
        identity: _dataset_row(session, experiment, dataset)
        for identity, dataset in sorted(identities.items(), key=lambda pair: pair[0])
    }
    for item in given:
        dataset = rows[item.dataset.name, item.dataset.digest]
        if session.row(sql.INPUT_ROW, run, dataset) is None:
            row = session.insert(sql.INSERT_INPUT, run, dataset)
            tags = [(row, position, tag.key, tag.value) for position, tag in enumerate(item.tags)]
            session.change_many(sql.INSERT_INPUT_TAG, tags)


def _dataset_row(session: Session, experiment: int, dataset: Dataset) -> int:
    found = session.row(sql.DATASET_ROW, experiment, dataset.name, dataset.digest)
    if found is not None:
        return int(found[0])
    row = session.insert(
        sql.INSERT_DATASET,
        experiment,
        dataset.name,
        dataset.digest,
        dataset.source_type,
        dataset.source,
        dataset.schema,
    )
    if dataset.profile is not None:
        starts = range(0, max(len(dataset.profile), 1), PROFILE_PART_LENGTH)
        for part, start in enumerate(starts):
            text = dataset.profile[start : start + PROFILE_PART_LENGTH]
            session.change(sql.INSERT_DATASET_PROFILE, row, part, text)
    return row
