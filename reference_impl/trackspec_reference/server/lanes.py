"""Requests that follow each other on a connection, answered by one thread: the event loop need not be woken up."""

from __future__ import annotations

import os
import select
import socket
import threading
from asyncio import Transport
from collections.abc import Callable
from typing import NamedTuple

PATIENCE = 0.01
"""Seconds for which a thread waits for the next request."""

_PIECE = 16 * 1024
"""Bytes read at once; a request that is larger is left to the event loop."""


class Left(NamedTuple):
    """What a thread leaves to the event loop.

    :ivar unsent: the end of its last answer, which the connection did not take at once.
    :ivar unanswered: what it has read after that.
    """

    unsent: bytes
    unanswered: bytes


class Lane:
    """A connection in the hands of a thread, while the event loop neither reads from it nor writes to it.

    It has a descriptor of its own, so that one which the event loop has closed, and which may be another
    connection's by now, is never used.

    :param connected: a descriptor of the connection, which does not block.
    """

    def __init__(self, connected: int) -> None:
        self._socket = socket.socket(fileno=os.dup(connected))
        self._readable = select.poll()
        self._readable.register(self._socket, select.POLLIN)
        self._lock = threading.Lock()
        self._is_given_up = False
        self._is_answering = True

    def run(
        self, content: bytes, following: Callable[[bytes], Callable[[], bytes] | None], more: Callable[[], bool]
    ) -> Left:
        """Send an answer, and those to the requests that come soon after it. The lane ends with that.

        A call that comes to wait for a thread meanwhile waits no longer than :data:`PATIENCE` for this one.

        :param following: what answers the request that was read, or None if it is to be left.
        :param more: whether another request may be waited for.
        """
        with self._socket:
            while True:
                with self._lock:
                    if self._is_given_up:
                        return Left(b"", b"")
                    unsent = self._send(content)
                    self._is_answering = False
                if unsent or not more():
                    return Left(unsent, b"")
                received = self._receive()
                answer = following(received) if received else None
                if answer is None:
                    return Left(b"", received)
                with self._lock:
                    if self._is_given_up:
                        return Left(b"", b"")
                    self._is_answering = True
                content = answer()

    def give_up(self) -> bool:
        """Have the thread send nothing more, and begin nothing more; whether it was about to answer."""
        with self._lock:
            self._is_given_up = True
            return self._is_answering

    def _send(self, content: bytes) -> bytes:
        """Send as much as the connection takes at once; return the rest."""
        try:
            return content[self._socket.send(content) :]
        except OSError:  # it takes nothing now, or is broken, as the event loop will find out
            return content

    def _receive(self) -> bytes:
        """What comes next; nothing if that is too late, or the end."""
        if not self._readable.poll(PATIENCE * 1000):
            return b""
        try:
            return self._socket.recv(_PIECE)
        except OSError:
            return b""


def lane(transport: Transport) -> Lane | None:
    """A lane of a connection, where it can have one and nothing waits to be sent before."""
    connected = transport.get_extra_info("socket")
    if connected is None or transport.get_extra_info("sslcontext") is not None or os.name != "posix":
        return None
    if transport.get_write_buffer_size():
        return None
    try:
        return Lane(connected.fileno())
    except OSError:  # there are too many descriptors
        return None
