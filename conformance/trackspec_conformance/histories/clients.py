"""Clients that make their calls at the same time: threads on one object, or processes with one each."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from trackspec_conformance.expectations import shown_error
from trackspec_conformance.histories.operation import End, Operation
from trackspec_conformance.histories.performing import Order, perform
from trackspec_conformance.subjects import open_subject

OPENING = 60.0
"""Seconds that a process may take to open the subject."""


def in_threads(store: Any, orders: Sequence[Sequence[Order]], *, patience: float) -> list[Operation]:
    """The history of clients that are threads, each with its orders in turn.

    A call that has not ended when ``patience`` (seconds) is over is one whose answer was lost.
    """
    made: list[list[Operation]] = [[] for _ in orders]
    start = threading.Barrier(len(orders))

    def work(number: int) -> None:
        start.wait(patience)
        for order in orders[number]:
            made[number].append(perform(store, order, f"thread {number + 1}"))

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(len(orders))]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + patience
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    ended = [list(operations) for operations in made]
    begun = [
        _lost(order, f"thread {number + 1}")
        for number, operations in enumerate(ended)
        for order in orders[number][len(operations) : len(operations) + 1]
    ]
    return [operation for operations in ended for operation in operations] + begun


class Process:
    """A process that opens the subject itself and makes calls there, one after the other.

    Each answer is sent before the next call is made, so that it is known what was acknowledged when the process
    was killed. It is forked from one that has imported what is needed and opened nothing: that takes milliseconds.

    :param locator: what it opens.
    :param name: what its calls are recorded under.
    :param imports: modules that opening the subject needs.
    :param interface: of the subject.
    :raises ClientError: if it cannot open it.
    """

    def __init__(self, locator: str, name: str, imports: Sequence[str] = (), interface: str = "tracking") -> None:
        self.name = name
        _CONTEXT.set_forkserver_preload([__name__, *imports])
        self._connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_serve, args=(theirs, locator, name, interface), daemon=True)
        self._process.start()
        theirs.close()
        self._orders: list[Order] = []
        self._made: list[Operation] = []
        opened = self._receive(OPENING)
        if opened != OPENED:
            self.end()
            raise ClientError(opened or "it ended, or took too long")

    @property
    def lives(self) -> bool:
        """Whether it can make further calls."""
        return self._process.is_alive() and len(self._made) == len(self._orders)

    def begin(self, orders: Sequence[Order]) -> None:
        """Let it make these calls, having made all before."""
        self._orders, self._made = list(orders), []
        with contextlib.suppress(OSError):  # it has died, which is seen when its answers end
            self._connection.send(self._orders)

    def wait(self, seconds: float, *, for_calls: int | None = None) -> None:
        """Wait until so many calls have ended (all, unless said), or the time is over, or the process is."""
        wanted = len(self._orders) if for_calls is None else for_calls
        deadline = time.monotonic() + seconds
        while len(self._made) < wanted:
            made = self._receive(max(0.0, deadline - time.monotonic()))
            if made is None:
                break
            self._made.append(made)

    def history(self) -> list[Operation]:
        """The calls that have ended, and the one that is under way or was when the process ended."""
        begun = self._orders[len(self._made) : len(self._made) + 1]
        return [*self._made, *(_lost(order, self.name) for order in begun)]

    def kill(self) -> None:
        """End it between two instructions, as a crash does, and read what it had said."""
        self._process.kill()
        self._process.join()
        self.wait(1.0)

    def end(self) -> None:
        """End it, if it has not ended, and give back what it used."""
        self._process.kill()
        self._process.join()
        self._connection.close()

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()

    def _receive(self, seconds: float) -> Any:
        """The next message, or None if there is none in time, or will be none any more."""
        try:
            return self._connection.recv() if self._connection.poll(seconds) else None
        except (EOFError, OSError):
            return None


_CONTEXT = multiprocessing.get_context("forkserver")
OPENED = "opened"


def _serve(connection: Connection, locator: str, name: str, interface: str) -> None:
    """What the process does: open the subject, make the calls that it is told to, and say what came of each."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's interrupt is not for it
    try:
        opened = open_subject(locator, interface).open()
    except Exception as error:
        connection.send(shown_error(error))
        return
    connection.send(OPENED)
    with contextlib.suppress(EOFError, OSError):
        while True:
            for order in connection.recv():
                connection.send(perform(opened, order, name))


class ClientError(Exception):
    """A process that could not open the subject; the message says why."""


def in_processes(
    processes: Sequence[Process], orders: Sequence[Sequence[Order]], *, patience: float
) -> list[Operation]:
    """The history of clients that are processes, each with its orders in turn."""
    for process, own in zip(processes, orders, strict=False):
        process.begin(own)
    deadline = time.monotonic() + patience
    for process in processes[: len(orders)]:
        process.wait(max(0.1, deadline - time.monotonic()))
    return [operation for process in processes[: len(orders)] for operation in process.history()]


def _lost(order: Order, client: str) -> Operation:
    """A call of which nothing is known but that it may have been made."""
    return Operation(client, order.subject, order.kind, order.given, End.UNKNOWN, None, 0.0, float("inf"))
