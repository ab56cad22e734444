"""Answers that are sent by the thread which made the call: the event loop need not be woken up before."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import NamedTuple


class Sent(NamedTuple):
    """What became of an answer that a thread has sent.

    :ivar rest: what the connection did not take at once; it is left to the event loop.
    """

    rest: bytes


class Sender:
    """Sends over a connection from any thread, while the event loop writes nothing to it.

    It has a descriptor of its own, so that one which the event loop has closed, and which may be another
    connection's by now, is never written to. Whoever closes it sees to it that no thread is sending.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._socket: socket.socket | None = None
        connected = transport.get_extra_info("socket")
        if connected is not None and transport.get_extra_info("sslcontext") is None and os.name == "posix":
            self._socket = socket.socket(fileno=os.dup(connected.fileno()))
            self._socket.setblocking(False)

    def is_free(self) -> bool:
        """Whether nothing that was written before waits to be sent."""
        return self._socket is not None and not self._transport.get_write_buffer_size()

    def send(self, content: bytes) -> Sent:
        """Send as much as the connection takes at once."""
        assert self._socket is not None
        try:
            return Sent(content[self._socket.send(content) :])
        except OSError:  # it takes nothing now, or is broken, as the event loop will find out
            return Sent(content)

    def close(self) -> None:
        """Give the descriptor back."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
