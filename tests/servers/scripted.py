"""A server that answers what it is told to: lies, halves, drips, nothing at all."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Received(NamedTuple):
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Play = bytes | Callable[[socket.socket, Received], None]
"""What happens once a request was read: these bytes are sent, and the next one is read; or what the function does
with the connection, which is closed then."""


class Scripted:
    """A server on a port of the loopback interface.

    :param plays: what happens at one request after the other; the last goes on for ever.
    :param tls: what the server shows its certificate with.
    :param port: where it listens; 0 is a free one.
    :ivar received: the requests that were read, in order.
    :ivar connections: how many there were.
    """

    def __init__(self, *plays: Play, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self._plays = list(plays)
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", port))
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self.port = int(self._listening.getsockname()[1])
        self.received: list[Received] = []
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    def play(self, *plays: Play) -> None:
        """Answer so from now on."""
        with self._lock:
            self._plays[:] = plays

    def close(self) -> None:
        """Listen no more, and cut what is open."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # whoever waits for a connection is waked by nothing less
        self._listening.close()
        for connection in self._open:
            connection.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self._open.append(connection)
        with contextlib.suppress(OSError, ValueError), connection:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                while line := stream.readline():
                    method, target, _ = line.decode("latin-1").split(" ")
                    headers = dict(_header(field) for field in iter(stream.readline, b"\r\n"))
                    body = stream.read(int(headers.get("content-length", 0)))
                    request = Received(method, target, headers, body)
                    with self._lock:
                        self.received.append(request)
                        play = self._plays.pop(0) if len(self._plays) > 1 else self._plays[0]
                    if not isinstance(play, bytes):
                        play(connection, request)
                        return
                    connection.sendall(play)


def _header(field: bytes) -> tuple[str, str]:
    name, _, value = field.decode("latin-1").partition(":")
    return name.strip().lower(), value.strip()


@contextmanager
def scripted(*plays: Play, tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """A server that lasts as long as the block."""
    server = Scripted(*plays, tls=tls)
    try:
        yield server
    finally:
        server.close()


def answer(
    body: bytes | str = b"{}", status: str = "200 OK", content_type: str | None = "application/json", *headers: str
) -> bytes:
    """A whole answer, as bytes."""
    content = body.encode() if isinstance(body, str) else body
    fields = [f"Content-Length: {len(content)}", *headers]
    if content_type is not None:
        fields.append(f"Content-Type: {content_type}")
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode() + content


def dropped(connection: socket.socket, request: Received) -> None:
    """Close the connection without a word."""


def relayed(port: int, losing: str) -> Play:
    """Hand requests on to a server, and lose the first answer to one whose target ends so, once it was served."""
    to_lose = [losing]

    def play(connection: socket.socket, request: Received) -> None:
        with socket.create_connection(("127.0.0.1", port)) as upstream:
            head = [f"{request.method} {request.target} HTTP/1.1", "Connection: close"]
            head += [f"{name}: {value}" for name, value in request.headers.items()]
            upstream.sendall("\r\n".join([*head, "", ""]).encode() + request.body)
            answered = b"".join(iter(lambda: upstream.recv(65_536), b""))
        if to_lose and request.target.endswith(to_lose[0]):
            to_lose.clear()
        else:
            connection.sendall(answered)

    return play
