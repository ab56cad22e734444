"""MLflow's artifact repositories, seen through the interface of the contract.

The adapter translates calls, entities and errors, and nothing else: it repairs, hides and invents nothing, so that
what a check finds is the repository's own.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from trackspec import ArtifactRepository, ErrorCode, FileInfo, TrackspecError, uris
from trackspec.artifact_repository import LocalPath
from trackspec_conformance.subjects.errors import SubjectError
from trackspec_conformance.subjects.mlflow_entities import mlflow_errors
from trackspec_conformance.subjects.mlflow_installed import (
    claiming_plugin,
    one_line,
    require_mlflow,
    without_password,
)
from trackspec_conformance.subjects.subject import Subject

_GROUP = "mlflow.artifact_repository"


class MlflowArtifactRepository(ArtifactRepository):
    """A repository over any instance of MLflow's ``ArtifactRepository``.

    :param open_uri: opens another one; the instance's own class where it is not given.
    :ivar adapted: the instance.
    """

    def __init__(
        self, repository: Any, uri: str | None = None, open_uri: Callable[[str], Any] | None = None
    ) -> None:
        self.adapted = repository
        self.artifact_uri = uri or repository.artifact_uri
        self._open_uri = open_uri or type(repository)

    def log_artifact(self, local_file: LocalPath, artifact_path: str | None = None) -> None:
        self._call("log_artifact", local_file, artifact_path)

    def log_artifacts(self, local_dir: LocalPath, artifact_path: str | None = None) -> None:
        self._call("log_artifacts", local_dir, artifact_path)

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        return [FileInfo(info.path, info.is_dir, info.file_size) for info in self._call("list_artifacts", path)]

    def download_artifacts(self, artifact_path: str, dst_path: LocalPath | None = None) -> str:
        local_path: str = self._call("download_artifacts", artifact_path, dst_path)
        return local_path

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        self._call("delete_artifacts", artifact_path)

    def opened_below(self, folder: str) -> MlflowArtifactRepository:
        """A repository of MLflow's whose root is a folder of this one's."""
        return self.opened_at(uris.join(self.artifact_uri, folder))

    def opened_at(self, uri: str) -> MlflowArtifactRepository:
        """The repository that MLflow opens for another URI."""
        return MlflowArtifactRepository(self._open_uri(uri), uri, self._open_uri)

    def _call(self, method: str, *args: Any) -> Any:
        with mlflow_errors():
            try:
                return getattr(self.adapted, method)(*args)
            except NotImplementedError as error:
                told = f"{type(self.adapted).__name__} has no {method}."
                raise TrackspecError(told, ErrorCode.NOT_IMPLEMENTED) from error


def mlflow_subject(uri: str) -> Subject:
    """The repository that MLflow opens for an artifact URI.

    :raises SubjectError: if MLflow is not installed, no repository of it claims the URI, or the plugin that does
        cannot be loaded.
    """
    if not uri:
        raise SubjectError("mlflow+ is followed by an artifact URI, such as mlflow+file:mlruns")
    require_mlflow()
    try:
        registry = import_module("mlflow.store.artifact.artifact_repository_registry")
        scheme = import_module("mlflow.utils.uri").get_uri_scheme(uri)
    except Exception as error:
        raise SubjectError(f"MLflow cannot be imported: {one_line(error)}") from error
    claiming_plugin(_GROUP, scheme)
    if scheme not in registry.get_registered_artifact_repositories():
        raise SubjectError(
            f"no repository of the installed MLflow claims the scheme {scheme!r} of {without_password(uri)}; "
            "is its plugin installed here?"
        )

    def open_uri(of: str) -> Any:
        return registry.get_artifact_repository(of)

    return Subject(lambda: _open(uri, open_uri))


def _open(uri: str, open_uri: Callable[[str], Any]) -> ArtifactRepository:
    try:
        return MlflowArtifactRepository(open_uri(uri), uri, open_uri)
    except Exception as error:
        raise SubjectError(f"MLflow cannot open {without_password(uri)}: {one_line(error)}") from error
