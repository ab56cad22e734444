"""Who may call the server, and from where."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.servers.tracking import JSON, Client, Response, exchange, in_thread
from trackspec import ErrorCode, TrackspecError
from trackspec.memory_store import MemoryStore
from trackspec.protocol.endpoints import ENDPOINTS
from trackspec_reference.server.authentication import Credentials
from trackspec_reference.server.origins import Origins
from trackspec_reference.server.serving import Settings

PASSWORD, TOKEN = "correct horse: battery", "a-token-of-some-length"
CREDENTIALS = Credentials.parse(f"# people\nbasic alice:{PASSWORD}\nbasic bób:another password\nbearer {TOKEN}\n")

ROUTES = [
    *[(method, path) for endpoint in ENDPOINTS for path in endpoint.paths for method in endpoint.methods],
    ("GET", "/health"),
    ("GET", "/version"),
    ("GET", "/nowhere"),
    ("PUT", "/api/2.0/mlflow/runs/create"),
    ("OPTIONS", "/api/2.0/mlflow/runs/create"),
]


def basic(user: str, password: str) -> str:
    """The header field's value for a user."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture(scope="module")
def guarded() -> Iterator[Client]:
    """A client of a server that asks for credentials."""
    with in_thread(MemoryStore(), Settings(credentials=CREDENTIALS)) as port:
        yield Client(port)


@pytest.fixture(scope="module")
def open_to_all() -> Iterator[Client]:
    """A client of a server that asks for none, with a name and an origin allowed."""
    settings = Settings(
        allowed_hosts=("Tracking.Example", "10.1.2.3", "[2001:DB8::1]"),
        allowed_origins=("https://ui.example:8443",),
    )
    with in_thread(MemoryStore(), settings) as port:
        yield Client(port)


def get(client: Client, headers: Mapping[str, str]) -> Response:
    """Ask for something that is there."""
    return client.request("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", headers=headers)


# -- credentials -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_asks_for_credentials(guarded: Client, method: str, path: str) -> None:
    """The routes are those of the table, and what is no route tells no stranger so."""
    answer = guarded.request(method, path, headers=JSON)

    assert (answer.status, answer.json["error_code"]) == (401, "UNAUTHENTICATED")
    assert answer.headers.get_all("WWW-Authenticate") == [
        'Basic realm="trackspec", charset="UTF-8"',
        'Bearer realm="trackspec"',
    ]


@pytest.mark.parametrize(
    "authorization",
    [
        basic("alice", PASSWORD),
        basic("alice", PASSWORD).replace("Basic", "basic"),
        basic("bób", "another password"),
        f"Bearer {TOKEN}",
        f"bearer {TOKEN}",
    ],
)
def test_who_gives_one_of_the_credentials_is_let_in(guarded: Client, authorization: str) -> None:
    """Of either scheme."""
    assert get(guarded, {"Authorization": authorization}).status == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic ",
        "Bearer",
        "Bearer ",
        TOKEN,
        f"Token {TOKEN}",
        f"Basic {TOKEN}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        "Bearer " + basic("alice", PASSWORD)[6:],
        basic("alice", ""),
        basic("alice", PASSWORD + " "),
        basic("alice", PASSWORD[:-1]),
        basic("Alice", PASSWORD),
        basic("", PASSWORD),
        basic("alice", "another password"),
        basic("admin", "password"),
        basic("alice", PASSWORD)[:-4] + "!!!!",
        "Basic " + base64.b64encode(b"\xff\xfe").decode(),
        "Basic " + "A" * 4001,
        "Basic é",
    ],
)
def test_anybody_else_is_not(guarded: Client, authorization: str) -> None:
    """Near misses, other schemes, and no Base64."""
    answer = get(guarded, {"Authorization": authorization})

    assert (answer.status, answer.json["error_code"]) == (401, "UNAUTHENTICATED")


def test_credentials_that_are_given_twice_are_refused(guarded: Client) -> None:
    """It is not for the server to choose."""
    field = f"Authorization: Bearer {TOKEN}\r\n"
    request = f"GET /health HTTP/1.1\r\nHost: localhost\r\n{field}{field}\r\n"

    assert exchange(guarded.port, request.encode()).startswith(b"HTTP/1.1 400 ")


def test_a_stranger_cannot_make_the_server_read_a_body() -> None:
    """Who is turned away is so before anything is read."""
    with in_thread(MemoryStore(), Settings(credentials=CREDENTIALS)) as port:
        answer = exchange(
            port,
            b"POST /api/2.0/mlflow/runs/create HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
            b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n",
        )

    assert answer.startswith(b"HTTP/1.1 401 ")


def test_health_may_be_public() -> None:
    """And nothing else with it."""
    with in_thread(MemoryStore(), Settings(credentials=CREDENTIALS, public_health=True)) as port:
        client = Client(port)

        assert [client.request("GET", path).status for path in ("/health", "/version")] == [200, 200]
        assert get(client, {}).status == 401


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n# nobody\n",
        "basic alice:short",
        "basic alice:",
        "basic :a long password",
        "basic alice a long password",
        "bearer short",
        "bearer",
        "digest alice:a long password",
        f"basic alice:{PASSWORD}\nnonsense",
    ],
)
def test_credentials_that_would_let_nobody_or_anybody_in_are_refused(text: str) -> None:
    """There is no way to ask for credentials and have none, or weak ones."""
    with pytest.raises(TrackspecError) as refused:
        Credentials.parse(text)

    assert refused.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert "password" not in refused.value.message


def test_credentials_are_not_shown() -> None:
    """Nor are their digests."""
    assert repr(CREDENTIALS) == "Credentials()"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_of_credentials_is_of_its_owner_only(tmp_path: Path, mode: int) -> None:
    """One that others can read is refused."""
    path = tmp_path / "credentials"
    path.write_text(f"bearer {TOKEN}")
    path.chmod(mode)

    with pytest.raises(TrackspecError, match="chmod 600"):
        Credentials.of_file(path)

    path.chmod(0o600)
    assert Credentials.of_file(path) == Credentials.parse(f"bearer {TOKEN}")


# -- hosts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost:1",
        "127.0.0.1",
        "127.0.0.1:5000",
        "127.1.2.3",
        "[::1]",
        "[::1]:80",
        "tracking.example",
        "TRACKING.example:443",
        "10.1.2.3",
        "[2001:db8:0::1]:5000",
    ],
)
def test_the_server_answers_under_its_own_names(open_to_all: Client, host: str) -> None:
    """Those of the loopback interface, and those allowed, with any port."""
    assert get(open_to_all, {"Host": host}).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example#localhost",
        "localhost@evil.example",
        "localhost:5000@evil.example",
        "tracking.example.",
        "atracking.example",
        "sub.tracking.example",
        "10.1.2.4",
        "2130706433",
        "0x7f000001",
        "0.0.0.0",
        "::1",
        "[::1",
        "localhost:",
        "localhost:x",
        "localhost, evil.example",
        "localhost/x",
        "",
        " ",
        "é",
    ],
)
def test_it_answers_under_no_other(open_to_all: Client, host: str) -> None:
    """A page of another site may have made a browser call it by that site's name."""
    answer = get(open_to_all, {"Host": host})

    assert (answer.status, answer.json["error_code"]) == (403, "PERMISSION_DENIED")


# -- origins -----------------------------------------------------------------------------------------------------


def create(client: Client, origin: str, **headers: str) -> Response:
    """Ask for a change of state from a page of a site."""
    path = "/api/2.0/mlflow/experiments/search"
    return client.request("POST", path, b"{}", {**JSON, "Origin": origin, **headers})


def test_pages_of_the_server_itself_may_change_something(open_to_all: Client) -> None:
    """It is the same site where the Host is the one of the Origin, also behind a proxy that speaks TLS."""
    assert create(open_to_all, f"http://127.0.0.1:{open_to_all.port}").status == 200
    assert create(open_to_all, "https://tracking.example", Host="tracking.example").status == 200


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.example",
        "http://localhost",
        "http://127.0.0.1",
        "https://ui.example",
        "http://ui.example:8443",
        "https://ui.example:8443.evil.example",
        "https://ui.example:8443/",
        "file://",
        "chrome-extension://abc",
        "https://ui.example:8443, https://evil.example",
    ],
)
def test_pages_of_other_sites_may_not(open_to_all: Client, origin: str) -> None:
    """Neither those of sites that do not tell."""
    answer = create(open_to_all, origin)

    assert (answer.status, answer.json["error_code"]) == (403, "PERMISSION_DENIED")
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_pages_of_an_allowed_site_may_change_and_read(open_to_all: Client) -> None:
    """The browser asks first, and is told so."""
    origin = "https://ui.example:8443"

    asked = open_to_all.request("OPTIONS", "/api/2.0/mlflow/runs/create", headers={"Origin": origin})
    answer = create(open_to_all, origin)
    refused = open_to_all.request("POST", "/nowhere", headers={"Origin": origin})

    assert asked.status == 204
    assert asked.headers["Access-Control-Allow-Origin"] == origin
    assert "content-type" in asked.headers["Access-Control-Allow-Headers"]
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.headers["Vary"] == "origin"
    assert refused.headers["Access-Control-Allow-Origin"] == origin


def test_pages_of_other_sites_are_not_told_what_there_is(open_to_all: Client) -> None:
    """What such a page makes a browser read, the browser does not hand on to it."""
    answer = get(open_to_all, {"Origin": "http://evil.example"})
    asked = open_to_all.request(
        "OPTIONS", "/api/2.0/mlflow/runs/create", headers={"Origin": "http://evil.example"}
    )

    assert not [name for name in answer.headers if name.startswith("Access-Control")]
    assert asked.status == 403


@pytest.mark.parametrize("origin", ["ui.example", "*", "https://ui.example/", "ftp://ui.example", "null", ""])
def test_an_allowed_origin_is_one(origin: str) -> None:
    """A list of origins has no patterns."""
    with pytest.raises(TrackspecError) as refused:
        Origins([origin])

    assert refused.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE
