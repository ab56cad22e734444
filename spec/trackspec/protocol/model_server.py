"""The executable model of the protocol: the plainest server that keeps the chapter.

It serves a store as the table of endpoints says. Nothing here is fast, and nothing protects it from many clients
or slow ones: it is there to be read, and to be compared with.
"""

from __future__ import annotations

import contextlib
import hmac
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message as Headers
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from trackspec._version import __version__
from trackspec.errors import ErrorCode, TrackspecError, invalid, missing
from trackspec.protocol.artifact_endpoints import ArtifactEndpoint
from trackspec.protocol.body import CONTENT_TYPE, read_body, write_body
from trackspec.protocol.endpoint import KEY_HEADER, KEYS_SUPPORTED_HEADER, Endpoint
from trackspec.protocol.endpoints import ENDPOINTS
from trackspec.protocol.kinds import Json
from trackspec.store import TrackingStore

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_OWN_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", re.IGNORECASE)
_TOO_LONG = (414, 431)


@dataclass(frozen=True)
class Request:
    """A request as it arrived.

    :ivar path: the path, not decoded.
    :ivar query: what follows the question mark, not decoded.
    """

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes


@dataclass
class Response:
    """What is answered."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Refused(TrackspecError):
    """A refusal whose status or headers the error code alone does not tell."""

    def __init__(
        self, code: ErrorCode, message: str, status: int, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, code)
        self.status = status
        self.headers = dict(headers or {})


class Connection(BaseHTTPRequestHandler):
    """Reads requests from a connection, one after another."""

    model: ModelServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 30
    max_body = 64 * 2**20
    """Bytes that a body may have."""

    def serve(self) -> None:
        """Answer one request."""
        try:
            body = self.read_body()
        except TrackspecError as error:
            self.close_connection = True
            self.write(self.model.error(error))
            return
        path, _, query = self.path.partition("?")
        self.write(self.model.respond(Request(self.command, path, query, self.headers, body)))

    def __getattr__(self, name: str) -> Callable[[], None]:
        """What the library calls for a method: the same for each."""
        if name.startswith("do_"):
            return self.serve
        raise AttributeError(name)

    def read_body(self) -> bytes:
        """The body, whose length is told before it is read."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not re.fullmatch(r"[0-9]{1,18}", length):
            raise invalid("A body's length must be told beforehand, in Content-Length.")
        if int(length) > self.max_body:
            raise Refused(ErrorCode.INVALID_PARAMETER_VALUE, f"A body has at most {self.max_body} bytes.", 413)
        return self.rfile.read(int(length))

    def write(self, response: Response) -> None:
        """Write an answer; one to HEAD is without its body."""
        self.send_response_only(response.status)
        for name, value in {**self.model.always, **response.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else response.body)
        self.wfile.flush()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer what is no request that the library can read."""
        self.close_connection = True
        status = code if code in _TOO_LONG else 400
        self.write(self.model.error(Refused(ErrorCode.INVALID_PARAMETER_VALUE, "This is no request.", status)))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class ModelServer:
    """Answers requests out of a store.

    :param store: what it serves.
    :param token: what requests must bear, where the server asks for credentials.
    """

    always: Mapping[str, str] = {KEYS_SUPPORTED_HEADER: "true", "X-Content-Type-Options": "nosniff"}
    """The headers of every answer."""
    connection: type[Connection] = Connection
    """What reads requests and writes answers."""

    def __init__(self, store: TrackingStore, token: str | None = None) -> None:
        self.store = store
        self.token = token
        self.routes = self.table()

    def table(self) -> dict[str, dict[str, Endpoint]]:
        """What is at each path, by method."""
        found: dict[str, dict[str, Endpoint]] = {}
        for endpoint in ENDPOINTS:
            for path in endpoint.paths:
                found.setdefault(path, {}).update(dict.fromkeys(endpoint.methods, endpoint))
        return found

    # -- from a request to an answer ------------------------------------------------------------------------

    def respond(self, request: Request) -> Response:
        """The answer to a request, whatever becomes of it."""
        try:
            return self.answer(request)
        except TrackspecError as error:
            return self.error(error)
        except Exception:
            return self.error(TrackspecError("The server failed.", ErrorCode.INTERNAL_ERROR))

    def answer(self, request: Request) -> Response:
        """The answer to a request that is in order.

        :raises TrackspecError: if it is not, or the store refuses.
        """
        self.require_own_host(request)
        self.require_credentials(request)
        self.require_own_origin(request)
        return self.served(request)

    def served(self, request: Request) -> Response:
        """The answer to a request of somebody who may ask."""
        if request.path in ("/health", "/version") and request.method == "GET":
            return Response(200, self.plain(request.path), {"Content-Type": "text/plain; charset=utf-8"})
        endpoint = self.route(request)
        fields = self.fields(endpoint, request)
        if endpoint.creates and KEY_HEADER in request.headers:
            fields["idempotency_key"] = self.key(request)
        return self.json(200, endpoint.answer.write(self.call(endpoint, fields)))

    def plain(self, path: str) -> bytes:
        """What the two paths answer that are no endpoints."""
        return b"OK" if path == "/health" else __version__.encode()

    def route(self, request: Request) -> Endpoint:
        """The endpoint that a request is for."""
        by_method = self.routes.get(request.path)
        if by_method is None:
            raise TrackspecError("There is no such path.", ErrorCode.ENDPOINT_NOT_FOUND)
        if request.method not in by_method:
            allowed = ", ".join(by_method)
            raise Refused(ErrorCode.ENDPOINT_NOT_FOUND, f"The path takes {allowed}.", 405, {"Allow": allowed})
        return by_method[request.method]

    def call(self, endpoint: Endpoint, fields: dict[str, Any]) -> Any:
        """What the store returns."""
        returned = endpoint.call(self.store, fields)
        if returned is None and endpoint.none_is_missing:
            raise missing("resource", "of this name")
        return returned

    def json(self, status: int, fields: dict[str, Json]) -> Response:
        """An answer in JSON."""
        return Response(status, write_body(fields), {"Content-Type": CONTENT_TYPE})

    def error(self, error: TrackspecError) -> Response:
        """The answer that tells an error."""
        status = error.status if isinstance(error, Refused) else self.status(ErrorCode(error.error_code))
        response = self.json(status, {"error_code": str(error.error_code), "message": error.message})
        response.headers |= error.headers if isinstance(error, Refused) else {}
        return response

    def status(self, code: ErrorCode) -> int:
        """The status that tells an error code."""
        return code.http_status

    # -- what a request asks for ----------------------------------------------------------------------------

    def fields(self, endpoint: Endpoint | ArtifactEndpoint, request: Request) -> dict[str, Any]:
        """The fields of a request, as the call takes them."""
        if request.method == "GET":
            return self.query_fields(endpoint, request.query)
        self.require_json(request)
        return endpoint.request.attributes(self.read_body(request.body))

    def query_fields(self, endpoint: Endpoint | ArtifactEndpoint, query: str) -> dict[str, Any]:
        """The fields of a query."""
        texts: dict[str, list[str]] = {}
        for name, text in self.read_query(query):
            texts.setdefault(name, []).append(text)
        return endpoint.request.query_attributes(texts)

    def read_query(self, query: str) -> list[tuple[str, str]]:
        """The names and texts of a query, decoded."""
        if _BAD_ESCAPE.search(query):
            raise invalid("The query holds a % that escapes nothing.")
        try:
            return parse_qsl(query, keep_blank_values=True, errors="strict")
        except ValueError:
            raise invalid("The query is not in UTF-8.") from None

    def read_body(self, body: bytes) -> dict[str, Json]:
        """The JSON object of a body."""
        return read_body(body)

    def require_json(self, request: Request) -> None:
        """Require that a body says of itself that it is JSON."""
        given = request.headers.get_all("Content-Type", [])
        if [text.partition(";")[0].strip().lower() for text in given] != [CONTENT_TYPE]:
            raise invalid(f"The Content-Type must be {CONTENT_TYPE}.")

    def key(self, request: Request) -> str:
        """The idempotency key of a request."""
        keys = request.headers.get_all(KEY_HEADER, [])
        if len(keys) > 1:
            raise invalid(f"{KEY_HEADER} is given twice.")
        return str(keys[0])

    # -- who asks, and from where ---------------------------------------------------------------------------

    def require_credentials(self, request: Request) -> None:
        """Require the token, where there is one."""
        given = request.headers.get_all("Authorization", [])
        if self.token is not None and not (
            len(given) == 1 and hmac.compare_digest(given[0].encode(), f"Bearer {self.token}".encode())
        ):
            raise Refused(
                ErrorCode.UNAUTHENTICATED, "The server asks for credentials.", 401, {"WWW-Authenticate": "Bearer"}
            )

    def require_own_host(self, request: Request) -> None:
        """Require that the request names this machine, so that no other name leads a browser here."""
        hosts = request.headers.get_all("Host", [])
        if len(hosts) != 1 or not _OWN_HOST.fullmatch(hosts[0]):
            raise TrackspecError("The server has another name.", ErrorCode.PERMISSION_DENIED)

    def require_own_origin(self, request: Request) -> None:
        """Require that what changes something comes from no other site's page."""
        origins = request.headers.get_all("Origin", [])
        own = f"http://{request.headers['Host']}"
        if request.method != "GET" and any(origin != own for origin in origins):
            raise TrackspecError("The request comes from another site.", ErrorCode.PERMISSION_DENIED)


# -- over HTTP ---------------------------------------------------------------------------------------------------


class _Listening(ThreadingHTTPServer):
    """Lets some requests wait that arrive at the same time."""

    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that has gone."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def serving(server: ModelServer) -> Iterator[str]:
    """Serve on a free port of this machine as long as the block lasts; gives the URL."""
    handler = type("Connection", (server.connection,), {"model": server})
    with _Listening(("127.0.0.1", 0), handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}"
        finally:
            listening.shutdown()
            thread.join()
