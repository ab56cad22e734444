"""Faults of what is seen while others upload."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from trackspec.artifact_paths import parent_of
from trackspec.errors import ErrorCode, TrackspecError
from trackspec.memory_repository import MemoryArtifactRepository

from . import fault


@fault("upload.together")
class FoldersAreReadAndWrittenBack(MemoryArtifactRepository):
    """Logging to a new folder writes back what was read of it before, so that callers undo each other."""

    def _store(self, path: str, content: bytes) -> None:
        folder = parent_of(path)
        if "/" not in folder:
            super()._store(path, content)
            return
        before = {info.path for info in self._files_below(folder)}
        threading.Event().wait(0.05)
        for info in list(self._files_below(folder)):
            if info.path not in before:
                self._delete(info.path)
        super()._store(path, content)

    def _put(self, local_file: Path, path: str) -> None:
        self._store(path, local_file.read_bytes())


@fault("upload.together")
class NewFoldersAreMadeTwice(MemoryArtifactRepository):
    """When two callers make a folder at the same time, one of them fails."""

    def __init__(self, artifact_uri: str = "memory:") -> None:
        super().__init__(artifact_uri)
        self._making: set[str] = set()

    def _put(self, local_file: Path, path: str) -> None:
        folder = parent_of(path)
        if "/" in folder and not list(self._list(folder)):
            if folder in self._making:
                raise TrackspecError("The folder is there already.", ErrorCode.INTERNAL_ERROR)
            self._making.add(folder)
            time.sleep(0.02)
            self._making.discard(folder)
        super()._put(local_file, path)


class InPieces(MemoryArtifactRepository):
    """A repository that writes a file piece by piece under its path."""

    def _put(self, local_file: Path, path: str) -> None:
        content = local_file.read_bytes()
        self._require_free(path)
        size = max(1, len(content) // 20)
        for end in range(size, len(content) + size, size):
            self._store(path, content[:end])
            time.sleep(0.0005)


@fault("upload.read-while-replaced")
class FilesGrow(InPieces):
    """A file that is being written is seen in part under its path."""


@fault("upload.nothing-else-seen")
class WhatIsWrittenHasAName(MemoryArtifactRepository):
    """A file that is being written is listed under another name."""

    def _put(self, local_file: Path, path: str) -> None:
        self._store(f"{path}.tmp", b"")
        time.sleep(0.01)
        super()._put(local_file, path)
        self._delete(f"{path}.tmp")


@fault("upload.nothing-else-seen")
class SizesGrow(InPieces):
    """A file that is being written is listed with the size that it has so far."""


@fault("upload.same-path-together")
class WritersMix(MemoryArtifactRepository):
    """Callers that write one path at the same time mix their contents."""

    def _put(self, local_file: Path, path: str) -> None:
        content = local_file.read_bytes()
        self._require_free(path)
        size = max(1, len(content) // 20)
        self._store(path, b"")
        for start in range(0, len(content), size):
            self._store(path, self._content(path)[:start] + content[start : start + size])
            time.sleep(0.0005)

    def _content(self, path: str) -> bytes:
        from trackspec import memory_repository  # noqa: PLC0415 - the model's own files

        return memory_repository._FILES.get(self._key(path), b"")


@fault("upload.same-path-together")
class WritersAreRefused(MemoryArtifactRepository):
    """A caller that writes what another one is writing fails."""

    def __init__(self, artifact_uri: str = "memory:") -> None:
        super().__init__(artifact_uri)
        self._writing: set[str] = set()

    def _put(self, local_file: Path, path: str) -> None:
        if path in self._writing:
            raise TrackspecError("The file is there already.", ErrorCode.RESOURCE_ALREADY_EXISTS)
        self._writing.add(path)
        try:
            time.sleep(0.01)
            super()._put(local_file, path)
        finally:
            self._writing.discard(path)
