"""Faults of security: links in the storage that are followed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from trackspec.artifact_locations import artifact_location
from trackspec.entities import FileInfo
from trackspec.errors import invalid, missing
from trackspec.validated_repository import ValidatedRepository

from . import fault

HERE = "tests.faults_artifacts.security_links"


class FilesOfAFolder(ValidatedRepository):
    """Artifacts as files, as plain as the model, with links that are not followed.

    :param artifact_uri: ``file:PATH``; what no URI names is in the folder that was last placed.
    """

    URI = ""
    _placed = ""

    def __init__(self, artifact_uri: str = "") -> None:
        super().__init__(artifact_uri)
        self._root = Path(artifact_location(artifact_uri).path if artifact_uri else type(self)._placed)

    def _file(self, path: str) -> Path:
        return self._root / path

    def _is_linked(self, path: str) -> bool:
        """Whether a link is on the way to a path, or at its end."""
        places = [self._file(path), *self._file(path).parents]
        return any(place.is_symlink() for place in places if place != self._root and self._root in place.parents)

    def _put(self, local_file: Path, path: str) -> None:
        if self._is_linked(path):
            raise invalid("A link is in the way.")
        self._write(local_file, path)

    def _write(self, local_file: Path, path: str) -> None:
        self._file(path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(local_file, self._file(path))

    def _get(self, path: str, local_file: Path) -> None:
        if self._is_linked(path) or not self._file(path).is_file():
            raise missing("artifact", path)
        shutil.copyfile(self._file(path), local_file)

    def _list(self, path: str) -> Iterable[FileInfo]:
        if self._is_linked(path) or not self._file(path).is_dir():
            return []
        return [self._info(path, place) for place in self._file(path).iterdir() if self._is_shown(place)]

    def _is_shown(self, place: Path) -> bool:
        return not place.is_symlink()

    def _info(self, folder: str, place: Path) -> FileInfo:
        path = f"{folder}/{place.name}" if folder else place.name
        return FileInfo(path, place.is_dir(), None if place.is_dir() else place.stat().st_size)

    def _delete(self, path: str) -> None:
        place = self._file(path)
        if self._is_linked(path) or not place.exists():
            return
        if place.is_dir():
            self._remove(place)
        else:
            place.unlink()

    def _remove(self, folder: Path) -> None:
        shutil.rmtree(folder)


def placed(name: str) -> Callable[[str], str]:
    """What puts a repository of this locator into a directory."""

    def put(directory: str) -> str:
        FilesOfAFolder._placed = f"{directory}/artifacts"
        return f"{HERE}:{name}"

    return put


@fault("confined.link-not-read")
class LinksAreDownloaded(FilesOfAFolder):
    """Whether a link is on the way is looked at in listings only."""

    PLACED = placed("LinksAreDownloaded")

    def _find(self, path: str) -> FileInfo | None:
        place = self._file(path)
        return self._info(os.path.dirname(path), place) if place.exists() else None

    def _get(self, path: str, local_file: Path) -> None:
        shutil.copyfile(self._file(path), local_file)


@fault("confined.link-not-read")
class FoldersAreDownloadedWithLinks(FilesOfAFolder):
    """A link in a folder that is downloaded stands for what it leads to."""

    PLACED = placed("FoldersAreDownloadedWithLinks")

    def _is_shown(self, place: Path) -> bool:
        return place.is_file() or not place.is_symlink()

    def _get(self, path: str, local_file: Path) -> None:
        shutil.copyfile(self._file(path), local_file)


@fault("confined.link-not-listed")
class LinksAreListed(FilesOfAFolder):
    """A link to a folder is listed like a folder."""

    PLACED = placed("LinksAreListed")

    def _list(self, path: str) -> Iterable[FileInfo]:
        place = self._file(path)
        return [self._info(path, found) for found in place.iterdir()] if place.is_dir() else []


@fault("confined.link-not-written")
class LinksAreWrittenThrough(FilesOfAFolder):
    """A file is written wherever a link leads."""

    PLACED = placed("LinksAreWrittenThrough")

    def _put(self, local_file: Path, path: str) -> None:
        self._write(local_file, path)


@fault("confined.link-not-written")
class LastLinksAreWrittenThrough(FilesOfAFolder):
    """Only the folders on the way are looked at, and not the file itself."""

    PLACED = placed("LastLinksAreWrittenThrough")

    def _put(self, local_file: Path, path: str) -> None:
        if self._is_linked(os.path.dirname(path)):
            raise invalid("A link is in the way.")
        self._write(local_file, path)


@fault("confined.link-not-deleted")
class LinksAreDeletedThrough(FilesOfAFolder):
    """What lies behind a link is deleted like anything else."""

    PLACED = placed("LinksAreDeletedThrough")

    def _is_linked(self, path: str) -> bool:
        return False


@fault("confined.link-not-deleted")
class FoldersAreEmptiedThroughLinks(FilesOfAFolder):
    """A folder is emptied file by file, through the links in it."""

    PLACED = placed("FoldersAreEmptiedThroughLinks")

    def _remove(self, folder: Path) -> None:
        for directory, _, names in os.walk(folder, followlinks=True):
            for name in names:
                os.unlink(os.path.join(directory, name))
