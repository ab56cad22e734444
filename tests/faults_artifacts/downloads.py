"""Faults of downloading."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from trackspec.artifact_paths import parent_of, valid_path
from trackspec.entities import FileInfo
from trackspec.errors import ErrorCode, TrackspecError
from trackspec.memory_repository import MemoryArtifactRepository
from trackspec.placing import Destination

from . import fault


@fault("download.file")
class FilesAreDownloadedByName(MemoryArtifactRepository):
    """A file is written into the destination under its name alone."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        place = Path(super().download_artifacts(artifact_path, dst_path))
        if not place.is_file() or dst_path is None:
            return str(place)
        moved = Path(dst_path, place.name)
        os.replace(place, moved)
        return str(moved)


@fault("download.file")
class TheDestinationIsReturned(MemoryArtifactRepository):
    """The path of the destination is returned in place of that of the file."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        place = super().download_artifacts(artifact_path, dst_path)
        return str(dst_path) if dst_path and Path(place).is_file() else place


@fault("download.folder")
class FoldersAreDownloadedWithoutTheirPath(MemoryArtifactRepository):
    """The files of a folder are written into the destination without the folder's path."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        place = Path(super().download_artifacts(artifact_path, dst_path))
        if not place.is_dir() or not artifact_path or dst_path is None:
            return str(place)
        shutil.copytree(place, dst_path, dirs_exist_ok=True)
        return str(dst_path)


@fault("download.folder")
class DeeperFilesAreLeftOut(MemoryArtifactRepository):
    """A folder is downloaded with the files that lie directly in it, and in its folders."""

    def _files_below(self, folder: str) -> Iterator[FileInfo]:
        deepest = folder.count("/") + 2
        yield from (info for info in super()._files_below(folder) if info.path.count("/") <= deepest)


@fault("download.folder")
class ContentsAreSwapped(MemoryArtifactRepository):
    """Of more than twenty files of a folder, each has the content of the first one."""

    def _place(self, file: FileInfo, destination: Destination) -> None:
        siblings = list(self._files_below(parent_of(parent_of(file.path)) or parent_of(file.path)))
        super()._place(file, destination)
        if len(siblings) > 20:
            self._get(siblings[0].path, Path(destination.place_of(file.path)))


@fault("download.root")
class TheRootIsNotFound(MemoryArtifactRepository):
    """The empty path is refused by downloading."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        if artifact_path == "":
            raise TrackspecError("There is no artifact ''.", ErrorCode.RESOURCE_DOES_NOT_EXIST)
        return super().download_artifacts(artifact_path, dst_path)


@fault("download.root")
class TheRootIsDownloadedIntoAFolder(MemoryArtifactRepository):
    """Everything is downloaded into a folder in the destination."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        if artifact_path == "" and dst_path:
            dst_path = Path(dst_path, "artifacts")
            dst_path.mkdir()
        return super().download_artifacts(artifact_path, dst_path)


@fault("download.prefix-apart")
class DownloadsAreByPrefix(MemoryArtifactRepository):
    """What has a name that the downloaded one's begins is downloaded as well."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        path = valid_path(artifact_path)
        place = super().download_artifacts(artifact_path, dst_path)
        if path and dst_path:
            for info in list(self._list(parent_of(path))):
                if info.path != path and info.path.startswith(path):
                    super().download_artifacts(info.path, dst_path)
        return place


@fault("download.without-destination")
class ADestinationIsNeeded(MemoryArtifactRepository):
    """Without a destination, a download is refused."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        if dst_path is None:
            raise TrackspecError("A destination is needed.", ErrorCode.INVALID_PARAMETER_VALUE)
        return super().download_artifacts(artifact_path, dst_path)


@fault("download.without-destination")
class TheTemporaryFolderIsGone(MemoryArtifactRepository):
    """The folder that is made where no destination is given is removed at once."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        place = super().download_artifacts(artifact_path, dst_path)
        if dst_path is None:
            shutil.rmtree(place.removesuffix(f"/{artifact_path}"))
        return place


@fault("download.without-destination")
class DownloadsAreKept(MemoryArtifactRepository):
    """What was downloaded without a destination is returned again, whatever the artifact is now."""

    def __init__(self, artifact_uri: str = "memory:") -> None:
        super().__init__(artifact_uri)
        self._places: dict[str, str] = {}

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        if dst_path is None and Path(self._places.get(artifact_path, "")).is_file():
            return self._places[artifact_path]
        place = super().download_artifacts(artifact_path, dst_path)
        return self._places.setdefault(artifact_path, place) if dst_path is None else place


@fault("download.file")
class PathsAreAsTheyWereGiven(MemoryArtifactRepository):
    """The path that is returned begins with the destination as it was given, relative or not."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        place = super().download_artifacts(artifact_path, dst_path)
        if dst_path is None or Path(dst_path).is_absolute():
            return place
        return f"{dst_path}/{artifact_path}"


@fault("download.copied")
class DownloadsAreLinked(MemoryArtifactRepository):
    """A file in a destination is read again as the artifact."""

    def __init__(self, artifact_uri: str = "memory:") -> None:
        super().__init__(artifact_uri)
        self._places: dict[str, Path] = {}

    def _place(self, file: FileInfo, destination: Destination) -> None:
        linked = self._places.get(file.path)
        if linked is not None and linked.is_file():
            self._store(file.path, linked.read_bytes())
            file = replace(file, file_size=linked.stat().st_size)
        super()._place(file, destination)
        self._places[file.path] = Path(destination.place_of(file.path))


@fault("download.is-a-copy")
class DownloadsAreTheArtifacts(MemoryArtifactRepository):
    """What was downloaded without a destination is read again as the artifact."""

    def __init__(self, artifact_uri: str = "memory:") -> None:
        super().__init__(artifact_uri)
        self._places: dict[str, Path] = {}

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        known = self._places.get(artifact_path)
        if known is not None and known.is_file():
            self._put(known, artifact_path)
        place = super().download_artifacts(artifact_path, dst_path)
        if dst_path is None:
            self._places[artifact_path] = Path(place)
        return place


@fault("download.temporary-private")
class TheTemporaryFolderIsOpen(MemoryArtifactRepository):
    """The folder that is made where no destination is given is readable by all."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        if dst_path is None:
            dst_path = tempfile.mkdtemp(prefix="trackspec-")
            Path(dst_path).chmod(0o755)
        return super().download_artifacts(artifact_path, dst_path)


@fault("download.temporary-private")
class OneFolderIsForAll(MemoryArtifactRepository):
    """What is downloaded without a destination lies in one folder, which everybody may read."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        if dst_path is None:
            dst_path = Path(tempfile.gettempdir(), "downloads")
            dst_path.mkdir(exist_ok=True)
            dst_path.chmod(0o755)
        return super().download_artifacts(artifact_path, dst_path)


@fault("download.missing-refused")
class NothingIsAnEmptyFolder(MemoryArtifactRepository):
    """Downloading what is not there makes an empty folder."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        try:
            return super().download_artifacts(artifact_path, dst_path)
        except TrackspecError as error:
            if error.error_code is not ErrorCode.RESOURCE_DOES_NOT_EXIST or dst_path is None:
                raise
            made = Path(dst_path, artifact_path)
            made.mkdir(parents=True, exist_ok=True)
            return str(made)


@fault("download.missing-refused")
class NothingLeavesAnEmptyFile(MemoryArtifactRepository):
    """Downloading what is not there is refused, and leaves an empty file."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        try:
            return super().download_artifacts(artifact_path, dst_path)
        except TrackspecError as error:
            if error.error_code is ErrorCode.RESOURCE_DOES_NOT_EXIST and dst_path and "/" not in artifact_path:
                Path(dst_path, artifact_path).touch()
            raise


@fault("download.replaces")
class LocalFilesAreKept(MemoryArtifactRepository):
    """A local file at the place of a downloaded one stays."""

    def _place(self, file: FileInfo, destination: Destination) -> None:
        if not Path(destination.place_of(file.path)).exists():
            super()._place(file, destination)


@fault("download.replaces")
class LocalFilesAreWrittenOver(MemoryArtifactRepository):
    """A downloaded file is written over the beginning of a longer local one."""

    def _place(self, file: FileInfo, destination: Destination) -> None:
        place = Path(destination.place_of(file.path))
        before = place.read_bytes() if place.is_file() and not place.is_symlink() else b""
        super()._place(file, destination)
        place.write_bytes(place.read_bytes() + before[place.stat().st_size :])


@fault("download.keeps-others")
class TheDestinationIsCleared(MemoryArtifactRepository):
    """What lies in the folder of a downloaded one is removed first."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        if dst_path and isinstance(artifact_path, str) and artifact_path and Path(dst_path).is_dir():
            shutil.rmtree(Path(dst_path) / artifact_path.strip("/"), ignore_errors=True)
        return super().download_artifacts(artifact_path, dst_path)


@fault("download.keeps-others")
class DownloadsAreNotedInTheDestination(MemoryArtifactRepository):
    """A file in the destination tells where the artifacts are from."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        place = super().download_artifacts(artifact_path, dst_path)
        if dst_path and Path(place).is_dir() and artifact_path:
            Path(dst_path, ".origin").write_text(self.artifact_uri)
        return place


@fault("download.no-folder-refused")
class AFileGivesWayToTheDestination(MemoryArtifactRepository):
    """A file in the place of the destination is replaced by a folder."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        if dst_path and Path(dst_path).is_file():
            Path(dst_path).unlink()
            Path(dst_path).mkdir()
        return super().download_artifacts(artifact_path, dst_path)


@fault("download.destination-missing")
class AMissingDestinationIsAnotherOne(MemoryArtifactRepository):
    """Where the destination does not exist, a temporary folder takes its place."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        there = dst_path is None or Path(dst_path).exists()
        return super().download_artifacts(artifact_path, dst_path if there else None)


@fault("download.link-not-followed")
class LinkedFilesAreWritten(MemoryArtifactRepository):
    """A download writes through a symbolic link that has its name."""

    def _place(self, file: FileInfo, destination: Destination) -> None:
        place = Path(destination.place_of(file.path))
        if place.is_symlink():
            self._get(file.path, place)
        else:
            super()._place(file, destination)


@fault("download.link-not-followed")
class LinkedFoldersAreEntered(MemoryArtifactRepository):
    """A download writes into the folder that a symbolic link in the destination leads to."""

    def _place(self, file: FileInfo, destination: Destination) -> None:
        place = Path(destination.place_of(file.path))
        if place.parent.is_symlink():
            self._get(file.path, place)
        else:
            super()._place(file, destination)
