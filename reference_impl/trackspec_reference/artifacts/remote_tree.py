"""Artifacts as the files of a server that has folders: what is the same for every protocol.

A file is written under a name that no listing shows, and gets its own by a renaming once it has its size. So
nobody sees a part of it, and what an upload that was cut has left is hidden, and deleted with its folder.
"""

from __future__ import annotations

import contextlib
import errno
import posixpath
import re
import secrets
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple, TypeVar

from trackspec.artifact_locations import Location
from trackspec.artifact_paths import RESERVED, parent_of
from trackspec.entities import FileInfo
from trackspec.errors import ErrorCode, TrackspecError, invalid, missing
from trackspec.validated_repository import ValidatedRepository
from trackspec_reference.artifacts.service import Service

T = TypeVar("T")

CONNECT_TIMEOUT = 10.0
"""Seconds that a connection may take."""
TIMEOUT = 60.0
"""Seconds that a server may be silent."""

_ATTEMPTS = 3
"""How often what a connection was lost over is tried."""
_OF_NETWORK = (errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETRESET, errno.ENETUNREACH)
_HOST = re.compile(
    r"(?:(?P<user>[^@:]+)@)?(?:\[(?P<address>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?"
)


class Lost(Exception):
    """The connection is lost, and what was asked for may be tried again over another one."""


class Refused(Exception):
    """The server does not do what was asked for. Why is to be found out: few of them say it to a program."""


class Entry(NamedTuple):
    """What a folder holds.

    :ivar size: of a file in bytes; None for a folder.
    """

    name: str
    size: int | None


class Server(NamedTuple):
    """The authority of a location, taken apart; what it does not say is None."""

    host: str
    port: int | None
    user: str | None


def is_of_network(error: BaseException) -> bool:
    """Whether an error of the system is one of a connection, and not of a local file."""
    return isinstance(error, (ConnectionError, TimeoutError)) or getattr(error, "errno", None) in _OF_NETWORK


def strange_names() -> TrackspecError:
    """The error for a folder that holds what a string cannot name."""
    return TrackspecError("The server has names that are not in UTF-8.", ErrorCode.DATA_LOSS)


def server_of(location: Location, uri: str) -> Server:
    """The server that a location names.

    :param uri: what such a location looks like.
    :raises TrackspecError: INVALID_PARAMETER_VALUE if it names none.
    """
    match = _HOST.fullmatch(location.authority)
    if not match or not 0 < int(match["port"] or 1) < 65_536:
        raise invalid(f"The URI of the repository is {uri!r}.")
    return Server(match["address"] or match["name"], int(match["port"]) if match["port"] else None, match["user"])


class RemoteTreeRepository(ValidatedRepository):
    """The files below a folder of a server. The folder is made with the first of them.

    What a protocol implements is given *places*: absolute paths on the server.

    :param root: the folder, as an absolute path.
    """

    parallel_transfers: ClassVar[int] = 4
    _service: Service

    def __init__(self, artifact_uri: str, root: str) -> None:
        super().__init__(artifact_uri)
        self._root = root.strip("/")

    # -- what a protocol implements ---------------------------------------------------------------------------

    @abstractmethod
    def _write(self, local_file: Path, place: str) -> None:
        """Write a local file's content to a file, which is made, or written anew.

        :raises FileNotFoundError: if there is no such folder, and it is not made by the way.
        :raises Refused: if the server does not take it.
        """

    @abstractmethod
    def _read(self, place: str, local_file: Path) -> bool:
        """Write a file's content to a local file, from its start; whether there is such a file."""

    @abstractmethod
    def _entries(self, place: str) -> Iterable[Entry]:
        """Give what is directly in a folder; nothing where there is no folder. What is no file is left out."""

    @abstractmethod
    def _entry(self, place: str) -> Entry | None:
        """The file or folder at a place; None where there is neither."""

    @abstractmethod
    def _make_folder(self, place: str) -> None:
        """Make a folder, and those above it that are missing.

        :raises Refused: if the server does not make it.
        """

    @abstractmethod
    def _rename(self, temporary: str, place: str) -> None:
        """Give a file its name, at once, replacing the file that has it.

        :raises Refused: if the server does not.
        """

    @abstractmethod
    def _remove_file(self, place: str) -> None:
        """Delete a file, which may be gone already."""

    @abstractmethod
    def _remove_folder(self, place: str) -> None:
        """Delete a folder with all that is in it; some of it may be gone already."""

    def _has_size(self, place: str, size: int) -> bool:
        """Whether there is a file of so many bytes."""
        found = self._entry(place)
        return found is not None and found.size == size

    def _leads_elsewhere(self, path: str) -> bool:  # noqa: ARG002 - most protocols do not tell
        """Whether the way to a path leads through a symbolic link."""
        return False

    # -- the primitives of a repository -----------------------------------------------------------------------

    def _put(self, local_file: Path, path: str) -> None:
        folder = parent_of(path)
        temporary = self._place_of(f"{folder}/{RESERVED}upload-{secrets.token_hex(8)}")
        if self._told(lambda: self._leads_elsewhere(folder)):
            raise invalid(f"The way to {path!r} leads through a symbolic link, which is not followed.")
        try:
            self._steadily(lambda: self._write_new(local_file, temporary))
            self._steadily(lambda: self._give_name(temporary, path))
        except BaseException as error:
            with contextlib.suppress(Exception):
                self._remove_file(temporary)
            if isinstance(error, Refused):
                raise self._refusal(path) from None
            raise

    def _get(self, path: str, local_file: Path) -> None:
        place = self._place_of(path)
        if self._told(lambda: self._leads_elsewhere(path) or not self._read(place, local_file)):
            raise missing("artifact", path)

    def _list(self, path: str) -> Iterator[FileInfo]:
        for name, size in self._found_in(path):
            if not name.startswith(RESERVED):
                yield FileInfo(f"{path}/{name}" if path else name, size is None, size)

    def _find(self, path: str) -> FileInfo | None:
        found = self._told(lambda: None if self._leads_elsewhere(path) else self._entry(self._place_of(path)))
        return FileInfo(path, found.size is None, found.size) if found else None

    def _delete(self, path: str) -> None:
        if not path:
            self._in_parallel(
                lambda entry: self._remove(entry.name, is_folder=entry.size is None), self._found_in("")
            )
        elif found := self._find(path):
            self._remove(path, is_folder=found.is_dir)

    # -- steps of them ----------------------------------------------------------------------------------------

    def _write_new(self, local_file: Path, temporary: str) -> None:
        try:
            self._write(local_file, temporary)
        except FileNotFoundError:
            try:
                self._make_folder(posixpath.dirname(temporary))
                self._write(local_file, temporary)
            except FileNotFoundError:
                raise Refused from None
        if not self._has_size(temporary, local_file.stat().st_size):
            raise self._service.damaged()

    def _give_name(self, temporary: str, path: str) -> None:
        try:
            self._rename(temporary, self._place_of(path))
        except (Refused, FileNotFoundError):
            # Its name is random: where it is gone, an earlier attempt whose answer was lost has renamed it.
            if self._entry(temporary) is not None:
                raise Refused from None

    def _found_in(self, path: str) -> list[Entry]:
        place = self._place_of(path)
        return self._told(lambda: [] if self._leads_elsewhere(path) else list(self._entries(place)))

    def _remove(self, path: str, *, is_folder: bool) -> None:
        remove = self._remove_folder if is_folder else self._remove_file
        self._told(lambda: remove(self._place_of(path)))

    def _refusal(self, path: str) -> TrackspecError:
        """Why a file cannot have a path."""
        found = self._find(path)
        if found is not None and found.is_dir:
            return invalid(f"{path!r} is a folder, and cannot be a file.")
        above = path
        while above := parent_of(above):
            found = self._find(above)
            if found is not None and not found.is_dir:
                return invalid(f"A file is in the way of {path!r}.")
        return self._service.not_permitted()

    def _told(self, call: Callable[[], T]) -> T:
        """What a call returns; that it is refused is told as missing rights, since its arguments are valid."""
        try:
            return self._steadily(call)
        except Refused:
            raise self._service.not_permitted() from None

    def _steadily(self, call: Callable[[], T]) -> T:
        """What a call returns; it is made again where the connection was lost."""
        for _ in range(_ATTEMPTS):
            try:
                return call()
            except Lost:  # noqa: PERF203 - it is what the loop is for
                continue
            except OSError:
                raise self._service.no_local_file() from None
        raise self._service.unreachable()

    def _place_of(self, path: str) -> str:
        return "/" + "/".join(part for part in (self._root, path.strip("/")) if part)
