"""Artifacts as files of a local folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from trackspec.artifact_locations import artifact_location
from trackspec.artifact_paths import RESERVED
from trackspec.entities import FileInfo
from trackspec.errors import ErrorCode, TrackspecError, invalid, missing
from trackspec.validated_repository import ValidatedRepository

_PIECE = 4 * 1024 * 1024
"""Bytes that are copied at once."""


class LocalArtifactRepository(ValidatedRepository):
    """Files below a local folder, which is made with the first of them.

    A file gets its name when it is whole and on disk, so that whoever reads sees the former one or the new one.
    Below the folder, no symbolic link is followed.

    :param artifact_uri: a path, or ``file:`` and a percent-encoded path, on no host but ``localhost``.
    :raises TrackspecError: INVALID_PARAMETER_VALUE for any other URI.
    """

    def __init__(self, artifact_uri: str) -> None:
        super().__init__(artifact_uri)
        self._root = _root_of(artifact_uri)

    def _put(self, local_file: Path, path: str) -> None:
        target = self._root / path
        with _failures_of(path):
            self._make_folders(path)
            if target.is_dir() and not target.is_symlink():
                raise invalid(f"{path!r} is a folder, and cannot be a file.")
            descriptor, temporary = tempfile.mkstemp(prefix=f"{RESERVED}upload-", dir=target.parent)
            try:
                with open(descriptor, "wb") as written, local_file.open("rb") as read:
                    shutil.copyfileobj(read, written, _PIECE)
                    os.fchmod(written.fileno(), stat.S_IMODE(target.parent.stat().st_mode) & 0o644 | 0o600)
                    written.flush()
                    os.fsync(written.fileno())
                os.replace(temporary, target)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(temporary)
                raise

    def _get(self, path: str, local_file: Path) -> None:
        with _failures_of(path), self._opened(path) as read, local_file.open("wb") as written:
            shutil.copyfileobj(read, written, _PIECE)

    def _list(self, path: str) -> Iterable[FileInfo]:
        if self._has_link_in(path):
            return
        try:
            entries = list(os.scandir(self._root / path))
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in entries:
            if not entry.name.startswith(RESERVED):
                found = self._find(f"{path}/{entry.name}" if path else entry.name)
                if found is not None:
                    yield found

    def _find(self, path: str) -> FileInfo | None:
        if self._has_link_in(path):
            return None
        try:
            status = (self._root / path).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        if stat.S_ISDIR(status.st_mode):
            return FileInfo(path, True, None)
        return FileInfo(path, False, status.st_size) if stat.S_ISREG(status.st_mode) else None

    def _delete(self, path: str) -> None:
        place = self._root / path
        if self._has_link_in(path) or not place.exists():
            return
        with _failures_of(path):
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _opened(self, path: str) -> Iterator[BinaryIO]:
        if self._has_link_in(path) or not (self._root / path).is_file():
            raise missing("artifact", path)
        with (self._root / path).open("rb") as read:
            yield read

    def _make_folders(self, path: str) -> None:
        """Make the folders that a file of this path is in."""
        self._root.mkdir(parents=True, exist_ok=True)
        if self._has_link_in(path):
            raise invalid(f"The way to {path!r} leads through a symbolic link, which is not followed.")
        (self._root / path).parent.mkdir(parents=True, exist_ok=True)

    def _has_link_in(self, path: str) -> bool:
        """Whether the file or folder of a path, or a folder that it is in, is a symbolic link."""
        place = self._root
        for name in path.split("/") if path else []:
            place /= name
            if place.is_symlink():
                return True
        return False


def _root_of(artifact_uri: str) -> Path:
    if not artifact_uri.lower().startswith("file:"):
        return Path(artifact_uri).absolute()
    location = artifact_location(artifact_uri)
    if location.authority not in ("", "localhost"):
        raise invalid("A local artifact repository is on this machine; its URI names no other host.")
    path = unquote(location.path)
    if "\0" in path or ".." in path.split("/"):
        raise invalid("The path of a local artifact repository has no '..' segment and no control character.")
    return Path(path or "/").absolute()


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
        raise TrackspecError(told, ErrorCode.INTERNAL_ERROR) from error
