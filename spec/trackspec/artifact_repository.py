"""The interface of an artifact repository.

Method and field names are MLflow's. What each call promises is written in the chapters of the specification; the
docstrings name no more than the gist. Every method raises :class:`~trackspec.errors.TrackspecError` and nothing
else: INVALID_PARAMETER_VALUE for a path that breaks the rules of :mod:`trackspec.artifact_paths`, or for a local
file or folder that cannot be read, before anything is transferred.
"""

from __future__ import annotations

import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import BinaryIO, TypeAlias

from trackspec.artifact_paths import file_path, valid_path
from trackspec.claims import Claims
from trackspec.entities import FileInfo
from trackspec.errors import ErrorCode, TrackspecError, missing
from trackspec.parts import NO_PARTS, PartsUpload, UploadedPart

LocalPath: TypeAlias = "str | os.PathLike[str]"

REPOSITORIES = Claims(
    "trackspec.artifact_repositories",
    "artifact repository",
    {
        "s3": "s3",
        "gs": "gcs",
        "wasbs": "azure",
        "sftp": "sftp",
        "dbfs": "databricks",
        "hdfs": "hdfs",
        "http": "rest",
        "https": "rest",
        "mlflow-artifacts": "rest",
        "runs": "rest",
    },
)
"""The classes of artifact repositories."""


class ArtifactRepository(ABC):
    """Keeps the files below one URI, such as those of a run.

    A repository is constructed from that URI and nothing else; it finds its own credentials. It may be used by
    several threads at once, and is closed when done with.

    :ivar artifact_uri: the URI that it was constructed from.
    """

    artifact_uri: str

    @staticmethod
    def from_artifact_uri(artifact_uri: str) -> ArtifactRepository:
        """Open the repository that claims the URI's scheme; a URI without a scheme is a path.

        :raises TrackspecError: INVALID_PARAMETER_VALUE if no installed repository claims the scheme, several do,
            or the one that does cannot be imported; otherwise whatever its constructor raises.
        """
        repository = REPOSITORIES.class_for(artifact_uri)(artifact_uri)
        assert isinstance(repository, ArtifactRepository)
        return repository

    @abstractmethod
    def log_artifact(self, local_file: LocalPath, artifact_path: str | None = None) -> None:
        """Store a local file under its own name in the folder ``artifact_path``, replacing what had that name.

        :raises TrackspecError: INVALID_PARAMETER_VALUE if there is no such local file.
        """

    @abstractmethod
    def log_artifacts(self, local_dir: LocalPath, artifact_path: str | None = None) -> None:
        """Store all files below a local folder under their relative paths in the folder ``artifact_path``.

        :raises TrackspecError: INVALID_PARAMETER_VALUE if there is no such local folder, or if something in it
            cannot be stored; then nothing of it is.
        """

    @abstractmethod
    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """Return the files and folders directly in the folder ``path``, by path; none if it is no folder."""

    @abstractmethod
    def download_artifacts(self, artifact_path: str, dst_path: LocalPath | None = None) -> str:
        """Copy a file, or a folder with all below it, into ``dst_path`` and return where it is, as absolute path.

        It lies there under its whole artifact path. Without ``dst_path`` it is put into a new temporary folder.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is no such artifact.
        """

    @abstractmethod
    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        """Delete a file, or a folder with all below it; what does not exist is deleted already."""

    # -- what a server needs that hands artifacts on ----------------------------------------------------------

    def open_artifact(self, artifact_path: str) -> BinaryIO:
        """Open a file for reading, from its start to its end; it can be sought in.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is no such file.
        """
        path = valid_path(artifact_path)
        with tempfile.TemporaryDirectory(prefix="trackspec-") as folder:
            copy = self.download_artifacts(path, folder)
            if not os.path.isfile(copy):
                raise missing("file", path)
            return open(copy, "rb")

    @contextmanager
    def receive_artifact(self, artifact_path: str) -> Iterator[BinaryIO]:
        """Give a file to write to, which is stored under a path, whole, when the block ends without an error."""
        folder, _, name = valid_path(artifact_path).rpartition("/")
        file_path(name, folder)
        with tempfile.TemporaryDirectory(prefix="trackspec-") as temporary:
            received = os.path.join(temporary, name)
            with open(received, "xb") as written:
                yield written
            self.log_artifact(received, folder)

    def begin_parts(self, artifact_path: str, count: int) -> PartsUpload:  # noqa: ARG002 - most storages cannot
        """Begin an upload whose parts go to the storage itself, without credentials of its own; optional.

        :raises TrackspecError: NOT_IMPLEMENTED if the storage has no such uploads.
        """
        raise TrackspecError(f"{NO_PARTS}.", ErrorCode.NOT_IMPLEMENTED)

    def complete_parts(self, artifact_path: str, upload_id: str, parts: Sequence[UploadedPart]) -> None:  # noqa: ARG002
        """Make a file of the parts of such an upload; until then it is not seen."""
        raise TrackspecError(f"{NO_PARTS}.", ErrorCode.NOT_IMPLEMENTED)

    def abort_parts(self, artifact_path: str, upload_id: str) -> None:  # noqa: ARG002
        """Throw the parts of such an upload away."""
        raise TrackspecError(f"{NO_PARTS}.", ErrorCode.NOT_IMPLEMENTED)

    def close(self) -> None:
        """Give back connections and threads. What was acknowledged stays; the object is not used again."""
        return

    def __enter__(self) -> ArtifactRepository:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
