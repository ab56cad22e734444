"""Where downloads are written: inside one local folder, each file at once or not at all.

A path comes from a server, and is not trusted. Nothing is written through a symbolic link that lies in the folder,
and a file gets its name only when it is whole.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from trackspec.artifact_paths import RESERVED, valid_path
from trackspec.errors import invalid


def destination(dst_path: object) -> Path:
    """The folder that downloads go to, absolute; a new temporary one for None.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if it is no folder.
    """
    if dst_path is None:
        return Path(tempfile.mkdtemp(prefix="trackspec-"))
    if not isinstance(dst_path, (str, os.PathLike)) or not isinstance(os.fspath(dst_path), str):
        raise invalid(f"A destination must be a string or a path, not {type(dst_path).__name__}.")
    directory = Path(dst_path).absolute()
    if not directory.is_dir():
        raise invalid("The destination of a download must be a folder that exists.")
    return directory


def place_file(directory: Path, path: str, fetch: Callable[[Path], None]) -> Path:
    """Write a file of this artifact path below a folder: all of it, or nothing.

    :param fetch: writes the content to the file that it is given, which is there, empty and private.
    :raises TrackspecError: INVALID_PARAMETER_VALUE if a folder or a symbolic link is in the way.
    """
    *folders, name = valid_path(path).split("/")
    parent = place_folder(directory, "/".join(folders))
    target = parent / name
    if target.is_dir() and not target.is_symlink():
        raise invalid(f"The destination has a folder where the artifact {path!r} is to be.")
    with _writing(path):
        descriptor, temporary = tempfile.mkstemp(prefix=f"{RESERVED}download-", dir=parent)
        os.close(descriptor)
    try:
        fetch(Path(temporary))
        with _writing(path):
            Path(temporary).chmod(_mode_of_new_files(parent))
            os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    return target


def place_folder(directory: Path, path: str) -> Path:
    """Make the folders of this artifact path below a folder, none of them a symbolic link.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if something else is in the way.
    """
    place = directory
    for name in valid_path(path).split("/") if path else []:
        place /= name
        with _writing(path), contextlib.suppress(FileExistsError):
            place.mkdir()
        if not stat.S_ISDIR(place.lstat().st_mode):
            raise invalid(f"The destination has something else where the folder {name!r} is to be.")
    return place


@contextlib.contextmanager
def _writing(path: str) -> Iterator[None]:
    """Tell in the contract's terms that the local disk does not take an artifact."""
    try:
        yield
    except OSError as error:
        raise invalid(f"The destination cannot hold {path!r}: {os.strerror(error.errno or 0)}.") from error


def _mode_of_new_files(parent: Path) -> int:
    """What the files that others make in a folder may be: readable by whom the folder is, never executable."""
    return stat.S_IMODE(parent.stat().st_mode) & 0o644 | 0o600
