"""Artifacts in HDFS, over its protocol for the web."""

from __future__ import annotations

import logging
import posixpath
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, NewConnectionError

from trackspec.artifact_locations import artifact_location
from trackspec.errors import ErrorCode, TrackspecError, invalid
from trackspec_reference.artifacts.remote_tree import (
    CONNECT_TIMEOUT,
    TIMEOUT,
    Entry,
    Lost,
    Refused,
    RemoteTreeRepository,
)
from trackspec_reference.artifacts.service import Service
from trackspec_reference.credentials.hadoop import CONFIGURATION, ENDPOINT, USER, find_hadoop

_AUTHORITY = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?|")
_CREDENTIALS = f"Set {USER} to a user who may."
_TICKET = "Get a Kerberos ticket with kinit."
_ELSEWHERE = (
    f"Set {ENDPOINT} to the WebHDFS address of its NameNode, or {CONFIGURATION} to the folder of hdfs-site.xml."
)
_TIMES = (CONNECT_TIMEOUT, TIMEOUT)
_PIECE = 256 * 1024
_BASE = "/webhdfs/v1"
_PAUSES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds between looks at a file that is being closed."""
_ESCAPED = re.compile("[%:;+]|=(?=25|3A|3B|2B|3D)")
"""What no name in HDFS has, or a DataNode reads otherwise; and the escape where it would be taken for one."""
_ESCAPE = re.compile("=(25|3A|3B|2B|3D)")
_BUSY = ("RetriableException", "SafeModeException", "ServerTooBusyException", "StandbyException")
_MOVED = (301, 302, 303, 307, 308)

_log = logging.getLogger(__name__)


class HdfsArtifactRepository(RemoteTreeRepository):
    """The files below a folder of HDFS.

    The NameNode is asked over WebHDFS, and hands contents on to DataNodes, to which it alone says who asks. HDFS
    has no names with a colon, and older DataNodes read a ``%``, ``+`` or ``;`` as something else: they are kept as
    ``=3A``, ``=25``, ``=2B`` and ``=3B``, and a ``=`` before one of these, or before ``3D``, as ``=3D``.

    :param artifact_uri: ``hdfs://HOST:PORT/PATH``, as Hadoop's own tools have it: the port is not that of WebHDFS,
        which ``TRACKSPEC_WEBHDFS_URL`` or the files of ``HADOOP_CONF_DIR`` name. Nothing in the path is decoded.
    :raises TrackspecError: INVALID_PARAMETER_VALUE for any other URI, or if the configuration cannot be used.
    """

    def __init__(self, artifact_uri: str) -> None:
        location = artifact_location(artifact_uri)
        if location.scheme != "hdfs" or not _AUTHORITY.fullmatch(location.authority):
            raise invalid("An HDFS repository's URI is 'hdfs://HOST:PORT/PATH'.")
        super().__init__(artifact_uri, location.path)
        hadoop = find_hadoop(location.authority)
        self._endpoints = list(hadoop.endpoints)
        self._user = {} if hadoop.kerberos else {"user.name": hadoop.user}
        self._service = Service(
            f"hdfs://{location.authority}" if location.authority else "HDFS",
            f"folder '/{self._root}'",
            _TICKET if hadoop.kerberos else _CREDENTIALS,
            _ELSEWHERE,
        )
        self._session = requests.Session()
        self._session.auth = _by_ticket() if hadoop.kerberos else _as_it_is
        self._session.headers["Accept-Encoding"] = "identity"
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=4 * self.parallel_transfers))

    def close(self) -> None:
        self._session.close()

    def _write(self, local_file: Path, place: str) -> None:
        where = self._data_node("PUT", place, "CREATE", overwrite="true")
        with local_file.open("rb") as content:
            body: Any = content if local_file.stat().st_size else b""
            headers = {"Content-Type": "application/octet-stream"}
            with self._sent("PUT", where, data=body, headers=headers, auth=_as_it_is) as answer:
                _require_good(answer)

    def _has_size(self, place: str, size: int) -> bool:
        """Whether there is a file of so many bytes, once the DataNode, which says so earlier, has closed it."""
        return super()._has_size(place, size) or any(self._has_size_after(pause, place, size) for pause in _PAUSES)

    def _has_size_after(self, pause: float, place: str, size: int) -> bool:
        time.sleep(pause)
        return super()._has_size(place, size)

    def _read(self, place: str, local_file: Path) -> bool:
        try:
            where = self._data_node("GET", place, "OPEN")
        except FileNotFoundError:
            return False
        with self._sent("GET", where, auth=_as_it_is) as answer:
            if answer.status_code == 404:
                return False
            _require_good(answer)
            pieces = answer.raw.stream(_PIECE)
            with local_file.open("wb") as written:
                while piece := _next(pieces):
                    written.write(piece)
        return True

    def _entries(self, place: str) -> Iterable[Entry]:
        found = self._entry(place)
        if found is None or found.size is not None:
            return []
        try:
            told = self._asked("GET", place, "LISTSTATUS")["FileStatuses"]["FileStatus"]
            return [entry for status in told if (entry := _of_status(status["pathSuffix"], status)) is not None]
        except FileNotFoundError:
            return []
        except (KeyError, TypeError):
            raise self._no_answer() from None

    def _entry(self, place: str) -> Entry | None:
        try:
            return _of_status(posixpath.basename(place), self._asked("GET", place, "GETFILESTATUS")["FileStatus"])
        except FileNotFoundError:
            return None
        except (KeyError, TypeError):
            raise self._no_answer() from None

    def _make_folder(self, place: str) -> None:
        self._asked("PUT", place, "MKDIRS")

    def _rename(self, temporary: str, place: str) -> None:
        self._asked("PUT", temporary, "RENAME", destination=place, renameoptions="OVERWRITE")

    def _remove_file(self, place: str) -> None:
        self._asked("DELETE", place, "DELETE", recursive="false")

    def _remove_folder(self, place: str) -> None:
        self._asked("DELETE", place, "DELETE", recursive="true")

    def _place_of(self, path: str) -> str:
        return _encoded(super()._place_of(path))

    # -- requests ---------------------------------------------------------------------------------------------

    def _asked(self, method: str, place: str, operation: str, **options: str) -> dict[str, Any]:
        """What the NameNode answers to an operation."""
        with self._to_name_node(method, place, operation, options) as answer:
            _require_good(answer)
            try:
                told = answer.json() if answer.content else {}
            except ValueError:
                raise self._no_answer() from None
            return told if isinstance(told, dict) else {}

    def _data_node(self, method: str, place: str, operation: str, **options: str) -> str:
        """Where the NameNode sends whoever has an operation with content."""
        with self._to_name_node(method, place, operation, options) as answer:
            if answer.status_code not in _MOVED:
                _require_good(answer)
                raise self._no_answer()
            where = urlsplit(answer.headers.get("Location", ""))
            if where.scheme not in ("http", "https") or (self._is_encrypted and where.scheme != "https"):
                raise self._no_answer()
            # A NameNode composes the accents of the path that it gives, and so names another file.
            before, found, _ = where.path.partition(f"{_BASE}/")
            return where._replace(path=f"{before}{_BASE}{quote(place)}").geturl() if found else where.geturl()

    @contextmanager
    def _to_name_node(
        self, method: str, place: str, operation: str, options: dict[str, str]
    ) -> Iterator[requests.Response]:
        parameters = {"op": operation, **self._user, **options}
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
        endpoint = self._endpoints[0]
        try:
            with self._sent(method, f"{endpoint}{_BASE}{quote(place)}?{query}") as answer:
                if _exception_of(answer) == "StandbyException":
                    raise Lost
                yield answer
        except Lost:
            self._endpoints = [*(other for other in self._endpoints if other != endpoint), endpoint]
            raise

    @contextmanager
    def _sent(self, method: str, url: str, **options: Any) -> Iterator[requests.Response]:
        """An answer; what goes wrong with it is told without the server's texts."""
        try:
            with self._session.request(
                method, url, timeout=_TIMES, allow_redirects=False, stream=True, **options
            ) as answer:
                if answer.status_code == 401:
                    raise self._service.wrong_credentials()
                yield answer
        except requests.exceptions.SSLError:
            raise self._service.untrusted() from None
        except requests.ConnectionError as error:
            if len(self._endpoints) == 1 and _is_unreachable(error):
                raise self._service.unreachable() from None
            raise Lost from None
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema):
            raise self._service.misconfigured() from None
        except (requests.RequestException, HTTPError):
            raise Lost from None

    @property
    def _is_encrypted(self) -> bool:
        return self._endpoints[0].startswith("https:")

    def _no_answer(self) -> TrackspecError:
        told = f"What answers for {self._service.name} speaks no WebHDFS. {_ELSEWHERE}"
        return TrackspecError(told, ErrorCode.INTERNAL_ERROR)


class _WithoutTokens(logging.Filter):
    """Keeps the token that a redirection holds out of what urllib3 logs of requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                re.sub(r"(?<=[?&]delegation=)[^&]*", "***", arg) if isinstance(arg, str) else arg
                for arg in record.args
            )
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_WithoutTokens())


def _require_good(answer: requests.Response) -> None:
    """Require that an operation was carried out."""
    if answer.status_code in (200, 201):
        return
    exception = _exception_of(answer)
    if exception == "FileNotFoundException":
        raise FileNotFoundError
    if exception in _BUSY or (answer.status_code >= 500 and not exception):
        raise Lost
    raise Refused


def _exception_of(answer: requests.Response) -> str:
    """The name of the exception that an answer tells, without its text, which shows paths and users."""
    if answer.status_code < 400:
        return ""
    try:
        return str(answer.json()["RemoteException"]["exception"])
    except (ValueError, KeyError, TypeError):
        return ""


def _next(pieces: Iterator[bytes]) -> bytes:
    """The next piece of a content; none is empty but the last."""
    return next(pieces, b"")


def _of_status(name: str, status: dict[str, Any]) -> Entry | None:
    """A file or folder; None where it is neither, such as a link."""
    decoded = _decoded(name)
    if _encoded(decoded) != name:
        _log.warning("HDFS has %r, which this repository would write otherwise; left out.", name)
        return None
    if status["type"] == "DIRECTORY":
        return Entry(decoded, None)
    return Entry(decoded, int(status["length"])) if status["type"] == "FILE" else None


def _encoded(place: str) -> str:
    return _ESCAPED.sub(lambda found: f"={ord(found[0]):02X}", place)


def _decoded(name: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), name)


def _is_unreachable(error: requests.ConnectionError) -> bool:
    """Whether there was no connection, rather than one that is lost."""
    return any(isinstance(getattr(cause, "reason", cause), NewConnectionError) for cause in error.args)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from looking into a netrc file, which says nothing of WebHDFS."""
    return request


def _by_ticket() -> Any:
    try:
        from requests_gssapi import OPTIONAL, HTTPSPNEGOAuth  # noqa: PLC0415 - only Kerberos needs it
    except ImportError:
        raise invalid(
            "HDFS asks for a Kerberos ticket, for which a library is missing. "
            "Install it with: pip install 'trackspec[kerberos]'"
        ) from None
    return HTTPSPNEGOAuth(mutual_authentication=OPTIONAL)
