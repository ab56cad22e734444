"""Faults of what is stored: acknowledged too early, written where others write, not synced."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from trackspec.entities import FileInfo
from trackspec.errors import ErrorCode, TrackspecError
from trackspec.validated_repository import ValidatedRepository

from . import fault

HERE = "tests.faults_artifacts.stored"
_DISK = tempfile.TemporaryDirectory(prefix="trackspec-fault-")  # removed with the process
_PLACES: list[str] = []
"""Where the repository is kept that a check has put into a directory; copies of this process know it."""


def placed(name: str) -> Callable[[str], str]:
    """What puts a repository of this name into a directory."""

    def put(directory: str) -> str:
        _PLACES[:] = [directory]
        return f"{HERE}:{name}"

    return put


class KeptOnDisk(ValidatedRepository):
    """A repository of plain files that are synced, and so are their names: nothing is wrong with it."""

    def __init__(self, artifact_uri: str = "") -> None:
        super().__init__(artifact_uri or "memory:placed")
        if artifact_uri:
            self._root = Path(_DISK.name, hashlib.sha256(artifact_uri.encode()).hexdigest())
        else:
            self._root = Path(_PLACES[0], "artifacts")
        self._root.mkdir(exist_ok=True)
        self._sync_folder(self._root.parent)

    def _put(self, local_file: Path, path: str) -> None:
        target = self._root / path
        for above in [*reversed(target.parents)]:
            if not above.exists():
                above.mkdir(exist_ok=True)
                self._sync_folder(above.parent)
        try:
            self._replace(target, local_file.read_bytes())
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EIO):
                raise
            self._give_up(self._unfinished(target))
            raise TrackspecError("The storage refuses.", ErrorCode.TEMPORARILY_UNAVAILABLE) from error

    def _replace(self, target: Path, content: bytes) -> None:
        unfinished = self._unfinished(target)
        self._write(content, unfinished)
        self._sync_file(unfinished)
        unfinished.replace(target)
        self._sync_folder(target.parent)

    def _give_up(self, unfinished: Path) -> None:
        unfinished.unlink(missing_ok=True)

    def _unfinished(self, target: Path) -> Path:
        return target.with_name(f".{os.getpid()}")

    def _write(self, content: bytes, place: Path) -> None:
        place.write_bytes(content)

    def _sync_file(self, place: Path) -> None:
        _sync(place)

    def _sync_folder(self, place: Path) -> None:
        _sync(place)

    def _get(self, path: str, local_file: Path) -> None:
        shutil.copyfile(self._root / path, local_file)

    def _list(self, path: str) -> Iterable[FileInfo]:
        folder = self._root / path
        for place in folder.iterdir() if folder.is_dir() else ():
            if not place.name.startswith("."):
                found = f"{path}/{place.name}".lstrip("/")
                yield FileInfo(found, place.is_dir(), None if place.is_dir() else place.stat().st_size)

    def _delete(self, path: str) -> None:
        raise NotImplementedError


def _sync(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@fault("stored.acknowledged")
class UploadsAreBuffered(KeptOnDisk):
    """A file is stored when the next one is logged."""

    _waiting: tuple[Path, str] | None = None

    def _put(self, local_file: Path, path: str) -> None:
        if self._waiting:
            super()._put(*self._waiting)
        self._waiting = local_file, path


@fault("stored.processes")
class UnfinishedFilesShareAName(KeptOnDisk):
    """What is not finished has one name, whoever writes it."""

    def _unfinished(self, target: Path) -> Path:
        return target.with_name(".unfinished")

    def _write(self, content: bytes, place: Path) -> None:
        with place.open("wb") as file:
            for start in range(0, len(content), 50_000):
                file.write(content[start : start + 50_000])
                file.flush()
                time.sleep(0.001)


@fault("stored.power")
class NamesAreNotSynced(KeptOnDisk):
    """The content of a file is synced, and the folder that it is in is not."""

    PLACED = placed("NamesAreNotSynced")

    def _sync_folder(self, place: Path) -> None:
        return


@fault("stored.power-whole")
class ContentIsNotSynced(KeptOnDisk):
    """A file is renamed and its name synced, and its content is not."""

    PLACED = placed("ContentIsNotSynced")

    def _sync_file(self, place: Path) -> None:
        return


@fault("stored.full-refused", "stored.error-told")
class FailedWritesAreIgnored(KeptOnDisk):
    """What cannot be written is acknowledged all the same."""

    PLACED = placed("FailedWritesAreIgnored")

    def _put(self, local_file: Path, path: str) -> None:
        with contextlib.suppress(TrackspecError):
            super()._put(local_file, path)


@fault("stored.full-keeps", "stored.error-keeps")
class FilesAreWrittenInPlace(KeptOnDisk):
    """The new content of a file is written over its old one."""

    PLACED = placed("FilesAreWrittenInPlace")

    def _replace(self, target: Path, content: bytes) -> None:
        self._write(content, target)
        self._sync_file(target)


@fault("stored.full-given-back")
class UnfinishedFilesStay(KeptOnDisk):
    """What was written of a file before there was no room is left where it is."""

    PLACED = placed("UnfinishedFilesStay")

    def _unfinished(self, target: Path) -> Path:
        return target.with_name(f".{target.name}")

    def _give_up(self, unfinished: Path) -> None:
        return


@fault("stored.full-recovers")
class FailuresAreForGood(KeptOnDisk):
    """After an upload has failed, the repository object refuses all others."""

    PLACED = placed("FailuresAreForGood")
    _failed = False

    def _give_up(self, unfinished: Path) -> None:
        super()._give_up(unfinished)
        self._failed = True

    def _replace(self, target: Path, content: bytes) -> None:
        if self._failed:
            raise OSError(errno.EIO, "failed before")
        super()._replace(target, content)


@fault("stored.power-error-told")
class FailedSyncsAreIgnored(KeptOnDisk):
    """What cannot be synced is acknowledged all the same."""

    PLACED = placed("FailedSyncsAreIgnored")

    def _sync_file(self, place: Path) -> None:
        with contextlib.suppress(OSError):
            _sync(place)

    _sync_folder = _sync_file
