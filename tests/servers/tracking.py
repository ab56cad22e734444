"""Our own server: in a thread over a store that the test holds, or as the command in a process of its own."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tests.servers import wait_until_ready
from trackspec import TrackingStore
from trackspec.entities import Run
from trackspec.memory_store import MemoryStore
from trackspec.protocol.endpoints import BY_NAME
from trackspec_reference.server.serving import Server, Settings

TIMEOUT = 30
"""Seconds that a client waits for an answer, on a busy machine."""

JSON = {"Content-Type": "application/json"}


class Response(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body, read as JSON."""
        return json.loads(self.body)


class Client:
    """Calls over one connection.

    :param port: of a server on the loopback interface.
    :param headers: header fields of every request.
    """

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self.port = port
        self._headers = dict(headers or {})
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send a request, and read its answer."""
        self._connection.request(method, path, body, {**self._headers, **(headers or {})})
        return self.answer()

    def answer(self) -> Response:
        """Read the answer to what was sent."""
        answer = self._connection.getresponse()
        return Response(answer.status, answer.headers, answer.read())

    def post(self, path: str, fields: Any) -> Response:
        """Post JSON."""
        return self.request("POST", path, json.dumps(fields).encode(), JSON)

    def call(self, name: str, /, **arguments: Any) -> Response:
        """Call an endpoint of the table, with the arguments of the store's method."""
        self.send(name, **arguments)
        return self.answer()

    def send(self, name: str, /, **arguments: Any) -> None:
        """Send such a call, and do not wait for its answer."""
        endpoint = BY_NAME[name]
        fields, path = endpoint.fields(arguments), endpoint.paths[0]
        if endpoint.methods[0] == "GET":
            query = urlencode(fields, doseq=True)
            self._connection.request("GET", f"{path}?{query}" if query else path, headers=self._headers)
        else:
            body = json.dumps(fields).encode()
            self._connection.request("POST", path, body, {**self._headers, **JSON})

    def returned(self, name: str, /, **arguments: Any) -> Any:
        """What such a call returns, as the store would."""
        answer = self.call(name, **arguments)
        assert answer.status == 200, answer
        return BY_NAME[name].answer.read(answer.json)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def exchange(port: int, sent: bytes, *, seconds: float = TIMEOUT) -> bytes:
    """Send bytes over a connection of their own; return what comes back until the server closes it."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    """What comes over a connection until the other side closes it."""
    parts = []
    while True:
        try:
            part = connection.recv(65_536)
        except ConnectionResetError:
            part = b""
        if not part:
            return b"".join(parts)
        parts.append(part)


class SlowStore(MemoryStore):
    """Reads no run before it may.

    :ivar begun: set when a run is asked for.
    :ivar may_end: to be set for an answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.may_end = threading.Event(), threading.Event()

    def get_run(self, run_id: str) -> Run:
        """Read a run, in time."""
        self.begun.set()
        self.may_end.wait(TIMEOUT)
        return super().get_run(run_id)


@contextmanager
def in_thread(store: TrackingStore, settings: Settings | None = None) -> Iterator[int]:
    """A server over a store of this process, as its port."""
    settings = settings or Settings()
    artifacts = settings.artifacts()
    listening = socket.create_server(("127.0.0.1", 0))
    port = int(listening.getsockname()[1])
    server = Server(settings.application(store, artifacts), settings.limits)
    thread = threading.Thread(target=server.serve_until_stopped, args=(listening,))
    thread.start()
    try:
        yield port
    finally:
        server.stop()
        thread.join()


class Process:
    """A ``trackspec serve`` process, which leads a group of its own.

    :ivar port: where it listens.
    :ivar started: the line that it printed at its start.
    """

    def __init__(self, process: subprocess.Popen[str], started: str) -> None:
        self._process = process
        self.started = started
        self.port = int(re.findall(r":(\d+) \(", started)[0])

    @property
    def pid(self) -> int:
        """Of the process that was started."""
        return self._process.pid

    def signal(self, number: int) -> None:
        """Send a signal to this process only."""
        self._process.send_signal(number)

    def signal_all(self, number: int) -> None:
        """Send a signal to the process and its workers, as a terminal does."""
        os.killpg(self._process.pid, number)

    def ended(self) -> int:
        """Wait for its end; return its exit status."""
        return self._process.wait(TIMEOUT)

    def errors(self) -> str:
        """What it wrote to standard error, once it has ended."""
        assert self._process.stderr is not None
        return self._process.stderr.read()


def command(*arguments: str) -> list[str]:
    """The command line of ``trackspec serve``."""
    return [str(Path(sys.executable).with_name("trackspec")), "serve", *arguments]


@contextmanager
def in_process(
    *arguments: str, environment: Mapping[str, str] | None = None, directory: Path | None = None
) -> Iterator[Process]:
    """The command, which listens at a free port of the loopback interface."""
    process = subprocess.Popen(
        command(*arguments, "--port", "0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
        cwd=directory,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        started = process.stdout.readline()
        if not started:
            assert process.stderr is not None
            raise AssertionError(process.stderr.read())
        server = Process(process, started)
        wait_until_ready(lambda: Client(server.port).request("GET", "/health"), seconds=TIMEOUT)
        yield server
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
