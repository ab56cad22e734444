"""Faults of uploading."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from trackspec import local_trees
from trackspec.artifact_paths import parent_of, valid_path
from trackspec.errors import ErrorCode, TrackspecError
from trackspec.memory_repository import MemoryArtifactRepository

from . import fault


@fault("upload.file")
class FilesAreInTheRoot(MemoryArtifactRepository):
    """A file that is logged to a folder lies in the root."""

    def log_artifact(self, local_file: Any, artifact_path: Any = None) -> None:
        valid_path(artifact_path)
        super().log_artifact(local_file)


@fault("upload.file")
class TheFolderIsTheName(MemoryArtifactRepository):
    """The path of the folder is taken for that of the file."""

    def log_artifact(self, local_file: Any, artifact_path: Any = None) -> None:
        if artifact_path:
            self._put(Path(local_file), valid_path(artifact_path))
        else:
            super().log_artifact(local_file)


@fault("upload.overwrite")
class TheFirstContentStays(MemoryArtifactRepository):
    """A file that is there is not replaced."""

    def _store(self, path: str, content: bytes) -> None:
        if self._find(path) is None:
            super()._store(path, content)


@fault("upload.overwrite")
class TheEndOfALongerFileStays(MemoryArtifactRepository):
    """A file that replaces a longer one is written over its beginning."""

    def _store(self, path: str, content: bytes) -> None:
        super()._store(path, content + self._content(path)[len(content) :])

    def _content(self, path: str) -> bytes:
        from trackspec import memory_repository  # noqa: PLC0415 - the model's own files

        return memory_repository._FILES.get(self._key(path), b"")


@fault("upload.overwrite")
class FilesOfOneSizeAreTheSame(MemoryArtifactRepository):
    """A file of the size that is there already is not transferred."""

    def _store(self, path: str, content: bytes) -> None:
        found = self._find(path)
        if found is None or found.file_size != len(content):
            super()._store(path, content)


@fault("upload.overwrite")
class OlderFilesAreLeftOut(MemoryArtifactRepository):
    """A file that is as long as what is there, and was changed before that was logged, is not transferred."""

    def __init__(self, artifact_uri: str = "memory:") -> None:
        super().__init__(artifact_uri)
        self._times: dict[str, float] = {}

    def _put(self, local_file: Path, path: str) -> None:
        status, found = local_file.stat(), self._find(path)
        if not found or found.file_size != status.st_size or status.st_mtime > self._times.get(path, 0):
            super()._put(local_file, path)
            self._times[path] = time.time()


@fault("upload.source-stays")
class LocalFilesAreReadOnly(MemoryArtifactRepository):
    """Nobody may write to a local file any more once it was logged."""

    def _put(self, local_file: Path, path: str) -> None:
        super()._put(local_file, path)
        local_file.chmod(0o444)


@fault("upload.source-stays")
class LocalFilesAreMoved(MemoryArtifactRepository):
    """A local file is gone once it was logged."""

    def log_artifact(self, local_file: Any, artifact_path: Any = None) -> None:
        super().log_artifact(local_file, artifact_path)
        os.unlink(local_file)


@fault("upload.source-stays")
class LocalFilesAreTheArtifacts(MemoryArtifactRepository):
    """A file is read anew from where it was logged from."""

    def __init__(self, artifact_uri: str = "memory:") -> None:
        super().__init__(artifact_uri)
        self._sources: dict[str, Path] = {}

    def _put(self, local_file: Path, path: str) -> None:
        super()._put(local_file, path)
        self._sources[path] = local_file

    def _get(self, path: str, local_file: Path) -> None:
        super()._get(path, local_file)
        with suppress(OSError, KeyError):
            local_file.write_bytes(self._sources[path].read_bytes())

    def _find(self, path: str) -> Any:
        return super()._find(path)


@fault("upload.folder")
class FoldersAreFlattened(MemoryArtifactRepository):
    """All files below a local folder lie in one folder."""

    def log_artifacts(self, local_dir: Any, artifact_path: Any = None) -> None:
        folder = valid_path(artifact_path)
        super().log_artifacts(local_dir, artifact_path)
        for info in list(self._files_below(folder)):
            for path in Path(local_dir).rglob("*"):
                if path.is_file() and "/" in str(path.relative_to(local_dir)):
                    inner = f"{folder}/{path.relative_to(local_dir)}".lstrip("/")
                    if inner == info.path:
                        self._delete(inner)
                        self._put(path, f"{folder}/{path.name}".lstrip("/"))


@fault("upload.folder")
class RubbishIsLeftOut(MemoryArtifactRepository):
    """Of a local folder, what looks like a file for a while is left out."""

    def log_artifacts(self, local_dir: Any, artifact_path: Any = None) -> None:
        for file, path in local_trees.uploaded_files(local_dir, valid_path(artifact_path)):
            if not path.endswith((".tmp", ".pyc")):
                self._put_one(file, path)


@fault("upload.folder")
class OneLevelIsLogged(MemoryArtifactRepository):
    """What lies deeper than two folders is left out."""

    def _put_all(self, files: Any) -> None:
        shallow = min((path.count("/") for _, path in files), default=0) + 2
        super()._put_all([(file, path) for file, path in files if path.count("/") < shallow + 1])


@fault("upload.folder")
class TheLocalFolderIsKept(MemoryArtifactRepository):
    """The files of a local folder lie in a folder of its name."""

    def log_artifacts(self, local_dir: Any, artifact_path: Any = None) -> None:
        folder = f"{valid_path(artifact_path)}/{Path(local_dir).name}".lstrip("/")
        super().log_artifacts(local_dir, folder)


@fault("upload.hidden-files")
class HiddenFilesAreLeftOut(MemoryArtifactRepository):
    """Files whose names begin with a full stop are left out of folders."""

    def _put_all(self, files: Any) -> None:
        super()._put_all([(file, path) for file, path in files if not file.name.startswith(".")])


@fault("upload.hidden-files")
class HiddenFoldersAreLeftOut(MemoryArtifactRepository):
    """Folders whose names begin with a full stop are left out of folders."""

    def _put_all(self, files: Any) -> None:
        super()._put_all([(file, path) for file, path in files if "/." not in parent_of(path)])


@fault("upload.folder-merges")
class FoldersAreReplaced(MemoryArtifactRepository):
    """What lay in a folder is gone once a local folder was logged to it."""

    def log_artifacts(self, local_dir: Any, artifact_path: Any = None) -> None:
        if valid_path(artifact_path) and any(Path(local_dir).rglob("*")):
            self._delete(artifact_path)
        super().log_artifacts(local_dir, artifact_path)


@fault("upload.folder-merges")
class MergingKeepsWhatIsThere(MemoryArtifactRepository):
    """Logging a folder leaves the files that are there as they are."""

    def log_artifacts(self, local_dir: Any, artifact_path: Any = None) -> None:
        self._merging = True
        super().log_artifacts(local_dir, artifact_path)
        self._merging = False

    _merging = False

    def _store(self, path: str, content: bytes) -> None:
        if not (self._merging and self._find(path)):
            super()._store(path, content)


@fault("upload.folder-of-nothing")
class NothingCannotBeLogged(MemoryArtifactRepository):
    """A local folder without files is refused."""

    def _put_all(self, files: Any) -> None:
        if not files:
            raise TrackspecError("There is nothing to log.", ErrorCode.INVALID_PARAMETER_VALUE)
        super()._put_all(files)


@fault("upload.folder-of-nothing")
class FoldersAreMarkedByFiles(MemoryArtifactRepository):
    """An empty folder is kept as a file of its own."""

    def log_artifacts(self, local_dir: Any, artifact_path: Any = None) -> None:
        super().log_artifacts(local_dir, artifact_path)
        if not any(path.is_file() for path in Path(local_dir).rglob("*")):
            self._store(f"{valid_path(artifact_path)}/.keep".lstrip("/"), b"")


@fault("upload.path-like")
class PathsAreOfTheTop(MemoryArtifactRepository):
    """A local path that is relative is taken to be below the top of the file system."""

    def log_artifact(self, local_file: Any, artifact_path: Any = None) -> None:
        super().log_artifact(Path("/", local_file), artifact_path)


@fault("upload.path-like")
class ASlashEndsNoFolder(MemoryArtifactRepository):
    """A local folder whose path ends with a slash is not found."""

    def log_artifacts(self, local_dir: Any, artifact_path: Any = None) -> None:
        if str(local_dir).endswith("/"):
            raise TrackspecError("There is no such folder.", ErrorCode.INVALID_PARAMETER_VALUE)
        super().log_artifacts(local_dir, artifact_path)


@fault("upload.path-like")
class PathsAreNoStrings(MemoryArtifactRepository):
    """A local path that is no string is refused."""

    def log_artifact(self, local_file: Any, artifact_path: Any = None) -> None:
        if not isinstance(local_file, str):
            raise TrackspecError("A local path is a string.", ErrorCode.INVALID_PARAMETER_VALUE)
        super().log_artifact(local_file, artifact_path)


@fault("upload.link-to-file")
class LinksAreLeftOut(MemoryArtifactRepository):
    """Symbolic links to files are left out of folders."""

    def _put_all(self, files: Any) -> None:
        super()._put_all([(file, path) for file, path in files if not file.is_symlink()])


@fault("upload.link-to-file")
class LinksAreRefused(MemoryArtifactRepository):
    """A symbolic link to a file is refused."""

    def _put_one(self, local_file: Path, path: str) -> None:
        if local_file.is_symlink():
            raise TrackspecError("Links are not logged.", ErrorCode.INVALID_PARAMETER_VALUE)
        super()._put_one(local_file, path)
