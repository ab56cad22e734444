"""The whole suite over artifacts that our server proxies, from a folder and from an object store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.servers.object_stores import ObjectStore, without_clouds
from tests.servers.tracking import in_process
from trackspec import catalogue
from trackspec.protocol.artifact_endpoints import ARTIFACTS
from trackspec_conformance.checks import checks_of
from trackspec_conformance.subjects.subject import default_profiles

TRACKSPEC = str(Path(sys.executable).with_name("trackspec"))
LONG_ENOUGH = 1200
"""Seconds that a run may take, however it ends. The suite is bounded too, and ends far earlier."""
TOKEN = "the-token-of-the-tests"
PROFILES = sorted(
    {*default_profiles("artifacts"), "artifact-hostile-server", "artifact-proxy", "artifact-security"}
)
LINKS = "confined.link-"
"""What is judged only where the suite can put links into the storage."""


@pytest.mark.parametrize("kept", ["folder", "moto"])
def test_a_proxied_repository_passes_the_whole_suite(
    kept: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Every requirement that a check verifies has passed, those of the server and of hostile ones too."""
    destination, environment = f"file://{tmp_path}/kept", dict(os.environ)
    if kept == "moto":
        store: ObjectStore = request.getfixturevalue("moto")
        destination, environment = f"{store.root}/proxied", store.environment()
    credentials = {"TRACKSPEC_SERVER_CREDENTIALS": f"bearer {TOKEN}"}
    options = (f"sqlite:///{tmp_path}/store.db", "--artifacts-destination", destination, "--public-health")

    with in_process(*options, environment={**environment, **credentials}) as server:
        report = judged(f"http://127.0.0.1:{server.port}{ARTIFACTS}/some/root", tmp_path / "report.json")

    found = {item["id"]: (item["outcome"], item["message"]) for item in report["requirements"]}
    verified = {id_ for check in checks_of("artifacts").values() for id_ in check.verifies}
    known = catalogue.requirements_of("artifacts")
    mine = {id_ for id_ in verified if known[id_].profile in PROFILES and not id_.startswith(LINKS)}
    assert mine <= found.keys()
    assert {id_: found[id_] for id_ in mine if found[id_][0] != "pass"} == {}


def judged(uri: str, file: Path) -> Mapping[str, list[dict[str, str]]]:
    """The report of ``trackspec check`` on what concerns a server and its client."""
    profiles = [word for name in PROFILES for word in ("--profile", name)]
    done = subprocess.run(
        [TRACKSPEC, "check", "artifacts", uri, "--json", str(file), *profiles],
        text=True,
        capture_output=True,
        timeout=LONG_ENOUGH,
        check=False,
        env={**without_clouds(os.environ), "MLFLOW_TRACKING_TOKEN": TOKEN},
    )
    assert file.exists(), done.stderr
    report: Mapping[str, list[dict[str, str]]] = json.loads(file.read_text())
    return report
