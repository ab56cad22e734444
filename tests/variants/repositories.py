"""Artifact repositories."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from trackspec.artifact_paths import is_within, valid_path
from trackspec.entities import FileInfo
from trackspec.errors import invalid, missing
from trackspec.memory_repository import _FILES, _LOCK, MemoryArtifactRepository


class Described(FileInfo):
    """A file or folder, of a class of the repository's own."""


class Listing(list[FileInfo]):
    """A list, likewise."""


class TypesOfItsOwn(MemoryArtifactRepository):
    """Lists files and folders by classes of its own."""

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        return Listing(Described(info.path, info.is_dir, info.file_size) for info in super().list_artifacts(path))


class DownloadsAlone(MemoryArtifactRepository):
    """Without a destination, puts what is downloaded under its last name, into a private folder."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        place = super().download_artifacts(artifact_path, dst_path)
        return place if dst_path else str(shutil.move(place, tempfile.mkdtemp()))


class KeepsBoth(MemoryArtifactRepository):
    """Keeps a file and a folder of one path, as an object store does."""

    def _require_free(self, path: str) -> None:
        return None

    def _list(self, path: str) -> Iterable[FileInfo]:
        start = f"{self._key(path)}/" if self._key(path) else ""
        found = set()
        for key in [key for key in list(_FILES) if key.startswith(start)]:
            name, deeper, _ = key[len(start) :].partition("/")
            child = f"{path}/{name}" if path else name
            found.add(FileInfo(child, bool(deeper), None if deeper else len(_FILES[key])))
        return found

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        return sorted(self._list(valid_path(path)), key=lambda info: info.path)

    def _find(self, path: str) -> FileInfo | None:
        content = _FILES.get(self._key(path))
        if content is not None:
            return FileInfo(path, False, len(content))
        return FileInfo(path, True, None) if list(self._list(path)) else None

    def _get(self, path: str, local_file: Path) -> None:
        if self._key(path) not in _FILES:
            raise missing("artifact", path)
        super()._get(path, local_file)

    def _delete(self, path: str) -> None:
        for key in [key for key in list(_FILES) if is_within(key, self._key(path))]:
            del _FILES[key]


class ReadsAsMuchAsThereIs(MemoryArtifactRepository):
    """Reads as many bytes of a local file as its size tells, and an empty one not at all, as some SDKs do."""

    def _put_one(self, local_file: Path, path: str) -> None:
        size = local_file.stat().st_size
        try:
            with local_file.open("rb") as read:
                content = read.read(size) if size else b""
        except OSError:
            raise invalid(f"{local_file.name!r} cannot be read.") from None
        with _LOCK:
            self._require_free(path)
            self._store(path, content)


VARIANTS = (TypesOfItsOwn, DownloadsAlone, KeepsBoth, ReadsAsMuchAsThereIs)
