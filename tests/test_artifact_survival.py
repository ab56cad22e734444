"""What our artifact repositories survive: many clients at once, a bad network, and the end of a server."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.servers.object_stores import ObjectStore
from tests.servers.tracking import command, in_process
from trackspec import catalogue
from trackspec.protocol.artifact_endpoints import ARTIFACTS

TRACKSPEC = str(Path(sys.executable).with_name("trackspec"))
LONG_ENOUGH = 300
"""Seconds that a run may take, however it ends. The suite is bounded too, and ends far earlier."""

Kept = tuple[str, Mapping[str, str]]
"""A URI, and the environment in which it can be opened."""


@pytest.fixture(params=["folder", "moto", "seaweed", "server"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    """Where artifacts are kept: a local folder, S3, and what our server proxies."""
    if request.param == "folder":
        yield f"file:{tmp_path}/artifacts", os.environ
    elif request.param == "server":
        options = ("--artifacts-destination", f"file://{tmp_path}/kept", "--workers", "2")
        with in_process(f"sqlite:///{tmp_path}/store.db", *options) as server:
            yield f"http://127.0.0.1:{server.port}{ARTIFACTS}/some/root", os.environ
    else:
        store: ObjectStore = request.getfixturevalue(request.param)
        yield f"{store.root}/survival", store.environment()


def outcomes(profile: str, file: Path, *subject: str, environment: Mapping[str, str]) -> dict[str, str]:
    """What a run says of each requirement of a profile."""
    done = subprocess.run(
        [TRACKSPEC, "check", "artifacts", *subject, "--profile", profile, "--json", str(file)],
        text=True,
        capture_output=True,
        timeout=LONG_ENOUGH,
        check=False,
        env=dict(environment),
    )
    assert file.exists(), done.stderr
    found = {item["id"]: item["outcome"] for item in json.loads(file.read_text())["requirements"]}
    return {id_: found[id_] for id_, item in catalogue.requirements().items() if item.profile == profile}


def test_many_clients_are_served_at_once(kept: Kept, tmp_path: Path) -> None:
    """Threads and processes lose nothing, and read whole files."""
    uri, environment = kept

    found = outcomes("artifact-concurrency", tmp_path / "report.json", uri, environment=environment)

    assert found == dict.fromkeys(found, "pass")


def test_what_is_lost_on_the_way_is_made_up_for(kept: Kept, tmp_path: Path) -> None:
    """Nothing that is lost on a network makes a part of a file; where there is no network, the report says so."""
    uri, environment = kept
    expected = "not applicable" if uri.startswith("file:") else "pass"

    found = outcomes("artifact-lost-answers", tmp_path / "report.json", uri, environment=environment)

    assert found == dict.fromkeys(found, expected)


def test_uploads_outlive_the_server(tmp_path: Path) -> None:
    """What a server acknowledged is there when it was killed and started again."""
    options = ("--artifacts-destination", f"file://{tmp_path}/kept", "--workers", "2")
    started = shlex.join([*command(f"sqlite:///{tmp_path}/store.db", *options), "--port", "{port}"])

    found = outcomes(
        "artifact-durability", tmp_path / "report.json", "--server-command", started, environment=os.environ
    )

    assert {id_: found[id_] for id_ in ("stored.acknowledged", "stored.processes")} == {
        "stored.acknowledged": "pass",
        "stored.processes": "pass",
    }
