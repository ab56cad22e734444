"""Whatever a client sends is answered with a 4xx in the one shape, changes nothing, and leaves the server up."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from tests.servers.tracking import JSON, Client, Response, exchange, in_thread, read_all
from trackspec import Param, ViewType
from trackspec.memory_store import MemoryStore
from trackspec.protocol.endpoints import BY_NAME, ENDPOINTS
from trackspec_reference.server.limits import Limits
from trackspec_reference.server.serving import Settings

LIMITS = Limits(body=200_000, head=16_384)

PATH = {name: endpoint.paths[0] for name, endpoint in BY_NAME.items()}


class Target(NamedTuple):
    """A server, and the store behind it, which has one run."""

    store: MemoryStore
    client: Client
    run_id: str

    def contents(self) -> str:
        """All that the store holds."""
        experiments = self.store.search_experiments(ViewType.ALL)
        ids = [experiment.experiment_id for experiment in experiments]
        return f"{experiments} {self.store.search_runs(ids, run_view_type=ViewType.ALL)}"


@pytest.fixture(scope="module")
def served() -> Iterator[Target]:
    """The server of all these tests."""
    store = MemoryStore()
    run_id = store.create_run("0", "u", 1, [], "r").info.run_id
    with in_thread(store, Settings(limits=LIMITS)) as port:
        yield Target(store, Client(port), run_id)


@pytest.fixture
def target(served: Target) -> Iterator[Target]:
    """The server, which is as it was, and still up, after the test."""
    before = served.contents()
    yield served
    served.client.close()
    assert served.client.request("GET", "/health").status == 200
    assert served.contents() == before


def assert_refused(answer: Response, *statuses: int) -> None:
    """It is a 4xx in the shape of errors."""
    assert answer.status in (statuses or range(400, 500)), answer
    assert answer.headers["Content-Type"] == "application/json"
    assert set(answer.json) == {"error_code", "message"}
    assert answer.json["error_code"]
    assert answer.json["message"]


def answers_in(received: bytes) -> list[Response]:
    """The answers that came over a connection."""
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        line, *fields = head.decode().split("\r\n")
        headers = {name.title(): value for name, value in (field.split(": ", 1) for field in fields)}
        length = int(headers.get("Content-Length", 0))
        found.append(Response(int(line.split()[1]), headers, rest[:length]))
        received = rest[length:]
    return found


# -- bodies ------------------------------------------------------------------------------------------------------


def batch(**fields: Any) -> bytes:
    """A batch that would be good but for these fields."""
    return json.dumps({"run_id": "RUN", "params": [{"key": "written", "value": "v"}], **fields}).encode()


def metric(**fields: Any) -> bytes:
    """A batch with one metric that would be good but for these fields."""
    return batch(metrics=[{"key": "m", "value": 1.5, "timestamp": 1, "step": 1, **fields}])


def with_number(text: str, field: str = "value") -> bytes:
    """A batch with one metric that has this JSON text as a field's value."""
    return metric(**{field: "@"}).replace(b'"@"', text.encode())


BAD_BODIES = {
    "empty": b"",
    "no JSON": b"hello",
    "half an object": batch()[:-3],
    "more than an object": batch() + b"{}",
    "an array": b"[" + batch() + b"]",
    "a string": json.dumps(batch().decode()).encode(),
    "null": b"null",
    "a number": b"1",
    "not UTF-8": batch().replace(b"written", b"\xff\xfe"),
    "UTF-16": batch().decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + batch(),
    "a field twice": batch()[:-1] + b', "run_id": "RUN"}',
    "a field of an item twice": metric().replace(b'"step": 1', b'"step": 1, "step": 2'),
    "an unknown field": batch(nonsense=1),
    "an unknown field of an item": metric(nonsense=1),
    "camel case": batch().replace(b"run_id", b"runId"),
    "no run": batch().replace(b"run_id", b"run_uuid").replace(b"RUN", b""),
    "two runs": batch(run_uuid="another"),
    "a list that is none": batch(metrics={}),
    "an item that is none": batch(metrics=["m"]),
    "a null among items": batch(tags=[None]),
    "a nested list": batch(tags=[[{"key": "k", "value": "v"}]]),
    "a number for a text": batch(tags=[{"key": "k", "value": 5}]),
    "a truth value for a number": metric(value=True),
    "a text for a number": metric(value="abc"),
    "a number in a text": metric(value="1.5"),
    "no value": metric(value=None),
    "a step with a fraction": metric(step=1.5),
    "a step that is a truth value": metric(step=True),
    "a step of words": metric(step="x"),
    "a step of foreign digits": metric(step="٣"),
    "a step beyond 64 bits": metric(step=2**63),
    "a step far beyond": with_number("1" * 5000, "step"),
    "a timestamp beyond 64 bits": metric(timestamp=-(2**63) - 1),
    "a bare NaN": with_number("NaN"),
    "a bare infinity": with_number("-Infinity"),
    "a number beyond a double": with_number("1e400"),
    "an integer beyond a double": with_number("1" + "0" * 400),
    "lists to the depth of 300": with_number("[" * 300 + "]" * 300),
    "lists to the depth of 90,000": with_number("[" * 90_000 + "]" * 90_000),
    "objects to the depth of 30,000": with_number('{"a":' * 30_000 + "1" + "}" * 30_000),
    "a lone surrogate": batch(tags=[{"key": "k", "value": "\ud800"}]),
    "a control character in a key": batch(tags=[{"key": "a\0b", "value": "v"}]),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_bad_body_is_refused_whole(target: Target, name: str) -> None:
    """None of a batch is written of which a part cannot be read."""
    body = BAD_BODIES[name].replace(b"RUN", target.run_id.encode())

    assert_refused(target.client.request("POST", PATH["log_batch"], body, JSON), 400)


@pytest.mark.parametrize("depth", range(850, 1010, 3))
def test_any_depth_is_refused(target: Target, depth: int) -> None:
    """Also one at which just some part of the reading is too deep."""
    body = b'{"run_id": ' + b"[" * depth + b"]" * depth + b"}"

    assert_refused(target.client.request("POST", PATH["delete_run"], body, JSON), 400)


@pytest.mark.parametrize("endpoint", [row for row in ENDPOINTS if "POST" in row.methods], ids=lambda row: row.name)
@pytest.mark.parametrize("body", [b"[]", b'"{}"', b"{", b"", b'{"nonsense": 1}', b"\x00\x01"])
def test_every_endpoint_refuses_what_is_no_request(target: Target, endpoint: Any, body: bytes) -> None:
    """What is true of one row is true of all."""
    assert_refused(target.client.request("POST", endpoint.paths[0], body, JSON), 400)


BAD_FIELDS = [
    ("create_run", {"experiment_id": "0", "start_time": 12.5}),
    ("create_run", {"experiment_id": 0}),
    ("update_run_info", {"run_id": "RUN", "status": "BOGUS", "run_name": "new"}),
    ("update_run_info", {"run_id": "RUN", "status": 3, "run_name": "new"}),
    ("update_run_info", {"run_id": "RUN", "end_time": "now", "run_name": "new"}),
    ("search_runs", {"experiment_ids": ["0"], "run_view_type": "NOPE"}),
    ("search_runs", {"experiment_ids": ["0"], "run_view_type": 1}),
    ("search_runs", {"experiment_ids": "0"}),
    ("search_runs", {"experiment_ids": ["0"], "max_results": 0}),
    ("search_runs", {"experiment_ids": ["0"], "page_token": "never-issued"}),
    ("search_runs", {"experiment_ids": ["0"], "filter": "metrics.m >"}),
    ("search_experiments", {"view_type": "active_only"}),
    ("search_experiments", {"page_token": "\0"}),
    ("log_inputs", {"run_id": "RUN", "datasets": [{"dataset": {"name": "n"}}]}),
    ("log_inputs", {"run_id": "RUN", "models": [{"model_id": "m"}]}),
    ("set_artifact_root", {"artifact_root": ""}),
]


@pytest.mark.parametrize(("name", "fields"), BAD_FIELDS)
def test_a_bad_field_is_refused(target: Target, name: str, fields: dict[str, Any]) -> None:
    """It is never read as another value in its place."""
    given = {key: target.run_id if value == "RUN" else value for key, value in fields.items()}

    assert_refused(target.client.post(PATH[name], given), 400)


def test_a_body_that_is_too_large_is_refused(target: Target) -> None:
    """Of whatever it consists."""
    body = batch(params=[{"key": "k", "value": "v" * LIMITS.body}])

    assert_refused(target.client.request("POST", PATH["log_batch"], body, JSON), 413)


def test_a_body_of_the_largest_size_is_taken(target: Target) -> None:
    """The limit is the size that is taken."""
    body = json.dumps({"run_id": "nobody"}).encode().ljust(LIMITS.body)

    answer = target.client.request("POST", PATH["get_run"].replace("get", "delete"), body, JSON)

    assert answer.json["error_code"] == "RESOURCE_DOES_NOT_EXIST"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": ""},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/jsonx"},
        {"Content-Type": "text/plain; application/json"},
        {**JSON, "Content-Encoding": "gzip"},
    ],
)
def test_what_is_not_announced_as_json_is_refused(target: Target, headers: dict[str, str]) -> None:
    """A page of a foreign site can send anything else without being asked."""
    body = batch().replace(b"RUN", target.run_id.encode())

    assert_refused(target.client.request("POST", PATH["log_batch"], body, headers), 400)


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/json ;x=y"])
def test_a_content_type_may_have_parameters(target: Target, kind: str) -> None:
    """Clients send a charset along."""
    body = json.dumps({"run_id": target.run_id}).encode()

    answer = target.client.request("POST", PATH["log_batch"], body, {"Content-Type": kind})

    assert answer.status == 200


# -- queries and paths -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "?experiment_id",
        "?experiment_id=%zz",
        "?experiment_id=%f",
        "?experiment_id=%ff",
        "?experiment_id=0&experiment_id=0",
        "?experiment_id=0&experiment_id=1",
        "?experiment_id=0&nonsense=1",
        "?experiment_id=0&&",
        "?experiment_id=%00",
        "?experimentId=0",
        "?" + "&".join(f"f{number}=1" for number in range(1500)),
    ],
)
def test_a_bad_query_is_refused(target: Target, query: str) -> None:
    """Queries are read as strictly as bodies."""
    assert_refused(target.client.request("GET", PATH["get_experiment"] + query), 400)


def test_a_query_beside_a_body_is_refused(target: Target) -> None:
    """A field has one place."""
    path = f"{PATH['log_batch']}?run_id={target.run_id}"

    assert_refused(target.client.post(path, {"run_id": target.run_id}), 400)


@pytest.mark.parametrize(
    "path",
    [
        "/api/2.0/mlflow/%72uns/get",
        "/api/2.0/mlflow/runs%2fget",
        "/api/2.0/mlflow//runs/get",
        "/api/2.0/mlflow/runs/get/",
        "/api/2.0/mlflow/../mlflow/runs/get",
        "/API/2.0/mlflow/runs/get",
        "/api/2.0/mlflow/runs/get;a=b",
        "/api/2.0/mlflow/runs/get%00",
        "/%",
        "/%zz",
        "/" + "a" * 10_000,
        "/" + "/".join("abc" * 1000),
    ],
)
def test_a_path_is_known_as_it_is_written_or_not_at_all(target: Target, path: str) -> None:
    """What another reader might take for a path of the table is none."""
    assert_refused(target.client.request("GET", path), 404)


# -- requests that are none --------------------------------------------------------------------------------------

HOST = b"Host: localhost\r\n"
TYPE = b"Content-Type: application/json\r\n"
SECOND = b"POST /api/2.0/mlflow/experiments/create HTTP/1.1\r\n" + HOST + TYPE
SECOND += b'Content-Length: 19\r\n\r\n{"name":"smuggled"}'

NOISE = {
    "nothing but line ends": b"\r\n\r\n\r\nx\r\n",
    "TLS": bytes.fromhex("1603010200010001fc0303") + bytes(range(256)) * 2,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n",
    "a version that is none": b"GET /health HTTP/9.9\r\n" + HOST + b"\r\n",
    "a method that is none": b"STEAL /health HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tunnel": b"CONNECT localhost:22 HTTP/1.1\r\n" + HOST + b"\r\n",
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "no host, of old": b"GET /health HTTP/1.0\r\n\r\n",
    "two hosts": b"GET /health HTTP/1.1\r\n" + HOST * 2 + b"\r\n",
    "a space in a path": b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
    "a control character in a path": b"GET /a\x00b HTTP/1.1\r\n" + HOST + b"\r\n",
    "no path": b"GET  HTTP/1.1\r\n" + HOST + b"\r\n",
    "a path without a slash": b"GET health HTTP/1.1\r\n" + HOST + b"\r\n",
    "a field without a colon": b"GET /health HTTP/1.1\r\n" + HOST + b"nonsense\r\n\r\n",
    "a field name with a space": b"GET /health HTTP/1.1\r\n" + HOST + b"Host : x\r\n\r\n",
    "a field value with a null": b"GET /health HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n",
    "a folded field": b"GET /health HTTP/1.1\r\n" + HOST + b"X: a\r\n  b\r\nHost: x\r\n\r\n",
    "two content types": SECOND.replace(TYPE, TYPE * 2),
    "a length and chunks": SECOND.replace(b"Content-Length", b"Transfer-Encoding: chunked\r\nContent-Length"),
    "chunks and a length": SECOND.replace(b"19\r\n", b"19\r\nTransfer-Encoding: chunked\r\n"),
    "two lengths": SECOND.replace(b"19\r\n", b"19\r\nContent-Length: 3\r\n"),
    "the same length twice": SECOND.replace(b"19\r\n", b"19\r\nContent-Length: 19\r\n"),
    "a list of lengths": SECOND.replace(b"19\r\n", b"19, 19\r\n"),
    "a signed length": SECOND.replace(b"19\r\n", b"+19\r\n"),
    "a negative length": SECOND.replace(b"19\r\n", b"-1\r\n"),
    "a length in base 16": SECOND.replace(b"19\r\n", b"0x13\r\n"),
    "a length beyond 64 bits": SECOND.replace(b"19\r\n", b"99999999999999999999\r\n"),
    "no length": SECOND.replace(b"Content-Length: 19\r\n", b""),
    "a length that is too short": SECOND.replace(b"19\r\n", b"5\r\n"),
    "an unknown coding": SECOND.replace(b"Content-Length: 19", b"Transfer-Encoding: gzip"),
    "chunked, and something else": SECOND.replace(b"Content-Length: 19", b"Transfer-Encoding: chunked, gzip"),
    "chunked, misspelt": SECOND.replace(b"Content-Length: 19", b"Transfer-Encoding: xchunked"),
    "a chunk of no size": SECOND.replace(b"Content-Length: 19\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"),
    "a chunk of a huge size": SECOND.replace(
        b"Content-Length: 19\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"
    ),
    "another length between": SECOND.replace(b"\r\n", b"\n").replace(b"19\n", b"19\rContent-Length: 3\n"),
}


@pytest.mark.parametrize("name", NOISE)
def test_what_is_no_request_is_turned_away(target: Target, name: str) -> None:
    """It is answered once in the one shape, and no request is found in it that was not meant as one."""
    answers = answers_in(exchange(target.client.port, NOISE[name]))

    assert answers
    for answer in answers:
        assert_refused(answer)


@pytest.mark.parametrize("seed", range(30))
def test_noise_is_turned_away(target: Target, seed: int) -> None:
    """Random bytes, and random changes of a good request."""
    source = random.Random(seed)
    damaged = bytearray(SECOND.replace(b"smuggled", b"smug\0led"))
    for _ in range(seed):
        damaged[source.randrange(len(damaged))] = source.randrange(256)
    sent = source.randbytes(500) if seed % 2 else bytes(damaged)

    for answer in answers_in(exchange(target.client.port, sent)):
        assert_refused(answer)


@pytest.mark.parametrize(
    ("length", "coding"), [(b"Content-Length: 6", b"Transfer-Encoding: chunked"), (b"Content-Length: 0", b"X: y")]
)
def test_no_request_is_smuggled_in_the_body_of_another(target: Target, length: bytes, coding: bytes) -> None:
    """Where two readers would see two ends of a body, there is no second request."""
    head = b"POST /api/2.0/mlflow/experiments/search HTTP/1.1\r\n" + HOST + TYPE + length + b"\r\n" + coding
    body = b"\r\n\r\n0\r\n\r\n" + SECOND

    answers = answers_in(exchange(target.client.port, head + body))

    assert_refused(answers[0], 400)
    assert target.store.get_experiment_by_name("smuggled") is None


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c", b"TLS/1.0"])
def test_no_other_protocol_is_spoken(target: Target, upgrade: bytes) -> None:
    """A request that asks for another one is answered as any other."""
    head = b"GET /nowhere HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: " + upgrade + b"\r\n"
    head += b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

    answers = answers_in(exchange(target.client.port, head))

    assert_refused(answers[0], 404)


# -- framing that is fine ----------------------------------------------------------------------------------------


def test_a_body_in_chunks_is_read(target: Target) -> None:
    """A client need not know a body's length before it sends it."""
    body = json.dumps({"run_id": target.run_id}).encode()
    chunks = b"".join(b"1;extension=x\r\n" + body[at : at + 1] + b"\r\n" for at in range(len(body)))
    head = b"POST " + PATH["log_batch"].encode() + b" HTTP/1.1\r\n" + HOST + TYPE
    head += b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"

    (answer,) = answers_in(exchange(target.client.port, head + chunks + b"0\r\nTrailer: ignored\r\n\r\n"))

    assert answer.status == 200


def test_a_body_in_chunks_that_is_too_large_is_refused(target: Target) -> None:
    """Its length is not known before, and its end is not waited for."""
    head = b"POST " + PATH["log_batch"].encode() + b" HTTP/1.1\r\n" + HOST + TYPE
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"

    sent = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * (LIMITS.body // 0x8000 + 2)

    assert_refused(answers_in(exchange(target.client.port, sent))[0], 413)


def test_a_large_body_is_refused_before_it_is_sent(target: Target) -> None:
    """A client that asks first is told at once."""
    head = b"POST " + PATH["log_batch"].encode() + b" HTTP/1.1\r\n" + HOST + TYPE
    head += b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (LIMITS.body + 1)

    with socket.create_connection(("127.0.0.1", target.client.port), timeout=30) as connection:
        connection.sendall(head)
        answer = connection.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_pipelined_requests_are_answered_in_order(target: Target) -> None:
    """Bad ones too."""
    get = b"GET %s HTTP/1.1\r\n" + HOST + b"\r\n"
    sent = get % b"/health" + get % b"/nowhere" + get % b"/version" + get % b"/health"

    answers = answers_in(exchange(target.client.port, sent))

    assert [answer.status for answer in answers] == [200, 404, 200, 200]


def test_noise_behind_a_request_does_not_take_its_answer(target: Target) -> None:
    """What was asked for before is answered."""
    sent = b"GET %s?run_id=%s HTTP/1.1\r\n" % (PATH["get_run"].encode(), target.run_id.encode()) + HOST
    sent += b"\r\n\0\0\0nonsense\r\n\r\n"

    answers = answers_in(exchange(target.client.port, sent))

    assert answers[0].json["run"]["info"]["run_id"] == target.run_id


# -- too much, too slow ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\n" + HOST,
        b"GET /health HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 60_000,
        b"GET /health HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 10_000,
        b"GET /" + b"a" * 60_000,
    ],
)
def test_a_head_without_end_is_turned_away(target: Target, head: bytes) -> None:
    """Its end is not waited for."""
    with socket.create_connection(("127.0.0.1", target.client.port), timeout=30) as connection:
        connection.sendall(head)
        (answer,) = answers_in(read_all(connection))

    assert_refused(answer, 431)


@contextmanager
def impatient(**limits: Any) -> Iterator[tuple[MemoryStore, int]]:
    """A store, and the port of a server over it that soon loses patience."""
    store = MemoryStore()
    with in_thread(store, Settings(limits=Limits(**limits))) as port:
        yield store, port


@pytest.mark.parametrize("sent", [SECOND[:1], SECOND[:40], SECOND[:-1], SECOND[:-10]])
def test_a_request_that_does_not_arrive_is_turned_away(sent: bytes) -> None:
    """A client that sends a part and waits does not keep a connection."""
    with impatient(request_time=0.2) as (store, port):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(sent)
            (answer,) = answers_in(read_all(connection))

        assert_refused(answer, 408)
        assert store.get_experiment_by_name("smuggled") is None


def test_a_connection_without_a_request_is_closed() -> None:
    """Nothing was asked for, so nothing is answered."""
    with (
        impatient(request_time=0.2) as (_, port),
        socket.create_connection(("127.0.0.1", port), timeout=30) as connection,
    ):
        assert read_all(connection) == b""


def test_a_request_that_was_refused_early_is_not_read_for_ever() -> None:
    """A client that goes on sending a body which is not wanted is cut off."""
    head = SECOND.partition(b"\r\n\r\n")[0].replace(b"19", b"99999999999") + b"\r\n\r\n"
    with (
        impatient(request_time=0.2) as (_, port),
        socket.create_connection(("127.0.0.1", port), timeout=30) as connection,
    ):
        connection.sendall(head + b"x" * 1000)
        (answer,) = answers_in(read_all(connection))

    assert_refused(answer, 413)


def send_for_ever(connection: socket.socket, sent: bytes) -> None:
    """Send the same again and again."""
    while True:
        connection.sendall(sent)


def test_a_client_that_does_not_read_is_cut_off() -> None:
    """Its answers do not wait in the server's memory for ever."""
    with impatient(stalled_time=0.2) as (store, port):
        run_id = store.create_run("0", "u", 1, [], "r").info.run_id
        store.log_batch(run_id, [], [Param(f"p{number}", "x" * 5000) for number in range(100)], [])
        request = b"GET %s?run_id=%s HTTP/1.1\r\n" % (PATH["get_run"].encode(), run_id.encode()) + HOST + b"\r\n"
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            with pytest.raises((ConnectionResetError, BrokenPipeError)):
                send_for_ever(connection, request * 100)


def test_a_client_that_reads_late_gets_every_answer() -> None:
    """Also those to what it asks for while an answer waits to be read."""
    with impatient() as (store, port):
        run_id = store.create_run("0", "u", 1, [], "r").info.run_id
        for batch in range(20):
            params = [Param(f"p{batch}-{number}", "x" * 5000) for number in range(100)]
            store.log_batch(run_id, [], params, [])
        request = b"GET %s?run_id=%s HTTP/1.1\r\n" % (PATH["get_run"].encode(), run_id.encode()) + HOST
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            for end in (b"\r\n", b"\r\n", b"Connection: close\r\n\r\n"):
                connection.sendall(request + end)
                time.sleep(0.3)
            answers = answers_in(read_all(connection))

    assert [len(answer.json["run"]["data"]["params"]) for answer in answers] == [2000] * 3


def test_a_server_with_too_much_in_hand_says_so() -> None:
    """A client may come again."""
    with impatient(calls=0) as (_, port):
        answer = Client(port).call("get_experiment", experiment_id="0")

    assert (answer.status, answer.json["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
    assert answer.headers["Retry-After"] == "1"
