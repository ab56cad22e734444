"""Faults of files and folders."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from trackspec import local_trees
from trackspec.artifact_locations import artifact_location
from trackspec.artifact_paths import parent_of, valid_path
from trackspec.entities import FileInfo
from trackspec.errors import TrackspecError
from trackspec.memory_repository import MemoryArtifactRepository

from . import fault


class OtherContents(MemoryArtifactRepository):
    """A repository that keeps other bytes than it is given."""

    def _store(self, path: str, content: bytes) -> None:
        super()._store(path, self._kept(content))

    def _kept(self, content: bytes) -> bytes:
        raise NotImplementedError


@fault("artifact.exact")
class LineBreaksAreFolded(OtherContents):
    """A carriage return and a line feed become a line feed."""

    def _kept(self, content: bytes) -> bytes:
        return content.replace(b"\r\n", b"\n")


@fault("artifact.exact")
class NamesOfTextsTell(MemoryArtifactRepository):
    """A file whose name says that it is text is kept with the line ends of text."""

    def _store(self, path: str, content: bytes) -> None:
        super()._store(path, content.replace(b"\r\n", b"\n") if path.endswith((".txt", ".csv")) else content)


@fault("artifact.exact")
class NamesOfArchivesTell(MemoryArtifactRepository):
    """A file whose name says that it is compressed is read as what was compressed."""

    def _fetch(self, file: FileInfo, local_file: Path) -> None:
        super()._fetch(file, local_file)
        if file.path.endswith("gz"):
            local_file.write_bytes(gzip.decompress(local_file.read_bytes()))


@fault("artifact.exact")
class NulsAreDropped(OtherContents):
    """NULs at the end of a file are dropped."""

    def _kept(self, content: bytes) -> bytes:
        return content.rstrip(b"\0")


@fault("artifact.exact")
class ContentsAreText(OtherContents):
    """Bytes that are no UTF-8 are replaced."""

    def _kept(self, content: bytes) -> bytes:
        return content.decode(errors="replace").encode()


@fault("artifact.exact")
class OrdersOfBytesAreDropped(OtherContents):
    """A mark of the order of bytes at the start of a file is dropped."""

    def _kept(self, content: bytes) -> bytes:
        return content.removeprefix(b"\xff\xfe").removeprefix(b"\xef\xbb\xbf")


@fault("artifact.empty-file")
class EmptyFilesAreLost(MemoryArtifactRepository):
    """A file without content is not kept."""

    def _store(self, path: str, content: bytes) -> None:
        if content:
            super()._store(path, content)


@fault("artifact.empty-file")
class EmptyFilesHaveNoSize(MemoryArtifactRepository):
    """The size of an empty file is listed as None."""

    def _list(self, path: str) -> Iterable[FileInfo]:
        return [replace(info, file_size=info.file_size or None) for info in super()._list(path)]


@fault("artifact.kept")
class EachObjectKeepsItsOwn(MemoryArtifactRepository):
    """A repository finds what it has logged itself."""

    def __init__(self, artifact_uri: str = "memory:") -> None:
        super().__init__(artifact_uri)
        self._mine: set[str] = set()

    def _put(self, local_file: Path, path: str) -> None:
        super()._put(local_file, path)
        while path:
            self._mine.add(path)
            path = parent_of(path)

    def _list(self, path: str) -> Iterable[FileInfo]:
        return [info for info in super()._list(path) if info.path in self._mine]


@fault("artifact.kept")
class ListingsAreRemembered(MemoryArtifactRepository):
    """A listing is what it was when it was first asked for."""

    def __init__(self, artifact_uri: str = "memory:") -> None:
        super().__init__(artifact_uri)
        self._listings: dict[str, list[FileInfo]] = {}

    def _put(self, local_file: Path, path: str) -> None:
        self._listings.clear()
        super()._put(local_file, path)

    def _delete(self, path: str) -> None:
        self._listings.clear()
        super()._delete(path)

    def _list(self, path: str) -> Iterable[FileInfo]:
        return self._listings.setdefault(path, list(super()._list(path)))


@fault("artifact.below")
class TheLastSegmentIsLost(MemoryArtifactRepository):
    """A URI's last segment is taken for a file and dropped where there are several."""

    def __init__(self, artifact_uri: str = "memory:") -> None:
        path = artifact_location(artifact_uri).path
        super().__init__(f"memory:{parent_of(path)}" if "/" in path else artifact_uri)
        self.artifact_uri = artifact_uri


@fault("artifact.below")
class SlashesPartRepositories(MemoryArtifactRepository):
    """A repository below another is one of its own."""

    def _key(self, path: str) -> str:
        return f"{self._root.replace('/', '|')}/{path}".rstrip("/")


@fault("artifact.case-apart")
class CaseIsFolded(MemoryArtifactRepository):
    """Files whose names differ in case overwrite each other."""

    def _key(self, path: str) -> str:
        return super()._key(path).lower()

    def _list(self, path: str) -> Iterable[FileInfo]:
        return super()._list(path.lower())


@fault("artifact.file-or-folder")
class FilesGiveWayToFolders(MemoryArtifactRepository):
    """A file is dropped where something is logged below its path."""

    def _require_free(self, path: str) -> None:
        folder = parent_of(path)
        while folder:
            if not list(self._list(folder)):
                self._delete(folder)
            folder = parent_of(folder)
        super()._require_free(path)


@fault("artifact.file-or-folder")
class FoldersGiveWayToFiles(MemoryArtifactRepository):
    """A folder is deleted where a file is logged to its path."""

    def _require_free(self, path: str) -> None:
        self._delete(path)
        super()._require_free(path)


@fault("artifact.file-or-folder")
class WhatHasNoPlaceIsLeftOut(MemoryArtifactRepository):
    """What cannot be where it belongs is not stored, without a word."""

    def _put(self, local_file: Path, path: str) -> None:
        try:
            self._require_free(path)
        except TrackspecError:
            return
        super()._put(local_file, path)


@fault("artifact.file-or-folder")
class AFolderIsLoggedButForOneFile(MemoryArtifactRepository):
    """Of a local folder, the file that cannot be where it belongs is left out."""

    def log_artifacts(self, local_dir: Any, artifact_path: Any = None) -> None:
        for file, path in local_trees.uploaded_files(local_dir, valid_path(artifact_path)):
            try:
                self._require_free(path)
            except TrackspecError:
                continue
            self._put_one(file, path)


@fault("repository.agreement")
class AThirdVersionIsLost(MemoryArtifactRepository):
    """A file that was replaced twice keeps its second content."""

    def __init__(self, artifact_uri: str = "memory:") -> None:
        super().__init__(artifact_uri)
        self._versions: dict[str, int] = {}

    def _store(self, path: str, content: bytes) -> None:
        self._versions[path] = self._versions.get(path, 0) + 1
        if self._versions[path] < 3 or path.endswith("a.txt"):
            super()._store(path, content)


@fault("repository.agreement")
class FoldersForgetFiles(MemoryArtifactRepository):
    """Logging a folder twice in a row to one place drops the file of the name a."""

    def log_artifacts(self, local_dir: object, artifact_path: str | None = None) -> None:
        already = {info.path for info in self.list_artifacts(artifact_path)}
        super().log_artifacts(local_dir, artifact_path)
        place = f"{artifact_path}/a" if artifact_path else "a"
        if {place, f"{artifact_path}/b"} <= already:
            self._delete(place)
