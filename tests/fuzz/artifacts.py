"""Surfaces: the paths of artifacts, and the listings that a server gives."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.surface import SECRET, Surface, bytes_of, each, text_of
from trackspec import FileInfo
from trackspec.errors import missing
from trackspec.validated_repository import ValidatedRepository
from trackspec_reference.artifacts.local import LocalArtifactRepository

_SEGMENTS = (
    "..",
    ".",
    "",
    "outside",
    "canary",
    "link",
    "folder",
    "f.txt",
    "%2e%2e",
    "%252e%252e",
    "..%2f",
    "..\\",
    "C:",
    "~",
    "\0",
    "．．",
    "․․",
    "....",
    ".. ",
    " ..",
    "..;",
    "#",
    "?",
    "é",
    "\ud800",
    "x" * 255,
    "file:",
    "\n",
    ".trackspec-x",
    "-",
    "*",
)


def _paths() -> SearchStrategy[str]:
    segments = st.sampled_from(_SEGMENTS) | st.text(max_size=5)
    joined = st.lists(segments, max_size=8).map("/".join)
    return joined | st.builds("{}{}".format, st.sampled_from(("/", "//", "../", "\\\\", "file:", "link/")), joined)


class Paths(Surface):
    """Paths that are listed, downloaded, logged to and deleted, in a folder with links that lead out of it."""

    name = "paths"
    seeds: ClassVar[tuple[bytes, ...]] = (
        b"folder/f.txt",
        b"../../outside/canary",
        b"%2e%2e/canary",
        b"link/canary",
        b"folder/../f.txt",
        b"",
    )

    def open(self) -> None:
        self._repository = LocalArtifactRepository(str(self.inside / "root"))
        self._folder = self.inside / "local"
        self._folder.mkdir()
        self._file = self._folder / "f.txt"
        self._file.write_text("mine")
        self._repository.log_artifact(self._file, "folder")
        os.symlink(self.directory / "outside", self.inside / "root" / "link")
        os.symlink(self.directory / "canary", self.inside / "root" / "folder" / "canary")

    def inputs(self) -> SearchStrategy[bytes]:
        return _paths().map(bytes_of)

    def take(self, data: bytes) -> object:
        path, repository = text_of(data), self._repository
        with tempfile.TemporaryDirectory(dir=self.inside) as destination:
            told = each(
                lambda: [info.path for info in repository.list_artifacts(path)],
                lambda: repository.download_artifacts(path, destination) and _contents(destination),
                lambda: repository.log_artifact(self._file, path),
                lambda: repository.log_artifacts(self._folder, path),
                lambda: repository.delete_artifacts(path) if path else None,
            )
        repository.log_artifact(self._file, "folder")
        return told


class _Listed(ValidatedRepository):
    """A client of a server that answers every listing with the same names."""

    def __init__(self, entries: list[tuple[str, bool]]) -> None:
        super().__init__("http://127.0.0.1:9/")
        self._entries = entries
        self._asked = 0

    def _list(self, path: str) -> Iterable[FileInfo]:
        self._asked += 1
        assert self._asked < 5000, "a listing is asked for without end"
        return [
            FileInfo(
                f"{path}/{name}" if path and not name.startswith("/") else name, folder, None if folder else 4
            )
            for name, folder in self._entries
        ]

    def _get(self, path: str, local_file: Path) -> None:
        local_file.write_bytes(b"evil")

    def _put(self, local_file: Path, path: str) -> None:
        raise missing("artifact", path)

    def _delete(self, path: str) -> None:
        raise missing("artifact", path)


class Listings(Surface):
    """Names of a listing, each on a line of its own; one that ends with a slash is a folder."""

    name = "listings"
    seeds: ClassVar[tuple[bytes, ...]] = (
        b"a\nb/",
        b"../evil",
        b"a/../../evil\nb",
        b"again/",
        b"/evil",
        b"..\\evil",
    )

    def open(self) -> None:
        return

    def inputs(self) -> SearchStrategy[bytes]:
        return st.lists(_paths(), max_size=3).map("\n".join).map(bytes_of)

    def take(self, data: bytes) -> object:
        names = text_of(data).split("\n")[:3]
        entries = [(name.removesuffix("/"), name.endswith("/") and index == 0) for index, name in enumerate(names)]
        with tempfile.TemporaryDirectory(dir=self.inside) as destination:
            os.symlink(self.directory / "outside", Path(destination) / "link")
            listed = each(lambda: [info.path for info in _Listed(entries).list_artifacts("folder")])
            each(lambda: _Listed(entries).download_artifacts("", destination))
            beside = [name for name in os.listdir(self.inside) if name != Path(destination).name]
        astray = (
            [path for path in listed[0] if not path.startswith("folder/")] if isinstance(listed[0], list) else []
        )
        return [SECRET] if astray or beside else listed


def _contents(directory: str) -> list[bytes]:
    return [path.read_bytes() for path in Path(directory).rglob("*") if path.is_file()]
