"""The REST store and servers that answer late, by halves, or not at all: an error in time, and no call hangs."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.servers import free_port
from tests.servers.scripted import Play, Received, answer, dropped, scripted
from trackspec import ErrorCode, Metric, Param, TrackspecError
from trackspec_reference.tracking.rest import transport
from trackspec_reference.tracking.rest_store import RestStore

pytestmark = pytest.mark.usefixtures("no_credentials")

HANG_GUARD = 60
"""Seconds after which a call counts as hanging, on however busy a machine."""

HURRIED = "connect_timeout=1&timeout=1&total_timeout=1&retries=0"


def error_in_time(url: str, call: Callable[[RestStore], Any] | None = None) -> TrackspecError:
    """The error that a call raises, which has a second for all."""
    asked = call or (lambda store: store.log_param("r1", Param("p", "v")))
    with RestStore(f"{url}?{HURRIED}") as store, ThreadPoolExecutor(1) as pool:
        error = pool.submit(asked, store).exception(HANG_GUARD)
    assert isinstance(error, TrackspecError), repr(error)
    return error


def dripping(*pieces: bytes, pause: float = 0.05) -> Play:
    """Send one piece after the other, the last for ever, each soon enough for a timeout that begins anew."""

    def play(connection: socket.socket, request: Received) -> None:
        for piece in pieces[:-1]:
            connection.sendall(piece)
        while True:
            connection.sendall(pieces[-1])
            time.sleep(pause)

    return play


def saying(data: bytes) -> Play:
    """Send this, and close the connection."""
    return lambda connection, request: connection.sendall(data)


def silent(connection: socket.socket, request: Received) -> None:
    """Say nothing until the client has gone."""
    with contextlib.suppress(OSError):
        connection.recv(1)


def half(connection: socket.socket, request: Received) -> None:
    """Say all but the last byte, and then nothing until the client has gone."""
    connection.sendall(answer()[:-1])
    silent(connection, request)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "play",
    [
        silent,
        dripping(b"H"),
        dripping(b"HTTP/1.1 200 O", b"K"),
        dripping(HEAD, b"X"),
        dripping(HEAD, b"X: y\r\n", pause=0.2),
        dripping(HEAD + b"Content-Length: 1000000\r\n\r\n{", b" "),
        dripping(HEAD + b"\r\n{", b" "),
        dripping(CHUNKED, b"1"),
        dripping(CHUNKED, b"1\r\n \r\n"),
        dripping(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X"),
        dripping(b"HTTP/1.1 100 Continue\r\n\r\n"),
        dripping(b"HTTP/1.1 100 Continue\r\n\r\n", pause=0),
        half,
    ],
    ids=[
        "silence",
        "status line, by bytes",
        "status line without an end",
        "header field, by bytes",
        "header without an end",
        "body, by bytes",
        "body of no length, by bytes",
        "length of a chunk, by bytes",
        "chunks without an end",
        "trailer, by bytes",
        "continue without an end",
        "continue, as fast as it goes",
        "body, all but a byte",
    ],
)
def test_a_slow_server_is_given_up_in_time(play: Play) -> None:
    """However it spends the time, the request ends when its time is over."""
    with scripted(play) as server:
        error = error_in_time(server.url)

    assert error.error_code in (ErrorCode.TEMPORARILY_UNAVAILABLE, ErrorCode.INTERNAL_ERROR)


def test_a_server_that_reads_nothing_is_given_up_in_time() -> None:
    """A request that is larger than what the network holds is not waited for without end."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        many = [Param(f"p{number}", "v" * 6000) for number in range(100)]
        points = [Metric("m" * 250, 1.0, 1, step) for step in range(900)]
        error = error_in_time(
            f"http://127.0.0.1:{listening.getsockname()[1]}", lambda store: store.log_batch("r1", points, many, [])
        )

    assert error.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE


def test_a_server_that_accepts_no_connection_is_given_up_in_time() -> None:
    """One whose queue of connections is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        port = listening.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for connection in waiting:
            connection.setblocking(False)
            connection.connect_ex(("127.0.0.1", port))
        error = error_in_time(f"http://127.0.0.1:{port}")
        for connection in waiting:
            connection.close()

    assert error.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE


def test_a_host_where_nothing_listens_is_named() -> None:
    """The error tells where nothing answers."""
    url = f"http://127.0.0.1:{free_port()}"

    error = error_in_time(url)

    assert error.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
    assert url in error.message
    assert "nothing listens" in error.message


def test_a_name_that_is_not_known_is_no_mystery() -> None:
    """The domain .invalid has no hosts."""
    error = error_in_time("http://tracking.invalid")

    assert error.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
    assert "name is not known" in error.message


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", ErrorCode.TEMPORARILY_UNAVAILABLE),
        (b"HTTP/1.1 200", ErrorCode.INTERNAL_ERROR),
        (HEAD, ErrorCode.INTERNAL_ERROR),
        (HEAD + b"\r\n", ErrorCode.INTERNAL_ERROR),
        (HEAD + b"\r\n{", ErrorCode.INTERNAL_ERROR),
        (HEAD + b"Content-Length: 3\r\n\r\n{}", ErrorCode.TEMPORARILY_UNAVAILABLE),
        (HEAD + b"Content-Length: 1\r\n\r\n{}", ErrorCode.INTERNAL_ERROR),
        (HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", ErrorCode.INTERNAL_ERROR),
        (HEAD + b"Content-Length: -1\r\n\r\n{", ErrorCode.INTERNAL_ERROR),
        (HEAD + b"Content-Length: 99999999999999999999\r\n\r\n{}", ErrorCode.INTERNAL_ERROR),
        (CHUNKED, ErrorCode.TEMPORARILY_UNAVAILABLE),
        (CHUNKED + b"2\r\n{}\r\n", ErrorCode.TEMPORARILY_UNAVAILABLE),
        (CHUNKED + b"zz\r\n{}\r\n", ErrorCode.TEMPORARILY_UNAVAILABLE),
        (CHUNKED + b"-2\r\n{}\r\n", ErrorCode.INTERNAL_ERROR),
        (CHUNKED + b"\r\n\r\n", ErrorCode.TEMPORARILY_UNAVAILABLE),
        (b"SSH-2.0-OpenSSH_9.2\r\n", ErrorCode.INTERNAL_ERROR),
        (b"HTTP/1.1 abc\r\n\r\n", ErrorCode.INTERNAL_ERROR),
        (b"HTTP/1.1 20000 OK\r\n\r\n", ErrorCode.INTERNAL_ERROR),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", ErrorCode.INTERNAL_ERROR),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" + answer(), ErrorCode.INTERNAL_ERROR),
        (b"HTTP/1.1 204 No Content\r\n\r\n", ErrorCode.INTERNAL_ERROR),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n{}", ErrorCode.INTERNAL_ERROR),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n{}", ErrorCode.INTERNAL_ERROR),
        (b"\x00" * 100_000, ErrorCode.INTERNAL_ERROR),
        (b"\r\n" * 1000, ErrorCode.INTERNAL_ERROR),
    ],
    ids=lambda value: repr(value)[:60] if isinstance(value, bytes) else str(value),
)
def test_half_an_answer_is_none(data: bytes, code: ErrorCode) -> None:
    """A connection that breaks, and what is no HTTP, is an error and never a success."""
    with scripted(saying(data)) as server:
        assert error_in_time(server.url).error_code is code


def test_an_endless_answer_is_not_read_to_the_end_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading stops at the bound."""
    monkeypatch.setattr(transport, "MAX_ANSWER", 10_000_000)
    with (
        scripted(dripping(HEAD + b"\r\n{", b" " * 1_000_000, pause=0)) as server,
        RestStore(f"{server.url}?timeout=30&retries=0") as store,
        pytest.raises(TrackspecError, match="larger than") as raised,
    ):
        store.get_run("r1")

    assert raised.value.error_code is ErrorCode.INTERNAL_ERROR


def test_what_follows_an_answer_is_not_taken_for_the_next() -> None:
    """A second answer that nobody asked for is dropped."""
    lies = answer(json.dumps({"experiment": {"experiment_id": "0", "name": "true"}})) + answer(
        json.dumps({"experiment": {"experiment_id": "0", "name": "smuggled"}})
    )
    with scripted(lies) as server, RestStore(server.url) as store:
        names = {store.get_experiment("0").name for _ in range(5)}

    assert names == {"true"}


def answered(store: RestStore) -> bool:
    """Whether a call comes out well."""
    try:
        store.log_param("r1", Param("p", "v"))
    except TrackspecError:
        return False
    return True


@contextlib.contextmanager
def mixed_load(store: RestStore) -> Iterator[list[bool]]:
    """Calls by several threads while the block runs; whether each came out well."""
    over, outcomes = threading.Event(), list[bool]()

    def work() -> None:
        while not over.is_set():
            outcomes.append(answered(store))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield outcomes
    finally:
        over.set()
        for thread in threads:
            thread.join(HANG_GUARD)


def test_a_store_goes_on_when_the_server_does() -> None:
    """Connections that broke are made anew, and no thread is left behind."""
    plays = [answer(), dropped, answer(), silent, saying(HEAD + b"Content-Length: 9\r\n\r\n{"), answer()]
    with scripted(*plays * 3) as server, RestStore(f"{server.url}?timeout=1&retries=0") as store:
        with mixed_load(store) as outcomes:
            deadline = time.monotonic() + HANG_GUARD
            while len(server.received) < 60 and time.monotonic() < deadline:
                time.sleep(0.01)
        store.log_param("r1", Param("p", "v"))

    assert {True, False} <= set(outcomes)
