"""What the REST store reads in one piece, and that what has another form is read as well."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import pytest

from tests.servers.scripted import Play, Received, answer, scripted
from trackspec import ErrorCode, TrackspecError
from trackspec_reference.tracking.rest.whole_answers import whole_answer
from trackspec_reference.tracking.rest_store import RestStore

pytestmark = pytest.mark.usefixtures("no_credentials")

BODY = json.dumps({"experiment": {"experiment_id": "0", "name": "Default"}}).encode()
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
TYPE = b"Content-Type: application/json\r\n"
USUAL = b"HTTP/1.1 200 OK\r\n" + TYPE + LENGTH + b"\r\n" + BODY

OTHERS = {
    "older protocol": USUAL.replace(b"HTTP/1.1", b"HTTP/1.0"),
    "no reason": USUAL.replace(b" OK", b""),
    "field of two lines": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n" + TYPE + LENGTH + b"\r\n" + BODY,
    "field twice": b"HTTP/1.1 200 OK\r\nX: a\r\nx: b\r\n" + TYPE + LENGTH + b"\r\n" + BODY,
    "no space": b"HTTP/1.1 200 OK\r\nX:a\r\n" + TYPE + LENGTH + b"\r\n" + BODY,
    "not in ASCII": b"HTTP/1.1 200 OK\r\nX: \xe9\r\n" + TYPE + LENGTH + b"\r\n" + BODY,
    "bare line feeds": USUAL.replace(b"\r\n", b"\n"),
    "told connection": b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n" + TYPE + LENGTH + b"\r\n" + BODY,
    "last one": b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + TYPE + LENGTH + b"\r\n" + BODY,
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + TYPE + b"\r\n%x\r\n" % len(BODY) + BODY
    + b"\r\n0\r\n\r\n",
    "chunks and a length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n" + TYPE
    + b"\r\n%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n",
    "no length": b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + TYPE + b"\r\n" + BODY,
    "large": b"HTTP/1.1 200 OK\r\n" + TYPE + b"Content-Length: %d\r\n\r\n" % (200_000 + len(BODY)) + BODY
    + b" " * 200_000,
}  # fmt: skip


def closing(data: bytes) -> Play:
    """Send this, and close the connection."""
    return lambda connection, request: connection.sendall(data)


def slowly(*pieces: bytes) -> Play:
    """Send one piece after the other."""

    def play(connection: socket.socket, request: Received) -> None:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.05)

    return play


def received(*pieces: bytes) -> tuple[bytes | None, bytes]:
    """The body of what arrives so, if it is read in one piece, and all that was received."""
    arriving: Iterator[bytes] = iter([*pieces, b""])
    whole, data = whole_answer(lambda: next(arriving))
    return (whole.read() if whole else None), data


@pytest.mark.parametrize("pieces", [(USUAL,), (USUAL[:-5], USUAL[-5:]), (USUAL[: -len(BODY)], BODY)])
def test_the_usual_form_is_read_in_one_piece(pieces: tuple[bytes, ...]) -> None:
    """Also if its body arrives after its head."""
    assert received(*pieces) == (BODY, USUAL)


@pytest.mark.parametrize("name", OTHERS)
def test_another_form_is_left_to_others(name: str) -> None:
    """They get all that has arrived of it."""
    assert received(OTHERS[name]) == (None, OTHERS[name])


@pytest.mark.parametrize("data", [b"", USUAL[:-1], USUAL + b"{", USUAL[:10], b"\r\n\r\n", b"\0" * 100])
def test_what_is_not_just_an_answer_is_left_to_others(data: bytes) -> None:
    """What is missing or follows is for them to judge."""
    assert received(data) == (None, data)


@pytest.mark.parametrize("name", OTHERS)
def test_another_form_says_the_same(name: str) -> None:
    """A server may write its answers as it likes."""
    with scripted(closing(OTHERS[name])) as server, RestStore(server.url) as store:
        assert store.get_experiment("0").name == "Default"


def test_pieces_say_the_same() -> None:
    """Wherever the network cuts."""
    with (
        scripted(slowly(USUAL[:7], USUAL[7:40], USUAL[40:-3], USUAL[-3:])) as server,
        RestStore(server.url) as store,
    ):
        assert store.get_experiment("0").name == "Default"


def test_a_connection_is_used_again() -> None:
    """One after the other, whichever form the answers have."""
    usual = [USUAL, OTHERS["chunks"], OTHERS["large"], OTHERS["told connection"], USUAL]
    with scripted(*usual) as server, RestStore(server.url) as store:
        for _ in range(6):
            store.get_experiment("0")

    assert server.connections == 1


def test_header_fields_are_found_in_any_case() -> None:
    """An error's, too."""
    busy = (
        b"HTTP/1.1 503 Busy\r\nRETRY-AFTER: 86000\r\ncontent-LENGTH: 2\r\nCONTENT-type: application/json\r\n\r\n{}"
    )
    with scripted(busy) as server, RestStore(server.url) as store, pytest.raises(TrackspecError) as raised:
        store.get_experiment("0")

    assert raised.value.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
    assert len(server.received) == 1  # as it asked for more time than there is


@pytest.mark.parametrize("token", ["a\nX: b", "a\r\nX: b", "a\rb", "a\r\n\r\nGET / HTTP/1.1"])
def test_a_header_field_ends_no_line(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever gives the credentials writes no header field of its own."""
    with scripted(answer(BODY)) as server, RestStore(server.url) as store:
        monkeypatch.setitem(vars(store._client.creds), "headers", lambda: {"Authorization": f"Bearer {token}"})
        with pytest.raises(TrackspecError):
            store.get_experiment("0")

    assert not server.received
