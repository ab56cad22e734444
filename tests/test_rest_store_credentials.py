"""Who the REST store says that it is, and where no secret turns up."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rest_credentials import BASIC, CANARY, NAMES, PASSWORD, TOKEN, call, refusal, said, set_up, write_netrc
from tests.servers.scripted import answer, dropped, scripted
from tests.servers.tracking import in_thread
from trackspec import ErrorCode, RunTag, TrackspecError, open_store
from trackspec.memory_store import MemoryStore
from trackspec_reference.server.authentication import Credentials
from trackspec_reference.server.serving import Settings
from trackspec_reference.tracking.rest_store import RestStore

pytestmark = pytest.mark.usefixtures("no_credentials")

# -- which credentials -------------------------------------------------------------------------------------------


def test_without_credentials_nobody_asks() -> None:
    """No header field is made up."""
    with scripted(answer()) as server:
        call(server.url)

    assert said(server) is None


def test_a_user_name_and_password_come_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment counts before the netrc file."""
    set_up(monkeypatch, USERNAME="ada", PASSWORD=PASSWORD)
    write_netrc(tmp_path)

    with scripted(answer()) as server:
        call(server.url)

    assert said(server) == f"Basic {BASIC}"


def test_a_token_comes_before_the_netrc_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And is not replaced by it, as the library would do by itself."""
    set_up(monkeypatch, TOKEN=TOKEN)
    write_netrc(tmp_path)

    with scripted(answer()) as server:
        call(server.url)

    assert said(server) == f"Bearer {TOKEN}"


def test_the_netrc_file_comes_last(tmp_path: Path) -> None:
    """Its entry for the host counts where no variable does."""
    write_netrc(tmp_path)

    with scripted(answer()) as server:
        call(server.url)

    assert said(server) == "Basic " + base64.b64encode(f"carl:{CANARY}-netrc".encode()).decode()


def test_the_entry_of_another_host_is_left_alone(tmp_path: Path) -> None:
    """A password goes to nobody else."""
    write_netrc(tmp_path, "tracking.example")

    with scripted(answer()) as server:
        call(server.url)

    assert said(server) is None


def test_variables_that_are_empty_are_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """As programs that run others often leave them."""
    set_up(monkeypatch, **dict.fromkeys(NAMES, ""))

    with scripted(answer()) as server:
        call(server.url)

    assert said(server) is None


@pytest.mark.parametrize(
    "variables",
    [
        {"USERNAME": "ada"},
        {"PASSWORD": PASSWORD},
        {"USERNAME": "ada", "PASSWORD": PASSWORD, "TOKEN": TOKEN},
        {"USERNAME": "ada:b", "PASSWORD": PASSWORD},
        {"TOKEN": f"{TOKEN}\n"},
        {"TOKEN": f"{TOKEN}\r\nX-Admin: yes"},
        {"TOKEN": f"{TOKEN}é"},
        {"TOKEN": f" {TOKEN}"},
        {"INSECURE_TLS": "maybe"},
        {"SERVER_CERT_PATH": f"/nowhere/{CANARY}"},
        {"CLIENT_CERT_PATH": f"/nowhere/{CANARY}"},
        {"INSECURE_TLS": "true", "SERVER_CERT_PATH": __file__},
        {"AUTH": "sigv4"},
        {"AWS_SIGV4": "true"},
    ],
)
def test_variables_that_make_no_sense_are_refused(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """The error names the variables, and none of their values."""
    set_up(monkeypatch, **variables)

    error = refusal("http://127.0.0.1:1")

    assert error.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert any(f"MLFLOW_TRACKING_{name}" in error.message or "user name" in error.message for name in variables)
    assert CANARY not in error.message


# -- which URIs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "store_uri",
    [
        f"http://ada:{CANARY}@127.0.0.1",
        f"http://ada:{CANARY}@127.0.0.1:5000/path",
        f"http://{CANARY}@127.0.0.1",
        f"http://ada:{CANARY}",
        f"http://ada:{CANARY}/@127.0.0.1",
        f"http://127.0.0.1?password={CANARY}",
        f"http://127.0.0.1?timeout={CANARY}",
        f"http://127.0.0.1/#{CANARY}",
        f"http://127.0.0.1?retries=1#{CANARY}",
    ],
)
def test_credentials_in_a_uri_are_refused_and_not_repeated(store_uri: str) -> None:
    """A URI is shown and stored, and so is no place for a secret."""
    error = refusal(store_uri)

    assert error.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert CANARY not in str(error)
    if "@127" in store_uri and "/@" not in store_uri:
        assert "MLFLOW_TRACKING_TOKEN" in error.message


@pytest.mark.parametrize(
    "store_uri",
    [
        "http:",
        "http://",
        "http:///path",
        "http:host",
        "https://:5000",
        "http://host:0",
        "http://host:65536",
        "http://host:port",
        "http://[::1",
        "http://ho st",
        "http://host\n",
        "http://host\x00",
        "http://hóst",
        "http://host\\@other",
        "http://host/?verify=false",
        "http://host?timeout=1&timeout=2",
        "http://host?timeout",
        "http://host?timeout=",
        "http://host?timeout=0",
        "http://host?timeout=-1",
        "http://host?timeout=nan",
        "http://host?timeout=inf",
        "http://host?timeout=1e9",
        "http://host?retries=-1",
        "http://host?retries=1.5",
        "http://host?retries=²",
        "http://host?retries=21",
        "http://host?connect_timeout=soon",
        "http://host?total_timeout=0",
        "http://host?Timeout=1",
        "ftp://host",
    ],
)
def test_a_uri_that_cannot_be_is_refused(store_uri: str) -> None:
    """What names no server, or has an option that there is not, is refused when the store is opened."""
    with pytest.raises(TrackspecError) as raised:
        RestStore(store_uri)

    assert raised.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE


@pytest.mark.parametrize(
    "store_uri",
    [
        "HTTP://localhost:5000",
        "https://host.example/below/it/",
        "http://[::1]:5000",
        "http://host?",
        "http://host?timeout=0.5&connect_timeout=1&total_timeout=86400&retries=20",
    ],
)
def test_a_uri_that_can_be_is_opened_by_its_scheme(store_uri: str) -> None:
    """Nothing is asked of the server yet."""
    with open_store(store_uri) as store:
        assert isinstance(store, RestStore)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MLFLOW_HTTP_REQUEST_TIMEOUT", "long"),
        ("MLFLOW_HTTP_REQUEST_TIMEOUT", "0"),
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "-1"),
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "many"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """The variable is named; an option of the URI counts in its place."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(TrackspecError, match=variable) as raised:
        RestStore("http://127.0.0.1")

    assert raised.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    RestStore("http://127.0.0.1?timeout=1&retries=1").close()


# -- where a secret could turn up --------------------------------------------------------------------------------


def echoing(status: str) -> bytes:
    """An error that repeats the secrets that came with the request, as servers have been seen to do."""
    told = f"Bad header Authorization: Basic {BASIC} of ada:{PASSWORD}, or Bearer {TOKEN}"
    return answer(json.dumps({"error_code": "INVALID_STATE", "message": told}), status)


@pytest.fixture(params=["basic", "bearer"])
def _secret(request: pytest.FixtureRequest, no_credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "basic":
        set_up(monkeypatch, USERNAME="ada", PASSWORD=PASSWORD)
    else:
        set_up(monkeypatch, TOKEN=TOKEN)


@pytest.mark.usefixtures("_secret")
@pytest.mark.parametrize(
    "play",
    [
        answer(),
        answer("<html>", "401 Unauthorized", "text/html"),
        answer("", "302 Found", None, "Location: http://127.0.0.1:1/"),
        answer("{}", "503 Service Unavailable", "application/json", "Retry-After: 0"),
        dropped,
        answer("{}", "200 OK", None, "Broken header"),
        b"nonsense\r\n",
    ],
    ids=["good", "refused", "redirected", "busy", "dropped", "broken header", "no HTTP"],
)
def test_no_secret_is_logged_raised_or_shown(play: object, caplog: pytest.LogCaptureFixture) -> None:
    """Neither by the store nor by the libraries below it, at any level."""
    caplog.set_level(logging.DEBUG)
    shown = []
    with scripted(play) as server, RestStore(f"{server.url}?retries=1") as store:  # type: ignore[arg-type]
        try:
            store.set_tag("r1", RunTag("k", "v"))
        except TrackspecError as error:
            shown.append("".join(traceback.format_exception(error)))
        shown += [repr(store), str(store), repr(store._client), repr(store._client.creds), caplog.text]
        shown += [repr(record.__dict__) for record in caplog.records]

    assert CANARY in base64.b64decode(BASIC).decode()
    for text in shown:
        assert CANARY not in text
        assert BASIC not in text


@pytest.mark.usefixtures("_secret")
@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "500 Internal Server Error"])
def test_a_server_that_repeats_the_secret_is_not_repeated(status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sent to it is struck out of its message."""
    with scripted(echoing(status)) as server:
        error = refusal(server.url)

    sent = (said(server) or "").partition(" ")[2]
    secret = PASSWORD if sent == BASIC else TOKEN
    assert sent not in error.message
    assert secret not in error.message
    assert "***" in error.message


@pytest.mark.usefixtures("_secret")
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_another_host_gets_no_request(status: str) -> None:
    """Neither the call nor the secret follows a redirection."""
    with scripted(answer()) as other:
        moved = answer("", status, None, f"Location: {other.url}/api")
        with scripted(moved) as server:
            error = refusal(server.url)

    assert error.error_code is ErrorCode.INTERNAL_ERROR
    assert other.url in error.message
    assert other.received == []
    assert len(server.received) == 1


def test_cookies_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one answer sets, no later request carries."""
    with (
        scripted(answer(b"{}", "200 OK", "application/json", "Set-Cookie: session=1")) as server,
        RestStore(server.url) as store,
    ):
        store.set_tag("r1", RunTag("k", "v"))
        store.set_tag("r1", RunTag("k", "v"))

    assert "cookie" not in server.received[1].headers


# -- a server that asks for credentials --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    """The URL of a server of ours that lets nobody in without credentials."""
    known = Credentials.parse(f"basic ada:{PASSWORD}\nbearer {TOKEN}\n")
    with in_thread(MemoryStore(), Settings(credentials=known)) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.usefixtures("_secret")
def test_our_server_lets_in_who_it_knows(guarded: str) -> None:
    """By user name and password, and by token."""
    with RestStore(guarded) as store:
        assert store.get_experiment("0").name == "Default"


@pytest.mark.parametrize("variables", [{}, {"TOKEN": f"{TOKEN}-old"}, {"USERNAME": "ada", "PASSWORD": "guessed"}])
def test_whoever_is_refused_is_told_what_to_set(
    guarded: str, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """The error names the variables."""
    set_up(monkeypatch, **variables)

    error = refusal(guarded)

    assert error.error_code is ErrorCode.UNAUTHENTICATED
    assert "MLFLOW_TRACKING_USERNAME" in error.message
    assert "MLFLOW_TRACKING_TOKEN" in error.message
