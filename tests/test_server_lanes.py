"""A connection in the hands of a thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from trackspec_reference.server.lanes import Lane, Left
from trackspec_reference.server.whole_requests import whole_request

GET = b"GET /api/2.0/mlflow/runs/get?run_id=a HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The two ends of a connection; ours does not block."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize("request_", [GET, POST])
def test_a_usual_request_is_read_whole(request_: bytes) -> None:
    """Head and body in one piece, in the form that most have."""
    whole = whole_request(request_, ("h", 1))
    assert whole is not None
    assert whole.body == (b"{}" if request_ is POST else b"")


@pytest.mark.parametrize(
    "received",
    [
        GET[:-1],
        POST[:-1],
        GET + GET,
        POST + b"x",
        POST.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked"),
        POST.replace(b"Host: h", b"Content-Length: 3"),
        GET.replace(b"Host: h", b"Connection: close"),
        GET.replace(b"HTTP/1.1", b"HTTP/1.0"),
        GET.replace(b"/runs", b"/%72uns"),
        b"\x00",
        b"",
    ],
)
def test_any_other_is_left(received: bytes) -> None:
    """Parts, more than one, and what says more of a message than its length."""
    assert whole_request(received, ("h", 1)) is None


def test_requests_are_answered_until_one_is_left(ends: tuple[socket.socket, socket.socket]) -> None:
    """The event loop gets what the thread has read and not answered."""
    ours, theirs = ends
    left: list[Left] = []
    usual = {b"1": b"one"}

    def run() -> None:
        def following(received: bytes) -> object:
            return (lambda: usual[received]) if received in usual else None

        left.append(Lane(ours.fileno()).run(b"none", following, lambda: True))  # type: ignore[arg-type]

    thread = threading.Thread(target=run)
    theirs.send(b"1")
    thread.start()
    assert theirs.recv(4) == b"none"
    assert theirs.recv(3) == b"one"
    theirs.send(b"other")
    thread.join()
    assert left[0] in (Left(b"", b"other"), Left(b"", b""))  # the latter where it was too late


def test_what_is_not_read_is_left(ends: tuple[socket.socket, socket.socket]) -> None:
    """A client that does not read keeps no thread."""
    ours, theirs = ends
    content = bytes(50_000_000)
    left = Lane(ours.fileno()).run(content, lambda _: None, lambda: True)
    ours.close()
    got = 0
    while piece := theirs.recv(1 << 20):
        got += len(piece)
    assert got + len(left.unsent) == len(content)


def test_a_lane_that_is_given_up_sends_nothing(ends: tuple[socket.socket, socket.socket]) -> None:
    """The event loop answers instead."""
    ours, theirs = ends
    lane = Lane(ours.fileno())
    assert lane.give_up()
    assert lane.run(b"answer", lambda _: None, lambda: True) == Left(b"", b"")
    theirs.setblocking(False)
    with pytest.raises(BlockingIOError):
        theirs.recv(1)
