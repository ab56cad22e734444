"""Connections that keep a deadline.

A timeout of a socket begins anew with every byte, so that a server which sends one now and then is waited for
without end. Here each reading and each writing may take what is left of the time of the whole request.
"""

from __future__ import annotations

import http.client
import io
import math
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any

from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection

from trackspec_reference.tracking.rest.whole_answers import whole_answer

_PIECE = 1 << 16


class _Clock(threading.local):
    """What is known of the request that this thread is making."""

    deadline = math.inf
    sent = False

    def time_left(self) -> float | None:
        """The seconds until the deadline; None where there is none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for the request is over")
        return None if left == math.inf else left


CLOCK = _Clock()
"""The deadline of this thread's request, in the time of :func:`time.monotonic`, and whether any of it was sent."""


class _TimedReader(io.RawIOBase):
    """Reads a connection.

    :param received: what was read of it already.
    """

    def __init__(self, connected: socket.socket, received: bytes = b"") -> None:
        super().__init__()
        self._socket = connected
        self._raw = connected.makefile("rb", buffering=0)
        self._received = received

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._received:
            count = min(len(buffer), len(self._received))
            buffer[:count], self._received = self._received[:count], self._received[count:]
            return count
        self._socket.settimeout(CLOCK.time_left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedSocket:
    """A socket as an answer needs it."""

    def __init__(self, connected: socket.socket, received: bytes = b"") -> None:
        self._socket, self._received = connected, received

    def makefile(self, mode: str) -> io.BufferedReader:  # noqa: ARG002 - always read as bytes
        return io.BufferedReader(_TimedReader(self._socket, self._received))


class _TimedAnswer(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        timed = sock if isinstance(sock, _TimedSocket) else _TimedSocket(sock)
        super().__init__(timed, *args, **kwargs)  # type: ignore[arg-type]  # all that it asks of it


class TimedConnection(HTTPConnection):
    """A connection that keeps the deadline, and sends the head of a request together with its body.

    A request is given all its header fields, ``Host`` and those that tell its length among them.
    """

    response_class = _TimedAnswer
    _method = ""

    def connect(self) -> None:
        try:
            super().connect()
        finally:
            CLOCK.sent = False  # what a proxy was told is no part of the request

    def request(
        self, method: str, url: str, body: Any = None, headers: Mapping[str, Any] | None = None, **_: Any
    ) -> None:
        fields = headers or {}
        head = "".join(
            [f"{method} {url} HTTP/1.1\r\n", *[f"{name}: {fields[name]}\r\n" for name in fields], "\r\n"]
        )
        if not head.count("\r") == head.count("\n") == len(fields) + 2:
            raise ValueError("a header field holds the end of a line")
        self._method = method
        if body is None or isinstance(body, bytes):
            self.send(head.encode("latin-1") + (body or b""))
            return
        self.send(head.encode("latin-1"))
        for piece in body:
            self.send(piece)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        assert self.sock is not None
        CLOCK.sent = True
        for start in range(0, len(data), _PIECE):
            self.sock.settimeout(CLOCK.time_left())
            self.sock.sendall(memoryview(data)[start : start + _PIECE])

    def getresponse(self) -> Any:
        assert self.sock is not None
        whole, received = whole_answer(self._receive)
        if whole is not None:
            return whole
        answer = _TimedAnswer(_TimedSocket(self.sock, received), method=self._method)
        try:
            answer.begin()
        except BaseException:
            answer.close()
            raise
        if answer.will_close:
            self.close()
        return HTTPResponse(
            answer,
            HTTPHeaderDict(answer.msg.items()),
            answer.status,
            preload_content=False,
            decode_content=False,
            original_response=answer,
            request_method=self._method,
        )

    def _receive(self) -> bytes:
        assert self.sock is not None
        self.sock.settimeout(CLOCK.time_left())
        return self.sock.recv(_PIECE)


class TimedTLSConnection(TimedConnection, HTTPSConnection):
    """A connection over TLS that keeps the deadline."""
