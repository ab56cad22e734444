"""Artifact repositories as subjects."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from trackspec import ArtifactRepository, TrackspecError
from trackspec.artifact_repository import REPOSITORIES
from trackspec.protocol.artifact_endpoints import ARTIFACTS
from trackspec_conformance.subjects.errors import SubjectError
from trackspec_conformance.subjects.opener import Opener
from trackspec_conformance.subjects.subject import Subject

ENDPOINT = "MLFLOW_S3_ENDPOINT_URL"
"""Names the endpoint of S3, before the SDK's own variables."""


def _by_uri(uri: str) -> Subject:
    return _reached(Subject(lambda: _open(uri), placed=_placed(uri)), uri, _open)


def _reached(subject: Subject, uri: str, open_uri: Callable[[str], Any]) -> Subject:
    """The subject as one that knows where it is reached, if it is behind a server or in S3."""
    before, found, _ = f"{uri}/".partition(f"{ARTIFACTS}/")
    if found and before.lower().startswith(("http:", "https:")):
        root = uri[len(before) :]
        return replace(subject, url=before, through=lambda url: open_uri(f"{url}{root}"))
    endpoints = (os.environ.get(name) for name in (ENDPOINT, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"))
    service = next((url for url in endpoints if url), None) if uri.lower().startswith("s3:") else None
    if service is None:
        return subject
    return replace(subject, service=service, through=lambda url: _at_endpoint(url, uri, open_uri))


def _at_endpoint(url: str, uri: str, open_uri: Callable[[str], Any]) -> Any:
    before = os.environ.get(ENDPOINT)
    os.environ[ENDPOINT] = url
    try:
        return open_uri(uri)
    finally:
        os.environ.pop(ENDPOINT)
        if before is not None:
            os.environ[ENDPOINT] = before


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

    subject = replace(mlflow_subject(uri), placed=_placed(uri, "mlflow+"))
    return _reached(subject, uri, lambda other: mlflow_subject(other).open())


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
