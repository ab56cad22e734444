"""Artifacts on an SSH server, over SFTP."""

from __future__ import annotations

import contextlib
import posixpath
import socket
import stat
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import paramiko
from paramiko.ssh_exception import NoValidConnectionsError

from trackspec.artifact_locations import artifact_location
from trackspec.artifact_paths import parent_of
from trackspec.errors import ErrorCode, TrackspecError, invalid
from trackspec_reference.artifacts.connections import Connections
from trackspec_reference.artifacts.remote_tree import (
    CONNECT_TIMEOUT,
    TIMEOUT,
    Entry,
    Lost,
    Refused,
    RemoteTreeRepository,
    is_of_network,
    server_of,
    strange_names,
)
from trackspec_reference.artifacts.service import Service
from trackspec_reference.credentials.process import user_of_process

_CONFIG = Path("~/.ssh/config")
_KNOWN_HOSTS = "~/.ssh/known_hosts ~/.ssh/known_hosts2 /etc/ssh/ssh_known_hosts"
_CREDENTIALS = (
    "Name the user in the URI or in ~/.ssh/config, and let the SSH agent hold a key that the server accepts, or "
    "name one by IdentityFile."
)
_ELSEWHERE = "Correct host and port in the URI, or HostName and Port in ~/.ssh/config."
_PIECE = 32 * 1024

T = TypeVar("T")


class SFTPArtifactRepository(RemoteTreeRepository):
    """The files below a folder of an SSH server.

    ``~/.ssh/config`` says how the host is reached, as it does for ``ssh``: HostName, Port, User, IdentityFile,
    IdentitiesOnly, UserKnownHostsFile, StrictHostKeyChecking, ProxyCommand. The SSH agent and the user's keys say
    who asks. The key of the host must be one of its known ones. Below the root, no symbolic link is followed.

    :param artifact_uri: ``sftp://USER@HOST:PORT/PATH``, where user and port may be left out. The path is the
        server's, from the top: nothing in it is decoded.
    :raises TrackspecError: INVALID_PARAMETER_VALUE for any other URI, or if the configuration cannot be used.
    """

    def __init__(self, artifact_uri: str) -> None:
        location = artifact_location(artifact_uri)
        if location.scheme != "sftp":
            raise invalid("An SFTP repository's URI is 'sftp://USER@HOST/PATH'.")
        super().__init__(artifact_uri, location.path)
        server = server_of(location, "sftp://USER@HOST/PATH")
        self._service = Service(f"sftp://{server.host}", f"folder '/{self._root}'", _CREDENTIALS, _ELSEWHERE)
        self._config = self._configured(server.host)
        self._port = server.port or int(self._config.get("port", 22))
        user = server.user or self._config.get("user") or user_of_process()
        if user is None:
            raise self._service.no_credentials()
        self._user = user
        self._real_root: str | None = None
        self._connections = Connections(
            lambda: undisturbed(self._connected, _close),
            lambda sftp: undisturbed(lambda: _is_alive(sftp)),
            _close,
            (FileNotFoundError, PermissionError, Refused),
        )

    def close(self) -> None:
        self._connections.close()

    def _write(self, local_file: Path, place: str) -> None:
        def write(sftp: paramiko.SFTPClient) -> None:
            with local_file.open("rb") as content:
                sftp.putfo(content, place, confirm=False)

        self._ask(write)

    def _read(self, place: str, local_file: Path) -> bool:
        def read(sftp: paramiko.SFTPClient) -> None:
            with sftp.open(place, "rb") as content, local_file.open("wb") as written:
                content.prefetch(content.stat().st_size)  # asks for all, and reads no answer before it is written
                while piece := content.read(_PIECE):
                    written.write(piece)

        try:
            self._ask(read)
        except FileNotFoundError:
            return False
        return True

    def _entries(self, place: str) -> Iterable[Entry]:
        try:
            found = self._ask(lambda sftp: sftp.listdir_attr(place))
        except FileNotFoundError:
            return []
        return [entry for status in found if (entry := _of_status(status.filename, status)) is not None]

    def _entry(self, place: str) -> Entry | None:
        try:
            return _of_status(posixpath.basename(place), self._ask(lambda sftp: sftp.lstat(place)))
        except FileNotFoundError:
            return None

    def _make_folder(self, place: str) -> None:
        def make(sftp: paramiko.SFTPClient) -> None:
            above = place
            missing = []
            while not _is_there(sftp, above):
                missing.append(above)
                above = posixpath.dirname(above)
            for folder in reversed(missing):
                try:
                    sftp.mkdir(folder)
                except OSError:  # noqa: PERF203 - each folder has its own
                    if not _is_there(sftp, folder):  # otherwise somebody else has made it meanwhile
                        raise

        self._ask(make)

    def _rename(self, temporary: str, place: str) -> None:
        try:
            self._ask(lambda sftp: sftp.posix_rename(temporary, place))
        except Refused:  # as by a server that knows only the renaming which replaces nothing
            self._ask(lambda sftp: sftp.rename(temporary, place))

    def _remove_file(self, place: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._ask(lambda sftp: sftp.remove(place))

    def _remove_folder(self, place: str) -> None:
        self._ask(lambda sftp: _remove_below(sftp, place))

    def _leads_elsewhere(self, path: str) -> bool:
        """Whether the server takes the way to a path for another one, as far as it is there."""

        def ask(sftp: paramiko.SFTPClient) -> bool:
            if self._real_root is None:
                self._real_root = sftp.normalize(f"/{self._root}").rstrip("/")
            above = path
            while True:
                expected = f"{self._real_root}/{above}".rstrip("/") or "/"
                try:
                    return bool(sftp.normalize(self._place_of(above)) != expected)
                except FileNotFoundError:
                    if not above:
                        raise
                    above = parent_of(above)

        try:
            return self._ask(ask)
        except FileNotFoundError:
            return False

    def _ask(self, call: Callable[[paramiko.SFTPClient], T]) -> T:
        """What a call over some connection returns; what goes wrong is told without the server's texts."""
        try:
            with self._connections.borrowed() as sftp:
                try:
                    return undisturbed(lambda: call(sftp))
                except OSError as error:
                    if error.errno is None and _is_open(sftp):  # a status that says no more than that it failed
                        raise Refused from None
                    raise
        except PermissionError:
            raise self._service.not_permitted() from None
        except (EOFError, paramiko.SSHException):
            raise Lost from None
        except UnicodeDecodeError:
            raise strange_names() from None
        except OSError as error:
            if error.errno is None or is_of_network(error):
                raise Lost from None
            raise

    # -- connecting -------------------------------------------------------------------------------------------

    def _configured(self, host: str) -> paramiko.SSHConfigDict:
        file = _CONFIG.expanduser()
        try:
            config = paramiko.SSHConfig.from_path(str(file)) if file.exists() else paramiko.SSHConfig()
            found = config.lookup(host)
            int(found.get("port", 22))
        except (OSError, ValueError, KeyError, paramiko.SSHException):  # KeyError: the user has no name
            raise self._service.misconfigured() from None
        if found.get("proxyjump", "none").lower() != "none":
            raise invalid(f"~/.ssh/config has a ProxyJump for {host}, which is not followed; use ProxyCommand.")
        return found

    def _connected(self) -> paramiko.SFTPClient:
        client = paramiko.SSHClient()
        try:
            self._trust_known_hosts(client)
            host = self._config["hostname"]
            client.connect(
                host,
                self._port,
                self._user,
                key_filename=self._config.get("identityfile"),
                allow_agent=self._config.get("identitiesonly", "no").lower() != "yes",
                look_for_keys="identityfile" not in self._config,
                timeout=CONNECT_TIMEOUT,
                banner_timeout=CONNECT_TIMEOUT,
                auth_timeout=CONNECT_TIMEOUT,
                channel_timeout=CONNECT_TIMEOUT,
                sock=self._through(),
            )
            sftp = client.open_sftp()
            sftp.get_channel().settimeout(TIMEOUT)
        except BaseException as error:
            with contextlib.suppress(Exception):
                client.close()
            told = self._why(error)
            if told is None:
                raise
            raise told from None
        sftp.client = client  # which would be collected, and close the connection
        return sftp

    def _why(self, error: BaseException) -> TrackspecError | None:
        if isinstance(error, (paramiko.BadHostKeyException, _UnknownHost)):
            return TrackspecError(
                f"The key of {self._service.name} is not one that ~/.ssh/known_hosts has for it. Find "
                "out whose it is, and add it, as ssh-keyscan prints it.",
                ErrorCode.TEMPORARILY_UNAVAILABLE,
            )
        if isinstance(error, (paramiko.PasswordRequiredException, paramiko.AuthenticationException)):
            return self._service.wrong_credentials()
        if isinstance(error, (paramiko.SSHException, EOFError, NoValidConnectionsError, socket.gaierror)):
            no_key = isinstance(error, paramiko.SSHException) and "No authentication methods" in str(error)
            return self._service.no_credentials() if no_key else self._service.unreachable()
        if isinstance(error, (ValueError, UnicodeError, FileNotFoundError)):  # of a key's file
            return self._service.misconfigured()
        return self._service.unreachable() if isinstance(error, OSError) else None

    def _trust_known_hosts(self, client: paramiko.SSHClient) -> None:
        strict = self._config.get("stricthostkeychecking", "yes").lower()
        client.set_missing_host_key_policy(_Accepting() if strict in ("no", "off") else _Refusing())
        for name in (self._config.get("userknownhostsfile") or _KNOWN_HOSTS).split():
            file = Path(name).expanduser()
            if file.exists():
                client.load_system_host_keys(str(file))

    def _through(self) -> Any:
        """What the configuration has connections go through, if anything."""
        command = self._config.get("proxycommand", "none")
        return paramiko.ProxyCommand(command) if command.lower() != "none" else None


class _UnknownHost(Exception):
    pass


class _Refusing(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]  # it has no types
    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:  # noqa: ARG002 - paramiko's call
        raise _UnknownHost


class _Accepting(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]  # it has no types
    """What ``StrictHostKeyChecking no`` asks for, without writing the key down."""

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:  # noqa: ARG002 - likewise
        return


def undisturbed(call: Callable[[], T], give_up: Callable[[T], None] | None = None) -> T:
    """What a call returns that is made in a thread of its own, where no interrupt of the user's reaches it.

    A lock of paramiko's that an interrupt leaves held would be waited for without end.

    :param give_up: what is done with the result where the caller was interrupted meanwhile.
    """
    ended: Future[T] = Future()

    def make() -> None:
        try:
            ended.set_result(call())
        except BaseException as error:
            ended.set_exception(error)

    threading.Thread(target=make, name="sftp", daemon=True).start()
    try:
        return ended.result()
    except BaseException:
        if give_up is not None:
            ended.add_done_callback(lambda late: None if late.exception() else give_up(late.result()))
        raise


def _is_there(sftp: paramiko.SFTPClient, place: str) -> bool:
    try:
        sftp.stat(place)
    except FileNotFoundError:
        return False
    return True


def _of_status(name: str, status: paramiko.SFTPAttributes) -> Entry | None:
    """A file or folder; None where it is neither, such as a link."""
    mode = status.st_mode or 0
    if stat.S_ISDIR(mode):
        return Entry(name, None)
    return Entry(name, status.st_size or 0) if stat.S_ISREG(mode) else None


def _remove_below(sftp: paramiko.SFTPClient, folder: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        for status in sftp.listdir_attr(folder):
            place = f"{folder}/{status.filename}"
            if stat.S_ISDIR(status.st_mode or 0):
                _remove_below(sftp, place)
            else:
                with contextlib.suppress(FileNotFoundError):
                    sftp.remove(place)
        sftp.rmdir(folder)


def _is_open(sftp: paramiko.SFTPClient) -> bool:
    channel = sftp.get_channel()
    transport = channel.get_transport() if channel else None
    return channel is not None and not channel.closed and transport is not None and transport.is_active()


def _is_alive(sftp: paramiko.SFTPClient) -> bool:
    try:
        sftp.stat("/")
    except (OSError, EOFError, paramiko.SSHException):
        return False
    return True


def _close(sftp: paramiko.SFTPClient) -> None:
    """End a connection at once. Its own thread closes it: another one could close what has its number by then."""
    channel = sftp.get_channel()
    transport = channel.get_transport() if channel else None
    if transport is None:
        return
    with contextlib.suppress(Exception):
        if isinstance(transport.sock, paramiko.ProxyCommand):
            transport.sock.close()
        else:
            transport.sock.shutdown(socket.SHUT_RDWR)
