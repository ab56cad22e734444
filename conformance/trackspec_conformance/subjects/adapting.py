"""Turning what a factory returns into a tracking store."""

from __future__ import annotations

from typing import Any, cast

from trackspec import TrackingStore
from trackspec_conformance.subjects.errors import SubjectError


def is_mlflow_store(made: object) -> bool:
    """Whether an object is an MLflow tracking store, found out without importing MLflow."""
    return any(
        base.__module__ == "mlflow.store.tracking.abstract_store" and base.__name__ == "AbstractStore"
        for base in type(made).__mro__
    )


def as_store(made: Any) -> TrackingStore:
    """A factory's product as a tracking store.

    :param made: a :class:`TrackingStore`, any object with its methods, or an MLflow tracking store.
    :raises SubjectError: if it is none of these; the message names the methods that it lacks.
    """
    if is_mlflow_store(made):
        from trackspec_conformance.subjects.mlflow_store import MlflowTrackingStore  # noqa: PLC0415 - needs MLflow

        return MlflowTrackingStore(made)
    lacking = sorted(name for name in TrackingStore.__abstractmethods__ if not callable(getattr(made, name, None)))
    if lacking:
        raise SubjectError(
            f"the factory returned a {type(made).__name__}, no tracking store: it lacks {', '.join(lacking)}"
        )
    return cast(TrackingStore, made)
