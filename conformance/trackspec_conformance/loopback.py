"""Servers of the suite's own, on the loopback interface: what clients are opened at that must not trust them."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PATIENCE = 1000
"""Requests that are answered; those that follow are refused, so that a client that asks for ever ends."""

_UNTRUSTED = Path(__file__).with_name("untrusted.pem")


class LoopbackServer:
    """A running server.

    :param untrusted: whether it speaks TLS, with a certificate that nobody vouches for.
    :ivar origin: its URL, without a path.
    :ivar requests: the headers of each request.
    :ivar methods: the method of each request.
    """

    def __init__(self, handler: type[Handler], *, untrusted: bool = False) -> None:
        self.requests: list[dict[str, str]] = []
        self.methods: list[str] = []
        bound = type("Handler", (handler,), {"server_of_it": self})
        self._server = _Listening(("127.0.0.1", 0), bound)
        self.port = int(self._server.server_address[1])
        self.origin = f"http{'s' if untrusted else ''}://127.0.0.1:{self.port}"
        if untrusted:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(_UNTRUSTED)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()


class _Listening(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that go away, as they should."""


class Handler(BaseHTTPRequestHandler):
    """Reads a request and answers it."""

    server_of_it: LoopbackServer

    def respond(self) -> None:
        """Answer; to be said by each server."""
        raise NotImplementedError

    def serve(self) -> None:
        """Note the request, and answer it unless there were too many."""
        self.server_of_it.requests.append(dict(self.headers.items()))
        self.server_of_it.methods.append(self.command)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if len(self.server_of_it.requests) > PATIENCE:
            self.send(429, b"{}")
        else:
            self.respond()

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = serve  # noqa: N815 - the library's names

    def send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Send an answer, and close the connection."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Listener:
    """A port that nobody should call.

    :ivar port: where it is.
    :ivar callers: who has called.
    """

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.callers: list[str] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def urls(self) -> list[str]:
        """Its address, in the spellings that lead there."""
        hosts = ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "127.1", "user@127.0.0.1")
        return [f"http://{host}:{self.port}/canary" for host in hosts]

    def close(self) -> None:
        """Listen no more."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, caller = self._listening.accept()
                self.callers.append(f"{caller[0]}:{caller[1]}")
                connection.close()


@contextlib.contextmanager
def listening() -> Iterator[Listener]:
    """A listener that lasts as long as the block."""
    listener = Listener()
    try:
        yield listener
    finally:
        listener.close()
