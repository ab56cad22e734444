"""The adapter of MLflow's artifact repositories translates, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from trackspec import ErrorCode, FileInfo, TrackspecError
from trackspec_conformance.subjects import SubjectError, open_subject

pytest.importorskip("mlflow", reason="MLflow is not installed: it lives in an environment of its own")
import mlflow.entities
import mlflow.protos.databricks_pb2 as codes
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from trackspec_conformance.subjects.mlflow_repository import MlflowArtifactRepository


class Spy:
    """An MLflow repository that notes what it is called with, and answers or raises what it is told to."""

    artifact_uri = "spy:"

    def __init__(self, answer: object = None) -> None:
        self.answer = answer
        self.calls: list[tuple[object, ...]] = []

    def __getattr__(self, method: str) -> Callable[..., object]:
        def call(*args: object) -> object:
            self.calls.append((method, *args))
            if isinstance(self.answer, BaseException):
                raise self.answer
            return self.answer

        return call


@pytest.mark.parametrize("bad", [None, 5, b"x", "../a", "a\0b"])
def test_arguments_reach_the_repository_as_they_are(bad: object) -> None:
    """A bad argument is the repository's to judge."""
    spy = Spy([])
    adapted = MlflowArtifactRepository(spy)

    adapted.log_artifact(bad, bad)  # type: ignore[arg-type]
    adapted.log_artifacts(bad, bad)  # type: ignore[arg-type]
    adapted.list_artifacts(bad)  # type: ignore[arg-type]
    adapted.download_artifacts(bad, bad)  # type: ignore[arg-type]
    adapted.delete_artifacts(bad)  # type: ignore[arg-type]

    assert spy.calls == [
        ("log_artifact", bad, bad),
        ("log_artifacts", bad, bad),
        ("list_artifacts", bad),
        ("download_artifacts", bad, bad),
        ("delete_artifacts", bad),
    ]


def test_a_listing_is_translated_entry_by_entry() -> None:
    """No entry is judged, left out or put in order."""
    listed = [mlflow.entities.FileInfo("../b", False, 5), mlflow.entities.FileInfo("a", True, None)]

    found = MlflowArtifactRepository(Spy(listed)).list_artifacts("x")

    assert found == [FileInfo("../b", False, 5), FileInfo("a", True, None)]


def test_errors_keep_their_codes() -> None:
    """MLflow's errors keep their codes, a missing method is not implemented, any other error stays."""
    for error, code in (
        (MlflowException("no", error_code=codes.RESOURCE_DOES_NOT_EXIST), ErrorCode.RESOURCE_DOES_NOT_EXIST),
        (NotImplementedError(), ErrorCode.NOT_IMPLEMENTED),
    ):
        with pytest.raises(TrackspecError) as raised:
            MlflowArtifactRepository(Spy(error)).delete_artifacts("a")
        assert raised.value.error_code is code
    with pytest.raises(IsADirectoryError):
        MlflowArtifactRepository(Spy(IsADirectoryError())).delete_artifacts("a")


def test_mlflow_opens_the_repository_of_a_uri(tmp_path: Path) -> None:
    """The class is MLflow's own, and a folder of it is opened through MLflow again."""
    subject = open_subject(f"mlflow+file:{tmp_path}/root", "artifacts")
    repository = subject.open()
    (tmp_path / "a").write_bytes(b"1")

    repository.opened_below("below").log_artifact(str(tmp_path / "a"))

    assert type(repository.adapted) is LocalArtifactRepository
    assert repository.list_artifacts("below") == [FileInfo("below/a", False, 1)]
    assert subject.profiles is not None
    assert "artifacts" in subject.profiles


def test_an_instance_of_mlflows_is_adapted(tmp_path: Path) -> None:
    """A factory may return a repository that is written for MLflow."""
    from trackspec_conformance.subjects.artifact_repositories import (  # noqa: PLC0415 - as a worker imports it
        ARTIFACT_REPOSITORIES,
    )

    adapted = ARTIFACT_REPOSITORIES.adapt(LocalArtifactRepository(f"file:{tmp_path}"))

    assert isinstance(adapted, MlflowArtifactRepository)
    assert adapted.artifact_uri == f"file:{tmp_path}"


@pytest.mark.parametrize(
    ("uri", "says"), [("", "followed by an artifact URI"), ("gopher://u:hunter2@h/a", "gopher")]
)
def test_what_cannot_be_opened_is_told_in_one_line(uri: str, says: str) -> None:
    """The line holds no password."""
    with pytest.raises(SubjectError, match=says) as told:
        open_subject(f"mlflow+{uri}", "artifacts").open()

    assert "hunter2" not in str(told.value)
    assert "\n" not in str(told.value)
