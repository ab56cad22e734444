"""The whole suite over each reference store, in its default configuration."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.databases import fresh_database
from tests.servers.tracking import in_process
from trackspec import catalogue
from trackspec_conformance.checks import checks_of
from trackspec_conformance.subjects.subject import default_profiles
from trackspec_reference.server.authentication import CREDENTIALS_VARIABLE

TRACKSPEC = str(Path(sys.executable).with_name("trackspec"))
TRACKING = catalogue.requirements_of("tracking")
TOKEN = "the-token-of-the-suite"
LONG_ENOUGH = 300
"""Seconds that a run may take, however it ends. The suite is bounded too, and ends far earlier."""


@pytest.fixture(params=["memory", "file", "sqlite", "postgresql", "mariadb", "rest"])
def store_uri(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty store of its own for the test, of each kind in turn."""
    here = {"memory": "memory:model", "file": f"file:{tmp_path}/store", "sqlite": f"sqlite:///{tmp_path}/store.db"}
    if request.param in here:
        yield here[request.param]
    elif request.param == "rest":
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", TOKEN)
        with in_process(here["sqlite"], environment={CREDENTIALS_VARIABLE: f"bearer {TOKEN}"}) as server:
            yield f"http://127.0.0.1:{server.port}"
    else:
        with fresh_database(request.getfixturevalue(f"{request.param}_uri")) as uri:
            yield uri


def test_a_reference_store_passes_the_whole_suite(store_uri: str, tmp_path: Path) -> None:
    """Every requirement that a check verifies has passed, and none is left out."""
    file = tmp_path / "report.json"

    done = subprocess.run(
        [TRACKSPEC, "check", "tracking", store_uri, "-n", "2", "--json", str(file)],
        text=True,
        capture_output=True,
        timeout=LONG_ENOUGH,
        check=False,
    )

    assert file.exists(), done.stderr
    report = json.loads(file.read_text())
    found = {item["id"]: (item["outcome"], item["message"]) for item in report["requirements"]}
    assert list(found) == list(TRACKING)
    claimed = {name for name, profile in report["profiles"].items() if profile["claimed"]}
    assert claimed >= default_profiles("tracking")
    judged = {id_ for check in checks_of("tracking").values() for id_ in check.verifies}
    assert {
        id_: (outcome, message)
        for id_, (outcome, message) in found.items()
        if TRACKING[id_].profile in claimed and outcome != ("pass" if id_ in judged else "not applicable")
    } == {}
    assert done.returncode == 0, done.stdout
