"""A server that answers what it is told to: lies, halves, drips, nothing at all."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

Play = bytes | Callable[[socket.socket], None]
"""What happens once a request was read: these bytes are sent, and the next one is read; or what the function does
with the connection, which is closed then."""


class Received(NamedTuple):
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Scripted:
    """A server on a port of the loopback interface.

    :param plays: what happens at one request after the other; the last goes on for ever.
    :param tls: what the server shows its certificate with.
    :ivar received: the requests that were read, in order.
    :ivar connections: how many there were.
    """

    def __init__(self, *plays: Play, tls: ssl.SSLContext | None = None) -> None:
        self._plays = list(plays)
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0))
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

    def close(self) -> None:
        """Listen no more, and cut what is open."""
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
                    with self._lock:
                        self.received.append(Received(method, target, headers, body))
                        play = self._plays.pop(0) if len(self._plays) > 1 else self._plays[0]
                    if not isinstance(play, bytes):
                        play(connection)
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


def dropped(connection: socket.socket) -> None:
    """Close the connection without a word."""
    connection.close()
