"""A proxy on the loopback interface that loses, cuts, repeats and delays what passes to a server and back."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TypeVar
from urllib.parse import urlsplit

from trackspec_conformance.expectations import Unexpected, error_code
from trackspec_conformance.histories.performing import REFUSALS

PATIENCE = 60.0
"""Seconds that the server may take for an answer."""
SLOW = 1.0
"""Seconds by which a slow answer comes late."""
_OF_ONE_CONNECTION = ("connection", "keep-alive", "transfer-encoding", "content-length", "expect", "host")
_SIGNED = "AWS4-"
"""How the credentials of a request begin that is signed for the host which its client knows."""


T = TypeVar("T")

TRIES = 4
"""How often a call is made of which no answer comes."""


def until_answered(call: Callable[[], T]) -> T:
    """What a call returns that is made again as long as its answer is lost; a refusal is an answer."""
    tries = 0
    while True:
        tries += 1
        try:
            return call()
        except Unexpected:
            raise
        except Exception as error:
            if tries == TRIES or error_code(error) in (*REFUSALS, "NOT_IMPLEMENTED"):
                raise


def answers_of(call: Callable[[], T]) -> list[T]:
    """What a call returns, or nothing where it fails."""
    try:
        return [call()]
    except Unexpected:
        raise
    except Exception:
        return []


class Fate(str, Enum):
    """What becomes of a request and its answer."""

    REQUEST_LOST = "the request is lost"
    REQUEST_CUT = "the request is cut in its middle"
    REQUEST_LATE = "the request arrives late, and its answer is lost"
    REQUEST_REPEATED = "the request arrives twice"
    ANSWER_LOST = "the answer is lost"
    ANSWER_CUT = "the answer is cut in its middle"
    ANSWER_SLOW = "the answer is slow"


@dataclass(frozen=True)
class _Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class LosingProxy:
    """A running proxy in front of one server.

    :param url: where the server is.
    :param context: how the server's certificate is judged, where it has one.
    :ivar url: where a client finds the server, in plain HTTP.
    :ivar suffered: how many requests had another fate than to pass.
    """

    def __init__(self, url: str, context: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        self._secure, self._context = parts.scheme == "https", context
        self._host, self._port = parts.hostname or "", parts.port
        self._fates: dict[str, deque[Fate]] = {}
        self._late: list[_Request] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _connection_of(self))
        self._server.daemon_threads = True
        self.suffered = 0
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{parts.path.rstrip('/')}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def doom(self, path: str, *fates: Fate) -> None:
        """Let the next requests whose path ends so, as in ``runs/create``, have these fates, one after another.

        A request that asks for headers only passes, and so does one without a body that is to be cut.
        """
        with self._lock:
            self._fates[path] = deque(fates)

    def deliver(self) -> None:
        """Let the late requests arrive, and wait until they are answered."""
        with self._lock:
            late, self._late = self._late, []
        for request in late:
            self.forward(request)

    def spare(self) -> None:
        """Let all further requests pass."""
        with self._lock:
            self._fates.clear()

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> LosingProxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # -- what its connections ask ---------------------------------------------------------------------------

    def fate_of(self, request: _Request) -> Fate | None:
        """What becomes of the request that has arrived, None if it passes."""
        path = request.target.partition("?")[0]
        if request.method == "HEAD":
            return None
        with self._lock:
            for end, fates in self._fates.items():
                if path.endswith(end) and fates and (request.body or fates[0] is not Fate.REQUEST_CUT):
                    self.suffered += 1
                    return fates.popleft()
        return None

    def hold(self, request: _Request) -> None:
        """Keep a request until it is delivered."""
        with self._lock:
            self._late.append(request)

    def forward(self, request: _Request) -> _Answer:
        """The server's answer to a request."""
        with closing(self._connection()) as connection:
            connection.request(request.method, request.target, request.body or None, request.headers)
            answer = connection.getresponse()
            return _Answer(answer.status, answer.getheaders(), answer.read())

    def forward_half(self, request: _Request) -> None:
        """Let the server have the beginning of a request, and the end of its connection."""
        with closing(self._connection()) as connection:
            headers = {**request.headers, "Content-Length": str(len(request.body))}
            connection.request(request.method, request.target, None, headers)
            connection.send(request.body[: len(request.body) // 2])

    def _connection(self) -> http.client.HTTPConnection:
        if self._secure:
            return http.client.HTTPSConnection(self._host, self._port, timeout=PATIENCE, context=self._context)
        return http.client.HTTPConnection(self._host, self._port, timeout=PATIENCE)


def _connection_of(proxy: LosingProxy) -> type[BaseHTTPRequestHandler]:
    class Connection(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def pass_on(self) -> None:
            headers = {name: text for name, text in self.headers.items() if name.lower() not in _OF_ONE_CONNECTION}
            if self.headers.get("Authorization", "").startswith(_SIGNED):
                headers["Host"] = self.headers["Host"]
            request = _Request(self.command, self.path, headers, self._body())
            fate = proxy.fate_of(request)
            try:
                if fate in (Fate.REQUEST_LOST, Fate.REQUEST_CUT, Fate.REQUEST_LATE):
                    if fate is Fate.REQUEST_LATE:
                        proxy.hold(request)
                    if fate is Fate.REQUEST_CUT:
                        proxy.forward_half(request)
                    self.close_connection = True
                    return
                if fate is Fate.REQUEST_REPEATED:
                    proxy.forward(request)
                answer = proxy.forward(request)
            except (OSError, http.client.HTTPException):  # the server has gone: so has this connection
                self.close_connection = True
                return
            if fate is Fate.ANSWER_SLOW:
                time.sleep(SLOW)
            if fate is Fate.ANSWER_LOST:
                self.close_connection = True
                return
            self._answer(answer, cut=fate is Fate.ANSWER_CUT)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on  # noqa: N815 - the library's names

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found = []
            while size := int(self.rfile.readline().partition(b";")[0] or b"0", 16):
                found.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():  # what may follow the chunks
                continue
            return b"".join(found)

        def _answer(self, answer: _Answer, *, cut: bool) -> None:
            self.send_response_only(answer.status)
            for name, text in answer.headers:
                if name.lower() not in _OF_ONE_CONNECTION:
                    self.send_header(name, text)
            length = len(answer.body) if self.command != "HEAD" else dict(answer.headers).get("Content-Length", 0)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(answer.body[: len(answer.body) // 2] if cut else answer.body)
            self.wfile.flush()
            self.close_connection = self.close_connection or cut

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Connection
