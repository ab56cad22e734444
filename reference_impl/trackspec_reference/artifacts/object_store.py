"""Artifacts as the objects of a bucket: what is the same for every object store.

A bucket has keys and no folders: a folder is what keys have in common before a slash. An object appears with its
whole content, or not at all, so that nothing is renamed, and what an upload that was cut has left is no object.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import ClassVar, NamedTuple

from trackspec.artifact_paths import valid_path
from trackspec.entities import FileInfo
from trackspec.errors import TrackspecError, invalid, missing
from trackspec.validated_repository import ValidatedRepository, no_artifact

MEBIBYTE = 1024 * 1024
SMALL = 8 * MEBIBYTE
"""Bytes below which a file is transferred by one request; larger ones are cut into parts."""
PART = 8 * MEBIBYTE
"""Bytes of such a part."""
STREAMS = 4
"""How many parts of one file are transferred at once."""
READINGS = 4
"""How often a large object is read that somebody replaces meanwhile."""

REMOVED_AT_ONCE = 1000
"""The most objects that are deleted by one call."""

_LONGEST_KEY = 1024
_PAGE = 1000


class Listed(NamedTuple):
    """What a listing of keys holds.

    :ivar key: of an object; of a folder, its prefix with the slash at its end.
    :ivar size: of an object in bytes; None for a folder.
    """

    key: str
    size: int | None


class ObjectStoreRepository(ValidatedRepository):
    """The objects of a bucket whose keys begin with a prefix.

    A file and a folder of one path are kept both, since keys do not know of each other.

    :param prefix: the path of the root in the bucket, as its keys have it.
    """

    parallel_transfers: ClassVar[int] = 16

    def __init__(self, artifact_uri: str, prefix: str) -> None:
        super().__init__(artifact_uri)
        self._prefix = prefix.strip("/")

    # -- what a service implements ----------------------------------------------------------------------------

    @abstractmethod
    def _upload(self, local_file: Path, key: str) -> None:
        """Make a local file's content an object, replacing the one that there is."""

    @abstractmethod
    def _download(self, key: str, local_file: Path) -> bool:
        """Write an object's content to a local file; whether there is such an object."""

    @abstractmethod
    def _size(self, key: str) -> int | None:
        """An object's size in bytes; None where there is no such object."""

    @abstractmethod
    def _listing(self, prefix: str, *, deep: bool, page: int) -> Iterable[Listed]:
        """Give the objects whose keys begin with a prefix; an object comes before its namesake folder.

        :param deep: whether also those with a further slash, which are given as folders otherwise.
        :param page: how many to ask for at once.
        """

    @abstractmethod
    def _remove(self, keys: Sequence[str]) -> None:
        """Delete objects, of which some may be gone already."""

    def _remove_emptied(self, folders: Sequence[str]) -> None:  # noqa: ARG002 - most services have no folders
        """Delete folders in which everything was deleted, the deepest first.

        :param folders: their prefixes.
        """
        return

    # -- the primitives of a repository -----------------------------------------------------------------------

    def _put(self, local_file: Path, path: str) -> None:
        key = self._key(path)
        if len(key.encode()) > _LONGEST_KEY:
            raise invalid(f"The path and the root before it are longer than {_LONGEST_KEY} bytes.")
        self._upload(local_file, key)

    def _get(self, path: str, local_file: Path) -> None:
        if not self._download(self._key(path), local_file):
            raise missing("artifact", path)

    def _list(self, path: str) -> Iterator[FileInfo]:
        prefix = self._below(path)
        for key, size in self._listing(prefix, deep=False, page=_PAGE):
            if key != prefix:  # some tools make an object of this name, to show an empty folder
                name = key[len(prefix) :].removesuffix("/" if size is None else "")
                yield FileInfo(f"{path}/{name}" if path else name, size is None, size)

    def _find(self, path: str) -> FileInfo | None:
        size = self._size(self._key(path))
        if size is not None:
            return FileInfo(path, False, size)
        for _ in self._listing(self._below(path), deep=True, page=1):
            return FileInfo(path, True, None)
        return None

    def _files_below(self, folder: str) -> Iterator[FileInfo]:
        """All files below a folder, by one listing however many folders there are."""
        prefix = self._below(folder)
        for key, size in self._listing(prefix, deep=True, page=_PAGE):
            name = key[len(prefix) :]
            path = f"{folder}/{name}" if folder else name
            try:
                valid_path(path.removesuffix("/"))
            except TrackspecError:
                raise no_artifact(path, folder) from None
            if not key.endswith("/"):  # as what some tools make to show an empty folder
                yield FileInfo(path, False, size)

    def _delete(self, path: str) -> None:
        if path:
            self._remove([self._key(path)])
        below = self._below(path)
        keys = (found.key for found in self._listing(below, deep=True, page=_PAGE))
        folders: set[str] = set()
        while some := list(islice(keys, REMOVED_AT_ONCE)):
            self._remove(some)
            folders.update(folder for key in some for folder in _folders_of(key) if folder.startswith(below))
        self._remove_emptied(sorted(folders, key=len, reverse=True))

    def _key(self, path: str) -> str:
        return "/".join(part for part in (self._prefix, path) if part)

    def _below(self, path: str) -> str:
        """What the keys of all that is in a folder begin with."""
        key = self._key(path)
        return f"{key}/" if key else ""


def _folders_of(key: str) -> list[str]:
    """The prefixes of the folders that an object is in."""
    return [key[: at + 1] for at, character in enumerate(key) if character == "/"]
