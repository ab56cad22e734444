"""Artifacts on an FTP server, over a plain connection or over TLS."""

from __future__ import annotations

import contextlib
import ftplib
import posixpath
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from trackspec.artifact_locations import artifact_location
from trackspec.errors import invalid
from trackspec_reference.artifacts.connections import Connections
from trackspec_reference.artifacts.ftp_listings import Listings, code_of, require_ordinary
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
from trackspec_reference.credentials.netrc_file import netrc_entry

_PIECE = 256 * 1024
_CREDENTIALS = (
    "Name the host in ~/.netrc, 'machine HOST login USER password PASSWORD', or in the file that NETRC names."
)
_ELSEWHERE = "Correct host and port in the URI."
_AUTHORITIES = "SSL_CERT_FILE names its authorities."


class FTPArtifactRepository(RemoteTreeRepository):
    """The files below a folder of an FTP server.

    A netrc file says who asks, the one that ``NETRC`` names or ``~/.netrc``; without an entry for the host it is
    ``anonymous``. Over TLS, the server's certificate is verified, and contents are encrypted too. Where the server
    has symbolic links, only itself knows which they are.

    :param artifact_uri: ``ftp://HOST/PATH``, or ``ftps://HOST/PATH`` over TLS; ``USER@`` before the host asks for
        that login of the netrc file. The path is the server's, from the top: nothing in it is decoded.
    :raises TrackspecError: INVALID_PARAMETER_VALUE for any other URI, or if the netrc file cannot be read;
        UNAUTHENTICATED if it has no entry for the user that the URI names.
    """

    def __init__(self, artifact_uri: str) -> None:
        location = artifact_location(artifact_uri)
        if location.scheme not in ("ftp", "ftps"):
            raise invalid("An FTP repository's URI is 'ftp://HOST/PATH' or 'ftps://HOST/PATH'.")
        super().__init__(artifact_uri, location.path)
        self._server = server_of(location, f"{location.scheme}://HOST/PATH")
        self._over_tls = location.scheme == "ftps"
        advice = f"{_ELSEWHERE} {_AUTHORITIES}" if self._over_tls else _ELSEWHERE
        self._service = Service(
            f"{location.scheme}://{self._server.host}", f"folder '/{self._root}'", _CREDENTIALS, advice
        )
        found = netrc_entry(self._server.host)
        if self._server.user is not None and (found is None or found.login != self._server.user):
            raise self._service.no_credentials()
        self._login = (found.login, found.password) if found else ("anonymous", "anonymous@")
        self._listings = Listings()
        self._connections = Connections(self._connected, _is_alive, _close, (ftplib.error_perm, FileNotFoundError))

    def close(self) -> None:
        self._connections.close()

    def _write(self, local_file: Path, place: str) -> None:
        with self._asking() as ftp, local_file.open("rb") as content:
            try:
                ftp.storbinary(f"STOR {place}", content, _PIECE)
            except ftplib.error_perm as error:
                require_ordinary(error)
                raise FileNotFoundError(place) from None

    def _read(self, place: str, local_file: Path) -> bool:
        with self._asking() as ftp, local_file.open("wb") as written:
            try:
                ftp.retrbinary(f"RETR {place}", written.write, _PIECE)
            except ftplib.error_perm as error:
                require_ordinary(error)
            else:
                return True
        return self._is_gone(place)

    def _entries(self, place: str) -> Iterable[Entry]:
        with self._asking() as ftp:
            found = self._listings.entries(ftp, place)
        if found is None:
            there = self._entry(place)
            if there is not None and there.size is None:
                raise Refused
        return found or []

    def _entry(self, place: str) -> Entry | None:
        with self._asking() as ftp:
            return self._listings.entry(ftp, place)

    def _make_folder(self, place: str) -> None:
        above = [place]
        while (parent := posixpath.dirname(above[-1])) != "/":
            above.append(parent)
        with self._asking() as ftp:
            for folder in reversed(above):
                try:
                    ftp.mkd(folder)
                except ftplib.error_perm as error:  # noqa: PERF203 - each folder has its own
                    require_ordinary(error)  # it is there, or what is made next is refused too

    def _rename(self, temporary: str, place: str) -> None:
        with self._asking() as ftp:
            ftp.rename(temporary, place)

    def _remove_file(self, place: str) -> None:
        with self._asking() as ftp:
            try:
                ftp.delete(place)
                return
            except ftplib.error_perm as error:
                require_ordinary(error)
        self._is_gone(place)

    def _remove_folder(self, place: str) -> None:
        for name, size in self._entries(place):
            (self._remove_folder if size is None else self._remove_file)(f"{place}/{name}")
        with self._asking() as ftp:
            try:
                ftp.rmd(place)
                return
            except ftplib.error_perm as error:
                require_ordinary(error)
        self._is_gone(place)

    def _is_gone(self, place: str) -> Literal[False]:
        """Require that what was refused was so since there is nothing."""
        if self._entry(place) is not None:
            raise Refused
        return False

    @contextmanager
    def _asking(self) -> Iterator[ftplib.FTP]:
        """A connection; what goes wrong with it is told without the server's texts."""
        try:
            with self._connections.borrowed() as ftp:
                yield ftp
        except ftplib.error_perm as error:
            raise (self._service.wrong_credentials() if code_of(error) == "530" else Refused()) from None
        except (ftplib.Error, EOFError, ssl.SSLError):
            raise Lost from None
        except UnicodeDecodeError:
            raise strange_names() from None
        except OSError as error:
            if is_of_network(error):
                raise Lost from None
            raise

    def _connected(self) -> ftplib.FTP:
        ftp = _OverTLS(context=ssl.create_default_context()) if self._over_tls else ftplib.FTP()
        try:
            ftp.connect(self._server.host, self._server.port or ftplib.FTP_PORT, CONNECT_TIMEOUT)
            ftp.timeout = TIMEOUT
            assert ftp.sock is not None
            ftp.sock.settimeout(TIMEOUT)
            ftp.login(*self._login)
            if isinstance(ftp, ftplib.FTP_TLS):
                ftp.prot_p()
            ftp.voidcmd("TYPE I")
        except BaseException as error:
            _close(ftp)
            if isinstance(error, ftplib.error_perm) and code_of(error) in ("530", "331", "332"):
                raise self._service.wrong_credentials() from None
            if isinstance(error, ssl.SSLCertVerificationError):
                raise self._service.untrusted() from None
            if isinstance(error, (ftplib.Error, EOFError, OSError, UnicodeError)):
                raise self._service.unreachable() from None
            raise
        return ftp


class _OverTLS(ftplib.FTP_TLS):
    """A connection that encrypts contents by the session of its commands, as many servers require."""

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[Any, int | None]:
        plain, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        assert isinstance(self.sock, ssl.SSLSocket)
        try:
            return self.context.wrap_socket(plain, server_hostname=self.host, session=self.sock.session), size
        except BaseException:
            plain.close()
            raise


def _is_alive(ftp: ftplib.FTP) -> bool:
    try:
        ftp.voidcmd("NOOP")
    except (ftplib.Error, EOFError, OSError):
        return False
    return True


def _close(ftp: ftplib.FTP) -> None:
    with contextlib.suppress(Exception):
        ftp.close()
