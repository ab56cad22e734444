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
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection

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
    def __init__(self, connected: socket.socket) -> None:
        super().__init__()
        self._socket = connected
        self._raw = connected.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._socket.settimeout(CLOCK.time_left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedSocket:
    """A socket as an answer needs it."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def makefile(self, mode: str) -> io.BufferedReader:  # noqa: ARG002 - always read as bytes
        return io.BufferedReader(_TimedReader(self._socket))


class _TimedAnswer(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(_TimedSocket(sock), *args, **kwargs)  # type: ignore[arg-type]  # all that it asks of it


class TimedConnection(HTTPConnection):
    """A connection that keeps the deadline, and sends the head of a request together with its body."""

    response_class = _TimedAnswer
    _held: bytearray | None = None

    def connect(self) -> None:
        try:
            super().connect()
        finally:
            CLOCK.sent = False  # what a proxy was told is no part of the request

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._held = bytearray()
        try:
            super().request(*args, **kwargs)
        finally:
            held, self._held = self._held, None
        if held is not None:
            self.send(held)

    def send(self, data: Any) -> None:
        if self._held is not None:
            self._held += data
            if len(self._held) < _PIECE:
                return
            data, self._held = self._held, None  # what follows is a long body's
        if self.sock is None:
            self.connect()
        assert self.sock is not None
        CLOCK.sent = True
        for start in range(0, len(data), _PIECE):
            self.sock.settimeout(CLOCK.time_left())
            super().send(memoryview(data)[start : start + _PIECE])


class TimedTLSConnection(TimedConnection, HTTPSConnection):
    """A connection over TLS that keeps the deadline."""
