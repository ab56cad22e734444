"""The profiles of security over our own stores, server, client and repositories, in their quick form."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.databases import fresh_database
from tests.servers.object_stores import ObjectStore
from tests.servers.tracking import in_process
from trackspec import catalogue
from trackspec_reference.server.authentication import CREDENTIALS_VARIABLE

TRACKSPEC = str(Path(sys.executable).with_name("trackspec"))
TOKEN = "the-token-of-the-suite"
LONG_ENOUGH = 300
"""Seconds that a run may take, however it ends. The suite is bounded too, and ends far earlier."""

HERE = {
    "memory": "memory:model",
    "file": "file:{}/store",
    "sqlite": "sqlite:///{}/store.db",
}
DATABASES = ("postgresql", "mariadb")
AREAS = {
    "memory": ("secret.", "confined.values"),
    "file": ("secret.", "confined."),
    "sqlite": ("secret.", "confined."),
    **dict.fromkeys(DATABASES, ("secret.", "confined.values")),
    "server": ("secret.", "confined.values", "admission."),
    "client": ("secret.", "confined.values", "admission.", "client."),
}
"""How the ids begin that apply to each."""


@pytest.fixture(params=AREAS)
def kind(request: pytest.FixtureRequest) -> str:
    """What is judged."""
    return str(request.param)


@pytest.fixture
def subject(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Where it is, in its default configuration; a server with authentication."""
    if kind in HERE:
        yield HERE[kind].format(tmp_path)
        return
    if kind in DATABASES:
        with fresh_database(request.getfixturevalue(f"{kind}_uri")) as uri:
            yield uri
        return
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", TOKEN)
    with in_process(
        HERE["sqlite"].format(tmp_path), environment={CREDENTIALS_VARIABLE: f"bearer {TOKEN}"}
    ) as server:
        yield f"{'wire+' if kind == 'server' else ''}http://127.0.0.1:{server.port}"


def outcomes(interface: str, subject: str, profile: str, file: Path, **environment: Any) -> dict[str, str]:
    """What a run says of each requirement of a profile."""
    done = subprocess.run(
        [TRACKSPEC, "check", interface, subject, "--profile", profile, "-n", "2", "--json", str(file)],
        text=True,
        capture_output=True,
        timeout=LONG_ENOUGH,
        check=False,
        **environment,
    )
    assert file.exists(), done.stderr
    found = {item["id"]: item["outcome"] for item in json.loads(file.read_text())["requirements"]}
    return {id_: found[id_] for id_, item in catalogue.requirements().items() if item.profile == profile}


def test_a_tracking_subject_conforms(kind: str, subject: str, tmp_path: Path) -> None:
    """What applies to it has passed, and nothing else does."""
    found = outcomes("tracking", subject, "security", tmp_path / "report.json")

    assert found == {id_: "pass" if id_.startswith(AREAS[kind]) else "not applicable" for id_ in found}


@pytest.mark.parametrize(
    ("uri", "areas"), [("memory:x", ("confined.artifact-",)), ("file:{}/artifacts", ("confined.",))]
)
def test_a_repository_of_this_machine_conforms(uri: str, areas: tuple[str, ...], tmp_path: Path) -> None:
    """Paths and, where there are any, links lead nowhere."""
    found = outcomes("artifacts", uri.format(tmp_path), "artifact-security", tmp_path / "report.json")

    assert found == {id_: "pass" if id_.startswith(areas) else "not applicable" for id_ in found}


@pytest.mark.parametrize("server", ["moto", "seaweed", "gcs", "azure"])
def test_an_object_store_conforms(server: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Paths lead nowhere in an object store, which has no links."""
    store: ObjectStore = request.getfixturevalue(server)
    root = f"{store.root}/some/root"

    found = outcomes("artifacts", root, "artifact-security", tmp_path / "report.json", env=store.environment())

    assert found == {id_: "pass" if id_.startswith("confined.artifact-") else "not applicable" for id_ in found}
