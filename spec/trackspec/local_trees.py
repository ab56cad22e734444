"""The local files that are uploaded: found and judged, all of them, before the first one is transferred."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from trackspec.artifact_paths import file_path
from trackspec.errors import invalid


def uploaded_file(local_file: object, folder: str) -> tuple[Path, str]:
    """A local file, and the path that it gets in a folder.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if it is no regular file, or its name breaks a rule of paths.
    """
    file = _local_path(local_file)
    if not _is_file(file):
        raise invalid(f"There is no local file {file.name!r}.")
    return file, file_path(file.name, folder)


def uploaded_files(local_dir: object, folder: str) -> list[tuple[Path, str]]:
    """The files below a local folder, by path, each with the path that it gets in a folder.

    Symbolic links stand for what they lead to. Folders without files are left out.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if it is no folder, or if something in it is neither file nor
        folder, leads back to a folder that it is in, or has a name that breaks a rule of paths.
    """
    directory = _local_path(local_dir)
    if not directory.is_dir():
        raise invalid(f"There is no local folder {directory.name!r}.")
    return sorted(_below(directory, folder, ()), key=lambda found: found[1])


def require_readable(local_file: Path) -> None:
    """Require that a local file can be opened and read at its start.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if it cannot.
    """
    try:
        with local_file.open("rb") as stream:
            stream.read(1)
    except OSError as error:
        raise invalid(f"The local file {local_file.name!r} cannot be read.") from error


def _below(directory: Path, folder: str, above: tuple[tuple[int, int], ...]) -> Iterator[tuple[Path, str]]:
    try:
        status = directory.stat()
        entries = list(os.scandir(directory))
    except OSError as error:
        raise invalid(f"The local folder {directory.name!r} cannot be read.") from error
    identity = (status.st_dev, status.st_ino)
    if identity in above:
        raise invalid(f"The local folder {directory.name!r} contains itself through a symbolic link.")
    for entry in entries:
        path = file_path(entry.name, folder)
        if entry.is_dir():
            yield from _below(Path(entry.path), path, (*above, identity))
        elif _is_file(Path(entry.path)):
            yield Path(entry.path), path
        else:
            raise invalid(f"The local {entry.name!r} is neither a file nor a folder.")


def _is_file(path: Path) -> bool:
    """Whether it is a regular file or leads to one; what cannot be looked at is none."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def _local_path(value: object) -> Path:
    if not isinstance(value, (str, os.PathLike)) or not isinstance(os.fspath(value), str):
        raise invalid(f"A local path must be a string or a path, not {type(value).__name__}.")
    return Path(value).absolute()
