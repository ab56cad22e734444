"""``trackspec check tracking http://HOST`` judges a server through the REST store, or says in a line why not."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.servers import free_port
from tests.servers.scripted import answer, scripted
from tests.servers.tracking import in_thread
from trackspec import TrackspecError, open_store
from trackspec.memory_store import MemoryStore
from trackspec_conformance.subjects import open_subject
from trackspec_reference.server.authentication import Credentials
from trackspec_reference.server.serving import Settings

TOKEN = "the-token-of-this-test"


def check(*arguments: str, interface: str = "tracking", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``trackspec check`` with these environment variables, and no others of tracking."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "DATABRICKS_"))}
    return subprocess.run(
        [str(Path(sys.executable).with_name("trackspec")), "check", interface, *arguments],
        env={**clean, "NETRC": os.devnull, **variables},
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    """The URL of a server of ours that lets nobody in without a token."""
    with in_thread(MemoryStore(), Settings(credentials=Credentials.parse(f"bearer {TOKEN}"))) as port:
        yield f"http://127.0.0.1:{port}"


def test_a_report_says_which_client_and_which_server_were_judged(guarded: str) -> None:
    """The class that made the calls, and the version that the server says it has."""
    done = check(f"{guarded}?retries=1", "-k", "param.other", MLFLOW_TRACKING_TOKEN=TOKEN)

    assert "RestStore (" in done.stdout
    assert "talking to a server of version " in done.stdout
    assert TOKEN not in done.stdout + done.stderr


def test_a_server_of_ours_claims_what_it_has(guarded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The artifact root is read and set over REST."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", TOKEN)

    assert (open_subject(guarded).profiles or frozenset()) >= {"core", "configuration", "rest"}


def test_a_workspace_claims_no_configuration() -> None:
    """Databricks has no call for the artifact root."""
    assert "configuration" not in (open_subject("databricks://team").profiles or {"configuration"})


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({}, "MLFLOW_TRACKING_TOKEN"),
        ({"MLFLOW_TRACKING_TOKEN": "some-other-token"}, "MLFLOW_TRACKING_TOKEN"),
        (
            {"MLFLOW_TRACKING_TOKEN": TOKEN, "MLFLOW_TRACKING_INSECURE_TLS": "maybe"},
            "MLFLOW_TRACKING_INSECURE_TLS",
        ),
        ({"MLFLOW_TRACKING_TOKEN": TOKEN, "MLFLOW_HTTP_REQUEST_TIMEOUT": "soon"}, "MLFLOW_HTTP_REQUEST_TIMEOUT"),
    ],
)
def test_whoever_is_not_let_in_is_told_what_to_set(guarded: str, variables: dict[str, str], says: str) -> None:
    """One line, and the exit status of what could not be judged."""
    done = check(guarded, **variables)

    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert says in done.stderr


@pytest.mark.parametrize("uri", ["http://127.0.0.1:{port}", "databricks://team"])
def test_a_host_where_nothing_listens_cannot_be_judged(uri: str, tmp_path: Path) -> None:
    """One line that names it, and the exit status of what could not be judged."""
    port = free_port()
    (tmp_path / "cfg").write_text(f"[team]\nhost = http://127.0.0.1:{port}\ntoken = {TOKEN}\n")

    done = check(
        f"{uri.format(port=port)}?retries=0", "-k", "param.", DATABRICKS_CONFIG_FILE=str(tmp_path / "cfg")
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert f"http://127.0.0.1:{port}" in done.stderr


def test_a_certificate_that_is_not_trusted_cannot_be_judged() -> None:
    """The line names what to set."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with scripted(answer(), tls=context) as server:
        done = check(server.url)

    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "MLFLOW_TRACKING_SERVER_CERT_PATH" in done.stderr
    assert server.received == []


@pytest.mark.parametrize(
    ("uri", "module", "extra"),
    [
        ("http://127.0.0.1", "requests", "rest"),
        ("https://127.0.0.1", "requests", "rest"),
        ("databricks", "databricks", "databricks"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(
    uri: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever uses no server installs no client."""
    for name in list(sys.modules):
        if name.partition(".")[0] == module or name.startswith("trackspec_reference."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(TrackspecError, match=rf"trackspec\[{extra}\]"):
        open_store(uri)
