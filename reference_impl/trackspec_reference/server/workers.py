"""Several processes that serve one store on one socket, and the process that starts and stops them."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import NamedTuple

from trackspec.errors import TrackspecError
from trackspec.opening import open_store
from trackspec_reference.server.serving import SIGNALS, Server, Settings, end_at_once, keep_what_is_there

LOG = logging.getLogger("trackspec.server")

_PAUSE = 1.0
"""Seconds before a worker that ended is replaced, so that one which always ends costs little."""


class _Worker(NamedTuple):
    process: SpawnProcess
    lifeline: Connection
    """The worker stops when the other end is closed, and so also when the process that holds it is gone."""


class Workers:
    """Processes that serve a store, each with an object of its own, and replaced when they end.

    :param store_uri: the store, which several processes can open at once.
    """

    def __init__(self, store_uri: str, listening: socket.socket, settings: Settings, number: int) -> None:
        self._arguments = (store_uri, listening, settings)
        self._listening = listening
        self._number = number
        self._stop_time = settings.limits.stop_time
        self._stopping = threading.Event()
        self._workers: list[_Worker] = []

    def serve(self) -> int:
        """Serve until a signal; return the exit status. A second signal ends all processes at once."""
        with self._signals_handled():
            self._workers = [self._start() for _ in range(self._number)]
            while not self._stopping.is_set():
                ended = wait([worker.process.sentinel for worker in self._workers], timeout=0.2)
                if ended and not self._stopping.wait(_PAUSE):
                    self._replace_ended()
            return self._stop()

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        mine, theirs = context.Pipe()
        process = context.Process(target=_work, args=(*self._arguments, theirs))
        resource_tracker.ensure_running()  # it would let the signals through while it starts
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # they wait until the worker can handle them
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        theirs.close()
        return _Worker(process, mine)

    def _replace_ended(self) -> None:
        for place, worker in enumerate(self._workers):
            if not worker.process.is_alive():
                LOG.error("Worker %s ended with status %s.", worker.process.pid, worker.process.exitcode)
                worker.lifeline.close()
                self._workers[place] = self._start()

    def _stop(self) -> int:
        self._listening.close()
        for worker in self._workers:
            worker.lifeline.close()
        deadline = time.monotonic() + self._stop_time + 2
        for worker in self._workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
        in_time = all(worker.process.exitcode == 0 for worker in self._workers)
        self._kill()
        return 0 if in_time else 1

    def _kill(self) -> None:
        for worker in self._workers:
            worker.process.kill()

    @contextmanager
    def _signals_handled(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self._stopping.is_set():
            self._kill()
            end_at_once(number)
        self._stopping.set()


def _work(store_uri: str, listening: socket.socket, settings: Settings, lifeline: Connection) -> None:
    """Serve in a worker process until its lifeline is cut. Signals that all processes get change nothing."""
    servers: list[Server] = []
    threading.Thread(target=_stop_with, args=(lifeline, servers), daemon=True).start()
    try:
        store, artifacts = open_store(store_uri), settings.artifacts()
    except TrackspecError as error:
        LOG.error("A worker cannot open what it serves: %s", error.message)
        os._exit(1)
    server = Server(settings.application(store, artifacts), settings.limits)
    servers.append(server)
    for number in SIGNALS:
        signal.signal(number, server.handle_exit)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    keep_what_is_there()
    ended = server.serve_until_stopped(listening)
    store.close()
    if artifacts:
        artifacts.close()
    os._exit(0 if ended else 1)


def _stop_with(lifeline: Connection, servers: list[Server]) -> None:
    wait([lifeline])
    if not servers:
        os._exit(0)  # it is still starting, and has nothing in hand
    servers[0].stop()
