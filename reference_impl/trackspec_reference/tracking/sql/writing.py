"""What a run logs, written in the transaction that holds the run's row."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from trackspec.entities import RUN_NAME_TAG, Dataset, DatasetInput, Metric, Param, RunTag
from trackspec.errors import invalid
from trackspec_reference.tracking.sql import numbers
from trackspec_reference.tracking.sql import statements as sql
from trackspec_reference.tracking.sql.database import Session

PROFILE_PART_LENGTH = 1_000_000
"""How many characters of a dataset's profile go into one row."""

Order = tuple[int, int, int, float]
"""Step, timestamp, and the value's class and finite value: as tuples, points sort as a history does."""

Point = tuple[int, int, int, float, str | None, str | None]
"""A point as it is stored: its place in the order, and the name and digest of its dataset."""


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
    points = [(metric.key, point_of(metric)) for metric in metrics]
    latest: dict[str, Point] = {}
    for key, point in points:
        if key not in latest or point[:4] > latest[key][:4]:
            latest[key] = point
    keys = sorted(latest)
    stored = _stored_metrics(session, run, keys)
    if new := [key for key in keys if key not in stored]:
        session.change_many(sql.INSERT_METRIC, [(run, key, *latest[key]) for key in new])
        stored |= _stored_metrics(session, run, new)
    later = [(stored[key][0], *point) for key, point in latest.items() if point[:4] > stored[key][1]]
    session.change_many(sql.MAKE_LATEST, later)
    # Sorted by the order alone, so that of equal points the first stays, with its dataset.
    rows = sorted(((stored[key][0], *point) for key, point in points), key=itemgetter(0, 1, 2, 3, 4))
    session.change_many(sql.INSERT_POINT, rows)


def point_of(metric: Metric) -> Point:
    """A metric as it is stored."""
    value_class, value = numbers.split(metric.value)
    return metric.step, metric.timestamp, value_class, value, metric.dataset_name, metric.dataset_digest


def _stored_metrics(session: Session, run: int, keys: Sequence[str]) -> dict[str, tuple[int, Order]]:
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
