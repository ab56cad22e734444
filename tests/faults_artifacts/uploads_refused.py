"""Faults of uploading what is to be refused."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from trackspec import local_trees
from trackspec.artifact_paths import valid_path
from trackspec.errors import ErrorCode, TrackspecError
from trackspec.memory_repository import MemoryArtifactRepository

from . import fault


@fault("upload.missing-refused")
class AMissingFileIsAFailure(MemoryArtifactRepository):
    """A local file that does not exist is called a failure of the repository."""

    def log_artifact(self, local_file: Any, artifact_path: Any = None) -> None:
        if not Path(local_file).exists():
            raise TrackspecError("Something failed.", ErrorCode.INTERNAL_ERROR)
        super().log_artifact(local_file, artifact_path)


@fault("upload.missing-refused")
class AMissingFolderIsEmpty(MemoryArtifactRepository):
    """A local folder that does not exist is taken for one without files."""

    def log_artifacts(self, local_dir: Any, artifact_path: Any = None) -> None:
        if Path(local_dir).exists():
            super().log_artifacts(local_dir, artifact_path)


@fault("upload.kind-refused")
class AFolderIsLoggedAsSuch(MemoryArtifactRepository):
    """A local folder in the place of a file is logged as a folder."""

    def log_artifact(self, local_file: Any, artifact_path: Any = None) -> None:
        if Path(local_file).is_dir():
            self.log_artifacts(local_file, artifact_path)
        else:
            super().log_artifact(local_file, artifact_path)


@fault("upload.kind-refused")
class AFileIsAFolderOfNothing(MemoryArtifactRepository):
    """A local file in the place of a folder is taken for a folder without files."""

    def log_artifacts(self, local_dir: Any, artifact_path: Any = None) -> None:
        if not Path(local_dir).is_file():
            super().log_artifacts(local_dir, artifact_path)


@fault("upload.unreadable-refused")
class WhatCannotBeReadIsEmpty(MemoryArtifactRepository):
    """A local file that cannot be read is kept as one without content."""

    def _put_one(self, local_file: Path, path: str) -> None:
        try:
            super()._put_one(local_file, path)
        except TrackspecError:
            self._store(path, b"")


@fault("upload.unreadable-refused")
class FoldersAreLoggedAsFarAsTheyAreRead(MemoryArtifactRepository):
    """Of a local folder, the files that cannot be read are left out."""

    def log_artifacts(self, local_dir: Any, artifact_path: Any = None) -> None:
        for file, path in local_trees.uploaded_files(local_dir, valid_path(artifact_path)):
            with suppress(TrackspecError):
                local_trees.require_readable(file)
                self._put(file, path)


@fault("upload.unreadable-refused")
class RoomIsMadeFirst(MemoryArtifactRepository):
    """What is there is deleted before the local file that replaces it is read."""

    def _put_one(self, local_file: Path, path: str) -> None:
        if self._find(path) is not None:
            self._delete(path)
        super()._put_one(local_file, path)


@fault("upload.unreadable-refused")
class ReadingFailsLate(MemoryArtifactRepository):
    """A local file that cannot be read is refused, and its name is taken."""

    def _put_one(self, local_file: Path, path: str) -> None:
        if self._find(path) is None:
            self._store(path, b"")
            super()._put_one(local_file, path)
        else:
            super()._put_one(local_file, path)


@fault("upload.name-refused")
class NamesAreMadeFit(MemoryArtifactRepository):
    """What a local file's name may not have is dropped from it."""

    def log_artifact(self, local_file: Any, artifact_path: Any = None) -> None:
        try:
            super().log_artifact(local_file, artifact_path)
        except TrackspecError:
            if not Path(local_file).is_file():
                raise
            self._put(Path(local_file), f"{valid_path(artifact_path)}/fit".lstrip("/"))


@fault("upload.folder-judged-first")
class FilesAreJudgedOneByOne(MemoryArtifactRepository):
    """The files of a folder are stored up to the one that is refused."""

    def log_artifacts(self, local_dir: Any, artifact_path: Any = None) -> None:
        folder = valid_path(artifact_path)
        if Path(local_dir).is_dir():
            for path in sorted(Path(local_dir).iterdir()):
                if path.is_file():
                    self.log_artifact(path, folder)
        super().log_artifacts(local_dir, artifact_path)


@fault("upload.link-to-folder")
class LinkedFoldersAreLeftOut(MemoryArtifactRepository):
    """Symbolic links to folders are left out."""

    def _put_all(self, files: Any) -> None:
        super()._put_all([(file, path) for file, path in files if not file.parent.is_symlink()])


@fault("upload.link-to-nothing-refused")
class LinksToNothingAreEmpty(MemoryArtifactRepository):
    """A symbolic link that leads nowhere is logged as a file without content."""

    def log_artifact(self, local_file: Any, artifact_path: Any = None) -> None:
        link = Path(local_file)
        if link.is_symlink() and not link.exists():
            self._store(f"{valid_path(artifact_path)}/{link.name}", b"")
        else:
            super().log_artifact(local_file, artifact_path)


@fault("upload.link-to-nothing-refused")
class LinksToNothingAreLeftOut(MemoryArtifactRepository):
    """Symbolic links that lead nowhere are left out of folders."""

    def log_artifacts(self, local_dir: Any, artifact_path: Any = None) -> None:
        if any(path.is_symlink() and not path.exists() for path in Path(local_dir).iterdir()):
            for path in Path(local_dir).iterdir():
                if path.is_file():
                    self.log_artifact(path, artifact_path)
        else:
            super().log_artifacts(local_dir, artifact_path)


@fault("upload.circle-refused")
class CirclesAreCutOff(MemoryArtifactRepository):
    """A folder that contains itself is logged with what lies directly in it."""

    def log_artifacts(self, local_dir: Any, artifact_path: Any = None) -> None:
        try:
            super().log_artifacts(local_dir, artifact_path)
        except TrackspecError as error:
            if "contains itself" not in error.message:
                raise


@fault("upload.no-file-refused")
class PipesAreLeftOut(MemoryArtifactRepository):
    """What is neither a file nor a folder is left out of folders."""

    def log_artifacts(self, local_dir: Any, artifact_path: Any = None) -> None:
        try:
            super().log_artifacts(local_dir, artifact_path)
        except TrackspecError as error:
            if "neither a file" not in error.message or any(
                path.is_symlink() for path in Path(local_dir).iterdir()
            ):
                raise
