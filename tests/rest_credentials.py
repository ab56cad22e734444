"""What tests of a REST store's credentials share."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.servers.scripted import Scripted
from trackspec import RunTag, TrackspecError
from trackspec_reference.tracking.rest_store import RestStore

CANARY = "canary-4f1d9e"
"""Part of every secret here."""
PASSWORD, TOKEN = f'{CANARY}:"pass word"', f"{CANARY}-token"
BASIC = base64.b64encode(f"ada:{PASSWORD}".encode()).decode()

NAMES = ["USERNAME", "PASSWORD", "TOKEN", "INSECURE_TLS", "SERVER_CERT_PATH", "CLIENT_CERT_PATH"]


def set_up(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    """Set variables of tracking."""
    for name, value in variables.items():
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", value)


def write_netrc(tmp_path: Path, host: str = "127.0.0.1") -> None:
    """Name a host in the netrc file."""
    (tmp_path / "netrc").write_text(f"machine {host} login carl password {CANARY}-netrc\n")


def said(server: Scripted) -> str | None:
    """What the last request that a server received said of who asks."""
    return server.received[-1].headers.get("authorization")


def call(store_uri: str) -> None:
    """Make a call that succeeds wherever it is answered."""
    with RestStore(store_uri) as store:
        store.set_tag("r1", RunTag("k", "v"))


def refusal(store_uri: str) -> TrackspecError:
    """The error of such a call."""
    with pytest.raises(TrackspecError) as raised:
        call(store_uri)
    return raised.value
