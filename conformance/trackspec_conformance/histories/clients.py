"""Clients that make their calls at the same time: threads on one store object, or processes with one each."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from types import TracebackType
from typing import Any

from trackspec import TrackingStore
from trackspec_conformance.histories.operation import End, Operation
from trackspec_conformance.histories.performing import Order, perform

OPENING = 60.0
"""Seconds that a process may take to open the store."""


def in_threads(store: TrackingStore, orders: Sequence[Sequence[Order]], *, patience: float) -> list[Operation]:
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

    :param locator: what it opens.
    :param name: what its calls are recorded under.
    :raises ClientError: if it cannot open it.
    """

    def __init__(self, locator: str, name: str) -> None:
        self.name = name
        reading, writing = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "trackspec_conformance.histories.actor", str(writing), locator, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[writing],
            start_new_session=True,
        )
        os.close(writing)
        self._messages = reading
        self._buffer = b""
        self._orders: list[Order] = []
        self._made: list[Operation] = []
        opened = next(self._read(OPENING), None)
        if opened != {"opened": True}:
            self.end()
            raise ClientError(str((opened or {}).get("opened", "it ended, or took too long")))

    @property
    def lives(self) -> bool:
        """Whether it can make further calls."""
        return self._process.poll() is None and len(self._made) == len(self._orders)

    def begin(self, orders: Sequence[Order]) -> None:
        """Let it make these calls, having made all before."""
        assert self._process.stdin is not None
        self._orders, self._made = list(orders), []
        lines = [json.dumps(asdict(order)) + "\n" for order in orders]
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write("".join(lines).encode())
            self._process.stdin.flush()

    def wait(self, seconds: float, *, for_calls: int | None = None) -> None:
        """Wait until so many calls have ended (all, unless said), or the time is over, or the process is."""
        wanted = len(self._orders) if for_calls is None else for_calls
        deadline = time.monotonic() + seconds
        while len(self._made) < wanted:
            before = len(self._made)
            self._made += map(_operation, self._read(max(0.0, deadline - time.monotonic())))
            if len(self._made) == before:
                break

    def history(self) -> list[Operation]:
        """The calls that have ended, and the one that is under way or was when the process ended."""
        begun = self._orders[len(self._made) : len(self._made) + 1]
        return [*self._made, *(_lost(order, self.name) for order in begun)]

    def kill(self) -> None:
        """End it between two instructions, as a crash does, and read what it had said."""
        self._end_process()
        self.wait(1.0)

    def end(self) -> None:
        """End it, if it has not ended, and give back what it used."""
        self._end_process()
        with contextlib.suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        with contextlib.suppress(OSError):
            os.close(self._messages)

    def _end_process(self) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()

    def _read(self, seconds: float) -> Iterator[dict[str, Any]]:
        """The messages that are there, waited for until there is one, the time is over, or no more will come."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._messages, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    return
                read = os.read(self._messages, 1 << 16)
                if not read:
                    return
                self._buffer += read
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            yield json.loads(line)


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


def _operation(message: dict[str, Any]) -> Operation:
    return Operation(**{**message, "end": End(message["end"])})
