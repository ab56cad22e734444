"""Artifacts as files of a local folder."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from io import FileIO
from pathlib import Path
from typing import BinaryIO, ClassVar
from urllib.parse import unquote

from trackspec.artifact_locations import artifact_location
from trackspec.artifact_paths import RESERVED, file_path, valid_path
from trackspec.entities import FileInfo
from trackspec.errors import ErrorCode, TrackspecError, invalid, missing
from trackspec.local_trees import require_readable
from trackspec.validated_repository import ValidatedRepository

DURABILITY = "TRACKSPEC_ARTIFACT_DURABILITY"
"""Names how much what is logged to a local folder outlives: ``power``, the default, or ``process``."""

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_AT_ONCE, _PIECE = 1 << 30, 1 << 20
"""Bytes that the kernel copies at once, and that are copied at once elsewhere."""


class LocalArtifactRepository(ValidatedRepository):
    """Files below a local folder, which is made with the first of them.

    A file gets its name when it is whole, so that whoever reads sees the former one or the new one. What is logged
    outlives a loss of power; with ``TRACKSPEC_ARTIFACT_DURABILITY=process`` in the environment only the end of the
    process, and nobody waits until it is on disk.
    Below the folder, no symbolic link is followed.

    :param artifact_uri: a path, or ``file:`` and a percent-encoded path, on no host but ``localhost``.
    :raises TrackspecError: INVALID_PARAMETER_VALUE for any other URI, and any other durability.
    """

    parallel_transfers: ClassVar[int] = 16  # most of the time of a small file is waiting for the disk

    def __init__(self, artifact_uri: str) -> None:
        super().__init__(artifact_uri)
        self._root = _root_of(artifact_uri)
        self._sync = _SYNC[_durability()]

    def _put_one(self, local_file: Path, path: str) -> None:
        # Whether a local file can be read is found out by reading it; asking first costs as much as a small file.
        try:
            self._put(local_file, path)
        except TrackspecError:
            require_readable(local_file)
            raise

    def _put(self, local_file: Path, path: str) -> None:
        with _failures_of(path), self._written(path) as temporary:
            shutil.copyfile(local_file, temporary)

    @contextlib.contextmanager
    def receive_artifact(self, artifact_path: str) -> Iterator[BinaryIO]:
        folder, _, name = valid_path(artifact_path).rpartition("/")
        path = file_path(name, folder)
        with _failures_of(path), self._written(path) as temporary, open(temporary, "xb") as received:
            yield received

    @contextlib.contextmanager
    def _written(self, path: str) -> Iterator[str]:
        """Give a place for a file, which gets its name when the block ends well, and it is whole."""
        target = self._place_of(path)
        folder = os.path.dirname(target)
        if self._has_link_in(path):
            raise invalid(f"The way to {path!r} leads through a symbolic link, which is not followed.")
        _make_folder(folder, self._sync)
        temporary = os.path.join(folder, f"{RESERVED}upload-{secrets.token_hex(8)}")
        try:
            yield temporary
            self._sync(temporary)
            if os.path.isdir(target):
                raise invalid(f"{path!r} is a folder, and cannot be a file.")
            os.replace(temporary, target)
            self._sync(folder)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise

    def _open(self, file: FileInfo) -> BinaryIO:
        if self._has_link_in(file.path):
            raise missing("file", file.path)
        with _failures_of(file.path):
            return open(self._place_of(file.path), "rb")

    def _get(self, path: str, local_file: Path) -> None:
        if self._has_link_in(path) or not os.path.isfile(self._place_of(path)):
            raise missing("artifact", path)
        # A file that is opened to be written anew is, by some file systems, put on disk before it is closed.
        with (
            _failures_of(path),
            open(self._place_of(path), "rb", buffering=0) as read,
            open(local_file, "r+b", buffering=0) as written,
        ):
            if os.fstat(written.fileno()).st_size:
                written.truncate(0)
            _copy(read, written)

    def _list(self, path: str) -> Iterable[FileInfo]:
        if self._has_link_in(path):
            return
        try:
            entries = os.scandir(self._place_of(path))
        except (FileNotFoundError, NotADirectoryError):
            return
        with entries:
            for entry in entries:
                found = _info(f"{path}/{entry.name}" if path else entry.name, entry)
                if found is not None:
                    yield found

    def _find(self, path: str) -> FileInfo | None:
        place = Path(self._place_of(path))
        if self._has_link_in(path) or not place.exists():
            return None
        return FileInfo(path, True, None) if place.is_dir() else FileInfo(path, False, place.stat().st_size)

    def _delete(self, path: str) -> None:
        place = self._place_of(path)
        if self._has_link_in(path) or not os.path.exists(place):
            return
        with _failures_of(path):
            if os.path.isdir(place):
                shutil.rmtree(place)
            else:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(place)

    def _place_of(self, path: str) -> str:
        return os.path.join(self._root, path) if path else self._root

    def _has_link_in(self, path: str) -> bool:
        """Whether the file or folder of a path, or a folder that it is in, is a symbolic link."""
        place = self._root
        for name in path.split("/") if path else []:
            place = os.path.join(place, name)
            if os.path.islink(place):
                return True
        return False


def _root_of(artifact_uri: str) -> str:
    if not artifact_uri.lower().startswith("file:"):
        return os.path.abspath(artifact_uri)
    location = artifact_location(artifact_uri)
    if location.authority not in ("", "localhost"):
        raise invalid("A local artifact repository is on this machine; its URI names no other host.")
    path = unquote(location.path)
    if "\0" in path or ".." in path.split("/"):
        raise invalid("The path of a local artifact repository has no '..' segment and no control character.")
    return os.path.abspath(path or "/")


def _info(path: str, entry: os.DirEntry[str]) -> FileInfo | None:
    """An entry of a folder as an artifact; None where it is being written, is a link, or has gone meanwhile."""
    if entry.name.startswith(RESERVED) or entry.is_symlink():
        return None
    if entry.is_dir():
        return FileInfo(path, True, None)
    try:
        status = entry.stat()
    except FileNotFoundError:
        return None
    return FileInfo(path, False, status.st_size) if stat.S_ISREG(status.st_mode) else None


def _make_folder(folder: str, sync: Callable[[str], None]) -> None:
    """Make a folder and those that it is in, and sync what holds their names."""
    if os.path.isdir(folder):
        return
    above = os.path.dirname(folder)
    _make_folder(above, sync)
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder)
    if not os.path.isdir(folder):
        raise FileExistsError(folder)
    sync(above)


def _copy(read: FileIO, written: FileIO) -> None:
    """Copy what is left of a file, within the kernel as far as it does that."""
    if hasattr(os, "copy_file_range"):
        with contextlib.suppress(OSError):  # which the rest meets again, unless it was of this call only
            while os.copy_file_range(read.fileno(), written.fileno(), _AT_ONCE):
                pass
    shutil.copyfileobj(read, written, _PIECE)


def _sync(place: str) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _leave(place: str) -> None:
    """Leave it to the operating system when a place is on disk."""


_SYNC = {"power": _sync, "process": _leave}
"""What is done for each durability before a call is acknowledged."""


def _durability() -> str:
    durability = os.environ.get(DURABILITY) or "power"
    if durability not in _SYNC:
        raise invalid(f"{DURABILITY} is 'power' or 'process'.")
    return durability


@contextlib.contextmanager
def _failures_of(path: str) -> Iterator[None]:
    """Tell a failure of the file system in the contract's terms."""
    try:
        yield
    except (NotADirectoryError, FileExistsError, IsADirectoryError) as error:
        raise invalid(f"A file is in the way of {path!r}.") from error
    except FileNotFoundError as error:
        raise missing("artifact", path) from error
    except OSError as error:
        told = f"{path!r} cannot be kept or read: {os.strerror(error.errno or 0)}."
        code = ErrorCode.TEMPORARILY_UNAVAILABLE if error.errno in _NO_ROOM else ErrorCode.INTERNAL_ERROR
        raise TrackspecError(told, code) from error
