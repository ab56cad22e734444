"""Requests that are read whole, and connections in the hands of a thread."""

from __future__ import annotations

import http.client
import random
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.servers.tracking import TIMEOUT, Client, SlowStore, in_thread, read_all
from trackspec.memory_store import MemoryStore
from trackspec_reference.server import lanes
from trackspec_reference.server.lanes import Lane, Left
from trackspec_reference.server.whole_requests import whole_request

Ends = tuple[socket.socket, socket.socket]
Following = Callable[[bytes], Callable[[], bytes] | None]

GET = b"GET /api/2.0/mlflow/runs/get?run_id=a HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def ends() -> Iterator[Ends]:
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


@pytest.mark.parametrize("request_", [GET, POST])
def test_a_head_above_the_limit_is_left(request_: bytes) -> None:
    """One that the server does not take has to be turned away."""
    size = request_.index(b"\r\n\r\n") + 4
    assert whole_request(request_, ("h", 1), size) is not None
    assert whole_request(request_, ("h", 1), size - 1) is None


def answers_to(usual: dict[bytes, bytes]) -> Following:
    """Answers what is usual, and leaves the rest."""
    return lambda received: (lambda: usual[received]) if received in usual else None


def test_requests_are_answered_until_one_is_left(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event loop gets what the thread has read and not answered."""
    monkeypatch.setattr(lanes, "PATIENCE", TIMEOUT)
    ours, theirs = ends
    left: list[Left] = []
    lane = Lane(ours.fileno())
    thread = threading.Thread(
        target=lambda: left.append(lane.run(b"zero", answers_to({b"1": b"one", b"2": b"two"}), lambda: True))
    )
    thread.start()
    for sent, received in ((b"1", b"zero"), (b"2", b"one"), (b"other", b"two")):
        assert theirs.recv(10) == received
        theirs.send(sent)
    thread.join(TIMEOUT)

    assert left == [Left(b"", b"other")]


@pytest.mark.parametrize("ended", [False, True])
def test_a_client_that_sends_nothing_keeps_no_thread(ends: Ends, ended: bool) -> None:
    """Nor does one that has gone."""
    ours, theirs = ends
    if ended:
        theirs.close()
    left = Lane(ours.fileno()).run(b"", answers_to({}), lambda: True)

    assert left == Left(b"", b"")


def test_nothing_is_read_where_another_call_waits(ends: Ends) -> None:
    """The thread is for that one now."""
    ours, theirs = ends
    theirs.send(b"1")
    left = Lane(ours.fileno()).run(b"zero", answers_to({b"1": b"one"}), lambda: False)

    assert left == Left(b"", b"")
    assert ours.recv(10) == b"1"


def test_what_is_not_read_is_left(ends: Ends) -> None:
    """A client that does not read keeps no thread, and loses nothing."""
    ours, theirs = ends
    content = random.Random(1).randbytes(5_000_000)
    left = Lane(ours.fileno()).run(content, answers_to({}), lambda: True)
    ours.close()
    received = read_all(theirs)

    assert received
    assert left.unsent
    assert received + left.unsent == content


def test_a_lane_that_is_given_up_sends_nothing(ends: Ends) -> None:
    """The event loop answers instead."""
    ours, theirs = ends
    lane = Lane(ours.fileno())
    assert lane.give_up()
    assert lane.run(b"answer", answers_to({}), lambda: True) == Left(b"", b"")
    theirs.setblocking(False)
    with pytest.raises(BlockingIOError):
        theirs.recv(1)


# -- in a server -------------------------------------------------------------------------------------------------


CALL = "/api/2.0/mlflow/"
PARAM = b'{"run_id": "RUN", "key": "k", "value": "v"}'
JSON = b"Content-Type: application/json\r\n"


def request(line: str, body: bytes | None = None, fields: bytes = b"Host: localhost\r\n") -> bytes:
    """A request in the usual form."""
    if body is not None:
        fields += b"Content-Length: %d\r\n" % len(body)
    return f"{line} HTTP/1.1\r\n".encode() + fields + b"\r\n" + (body or b"")


REQUESTS = [
    request(f"GET {CALL}runs/get?run_id=RUN"),
    request(f"GET {CALL}runs/get?run_id=%52UN"),
    request(f"GET {CALL}runs/get?run_id=none"),
    request(f"GET {CALL}runs/get?"),
    request(f"GET {CALL}runs/get?run_id=RUN&nonsense=1"),
    request(f"GET {CALL}runs/get?run_id=%5"),
    request(f"GET {CALL}runs/get?run_id=RUN", b"{}"),
    request(f"GET {CALL}runs/../runs/get?run_id=RUN"),
    request(f"GET /{CALL}runs/get?run_id=RUN"),
    request(f"GET {CALL}runs/get?run_id=RUN", fields=b"Host: elsewhere.example\r\n"),
    request(f"GET {CALL}runs/get?run_id=RUN", fields=b"Accept: text/html, */*;q=0.1\r\n"),
    request("GET /health"),
    request("GET /nowhere"),
    request(f"POST {CALL}runs/log-parameter", PARAM, b"Host: localhost\r\n" + JSON),
    request(f"POST {CALL}runs/log-parameter", b"", b"Host: localhost\r\n" + JSON),
    request(f"POST {CALL}runs/log-parameter", b"[]", b"Host: localhost\r\n" + JSON),
    request(f"POST {CALL}runs/log-parameter", PARAM),
    request(f"POST {CALL}runs/log-parameter?a=b", PARAM, b"Host: localhost\r\n" + JSON),
    request(f"POST {CALL}runs/log-parameter", PARAM, b"Host: localhost\r\nOrigin: http://a.example\r\n" + JSON),
    request(f"POST {CALL}runs/get", PARAM, b"Host: localhost\r\n" + JSON),
]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[int, str]]:
    """The port of a server, and the id of a run behind it."""
    store = MemoryStore()
    run_id = store.create_run("0", "u", 1, [], "r").info.run_id
    with in_thread(store) as port:
        yield port, run_id


@pytest.mark.parametrize("sent", REQUESTS, ids=range(len(REQUESTS)))
def test_a_request_is_answered_alike_however_it_arrives(served: tuple[int, str], sent: bytes) -> None:
    """In one piece as in two, which are httptools' and uvicorn's to read; first on its connection or not."""
    port, run_id = served
    length = len(sent)
    sent = sent.replace(b"RUN", run_id.encode())
    sent = sent.replace(
        b"Content-Length: %d" % len(PARAM), b"Content-Length: %d" % (len(PARAM) + len(sent) - length)
    )
    usual = request(f"GET {CALL}runs/get?run_id={run_id}")
    assert whole_request(sent, ("h", 1)) is not None

    whole, later, split = (answer_to(port, pieces) for pieces in ([sent], [usual, sent], [sent[:20], sent[20:]]))

    assert whole == later == split


def answer_to(port: int, pieces: list[bytes]) -> tuple[str, bytes]:
    """The last answer, without its time; a piece is sent when the one before it was answered or read."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces[:-1]:
            connection.sendall(piece)
            if piece.endswith(b"\r\n\r\n"):
                assert one_answer(connection)[0].startswith("HTTP/1.1 200 ")
            else:
                assert Client(port).request("GET", "/health").status == 200  # it has read meanwhile
        connection.sendall(pieces[-1])
        return one_answer(connection)


def one_answer(connection: socket.socket) -> tuple[str, bytes]:
    """The head, without the field of its time, and the body."""
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    fields = [f"{name}: {value}" for name, value in answer.getheaders() if name.lower() != "date"]
    return f"HTTP/1.1 {answer.status} {fields}", answer.read()


@pytest.mark.parametrize("field", [b"", b"Connection: keep-alive\r\n"], ids=["whole", "not whole"])
def test_noise_behind_a_call_in_hand_is_answered_after_it(field: bytes) -> None:
    """Or not at all: what is answered first would be taken for the call's answer."""
    store = SlowStore()
    run_id = store.create_run("0", "u", 1, [], None).info.run_id
    with (
        in_thread(store) as port,
        socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as connection,
    ):
        connection.sendall(request(f"GET {CALL}runs/get?run_id={run_id}", fields=b"Host: localhost\r\n" + field))
        assert store.begun.wait(TIMEOUT)
        connection.sendall(b"\0nonsense\r\n\r\n")
        assert Client(port).request("GET", "/health").status == 200  # it has read the noise meanwhile
        store.may_end.set()
        received = read_all(connection)

    assert received.startswith(b"HTTP/1.1 200 ")
    assert run_id.encode() in received
