"""The store of a Databricks workspace: which credentials it finds, how they are renewed, how long it may take."""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import free_port
from tests.servers.scripted import Play, Received, Scripted, answer, scripted
from trackspec import ErrorCode, RunTag, TrackspecError, open_store
from trackspec_reference.credentials import databricks
from trackspec_reference.credentials.databricks import get_databricks_host_creds
from trackspec_reference.tracking.databricks_store import DatabricksRestStore

CANARY = "canary-71c0b2"


@pytest.fixture(autouse=True)
def _nothing_known(no_credentials: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Nothing that an earlier test found out, and no file of whoever runs the tests."""
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "databrickscfg"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(databricks, "_BOUNDS", {"http_timeout_seconds": 1, "retry_timeout_seconds": 1})
    monkeypatch.delattr(databricks.Config, "_attributes", raising=False)  # as in a new process
    get_databricks_host_creds.cache_clear()
    yield
    get_databricks_host_creds.cache_clear()


class Workspace:
    """A workspace as far as it is needed: it tells of itself, renews tokens, and serves calls.

    :param lifetime: seconds that a token lasts.
    """

    def __init__(self, lifetime: int = 3600) -> None:
        self.lifetime = lifetime
        self.renewals = 0
        self.server: Scripted

    def __call__(self, connection: object, request: Received) -> None:
        connection.sendall(self._answer(request))  # type: ignore[attr-defined]

    def _answer(self, request: Received) -> bytes:
        if request.target == "/.well-known/databricks-config":
            return answer(json.dumps({"oidc_endpoint": f"{self.server.url}/oidc", "workspace_id": "77"}))
        if request.target == "/oidc/.well-known/oauth-authorization-server":
            endpoints = {
                "authorization_endpoint": f"{self.server.url}/a",
                "token_endpoint": f"{self.server.url}/token",
            }
            return answer(json.dumps(endpoints))
        if request.target == "/token":
            self.renewals += 1
            token = {
                "access_token": f"{CANARY}-{self.renewals}",
                "token_type": "Bearer",
                "expires_in": self.lifetime,
            }
            return answer(json.dumps(token))
        return answer()

    @property
    def calls(self) -> list[str | None]:
        """Who asked, for each call of the protocol."""
        return [
            request.headers.get("authorization")
            for request in self.server.received
            if request.target.startswith("/api/2.0/mlflow/")
        ]


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    """A workspace on the loopback interface."""
    played = Workspace()
    with scripted(played) as server:
        played.server = server
        yield played


def call(store_uri: str, times: int = 1) -> None:
    """Make a call that succeeds wherever it is answered."""
    with open_store(store_uri) as store:
        assert isinstance(store, DatabricksRestStore)
        for _ in range(times):
            store.set_tag("r1", RunTag("k", "v"))


def refusal(store_uri: str) -> TrackspecError:
    """The error of such a call."""
    with pytest.raises(TrackspecError) as raised:
        call(store_uri)
    return raised.value


def write_profiles(tmp_path: Path, **profiles: dict[str, str]) -> None:
    """Write the configuration file of Databricks."""
    lines = []
    for name, values in profiles.items():
        lines += [f"[{name}]", *(f"{key} = {value}" for key, value in values.items())]
    (tmp_path / "databrickscfg").write_text("\n".join(lines) + "\n")


# -- which credentials -------------------------------------------------------------------------------------------


def test_the_environment_is_found(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """``databricks`` alone is whatever the SDK finds by itself."""
    monkeypatch.setenv("DATABRICKS_HOST", workspace.server.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", f"{CANARY}-environment")

    call("databricks")

    assert workspace.calls == [f"Bearer {CANARY}-environment"]
    assert workspace.server.received[-1].headers["x-databricks-org-id"] == "77"


def test_the_default_profile_is_found(workspace: Workspace, tmp_path: Path) -> None:
    """Where the environment says nothing."""
    write_profiles(tmp_path, DEFAULT={"host": workspace.server.url, "token": f"{CANARY}-default"})

    call("databricks?retries=1")

    assert workspace.calls == [f"Bearer {CANARY}-default"]


def test_a_profile_that_the_uri_names_counts_before_the_environment(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK by itself would send one workspace's calls to the other, or refuse them."""
    monkeypatch.setenv("DATABRICKS_HOST", "http://127.0.0.1:1")
    monkeypatch.setenv("DATABRICKS_TOKEN", f"{CANARY}-environment")
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "somebody")
    monkeypatch.setenv("DATABRICKS_CONFIG_PROFILE", "DEFAULT")
    write_profiles(
        tmp_path,
        DEFAULT={"host": "http://127.0.0.1:1", "token": f"{CANARY}-default", "username": "ada"},
        team={"host": workspace.server.url, "token": f"{CANARY}-team"},
    )

    call("databricks://team")

    assert workspace.calls == [f"Bearer {CANARY}-team"]


@pytest.mark.parametrize(
    ("store_uri", "profile"),
    [
        ("databricks://nobody", {"host": "http://127.0.0.1:1", "token": CANARY}),
        ("databricks://team", {"token": CANARY}),
        ("databricks://team", {"host": "http://127.0.0.1:1"}),
        ("databricks://team", {"host": f"http://ada:{CANARY}@127.0.0.1:1", "token": CANARY}),
        ("databricks://team", {"host": "http://127.0.0.1:1", "token": CANARY, "client_secret": CANARY}),
        ("databricks", {}),
        ("databricks://scope:prefix", {}),
        ("databricks://team/path", {}),
        ("databricks:team", {}),
        ("databricks:/team", {}),
        ("databricks://team?verify=false", {}),
        ("databricks://team#x", {}),
    ],
)
def test_what_names_no_workspace_is_refused(store_uri: str, profile: dict[str, str], tmp_path: Path) -> None:
    """The error tells what is missing, and neither a secret nor a path."""
    write_profiles(tmp_path, team=profile)

    error = refusal(store_uri)

    assert error.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    shown = "".join(traceback.format_exception(error))
    assert CANARY not in shown
    assert str(tmp_path) not in error.message


def test_a_configuration_file_that_is_none_is_refused(tmp_path: Path) -> None:
    """It is not read past what is wrong."""
    (tmp_path / "databrickscfg").write_text(f"host {CANARY}\n[team]\nhost\n")

    error = refusal("databricks://team")

    assert error.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert CANARY not in str(error)


# -- the cache ---------------------------------------------------------------------------------------------------


def test_credentials_are_found_out_once_for_each_profile(workspace: Workspace, tmp_path: Path) -> None:
    """Until the cache is cleared."""
    values = {"host": workspace.server.url, "token": f"{CANARY}-1"}
    write_profiles(tmp_path, one=values, two=values)

    for profile in ("one", "two", "one"):
        call(f"databricks://{profile}")
    first = get_databricks_host_creds.cache_info()
    write_profiles(tmp_path, one={**values, "token": f"{CANARY}-2"})
    call("databricks://one")
    get_databricks_host_creds.cache_clear()
    call("databricks://one")

    assert (first.hits, first.misses) == (1, 2)
    assert workspace.calls == [f"Bearer {CANARY}-1"] * 4 + [f"Bearer {CANARY}-2"]


def test_what_could_not_be_found_out_is_tried_again(workspace: Workspace, tmp_path: Path) -> None:
    """A profile that is written later is found."""
    assert refusal("databricks://team").error_code is ErrorCode.INVALID_PARAMETER_VALUE
    write_profiles(tmp_path, team={"host": workspace.server.url, "token": CANARY})

    call("databricks://team")

    assert workspace.calls == [f"Bearer {CANARY}"]


def test_a_forked_process_finds_out_for_itself(workspace: Workspace, tmp_path: Path) -> None:
    """Locks of the SDK may be held by a thread that is not there any more."""
    write_profiles(tmp_path, team={"host": workspace.server.url, "token": CANARY})
    get_databricks_host_creds("team")

    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        os._exit(get_databricks_host_creds.cache_info().currsize)

    assert os.waitpid(child, 0)[1] == 0
    assert get_databricks_host_creds.cache_info().currsize == 1


# -- what expires ------------------------------------------------------------------------------------------------


def oauth(workspace: Workspace) -> dict[str, str]:
    """A profile of a program that gets tokens of the workspace."""
    return {"host": workspace.server.url, "client_id": "me", "client_secret": f"{CANARY}-secret"}


def test_a_token_that_lasts_is_used_again(workspace: Workspace, tmp_path: Path) -> None:
    """One is enough for many calls."""
    write_profiles(tmp_path, team=oauth(workspace))

    call("databricks://team", times=3)

    assert workspace.calls == [f"Bearer {CANARY}-1"] * 3


def test_a_token_that_has_expired_is_renewed(workspace: Workspace, tmp_path: Path) -> None:
    """By the store that is open, from one call to the next."""
    workspace.lifetime = -1
    write_profiles(tmp_path, team=oauth(workspace))

    call("databricks://team", times=3)

    assert len(set(workspace.calls)) == 3


def test_a_renewal_that_is_refused_is_an_error_without_the_secret(workspace: Workspace, tmp_path: Path) -> None:
    """What the SDK tells of it stays with the SDK."""
    write_profiles(tmp_path, team=oauth(workspace))
    with open_store("databricks://team") as store:
        workspace.lifetime = -1
        store.set_tag("r1", RunTag("k", "v"))
        get_refused(workspace)
        with pytest.raises(TrackspecError) as raised:
            store.set_tag("r1", RunTag("k", "v"))

    assert raised.value.error_code is ErrorCode.UNAUTHENTICATED
    assert CANARY not in "".join(traceback.format_exception(raised.value))


def get_refused(workspace: Workspace) -> None:
    """Let the workspace know the program no more."""
    refused: Play = answer(
        json.dumps({"error": "invalid_client", "error_description": CANARY}), "401 Unauthorized"
    )
    workspace.server.play(refused)


# -- in time -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_there", [True, False], ids=["a silent host", "no host"])
def test_a_host_that_does_not_answer_does_not_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    """The SDK asks the workspace about itself, and would go on asking for minutes."""
    monkeypatch.setattr(databricks, "PATIENCE", 5.0)

    def silent(connection: object, request: Received) -> None:
        connection.recv(1)  # type: ignore[attr-defined]

    with scripted(silent) as server:
        host = server.url if is_there else f"http://127.0.0.1:{free_port()}"
        write_profiles(tmp_path, team={"host": host, "token": CANARY})
        error = refusal("databricks://team?connect_timeout=1&timeout=1&total_timeout=1&retries=0")

    assert error.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE


def test_no_secret_is_logged_or_shown(
    workspace: Workspace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither by the store nor by the SDK, at any level."""
    caplog.set_level(logging.DEBUG)
    write_profiles(tmp_path, team=oauth(workspace))

    with open_store("databricks://team") as store:
        store.set_tag("r1", RunTag("k", "v"))
        shown = [repr(store), repr(get_databricks_host_creds("team")), caplog.text]

    assert workspace.calls == [f"Bearer {CANARY}-1"]
    assert not [text for text in shown if CANARY in text]
