"""The whole suite over each object store, on real servers of this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.object_stores import ObjectStore
from trackspec import catalogue
from trackspec_conformance.checks import checks_of

TRACKSPEC = str(Path(sys.executable).with_name("trackspec"))
LONG_ENOUGH = 1200
"""Seconds that a run may take, however it ends. The suite is bounded too, and ends far earlier."""


@pytest.mark.parametrize("server", ["moto", "seaweed", "gcs", "azure"])
def test_an_object_store_passes_the_whole_suite(
    server: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Every requirement that a check verifies has passed, and none is left out."""
    store: ObjectStore = request.getfixturevalue(server)
    file = tmp_path / "report.json"

    done = subprocess.run(
        [TRACKSPEC, "check", "artifacts", f"{store.root}/some/root", "--json", str(file)],
        text=True,
        capture_output=True,
        timeout=LONG_ENOUGH,
        check=False,
        env=store.environment(),
    )

    assert file.exists(), done.stderr
    report = json.loads(file.read_text())
    found = {item["id"]: (item["outcome"], item["message"]) for item in report["requirements"]}
    claimed = {
        id_
        for id_, item in catalogue.requirements_of("artifacts").items()
        if item.profile not in ("artifact-hostile-server", "artifact-proxy")  # for those with an http: URI
    }
    judged = {id_ for check in checks_of("artifacts").values() for id_ in check.verifies}
    assert claimed <= found.keys()
    assert {
        id_: found[id_] for id_ in claimed if found[id_][0] != ("pass" if id_ in judged else "not applicable")
    } == {}
    assert done.returncode == 0, done.stdout
