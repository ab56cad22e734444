"""A server that the suite starts by a command, kills as a crash does, and starts again."""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import shlex
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Client, Listener
from pathlib import Path
from typing import Protocol

from trackspec_conformance.expectations import Unexpected
from trackspec_conformance.subjects.errors import SubjectError

PORT = "{port}"
STARTING = 120.0
"""Seconds that a server may take until it answers."""
STOPPING = 10.0


class KillableServer(Protocol):
    """A server that can be killed and started again, from whatever process."""

    def kill(self) -> None:
        """End all its processes between two instructions."""

    def start(self) -> None:
        """Start it again where it was, and wait until it answers.

        :raises Unexpected: if it does not.
        """


class StartedServer:
    """A server that a command starts, in a process group of its own.

    :param command: the command line; ``{port}`` in it is where the server listens.
    :ivar port: a port of the loopback interface.
    """

    def __init__(self, command: str) -> None:
        if PORT not in command:
            raise SubjectError(f"the command of the server does not say {PORT}, where it is to listen")
        self.port = _free_port()
        self._command = shlex.split(command.replace(PORT, str(self.port)))
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the server is stopped
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start it, and wait until it answers.

        :raises Unexpected: if it does not.
        """
        with self._lock:
            self._start()

    def _start(self) -> None:
        try:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True
            )
        except OSError as error:
            raise SubjectError(f"the server cannot be started: {error}") from error
        deadline = time.monotonic() + STARTING
        while not self._answers():
            ended = self._process.poll()
            if ended is not None or time.monotonic() > deadline:
                self._end(signal.SIGKILL)
                got = f"no answer within {STARTING:.0f} s" if ended is None else f"exit status {ended}"
                raise Unexpected("the server to start and answer GET /health", f"{got}: {self._last_words()}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End its process group."""
        with self._lock:
            self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to stop, and end what does not."""
        with self._lock:
            self._end(signal.SIGTERM)
            self._log.close()

    def _end(self, number: int) -> None:
        if self._process is None:
            return
        group = self._process.pid
        for sent in (number, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, sent)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOPPING)
        self._process = None

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "it said nothing"


class RemoteServer:
    """The server that another process has started, at whose address it takes orders.

    :param address: what :func:`taking_orders` gives.
    :param on_order: is told of an order before it is given, and once it is carried out.
    """

    def __init__(self, address: str, on_order: Callable[[str], None] = lambda _: None) -> None:
        self._on_order = on_order
        self._path, _, key = address.partition("#")
        self._key = bytes.fromhex(key)

    def kill(self) -> None:
        """Let it be killed."""
        self._order("kill")

    def start(self) -> None:
        """Let it be started."""
        self._order("start")

    def _order(self, what: str) -> None:
        self._on_order(what)
        with Client(self._path, "AF_UNIX", authkey=self._key) as connection:
            connection.send(what)
            failure = connection.recv()
        self._on_order("")
        if failure:
            raise Unexpected(*failure)


@contextlib.contextmanager
def started(command: str) -> Iterator[StartedServer]:
    """A server that runs as long as the context.

    :raises SubjectError: if it does not start.
    """
    server = StartedServer(command)
    try:
        server.start()
    except Unexpected as answer:
        raise SubjectError(f"the server does not start: {answer.got}") from answer
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def taking_orders(server: KillableServer) -> Iterator[str]:
    """Let other processes of this user kill and start a server; gives the address that they order at."""
    with tempfile.TemporaryDirectory(prefix="trackspec-") as directory:
        path, key = str(Path(directory) / "orders"), secrets.token_bytes(16)
        with Listener(path, "AF_UNIX", authkey=key) as listener:
            threading.Thread(target=_serve, args=(listener, server), daemon=True).start()
            yield f"{path}#{key.hex()}"


def _serve(listener: Listener, server: KillableServer) -> None:
    with contextlib.suppress(OSError):  # the listener is closed in the end
        while True:
            with contextlib.suppress(EOFError), listener.accept() as connection:
                try:
                    server.kill() if connection.recv() == "kill" else server.start()
                    failure = None
                except Unexpected as answer:
                    failure = (answer.expected, answer.got)
                connection.send(failure)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
