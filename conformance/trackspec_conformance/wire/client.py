"""A plain HTTP client that sends what it is told, also what no good client would."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import netrc
import os
import select
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from trackspec_conformance.expectations import Unexpected

BASE = "/api/2.0/mlflow/"
JSON_TYPE = "application/json"
PATIENCE = 25.0
MOMENT = 0.02
"""Seconds in which a server closes a connection that it does not want to keep."""
_EARLY, _OTHERS = 3.0, 3
"""Seconds until a server that has answered so many others is known to be waiting, and not to be slow."""

Query = Mapping[str, object] | Sequence[tuple[str, str]] | str
"""The fields of a query, a list of values being a field that is repeated; or the query as it is to be sent."""
Body = Mapping[str, Any] | str | bytes
"""The fields of a JSON object, or a body as it is to be sent."""


@dataclass(frozen=True)
class Request:
    """A request as it is sent.

    :ivar target: path and query.
    :ivar headers: those that it has beside Host, Content-Length and what says who asks.
    :ivar body: None for none.
    :ivar credentials: whether it says who asks.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    credentials: bool = True


class Fields(dict[str, Any]):
    """The fields of a JSON object. To ask for one that is missing is to expect it.

    :raises Unexpected: if a field is asked for that is not there.
    """

    def __missing__(self, name: str) -> Any:
        raise Unexpected(f"a field {name!r}", f"the fields {', '.join(self)}" if self else "no field")


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)

    def header(self, name: str) -> str | None:
        """A header's value, None where it is missing."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(found) if found else None

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body, read strictly.

        :raises Unexpected: if it is no JSON in UTF-8.
        """
        try:
            return json.loads(self.body.decode(), parse_constant=_no_number, object_hook=Fields)
        except ValueError as error:
            raise Unexpected(f"JSON ({error})", str(self)) from None

    def __str__(self) -> str:
        shown = " ".join(self.text.split())
        shown = shown if len(shown) <= 300 else f"{shown[:299]}…"
        return f"{self.status} {self.header('Content-Type') or 'without a content type'}: {shown}"

    __repr__ = __str__


def _no_number(token: str) -> None:
    raise ValueError(f"{token} is no number of JSON")


class Wire:
    """Sends requests to a server, each of them once.

    A connection is used again only after a good answer to a sound request, so that what one request does to its
    connection does not reach the next, unless that is asked for.

    :param url: where the server is; paths begin below it.
    :param authorization: what says who asks, or None.
    :param curl_option: what gives it to curl, without saying it.
    :param patience: seconds that an answer may take.
    """

    def __init__(
        self,
        url: str,
        authorization: str | None = None,
        curl_option: str = "",
        patience: float = PATIENCE,
    ) -> None:
        parts = urlsplit(url)
        self.url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
        self.authorization = authorization
        self.curl_option = curl_option
        self._patience = patience
        self._secure = parts.scheme == "https"
        self._host, self._port, self._prefix = parts.hostname or "", parts.port, parts.path.rstrip("/")
        self._kept = threading.local()
        self._closes: bool | None = None

    @classmethod
    def from_environment(cls, url: str) -> Wire:
        """A client with the credentials that clients of the server read from the environment, or a netrc file."""
        user, password = (os.environ.get(f"MLFLOW_TRACKING_{name}") for name in ("USERNAME", "PASSWORD"))
        if user and password:
            return cls(url, _basic(user, password), '-u "$MLFLOW_TRACKING_USERNAME:$MLFLOW_TRACKING_PASSWORD"')
        if token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
            return cls(url, f"Bearer {token}", '-H "Authorization: Bearer $MLFLOW_TRACKING_TOKEN"')
        if entry := _netrc_entry(urlsplit(url).hostname or ""):
            return cls(url, _basic(*entry), '--netrc-file "${NETRC:-$HOME/.netrc}"')
        return cls(url)

    # -- requests -------------------------------------------------------------------------------------------

    def get(
        self, path: str, query: Query = (), *, headers: Mapping[str, str] | None = None, credentials: bool = True
    ) -> Answer:
        """Get a path, below the protocol's base unless it begins with a slash."""
        return self.send(get_request(path, query, headers, credentials=credentials))

    def post(
        self,
        path: str,
        body: Body,
        *,
        content_type: str | None = JSON_TYPE,
        encoding: str = "utf-8",
        headers: Mapping[str, str] | None = None,
        credentials: bool = True,
        keep_open: bool = False,
        early: bool = False,
    ) -> Answer:
        """Post a body to a path, below the protocol's base unless it begins with a slash.

        :param content_type: what the body says that it is; None for nothing.
        :param encoding: how a body that is given as text is encoded.
        :param keep_open: whether the next request uses the same connection, whatever is answered.
        :param early: whether the answer is to come before that to others, which ask later.
        """
        given = post_request(path, body, content_type, encoding, headers, credentials=credentials)
        return self.send(given, keep_open=keep_open, early=early)

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, credentials: bool = True
    ) -> Answer:
        """Send a request of any method without a body; whatever follows the head of the answer is its body."""
        told = {"Connection": "close", **(headers or {})}
        return self.send(other_request(method, path, told, credentials=credentials))

    def put(
        self, path: str, body: bytes, *, headers: Mapping[str, str] | None = None, credentials: bool = True
    ) -> Answer:
        """Put bytes at a path. Where the headers say that the body is chunked, it is written as chunks."""
        return self.send(put_request(path, body, headers, credentials=credentials))

    def put_cut(self, path: str, body: bytes, announced: int | None) -> None:
        """Begin to put more bytes at a path than there are, and end the connection after these.

        :param announced: how many there are said to be; None for a body in chunks, of which this is the first.
        """
        headers = {"Transfer-Encoding": "chunked"} if announced is None else {"Content-Length": str(announced)}
        first = b"%x\r\n%s\r\n" % (len(body), body) if announced is None else body
        connection = self._made()
        try:
            self._write(connection, put_request(path, first, headers), as_it_is=True)
        finally:
            connection.close()

    def send(self, request: Request, *, keep_open: bool = False, early: bool = False) -> Answer:
        """Send a request as it is, and read the answer.

        A server may close a connection that was used before while the next request is under way. Where no head of
        an answer has come, the request is sent over a new one.

        :raises OSError: if nothing answers; if others are answered meanwhile, where it is to be early.
        :raises http.client.HTTPException: if what answers does not speak HTTP.
        """
        connection, used = self._connection()
        self._kept.as_it_is = keep_open
        try:
            self._write(connection, request)
            if early:
                self._await_early(connection)
            if request.method == "HEAD":
                return _read_to_the_end(connection)
            response = connection.getresponse()
        except BaseException as error:
            connection.close()
            if used and isinstance(error, (ConnectionError, ssl.SSLEOFError)):
                self._closes = True
                return self.send(request, keep_open=keep_open, early=early)
            raise
        try:
            body = response.read()
        except BaseException:
            connection.close()
            raise
        if not keep_open and not 200 <= response.status < 300:
            connection.close()
        return Answer(response.status, tuple(response.getheaders()), body)

    def _await_early(self, connection: http.client.HTTPConnection) -> None:
        """Wait for an answer, as long as it takes to see that the server answers others and awaits something."""
        for _ in range(_OTHERS):
            if select.select([connection.sock], [], [], _EARLY / _OTHERS)[0]:
                return
            with contextlib.closing(self._made()) as other:
                self._write(other, get_request("runs/get", {"run_id": "0" * 32}))
                other.getresponse().read()
        if not select.select([connection.sock], [], [], 0)[0]:
            raise TimeoutError(f"no answer within {_EARLY} s, while others were answered")

    def _write(self, connection: http.client.HTTPConnection, request: Request, *, as_it_is: bool = False) -> None:
        names = {name.lower() for name, _ in request.headers}
        connection.putrequest(
            request.method, self._prefix + request.target, skip_host="host" in names, skip_accept_encoding=True
        )
        for name, value in request.headers:
            connection.putheader(name, value)
        if request.body is not None and not {"content-length", "transfer-encoding"} & names:
            connection.putheader("Content-Length", str(len(request.body)))
        if self.authorization and request.credentials:
            connection.putheader("Authorization", self.authorization)
        chunked = ("transfer-encoding", "chunked") in [(name.lower(), value) for name, value in request.headers]
        connection.endheaders(request.body, encode_chunked=chunked and not as_it_is)

    def _connection(self) -> tuple[http.client.HTTPConnection, bool]:
        """An open connection, and whether it was used before."""
        kept: http.client.HTTPConnection | None = getattr(self._kept, "connection", None)
        if kept is None:
            kept = self._kept.connection = self._made()
        elif kept.sock is not None and self._is_over(kept.sock):
            kept.close()
        if kept.sock is not None:
            return kept, True
        kept.connect()
        return kept, False

    def _is_over(self, sock: socket.socket) -> bool:
        """Whether a connection is not to be used again: the server has closed it, or says something unasked.

        Some servers close each connection without saying so. Whether this one does shows within moments of its
        first answer.
        """
        if self._closes:
            return True
        first, self._closes = self._closes is None, False
        if not select.select([sock], [], [], MOMENT if first else 0)[0]:
            return False
        ended = isinstance(sock, ssl.SSLSocket) or not sock.recv(1, socket.MSG_PEEK)
        self._closes = first and ended
        return ended or not self._kept.as_it_is

    def _made(self) -> http.client.HTTPConnection:
        if self._secure:
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=self._patience, context=tls_context()
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=self._patience)

    def close(self) -> None:
        """Close this thread's connection."""
        with contextlib.suppress(AttributeError):
            self._kept.connection.close()


def _read_to_the_end(connection: http.client.HTTPConnection) -> Answer:
    """The answer with whatever follows its head, also where nothing may follow."""
    response = http.client.HTTPResponse(connection.sock, method="GET")
    response.begin()
    try:
        body = response.read()
    except http.client.IncompleteRead as cut:
        body = cut.partial
    connection.close()
    return Answer(response.status, tuple(response.getheaders()), body)


def get_request(
    path: str, query: Query = (), headers: Mapping[str, str] | None = None, *, credentials: bool = True
) -> Request:
    """A request that gets a path."""
    return Request("GET", target(path, query), tuple((headers or {}).items()), credentials=credentials)


def post_request(
    path: str,
    body: Body,
    content_type: str | None = JSON_TYPE,
    encoding: str = "utf-8",
    headers: Mapping[str, str] | None = None,
    *,
    credentials: bool = True,
) -> Request:
    """A request that posts a body to a path."""
    if isinstance(body, Mapping):
        body = json.dumps(body)
    sent = body.encode(encoding) if isinstance(body, str) else body
    kind = {} if content_type is None else {"Content-Type": content_type}
    return Request("POST", target(path), tuple({**kind, **(headers or {})}.items()), sent, credentials)


def put_request(
    path: str, body: bytes, headers: Mapping[str, str] | None = None, *, credentials: bool = True
) -> Request:
    """A request that puts bytes at a path."""
    return Request("PUT", target(path), tuple((headers or {}).items()), body, credentials)


def other_request(
    method: str, path: str, headers: Mapping[str, str] | None = None, *, credentials: bool = True
) -> Request:
    """A request of any method without a body."""
    return Request(method, target(path), tuple((headers or {}).items()), credentials=credentials)


def target(path: str, query: Query = ()) -> str:
    """What the request line of a request holds."""
    whole = path if path.startswith("/") else BASE + path
    whole = quote(whole, safe="/%?&=+;:@,!*()~$'")
    if not isinstance(query, str):
        query = urlencode(query, doseq=True, quote_via=quote)
    return f"{whole}?{query}" if query else whole


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _netrc_entry(host: str) -> tuple[str, str] | None:
    """User and password of a host in the netrc file; None where there is no such file, or no such host in it."""
    try:
        entry = netrc.netrc(os.environ.get("NETRC") or os.path.expanduser("~/.netrc")).authenticators(host)
    except (OSError, netrc.NetrcParseError):
        return None
    return (entry[0] or entry[1] or "", entry[2] or "") if entry else None


def tls_context() -> ssl.SSLContext:
    """Which certificates are trusted, as clients of the server read it from the environment."""
    context = ssl.create_default_context(cafile=os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH"))
    if os.environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in ("true", "1"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate := os.environ.get("MLFLOW_TRACKING_CLIENT_CERT_PATH"):
        context.load_cert_chain(certificate)
    return context
