"""Where downloads are written: inside one local folder, each file at once or not at all.

A path comes from a server, and is not trusted. Nothing is written through a symbolic link that lies in the folder,
and a file gets its name only when it is whole.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from trackspec.artifact_paths import RESERVED, valid_path
from trackspec.errors import invalid


class Destination:
    """The local folder that a download goes to.

    :param dst_path: a folder that exists; None makes a temporary one, which is private.
    :raises TrackspecError: INVALID_PARAMETER_VALUE if it is no folder.
    """

    def __init__(self, dst_path: object) -> None:
        if dst_path is None:
            dst_path = tempfile.mkdtemp(prefix="trackspec-")
        if not isinstance(dst_path, (str, os.PathLike)) or not isinstance(os.fspath(dst_path), str):
            raise invalid(f"A destination must be a string or a path, not {type(dst_path).__name__}.")
        self._directory = os.path.abspath(dst_path)
        if not os.path.isdir(self._directory):
            raise invalid("The destination of a download must be a folder that exists.")
        self._folders = {"": self._directory}
        self._modes: dict[str, int] = {}

    def place_of(self, path: str) -> str:
        """Where an artifact of this path is, or is to be."""
        return os.path.join(self._directory, valid_path(path)) if path else self._directory

    def write(self, path: str, fetch: Callable[[Path], None]) -> None:
        """Write a file of this artifact path: all of it, or nothing.

        :param fetch: writes the content to the file that it is given, which is there, empty and private.
        :raises TrackspecError: INVALID_PARAMETER_VALUE if a folder or a symbolic link is in the way.
        """
        folder, _, name = valid_path(path).rpartition("/")
        parent = self._folder(folder)
        target = os.path.join(parent, name)
        temporary = os.path.join(parent, f"{RESERVED}download-{secrets.token_hex(8)}")
        with _writing(path):
            mode = self._modes.get(parent) or self._modes.setdefault(parent, _mode_of_new_files(parent))
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            fetch(Path(temporary))
            with _writing(path):
                os.chmod(temporary, mode)
                os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise

    def _folder(self, path: str) -> str:
        """Where a folder is; it is made, with those that it is in, none of them a symbolic link."""
        if path in self._folders:
            return self._folders[path]
        above, _, name = path.rpartition("/")
        place = os.path.join(self._folder(above), name)
        with _writing(path):
            with contextlib.suppress(FileExistsError):
                os.mkdir(place)
            if not stat.S_ISDIR(os.lstat(place).st_mode):
                raise invalid(f"The destination has something else where the folder {path!r} is to be.")
        self._folders[path] = place
        return place


@contextlib.contextmanager
def _writing(path: str) -> Iterator[None]:
    """Tell in the contract's terms that the local disk does not take an artifact."""
    try:
        yield
    except OSError as error:
        raise invalid(f"The destination cannot hold {path!r}: {os.strerror(error.errno or 0)}.") from error


def _mode_of_new_files(parent: str) -> int:
    """What the files that others make in a folder may be: readable by whom the folder is, never executable."""
    return stat.S_IMODE(os.stat(parent).st_mode) & 0o644 | 0o600
