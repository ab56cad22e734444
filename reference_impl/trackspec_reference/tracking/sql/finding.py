"""Finding what a call is about, and where it writes, locking it."""

from __future__ import annotations

from trackspec.entities import LifecycleStage
from trackspec.errors import ErrorCode, TrackspecError, invalid, key_of_another, missing
from trackspec_reference.tracking.sql import statements as sql
from trackspec_reference.tracking.sql.database import Session


def is_storable(experiment_id: str) -> bool:
    """Whether an id may be asked for: some drivers refuse what no id of a store holds."""
    return experiment_id.isascii() and "\0" not in experiment_id


def made_by(session: Session, kind: str, key: str, asked: str) -> str | None:
    """The id of what an idempotency key has made, if it has made anything."""
    found = session.row(sql.KEY, kind, key)
    if found is None:
        return None
    made, asked_then = found
    if asked_then != asked:
        raise key_of_another(kind)
    return str(made)


def require_free_name(session: Session, name: str) -> None:
    """Refuse a name that an experiment has."""
    if session.row(sql.EXPERIMENT_ROW_BY_NAME, name) is not None:
        raise TrackspecError(f"An experiment named {name!r} exists.", ErrorCode.RESOURCE_ALREADY_EXISTS)


def lock_experiment(session: Session, experiment_id: str) -> tuple[int, str, str]:
    """Row, stage and name of an experiment; until the end of the transaction nobody else changes it."""
    found = session.row(sql.LOCK_EXPERIMENT, experiment_id)
    if found is None:
        raise missing("experiment", experiment_id)
    row, stage, name = found
    return row, stage, name


def lock_active_experiment(session: Session, experiment_id: str) -> int:
    """The row of an active experiment, locked."""
    row, stage, _ = lock_experiment(session, experiment_id)
    if stage != LifecycleStage.ACTIVE.value:
        raise invalid(f"Experiment {experiment_id!r} is deleted.")
    return row


def run_row(session: Session, run_id: str) -> int:
    """The row of a run."""
    found = session.row(sql.RUN_ROW, run_id)
    if found is None:
        raise missing("run", run_id)
    return int(found[0])


def lock_active_run(session: Session, run_id: str) -> tuple[int, int]:
    """The rows of a run and its experiment; until the end of the transaction nobody else writes to the run."""
    found = session.row(sql.LOCK_RUN, run_id)
    if found is None:
        raise missing("run", run_id)
    row, stage, experiment = found
    if stage != LifecycleStage.ACTIVE.value:
        raise invalid(f"Run {run_id!r} is deleted.")
    return row, experiment
