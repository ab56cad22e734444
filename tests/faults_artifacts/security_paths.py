"""Faults of security: paths that lead out of the root."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Any

from trackspec.entities import FileInfo
from trackspec.errors import ErrorCode, TrackspecError
from trackspec.memory_repository import MemoryArtifactRepository

from . import fault

_UP = "\ue000"
"""Stands for a parent segment on the way past those who judge paths."""


class Unconfined(MemoryArtifactRepository):
    """A repository in which parent segments can lead out of the root."""

    def _key(self, path: str) -> str:
        if _UP not in path:
            return super()._key(path)
        return posixpath.normpath(posixpath.join("/", self._root, path.replace(_UP, "..")))[1:]

    def _unjudged(self, path: Any) -> Any:
        return path.replace("..", _UP) if isinstance(path, str) and path.startswith("..") else path


@fault("confined.artifact-read")
class ParentsAreListed(Unconfined):
    """A parent segment at the start of a path that is listed leads to the folder above."""

    def list_artifacts(self, path: Any = None) -> list[FileInfo]:
        return super().list_artifacts(self._unjudged(path))


@fault("confined.artifact-read")
class ParentsAreDownloaded(Unconfined):
    """A parent segment at the start of a path that is downloaded leads to the folder above."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        return super().download_artifacts(self._unjudged(artifact_path), dst_path)


@fault("confined.artifact-read")
class FilesOfThisMachineAreDownloaded(MemoryArtifactRepository):
    """An absolute path is one of this machine."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        place = str(artifact_path).removeprefix("file://")
        if place.startswith("/") and "\0" not in place and Path(place).is_file():
            copy = Path(dst_path, "copy")
            copy.write_bytes(Path(place).read_bytes())
            return str(copy)
        return super().download_artifacts(artifact_path, dst_path)


@fault("confined.artifact-written")
class ParentsAreWritten(Unconfined):
    """A parent segment at the start of a path that is logged to leads to the folder above."""

    def log_artifacts(self, local_dir: Any, artifact_path: Any = None) -> None:
        super().log_artifacts(local_dir, self._unjudged(artifact_path))


@fault("confined.artifact-deleted")
class ParentsAreDeleted(Unconfined):
    """A parent segment at the start of a path that is deleted leads to the folder above."""

    def delete_artifacts(self, artifact_path: Any = None) -> None:
        super().delete_artifacts(self._unjudged(artifact_path))


@fault("confined.artifact-deleted")
class TheBeginningOfANameIsDeleted(MemoryArtifactRepository):
    """Deleting the root deletes all whose path begins like it."""

    def _delete(self, path: str) -> None:
        if not path:
            Beginning(f"memory:{self._root}").remove()
        super()._delete(path)


class Beginning(MemoryArtifactRepository):
    """What begins with the path of a repository."""

    def remove(self) -> None:
        """Delete it."""
        above = MemoryArtifactRepository(f"memory:{posixpath.dirname(self._root)}")
        for found in above.list_artifacts():
            if found.path.startswith(posixpath.basename(self._root)):
                above.delete_artifacts(found.path)


@fault("confined.artifact-error")
class LongPathsAreFailures(MemoryArtifactRepository):
    """A path that is too long is a failure of the repository."""

    def list_artifacts(self, path: Any = None) -> list[FileInfo]:
        if len(path or "") > 1000:
            raise TrackspecError("File name too long.", ErrorCode.INTERNAL_ERROR)
        return super().list_artifacts(path)


@fault("confined.artifact-error")
class OddPathsAreErrorsOfPython(MemoryArtifactRepository):
    """A path with NUL raises what Python raises."""

    def log_artifact(self, local_file: Any, artifact_path: Any = None) -> None:
        if "\0" in (artifact_path or ""):
            raise ValueError("embedded null byte")
        super().log_artifact(local_file, artifact_path)
