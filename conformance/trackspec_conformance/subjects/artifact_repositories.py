"""Artifact repositories as subjects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from trackspec import ArtifactRepository, TrackspecError
from trackspec.artifact_repository import REPOSITORIES
from trackspec.protocol.artifact_endpoints import ARTIFACTS
from trackspec_conformance.subjects.errors import SubjectError
from trackspec_conformance.subjects.opener import Opener
from trackspec_conformance.subjects.subject import Subject


def _by_uri(uri: str) -> Subject:
    before, found, _ = f"{uri}/".partition(f"{ARTIFACTS}/")
    is_server = found and before.lower().startswith(("http:", "https:"))
    return Subject(lambda: _open(uri), url=before if is_server else None, placed=_placed(uri))


def _placed(uri: str, prefix: str = "") -> Callable[[str], str] | None:
    """What puts a repository of the URI's kind into a directory."""
    local = uri.lower().startswith("file:") or ":" not in uri
    return (lambda directory: f"{prefix}file:{directory}/artifacts") if local else None


def _open(uri: str) -> ArtifactRepository:
    try:
        return ArtifactRepository.from_artifact_uri(uri)
    except TrackspecError as error:
        raise SubjectError(error.message) from error


def _by_mlflow(uri: str) -> Subject:
    from trackspec_conformance.subjects.mlflow_repository import mlflow_subject  # noqa: PLC0415 - needs MLflow

    return replace(mlflow_subject(uri), placed=_placed(uri, "mlflow+"))


def _adapted(repository: Any) -> ArtifactRepository:
    from trackspec_conformance.subjects.mlflow_repository import (  # noqa: PLC0415 - needs MLflow
        MlflowArtifactRepository,
    )

    return MlflowArtifactRepository(repository)


ARTIFACT_REPOSITORIES = Opener(
    interface="artifacts",
    noun="artifact repository",
    contract=ArtifactRepository,
    schemes=REPOSITORIES.schemes,
    by_uri=_by_uri,
    by_mlflow=_by_mlflow,
    mlflow_class=("mlflow.store.artifact.artifact_repo", "ArtifactRepository"),
    adapter=_adapted,
)
