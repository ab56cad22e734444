"""Faults of repositories that many clients at once show."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from trackspec import memory_repository
from trackspec.entities import FileInfo
from trackspec.memory_repository import MemoryArtifactRepository

from . import fault
from .interrupted import pieces
from .stored import KeptOnDisk

_WHERE = os.environ.setdefault("TRACKSPEC_FAULT_FOLDER", tempfile.mkdtemp(prefix="trackspec-fault-"))
"""A folder that other processes know: their environment is that of the first of them."""

PAUSE = 0.02
"""Seconds in which another client gets between two steps that belong together."""


class KeptForAll(KeptOnDisk):
    """A repository of plain files that every process sees: nothing is wrong with it."""

    def __init__(self, _: str = "") -> None:
        super().__init__("memory:for-all")
        self._root = Path(_WHERE)


@fault("many.order")
class ReadsMayBeOld(MemoryArtifactRepository):
    """A download gives what the file was a moment ago."""

    def __init__(self, artifact_uri: str = "memory:") -> None:
        super().__init__(artifact_uri)
        self._read: dict[str, tuple[float, bytes]] = {}

    def _fetch(self, file: FileInfo, local_file: Path) -> None:
        moment, content = self._read.get(file.path, (0.0, b""))
        if time.monotonic() - moment < PAUSE:
            local_file.write_bytes(content)
            return
        super()._fetch(file, local_file)
        self._read[file.path] = time.monotonic(), local_file.read_bytes()


@fault("many.order-processes")
class ProcessesReadWhatTheyWrote(KeptForAll):
    """A process that has logged a file reads its own one for a while."""

    LOCATOR = "tests.faults_artifacts.concurrency:ProcessesReadWhatTheyWrote"

    def __init__(self, artifact_uri: str = "") -> None:
        super().__init__(artifact_uri)
        self._mine: dict[str, bytes] = {}

    def _put(self, local_file: Path, path: str) -> None:
        super()._put(local_file, path)
        self._mine[path] = local_file.read_bytes()

    def _fetch(self, file: FileInfo, local_file: Path) -> None:
        super()._fetch(file, local_file)
        if file.path in self._mine:
            local_file.write_bytes(self._mine[file.path])


@fault("many.files-kept")
class FilesAreReadAndWrittenBack(MemoryArtifactRepository):
    """What a folder holds is read, added to, and written back, without a lock."""

    def _put(self, local_file: Path, path: str) -> None:
        before = {key for key in memory_repository._FILES if key.startswith(self._root)}
        time.sleep(PAUSE / 10)
        super()._put(local_file, path)
        for key in [*memory_repository._FILES]:
            if key.startswith(self._root) and key not in before | {self._key(path)}:
                memory_repository._FILES.pop(key, None)


@fault("many.listing")
class UnfinishedFilesAreListed(MemoryArtifactRepository):
    """A file is written piece by piece under its path."""

    def _put(self, local_file: Path, path: str) -> None:
        self._require_free(path)
        for piece in [*pieces(local_file.read_bytes())][::8]:
            self._store(path, piece)
            time.sleep(PAUSE / 10)
        super()._put(local_file, path)
