"""Faults of interrupted transfers."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from trackspec.artifact_paths import parent_of
from trackspec.entities import FileInfo
from trackspec.errors import ErrorCode, TrackspecError
from trackspec.memory_repository import MemoryArtifactRepository
from trackspec.placing import Destination

from . import fault


def pieces(content: bytes) -> Iterable[bytes]:
    """Longer and longer beginnings of a content, up to all of it."""
    size = max(1, len(content) // 40)
    for end in range(size, len(content) + size, size):
        yield content[:end]


@fault("interrupted.upload")
class UploadsGrow(MemoryArtifactRepository):
    """A file is written piece by piece under its path."""

    def _put(self, local_file: Path, path: str) -> None:
        self._require_free(path)
        for piece in pieces(local_file.read_bytes()):
            self._store(path, piece)


@fault("interrupted.upload")
class TheOldOneGoesFirst(MemoryArtifactRepository):
    """A file that is to be replaced is cut short before the new one is read."""

    def _put(self, local_file: Path, path: str) -> None:
        self._require_free(path)
        if self._find(path) is not None:
            self._store(path, b"")
        content = b"".join(local_file.read_bytes()[start : start + 8000] for start in range(0, 200_000, 8000))
        self._store(path, content or b"")
        self._store(path, local_file.read_bytes())


@fault("interrupted.folder")
class FoldersAreCopied(MemoryArtifactRepository):
    """A folder's files are written piece by piece under their paths; a single file is not."""

    def log_artifacts(self, local_dir: Any, artifact_path: Any = None) -> None:
        self._copies = True
        try:
            super().log_artifacts(local_dir, artifact_path)
        finally:
            self._copies = False

    _copies = False

    def _put(self, local_file: Path, path: str) -> None:
        if self._copies:
            for piece in pieces(local_file.read_bytes()):
                self._store(path, piece)
        super()._put(local_file, path)


@fault("interrupted.not-listed")
class WhatIsWrittenIsListed(MemoryArtifactRepository):
    """A file is written under another name beside its path, and stays there when it is cut."""

    def _put(self, local_file: Path, path: str) -> None:
        staging = f"{path}.part"
        for piece in pieces(local_file.read_bytes()):
            self._store(staging, piece)
        super()._put(local_file, path)
        self._delete(staging)


@fault("interrupted.download")
class DownloadsGrow(MemoryArtifactRepository):
    """A downloaded file is written piece by piece under its name."""

    def _place(self, file: FileInfo, destination: Destination) -> None:
        super()._place(file, destination)
        place = Path(destination.place_of(file.path))
        for piece in pieces(place.read_bytes()):
            place.write_bytes(piece)


@fault("interrupted.acknowledged")
class InterruptionsArePassedOver(MemoryArtifactRepository):
    """What interrupts an upload is passed over, as if it had ended."""

    def log_artifacts(self, local_dir: Any, artifact_path: Any = None) -> None:
        with suppress(KeyboardInterrupt):
            super().log_artifacts(local_dir, artifact_path)


@fault("interrupted.acknowledged")
class InterruptedDownloadsEnd(MemoryArtifactRepository):
    """What interrupts a download is passed over, as if it had ended."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        with suppress(KeyboardInterrupt):
            return super().download_artifacts(artifact_path, dst_path)
        return str(Path(dst_path, artifact_path))


@fault("interrupted.again")
class LocksAreLeftBehind(MemoryArtifactRepository):
    """A path whose upload was cut stays locked."""

    def __init__(self, artifact_uri: str = "memory:") -> None:
        super().__init__(artifact_uri)
        self._locked: set[str] = set()

    def _put(self, local_file: Path, path: str) -> None:
        if path in self._locked:
            raise TrackspecError("Somebody else is writing.", ErrorCode.TEMPORARILY_UNAVAILABLE)
        self._locked.add(path)
        super()._put(local_file, path)
        self._locked.discard(path)


@fault("interrupted.again")
class LeftoversAreTakenForWhole(MemoryArtifactRepository):
    """What was begun is taken for done when the upload is made again."""

    def __init__(self, artifact_uri: str = "memory:") -> None:
        super().__init__(artifact_uri)
        self._begun: set[str] = set()

    def _put(self, local_file: Path, path: str) -> None:
        if path not in self._begun:
            self._begun.add(path)
            super()._put(local_file, path)


_DISK = tempfile.TemporaryDirectory(prefix="trackspec-fault-")  # removed with the process


@fault("interrupted.process-ended")
class FilesOnDiskGrow(MemoryArtifactRepository):
    """Files are on disk, and written piece by piece under their names."""

    def _directory(self) -> Path:
        directory = Path(_DISK.name, hashlib.sha256(self._root.encode()).hexdigest())
        directory.mkdir(exist_ok=True)
        return directory

    def _put(self, local_file: Path, path: str) -> None:
        place = self._directory() / path.replace("/", "|")
        content = local_file.read_bytes()
        size = max(1, len(content) // 40)
        with place.open("wb") as written:
            for start in range(0, len(content), size):
                written.write(content[start : start + size])
                written.flush()
                time.sleep(0.001)

    def _list(self, path: str) -> Iterable[FileInfo]:
        for place in self._directory().iterdir():
            found = place.name.replace("|", "/")
            if parent_of(found) == path:
                yield FileInfo(found, False, place.stat().st_size)
            elif found.startswith(f"{path}/") if path else True:
                inner = found[len(path) :].lstrip("/").partition("/")[0]
                yield FileInfo(f"{path}/{inner}".lstrip("/"), True, None)

    def _get(self, path: str, local_file: Path) -> None:
        local_file.write_bytes((self._directory() / path.replace("/", "|")).read_bytes())
