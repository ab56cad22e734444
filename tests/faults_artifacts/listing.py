"""Faults of listing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from trackspec.artifact_paths import parent_of
from trackspec.entities import FileInfo
from trackspec.memory_repository import MemoryArtifactRepository

from . import fault


class OtherListings(MemoryArtifactRepository):
    """A repository that lists something else than it has."""

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        return self._shown(path or "", super().list_artifacts(path))

    def _shown(self, folder: str, listed: list[FileInfo]) -> list[FileInfo]:
        raise NotImplementedError

    def _below(self, folder: str) -> list[FileInfo]:
        """All files below a folder."""
        return list(self._files_below(folder))


@fault("listing.direct")
class WhatIsDeeperIsListed(OtherListings):
    """The listing of a folder goes on with what lies in its folders."""

    def _shown(self, folder: str, listed: list[FileInfo]) -> list[FileInfo]:
        return sorted({*listed, *(self._below(folder) if folder else [])}, key=lambda info: info.path)


@fault("listing.direct")
class FoldersAreNotListed(OtherListings):
    """Folders within folders are left out of listings."""

    def _shown(self, folder: str, listed: list[FileInfo]) -> list[FileInfo]:
        return [info for info in listed if not info.is_dir or not folder]


@fault("listing.direct")
class AFolderIsListedForEachFile(OtherListings):
    """A folder is listed as often as there are files below it."""

    def _shown(self, folder: str, listed: list[FileInfo]) -> list[FileInfo]:
        return [
            info for info in listed for _ in range(len(self._below(info.path)) if info.is_dir and folder else 1)
        ]


@fault("listing.from-root")
class PathsAreRelativeToTheFolder(OtherListings):
    """The paths of a listing are relative to the folder that is listed."""

    def _shown(self, folder: str, listed: list[FileInfo]) -> list[FileInfo]:
        return [replace(info, path=info.path.removeprefix(f"{folder}/")) for info in listed]


@fault("listing.from-root")
class PathsHoldTheUri(OtherListings):
    """The paths of a listing begin with the root of the repository."""

    def _shown(self, folder: str, listed: list[FileInfo]) -> list[FileInfo]:
        return [replace(info, path=self._key(info.path)) for info in listed]


@fault("listing.sizes")
class SizesAreNotListed(OtherListings):
    """Files are listed without their sizes."""

    def _shown(self, folder: str, listed: list[FileInfo]) -> list[FileInfo]:
        return [replace(info, file_size=None) for info in listed]


@fault("listing.sizes")
class FoldersHaveSizes(OtherListings):
    """A folder is listed with the size 0."""

    def _shown(self, folder: str, listed: list[FileInfo]) -> list[FileInfo]:
        return [replace(info, file_size=info.file_size or 0) for info in listed]


@fault("listing.sizes")
class SizesAreOfBlocks(OtherListings):
    """A size is rounded to blocks of 64 KiB where it is greater."""

    def _shown(self, folder: str, listed: list[FileInfo]) -> list[FileInfo]:
        return [
            replace(info, file_size=info.file_size and (info.file_size // 65536 * 65536 or info.file_size))
            for info in listed
        ]


@fault("listing.order")
class ListingsAreInTheOrderOfLogging(OtherListings):
    """A listing is in the order in which its entries were logged."""

    def _shown(self, folder: str, listed: list[FileInfo]) -> list[FileInfo]:
        return list(self._list(folder))


@fault("listing.order")
class FoldersComeFirst(OtherListings):
    """A listing has its folders before its files."""

    def _shown(self, folder: str, listed: list[FileInfo]) -> list[FileInfo]:
        return sorted(listed, key=lambda info: (not info.is_dir, info.path))


@fault("listing.order")
class CaseIsIgnoredInOrder(OtherListings):
    """A listing is in the order of a dictionary."""

    def _shown(self, folder: str, listed: list[FileInfo]) -> list[FileInfo]:
        return sorted(listed, key=lambda info: info.path.casefold())


@fault("listing.of-file")
class AFileListsItself(OtherListings):
    """The listing of a file has the file."""

    def _shown(self, folder: str, listed: list[FileInfo]) -> list[FileInfo]:
        found = self._find(folder) if folder else None
        return [found] if found and not found.is_dir else listed


@fault("listing.missing")
class NothingListsItsFolder(OtherListings):
    """The listing of a path at which there is nothing is that of the folder it would be in."""

    def _shown(self, folder: str, listed: list[FileInfo]) -> list[FileInfo]:
        if folder and not listed and self._find(folder) is None:
            return super().list_artifacts(parent_of(folder))
        return listed


@fault("listing.prefix-apart")
class ListingsAreByPrefix(MemoryArtifactRepository):
    """A folder lists what lies in folders whose names its own name begins."""

    def _list(self, path: str) -> Iterable[FileInfo]:
        if not path:
            return super()._list(path)
        beside = [info for info in super()._list(parent_of(path)) if info.path.startswith(path)]
        found = [info for folder in beside for info in super(ListingsAreByPrefix, self)._list(folder.path)]
        return [replace(info, path=f"{path}/{info.path.rpartition('/')[2]}") for info in found]


@fault("listing.replaced")
class VersionsAreListed(OtherListings):
    """A file is listed with the size that it had first."""

    def __init__(self, artifact_uri: str = "memory:") -> None:
        super().__init__(artifact_uri)
        self._first: dict[str, int] = {}

    def _store(self, path: str, content: bytes) -> None:
        super()._store(path, content)
        self._first.setdefault(path, len(content))

    def _shown(self, folder: str, listed: list[FileInfo]) -> list[FileInfo]:
        return [replace(info, file_size=self._first.get(info.path, info.file_size)) for info in listed]


@fault("crowd.files")
class AListingIsOnePage(OtherListings):
    """A listing ends after a thousand entries."""

    def _shown(self, folder: str, listed: list[FileInfo]) -> list[FileInfo]:
        return listed[:1000]


@fault("crowd.files")
class PagesOverlap(OtherListings):
    """The first entry of a page is the last one of the page before."""

    def _shown(self, folder: str, listed: list[FileInfo]) -> list[FileInfo]:
        return [*listed[:1000], *listed[999:]] if len(listed) > 1000 else listed


@fault("crowd.folders")
class FoldersAreOfTheFirstPage(OtherListings):
    """Folders are listed from the first thousand entries only."""

    def _shown(self, folder: str, listed: list[FileInfo]) -> list[FileInfo]:
        return [info for number, info in enumerate(listed) if number < 1000 or not info.is_dir]


@fault("crowd.above")
class AFolderIsOfEachPage(MemoryArtifactRepository):
    """A folder is listed once for each thousand of the files below it."""

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        listed = super().list_artifacts(path)
        return [info for info in listed for _ in range(1 + len(list(self._list(info.path))) // 1000)]


@fault("crowd.order")
class PagesComeAsTheyEnd(OtherListings):
    """The pages of a listing are in order, and not among each other."""

    def _shown(self, folder: str, listed: list[FileInfo]) -> list[FileInfo]:
        return [*listed[1000:], *listed[:1000]]


@fault("crowd.downloaded")
class DownloadsAreOfOnePage(MemoryArtifactRepository):
    """Downloading a folder ends after a thousand files."""

    def _files_below(self, folder: str) -> Iterable[FileInfo]:
        return list(super()._files_below(folder))[:1000]
