"""One request and its answer: connections, proxies, TLS, bounds of time and size."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import ssl
import time
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from queue import Empty, Full
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import urlsplit

import urllib3
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import ProxyError, RequestException

from trackspec.errors import ErrorCode, TrackspecError, invalid
from trackspec_reference.credentials.host_creds import HostCreds
from trackspec_reference.tracking.rest.deadlines import CLOCK, TimedConnection, TimedTLSConnection

MAX_ANSWER = 512 * 1024 * 1024
"""Bytes that an answer may have."""

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_CONNECTIONS = 100
"""So many threads can call at once without making connections that are used only once."""
PIECE = 1 << 20
GOOD = 200
_PART = 206
LEAST_RATE = 32 * 1024
"""Bytes of a file that are to go over a connection in a second, once the time for a request is over."""


class Answer(NamedTuple):
    """What a server answered, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswer(Exception):
    """A request that got no whole answer.

    :ivar reason: why, for a person.
    :ivar sent: whether some of it was sent, so that it may have been served.
    """

    def __init__(self, reason: str, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


class Download:
    """A file that takes the bodies of good answers, until all of one is there.

    What has arrived when a connection is lost stays, and the rest is asked for, if the server has named the
    version that it is of.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version: str | None = None
        self._file: BinaryIO | None = None

    def headers(self) -> Mapping[str, str]:
        """The header fields that ask for what is missing."""
        size = self._path.stat().st_size
        return {"Range": f"bytes={size}-", "If-Range": self._version} if self._version and size else {}

    def takes(self, status: int, headers: Mapping[str, str]) -> bool:
        """Whether the body of an answer is to be written: all of a file, or what is missing of it."""
        size = self._path.stat().st_size
        goes_on = status == _PART and headers.get("Content-Range", "").startswith(f"bytes {size}-")
        if not goes_on and status != GOOD:
            return False
        version = headers.get("ETag", "")
        self._version = version if version.startswith('"') else None
        self._file = self._path.open("ab" if goes_on else "wb")
        return True

    def write(self, piece: bytes) -> None:
        """Write what has arrived.

        :raises TrackspecError: INTERNAL_ERROR if the local disk does not take it.
        """
        assert self._file is not None
        try:
            self._file.write(piece)
        except OSError as error:
            told = f"A local file cannot be written: {os.strerror(error.errno or 0)}."
            raise TrackspecError(told) from error

    def close(self) -> None:
        """End the writing of one body."""
        if self._file is not None:
            self._file.close()


class Transport:
    """Connections to a server, which threads may share. A process that was forked off needs its own.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if the certificates cannot be read, or the proxy is malformed.
    """

    def __init__(self, creds: HostCreds, connect_timeout: float) -> None:
        url = creds.host
        self._connect_timeout = connect_timeout
        with Session() as session:  # it knows what the environment says of proxies and certificates
            settings: dict[str, Any] = dict(
                session.merge_environment_settings(url, {}, True, creds.verify, creds.client_cert)
            )
        del settings["stream"]
        where = urlsplit(url)
        self._host = {"Host": where.netloc.removesuffix(_DEFAULT_PORTS[where.scheme])}
        try:
            self._connections = _Connections(url, settings)
        except (OSError, RequestException, urllib3.exceptions.HTTPError):
            raise invalid(
                "The files of the certificates, or the proxy that the environment names, are unusable."
            ) from None

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | Iterator[bytes] | None,
        deadline: float,
        file: Download | None = None,
    ) -> Answer:
        """Send a request, once, and read the answer. No redirection is followed.

        :param target: path and query, below the URL of the server.
        :param body: all of it, or its pieces, where the headers tell its length.
        :param deadline: when the answer must be there, in the time of :func:`time.monotonic`.
        :param file: takes the body of a good answer, which then has none; there is more time for a long one.
        :raises NoAnswer: if there is no whole answer by then.
        :raises TrackspecError: INTERNAL_ERROR if what answers is not trusted, speaks no HTTP, or says too much.
        """
        left = deadline - time.monotonic()
        if left <= 0:
            raise NoAnswer("there was no time left", sent=False)
        CLOCK.deadline, CLOCK.sent = deadline, False
        timeout = (min(self._connect_timeout, left), left)
        try:
            raw = self._connections.exchange(method, target, {**self._host, **headers}, body, timeout)
            if file is not None and file.takes(raw.status, raw.headers):
                _copy(raw, file)
                return Answer(GOOD, raw.headers, b"")
            return Answer(raw.status, raw.headers, _whole(raw))
        except (
            RequestException,
            urllib3.exceptions.HTTPError,
            http.client.HTTPException,
            OSError,
            ValueError,
        ) as error:
            raise _failure(error, CLOCK.sent) from None

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()


class _Connections(HTTPAdapter):
    """The connections to one server. An open one is used without the detours by which the libraries open one.

    :param url: of the server.
    :param settings: what the environment and the credentials say of proxies and certificates.
    """

    def __init__(self, url: str, settings: Mapping[str, Any]) -> None:
        super().__init__(pool_connections=1, pool_maxsize=_CONNECTIONS)
        self._url, self._settings = url, settings
        request = PreparedRequest()
        request.prepare(method="GET", url=url)
        verify, cert, proxies = settings["verify"], settings["cert"], settings["proxies"]
        self._pool: Any = super().get_connection_with_tls_context(request, verify, proxies, cert)
        over_tls = isinstance(self._pool, urllib3.HTTPSConnectionPool)
        self._pool.ConnectionCls = TimedTLSConnection if over_tls else TimedConnection
        idle = _Idle()
        self._pool.pool = idle  # type: ignore[assignment]  # all that it asks of a queue
        weakref.finalize(self, idle.close)
        self.cert_verify(self._pool, url, verify, cert)
        asked_of_a_proxy = super().request_url(request, proxies) == request.url
        self._start = url if asked_of_a_proxy else urlsplit(url).path
        self._proxy_headers = self._pool.proxy_headers if asked_of_a_proxy else {}

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: Any, timeout: tuple[float, float]
    ) -> Any:
        """Send a request, and return the answer as urllib3 does, of which the body is not read."""
        connection = self._pool._get_conn()
        if connection.is_closed:
            self._pool._put_conn(connection)
            return self._exchange_over_a_new_one(method, target, headers, body, timeout)
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # there may be an answer nevertheless
                connection.request(method, self._start + target, body, {**headers, **self._proxy_headers})
            answer: Any = connection.getresponse()
        except BaseException:
            connection.close()
            self._pool._put_conn(connection)
            raise
        answer._pool, answer._connection = self._pool, connection
        return answer

    def _exchange_over_a_new_one(
        self, method: str, target: str, headers: Mapping[str, str], body: Any, timeout: tuple[float, float]
    ) -> Any:
        request = PreparedRequest()
        request.method, request.url, request.body = method, self._url + target, body
        request.headers = dict(headers)  # type: ignore[assignment]  # each has one name here
        return self.send(request, stream=True, timeout=timeout, **self._settings).raw

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - always the same
        return self._pool

    def request_url(self, request: Any, proxies: Any) -> str:  # noqa: ARG002 - always the same
        """What is asked for, as it is over an open connection: requests would tidy it up."""
        target: str = request.url[len(self._url) :]
        return self._start + target

    def build_response(self, req: PreparedRequest, resp: Any) -> Response:
        """The answer without what a client of one server has no use for, such as cookies."""
        response = Response()
        response.request, response.raw = req, resp
        return response


class _Idle:
    """The connections that nobody uses: what urllib3 asks of a queue, and the last one comes first."""

    def __init__(self) -> None:
        self._kept: list[Any] = []

    def get(self, block: bool = False, timeout: float | None = None) -> Any:  # noqa: ARG002 - never waits
        """The one that was put here last."""
        try:
            return self._kept.pop()
        except IndexError:
            raise Empty from None

    def put(self, connection: Any, block: bool = False) -> None:  # noqa: ARG002 - never waits
        """Keep a connection, if there is room; None stands for one that was lost."""
        if connection is None:
            return
        if len(self._kept) >= _CONNECTIONS:
            raise Full
        self._kept.append(connection)

    def qsize(self) -> int:
        """How many there are."""
        return len(self._kept)

    def close(self) -> None:
        """Close them."""
        while self._kept:
            self._kept.pop().close()


def _whole(raw: Any) -> bytes:
    """The body, and the connection given back; one that is not read to its end is not used again."""
    try:
        announced = raw.length_remaining
        if announced is not None and announced <= MAX_ANSWER:
            body: bytes = raw.read(decode_content=False)
        else:
            body = b"".join(_pieces(raw, announced))
    except BaseException:
        raw.close()
        raise
    raw.release_conn()
    return body


def _copy(raw: Any, file: Download) -> None:
    """Write the body to a file, and give the connection back."""
    try:
        CLOCK.deadline += (raw.length_remaining or 0) / LEAST_RATE
        while piece := raw.read(PIECE, decode_content=False):
            file.write(piece)
    except BaseException:
        raw.close()
        raise
    finally:
        file.close()
    raw.release_conn()


def _pieces(raw: Any, announced: int | None) -> Iterator[bytes]:
    size = announced or 0
    while size <= MAX_ANSWER:
        piece = raw.read(PIECE, decode_content=False)
        if not piece:
            return
        size += len(piece)
        yield piece
    raise TrackspecError(
        f"The server's answer is larger than the {MAX_ANSWER} bytes that are read; ask for less at once."
    )


# -- what went wrong ---------------------------------------------------------------------------------------------


def _failure(error: Exception, sent: bool) -> NoAnswer | TrackspecError:
    causes = list(_causes(error))

    def is_of(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return TrackspecError(
                f"The server's TLS certificate is not trusted: {cause.verify_message}. Name the authority's "
                "certificates in MLFLOW_TRACKING_SERVER_CERT_PATH."
            )
        if isinstance(cause, ssl.SSLError) and "ALERT" in str(cause.reason):
            return TrackspecError(
                "The server refuses to talk over TLS. If it asks for a certificate of the client's, name that in "
                "MLFLOW_TRACKING_CLIENT_CERT_PATH."
            )
    if is_of(ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return NoAnswer("it breaks the connection off", sent)
    if is_of(ssl.SSLError) and not sent:
        return TrackspecError("The server does not speak TLS, or no version of it that is taken here.")
    if is_of(ProxyError, urllib3.exceptions.ProxyError) and not sent:
        return NoAnswer("the proxy that the environment names does not let it through", sent)
    if is_of(socket.gaierror):
        return NoAnswer("its name is not known", sent)
    if is_of(ConnectionRefusedError):
        return NoAnswer("nothing listens there", sent)
    if is_of(TimeoutError, urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.ReadTimeoutError):
        return NoAnswer("it takes too long", sent)
    if is_of(http.client.IncompleteRead, urllib3.exceptions.IncompleteRead):
        return NoAnswer("its answer ends too early", sent)
    if is_of(ConnectionError, ssl.SSLError):
        return NoAnswer("it breaks the connection off", sent)
    if is_of(http.client.HTTPException, urllib3.exceptions.InvalidHeader, ValueError):
        return TrackspecError("What answers there does not speak HTTP.", ErrorCode.INTERNAL_ERROR)
    return NoAnswer("it cannot be reached", sent)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that it came from, wherever it keeps them."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        cause = waiting.pop(0)
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]
