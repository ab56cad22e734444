"""Connections that threads borrow, one each at a time."""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

C = TypeVar("C")

_FRESH = 15.0
"""Seconds for which a connection is held to be alive since it was used."""


class Connections(Generic[C]):
    """Connections to one server, of which one is used again only if it was given back sound.

    :param connect: makes one.
    :param is_alive: whether the server still answers over one.
    :param close: gives one up, sound or not, without waiting.
    :param harmless: errors that say nothing against the connection.
    """

    def __init__(
        self,
        connect: Callable[[], C],
        is_alive: Callable[[C], bool],
        close: Callable[[C], None],
        harmless: tuple[type[Exception], ...],
    ) -> None:
        self._connect = connect
        self._is_alive = is_alive
        self._close = close
        self._harmless = harmless
        self._idle: deque[tuple[C, float]] = deque()  # which needs no lock that an interrupt could leave held
        self._process = os.getpid()

    @contextlib.contextmanager
    def borrowed(self) -> Iterator[C]:
        """A connection for a block, which nobody else has meanwhile.

        One that the block leaves by an error is not used again, unless the error is a harmless one.
        """
        connection = self._take() or self._connect()
        try:
            yield connection
        except self._harmless:
            self._give_back(connection)
            raise
        except BaseException as error:
            self._close(connection)
            if isinstance(error, Exception):  # what has befallen this one may have befallen the idle ones too
                self.close()
            raise
        self._give_back(connection)

    def close(self) -> None:
        """Close those that nobody has borrowed."""
        with contextlib.suppress(IndexError):
            while True:
                self._close(self._idle.pop()[0])

    def _take(self) -> C | None:
        if self._process != os.getpid():  # those are of the process that this one was forked off
            self._process, self._idle = os.getpid(), deque()
        while True:
            try:
                connection, used = self._idle.pop()
            except IndexError:
                return None
            if time.monotonic() - used < _FRESH or self._is_alive(connection):
                return connection
            self._close(connection)

    def _give_back(self, connection: C) -> None:
        self._idle.append((connection, time.monotonic()))
