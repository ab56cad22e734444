"""What the server does with artifacts that no client of the suite can see: memory, leftovers, limits, threads."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import psutil
import pytest

from tests.servers.tracking import Client, in_process, in_thread
from trackspec import ErrorCode, TrackspecError
from trackspec.memory_repository import MemoryArtifactRepository
from trackspec.memory_store import MemoryStore
from trackspec.protocol.artifact_endpoints import ARTIFACTS
from trackspec_reference.server.limits import Limits
from trackspec_reference.server.serving import Settings

MEBIBYTE = 1 << 20


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The folder that is served."""
    return tmp_path / "kept"


@pytest.fixture
def port(kept: Path) -> Iterator[int]:
    """Of a server over it."""
    with in_thread(MemoryStore(), Settings(artifacts_destination=f"file://{kept}")) as served:
        yield served


def head(port: int, length: int, path: str = "a.bin") -> socket.socket:
    """A connection on which an upload of so many bytes was announced."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sendall(
        f"PUT {ARTIFACTS}/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode()
    )
    return connection


def send(connection: socket.socket, mebibytes: int) -> None:
    """Send as much of a body."""
    for _ in range(mebibytes):
        connection.sendall(b"x" * MEBIBYTE)


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_memory_does_not_grow_with_a_file(tmp_path: Path) -> None:
    """A process that takes and gives a file of 200 MiB takes no 60 of them, even twice at once."""
    size = 200 * MEBIBYTE
    with in_process(f"sqlite:///{tmp_path}/store.db", "--artifacts-destination", f"{tmp_path}/kept") as server:
        before = psutil.Process(server.pid).memory_info().rss

        def transfer(name: str) -> None:
            with head(server.port, size, name) as connection:
                send(connection, 200)
                assert connection.recv(100).startswith(b"HTTP/1.1 200")
            assert len(Client(server.port).request("GET", f"{ARTIFACTS}/{name}").body) == size

        threads = [threading.Thread(target=transfer, args=(name,)) for name in ("a", "b")]
        for thread in threads:
            thread.start()
        most = 0
        while any(thread.is_alive() for thread in threads):
            most = max(most, psutil.Process(server.pid).memory_info().rss)
            time.sleep(0.01)

    assert {file.name: file.stat().st_size for file in (tmp_path / "kept").iterdir()} == {"a": size, "b": size}
    assert most - before < 60 * MEBIBYTE


def test_an_upload_that_is_cut_leaves_nothing_behind(port: int, kept: Path) -> None:
    """Neither under its name nor under another one."""
    with head(port, 10 * MEBIBYTE) as connection:
        connection.sendall(b"x" * 3 * MEBIBYTE)
        until(lambda: any(kept.glob(".trackspec-*")))

    until(lambda: not any(kept.iterdir()))


def test_a_file_is_seen_when_all_of_it_is_there(port: int, kept: Path) -> None:
    """While it arrives, what was there before is answered."""
    client = Client(port)
    client.request("PUT", f"{ARTIFACTS}/a.bin", b"before")
    with head(port, 3 * MEBIBYTE) as connection:
        connection.sendall(b"x" * (3 * MEBIBYTE - 1))
        until(lambda: any(kept.glob(".trackspec-*")))
        meanwhile = client.request("GET", f"{ARTIFACTS}/a.bin").body
        listed = client.request("GET", ARTIFACTS).json["files"]
        connection.sendall(b"x")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")

    assert meanwhile == b"before"
    assert listed == [{"path": "a.bin", "is_dir": False, "file_size": 6}]
    assert (kept / "a.bin").stat().st_size == 3 * MEBIBYTE


def test_a_refused_upload_is_not_read_to_its_end(port: int, kept: Path) -> None:
    """The answer is there before the body is, and the connection ends after some of it."""
    with head(port, 10**12, "%2e%2e/a.bin") as connection:
        answer = connection.recv(1000)
        with pytest.raises(ConnectionError):
            send(connection, 1000)

    assert answer.startswith(b"HTTP/1.1 400")
    assert not kept.exists()


def test_an_artifact_may_be_larger_than_other_bodies(kept: Path) -> None:
    """It has a limit of its own, whether its length is told or not."""
    limits = Limits(body=1000, artifact=2000)
    with in_thread(MemoryStore(), Settings(artifacts_destination=f"file://{kept}", limits=limits)) as port:
        client = Client(port)
        taken = client.request("PUT", f"{ARTIFACTS}/a", b"x" * 2000)
        told = Client(port).request("PUT", f"{ARTIFACTS}/b", b"x" * 2001)
        chunked = (
            b"PUT %s/c HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" % ARTIFACTS.encode()
        )
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(chunked + b"%x\r\n%s\r\n0\r\n\r\n" % (2001, b"x" * 2001))
            untold = connection.recv(1000)

    assert taken.status == 200
    assert (told.status, told.json["error_code"]) == (413, "INVALID_PARAMETER_VALUE")
    assert untold.startswith(b"HTTP/1.1 413")
    assert [file.name for file in kept.iterdir()] == ["a"]


def test_an_upload_may_take_its_time_and_not_all_the_time(kept: Path) -> None:
    """The more of it arrives, the more time it has."""
    limits = Limits(request_time=0.5, artifact_rate=1000)
    with in_thread(MemoryStore(), Settings(artifacts_destination=f"file://{kept}", limits=limits)) as port:
        with head(port, 3000, "steady") as connection:
            for _ in range(3):
                connection.sendall(b"x" * 1000)
                time.sleep(0.4)
            steady = connection.recv(100)
        with head(port, 3000, "stalled") as connection:
            connection.sendall(b"x" * 10)
            stalled = connection.recv(100)

    assert steady.startswith(b"HTTP/1.1 200")
    assert stalled.startswith(b"HTTP/1.1 408")
    assert [file.name for file in kept.iterdir()] == ["steady"]


class Slow(MemoryArtifactRepository):
    """A repository whose storage does not answer for a while."""

    def __init__(self) -> None:
        super().__init__("memory:slow")
        self.answers = threading.Event()

    def open_artifact(self, artifact_path: str) -> BinaryIO:
        """Wait."""
        self.answers.wait(30)
        raise TrackspecError("S3 does not answer.", ErrorCode.TEMPORARILY_UNAVAILABLE)


class SlowSettings(Settings):
    """Settings of a server over it."""

    repository = Slow()

    def artifacts(self) -> Slow:
        """The repository."""
        return self.repository


def test_calls_of_the_store_do_not_wait_for_artifacts() -> None:
    """However many of these there are, and a storage that does not answer is told so."""
    settings = SlowSettings()
    with in_thread(MemoryStore(), settings) as port:
        waiting = [Client(port) for _ in range(Limits().threads + 4)]
        for client in waiting:
            client._connection.request("GET", f"{ARTIFACTS}/a")

        answer = Client(port).call("get_experiment", experiment_id="0")
        settings.repository.answers.set()

        answers = [client.answer() for client in waiting]

    assert answer.status == 200
    assert {(late.status, late.json["error_code"]) for late in answers} == {(503, "TEMPORARILY_UNAVAILABLE")}


def test_a_server_without_a_destination_has_no_such_paths() -> None:
    """They are unknown like any other."""
    with in_thread(MemoryStore()) as port:
        answers = [Client(port).request(method, f"{ARTIFACTS}/a", b"") for method in ("GET", "PUT", "DELETE")]

    assert {(answer.status, answer.json["error_code"]) for answer in answers} == {(404, "ENDPOINT_NOT_FOUND")}


def test_what_the_destination_is_not_is_told_at_the_start(tmp_path: Path) -> None:
    """In one line, and the server does not start."""
    options = (f"sqlite:///{tmp_path}/store.db", "--artifacts-destination", "gopher://host/path")
    with pytest.raises(AssertionError, match="claims the URI scheme 'gopher'"), in_process(*options):
        pass
