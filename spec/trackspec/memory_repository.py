"""The executable model of artifact repositories: the contract as the plainest program that keeps it.

Nothing here is clever or fast. Where this code and a chapter disagree, one of them has a bug.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from trackspec.artifact_locations import artifact_location
from trackspec.artifact_paths import is_within, parent_of
from trackspec.entities import FileInfo
from trackspec.errors import invalid, missing
from trackspec.validated_repository import ValidatedRepository

_FILES: dict[str, bytes] = {}
"""The content of each file that some repository of this process keeps, by its path from the root of them all."""
_LOCK = threading.RLock()


class MemoryArtifactRepository(ValidatedRepository):
    """An artifact repository in this process's memory.

    :param artifact_uri: ``memory:PATH``. What lies below the path is what all objects in this process see that
        were constructed from it, or from a path above it.
    :raises TrackspecError: INVALID_PARAMETER_VALUE for any other URI.
    """

    parallel_transfers: ClassVar[int] = 1

    def __init__(self, artifact_uri: str = "memory:") -> None:
        super().__init__(artifact_uri)
        location = artifact_location(artifact_uri)
        if location.scheme != "memory" or location.authority:
            raise invalid("A memory repository's URI is 'memory:PATH'.")
        self._root = location.path.strip("/")

    def _put(self, local_file: Path, path: str) -> None:
        content = local_file.read_bytes()
        with _LOCK:
            self._require_free(path)
            self._store(path, content)

    def _require_free(self, path: str) -> None:
        """Require that no folder has a file's path, and that no file has the path of a folder that it is in."""
        key = self._key(path)
        if any(kept.startswith(f"{key}/") for kept in _FILES):
            raise invalid(f"{path!r} is a folder, and cannot be a file.")
        folder = parent_of(key)
        while folder:
            if folder in _FILES:
                raise invalid(f"A folder that {path!r} would be in is a file.")
            folder = parent_of(folder)

    def _store(self, path: str, content: bytes) -> None:
        _FILES[self._key(path)] = content

    def _get(self, path: str, local_file: Path) -> None:
        with _LOCK:
            content = _FILES.get(self._key(path))
        if content is None:
            raise missing("artifact", path)
        local_file.write_bytes(content)

    def _list(self, path: str) -> Iterable[FileInfo]:
        folder = self._key(path)
        found: dict[str, FileInfo] = {}
        with _LOCK:
            for key, content in _FILES.items():
                if key != folder and is_within(key, folder):
                    name, deeper, _ = key[len(folder) :].lstrip("/").partition("/")
                    size = None if deeper else len(content)
                    child = f"{path}/{name}" if path else name
                    found[child] = FileInfo(child, bool(deeper), size)
        return list(found.values())

    def _delete(self, path: str) -> None:
        with _LOCK:
            for key in list(_FILES):
                if is_within(key, self._key(path)):
                    del _FILES[key]

    def _key(self, path: str) -> str:
        """The path from the root of all repositories."""
        return "/".join(part for part in (self._root, path) if part)
