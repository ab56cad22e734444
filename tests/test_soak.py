"""``trackspec soak`` makes its rounds on any subject, and finds what is wrong with a faulty one."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers.databases import fresh_database
from tests.servers.tracking import command as serve
from tests.servers.tracking import in_process
from trackspec_conformance.killing import WITH_A_SERVER


def soak(*arguments: str, directory: Path) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run the command; what it printed, and what it wrote."""
    file = directory / "soak.json"
    ran = subprocess.run(
        [str(Path(sys.executable).with_name("trackspec")), "soak", *arguments, "--json", str(file)],
        env={**os.environ, "TRACKSPEC_FAULT_STATE": str(directory / "where")},
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return ran, json.loads(file.read_text())["scenarios"] if file.exists() else {}


def every(count: int) -> list[str]:
    """So many rounds of every scenario."""
    return [f"--rounds={scenario}={count}" for scenario in ("kills", "crowds", "creators", "lost-answers")]


@pytest.mark.parametrize("kind", ["sqlite:///{}/store.db", "file:{}/store"])
def test_a_sound_store_has_no_anomaly(kind: str, tmp_path: Path) -> None:
    """Every scenario is tried, with faults, and finds nothing."""
    ran, found = soak(kind.format(tmp_path), *every(4), directory=tmp_path)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert {scenario: tally["anomalies"] for scenario, tally in found.items()} == {
        scenario: {} for scenario in found
    }
    assert all(tally["rounds"] == 4 and tally["operations"] > 0 for tally in found.values())
    assert found["kills"]["faults"] == found["lost-answers"]["faults"] == 4


@pytest.mark.parametrize("server", ["postgresql_uri", "mariadb_uri"])
def test_crowds_on_a_database_server_have_no_anomaly(
    server: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Writes that others' transactions get between are seen by some of so many rounds."""
    with fresh_database(request.getfixturevalue(server)) as uri:
        ran, found = soak(uri, "--rounds=crowds=60", "--seed=1", directory=tmp_path)

    assert ran.returncode == 0, ran.stdout
    assert found["crowds"]["anomalies"] == {}


def test_answers_of_a_server_are_lost(tmp_path: Path) -> None:
    """A server is soaked through a proxy, and its clients are killed."""
    with in_process(f"sqlite:///{tmp_path}/store.db") as server:
        ran, found = soak(f"http://127.0.0.1:{server.port}", *every(4), directory=tmp_path)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert found["lost-answers"]["faults"] == 4


@pytest.mark.parametrize(
    ("subject", "rounds", "kind"),
    [
        ("buffering", "kills=12", "acknowledged write lost"),
        ("tearing", "kills=25", "batch torn"),
        ("overwriting", "crowds=6", r"a torn batch|write|no order|without a cause"),
        ("racing", "creators=8", "several winners"),
        ("forgetting", "lost-answers=20", "create_run has made 2"),
    ],
)
def test_a_faulty_store_is_found_out(subject: str, rounds: str, kind: str, tmp_path: Path) -> None:
    """The anomaly that a fault leads to is told by its name, with what makes the round again."""
    ran, found = soak(f"tests.soaked:{subject}", f"--rounds={rounds}", "--seed=1", directory=tmp_path)
    scenario = rounds.partition("=")[0]

    assert ran.returncode == 1
    assert any(re.search(kind, name) for name in found[scenario]["anomalies"]), found
    assert f"--replay {scenario}:" in ran.stdout


def every_transfer(count: int) -> list[str]:
    """So many rounds of every scenario of artifact repositories."""
    scenarios = ("kills", "crowds", "writers", "lost-answers")
    return ["--interface=artifacts", *(f"--rounds={scenario}={count}" for scenario in scenarios)]


def test_a_local_repository_has_no_anomaly(tmp_path: Path) -> None:
    """Everything is tried but what needs a network, and the rounds leave nothing."""
    ran, found = soak(f"file:{tmp_path}/artifacts", *every_transfer(3), directory=tmp_path)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert {scenario: tally["rounds"] for scenario, tally in found.items()} == {
        **dict.fromkeys(("kills", "crowds", "writers"), 3),
        "lost-answers": 0,
    }
    assert found["kills"]["faults"] == 3
    left = {path.name for path in (tmp_path / "artifacts").rglob("*") if not path.is_dir()}
    assert left <= {"seen"}  # by which processes were told to see the same


def test_a_proxied_repository_is_killed_and_not_heard(tmp_path: Path) -> None:
    """The server is killed with its clients, and what passes to it is lost and cut."""
    options = ("--artifacts-destination", f"file://{tmp_path}/kept", "--workers", "2")
    command = shlex.join([*serve(f"sqlite:///{tmp_path}/store.db", *options), "--port", "{port}"])

    ran, found = soak("--server-command", command, *every_transfer(3), directory=tmp_path)

    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    assert all(tally["rounds"] == 3 and tally["operations"] > 0 for tally in found.values())
    assert found["kills"]["faults"] == 3 * WITH_A_SERVER
    assert found["lost-answers"]["faults"] == 3


@pytest.mark.parametrize(
    ("subject", "rounds", "kind"),
    [
        ("growing", "kills=12", "file torn"),
        ("waiting", "kills=6", "acknowledged file lost"),
        ("remembering", "crowds=8", "a lost or stale file"),
    ],
)
def test_a_faulty_repository_is_found_out(subject: str, rounds: str, kind: str, tmp_path: Path) -> None:
    """The anomaly that a fault leads to is told by its name, with what makes the round again."""
    options = ("--interface=artifacts", f"--rounds={rounds}", "--seed=1")

    ran, found = soak(f"tests.soaked:{subject}", *options, directory=tmp_path)
    scenario = rounds.partition("=")[0]

    assert ran.returncode == 1
    assert any(kind in name for name in found[scenario]["anomalies"]), found
    assert f"--interface artifacts tests.soaked:{subject} --replay {scenario}:" in ran.stdout


def test_a_round_is_made_again(tmp_path: Path) -> None:
    """What is printed as a replay makes that one round."""
    _, found = soak("tests.soaked:forgetting", "--rounds=lost-answers=20", "--seed=1", directory=tmp_path)
    replay = found["lost-answers"]["examples"][0]["replay"]

    ran, again = soak("tests.soaked:forgetting", f"--replay={replay}", directory=tmp_path)

    assert ran.returncode == 1
    assert again["lost-answers"]["rounds"] == 1


def test_a_subject_in_one_process_is_not_killed(tmp_path: Path) -> None:
    """What cannot be tried is told, and is no success."""
    ran, found = soak("memory:", "--rounds=kills=1", directory=tmp_path)

    assert ran.returncode == 2
    assert "not tried" in ran.stdout
    assert found["kills"]["rounds"] == 0


def test_the_page_counts_what_was_lost(tmp_path: Path) -> None:
    """The figures of a store are written down by a command, and stand in the page."""
    counts = ["--kills=2", "--creators=2", "--operations=96", "--lost-answers=3"]

    subprocess.run(
        [sys.executable, "-m", "tests.survival", "--only", "sqlite", *counts, f"--out={tmp_path}"], check=True
    )

    row = "| 2 | 0 | 0 | 0 | 2 | 2 | 96 | 0 | 3 | 0 | 0 | 0 |"
    assert f"| `SqlAlchemyStore`, SQLite {row}" in (tmp_path / "survival.md").read_text()


def test_the_page_counts_what_was_lost_of_artifacts(tmp_path: Path) -> None:
    """So are those of a repository, of which nothing can be lost on the way."""
    counts = ["--kills=3", "--creators=2", "--operations=960", "--jobs=2"]

    subprocess.run(
        [sys.executable, "-m", "tests.survival", "--only", "artifacts-file", *counts, f"--out={tmp_path}"],
        check=True,
    )

    row = "| 3 | 0 | 0 | 0 | 2 | 0 | 96 | 0 | · | · | 0 |"
    assert f"| `LocalArtifactRepository` {row}" in (tmp_path / "survival.md").read_text()


def test_a_server_is_killed_and_started_again(tmp_path: Path) -> None:
    """What a command starts is soaked by killing the server itself, and keeps what it has acknowledged."""
    command = shlex.join([*serve(f"sqlite:///{tmp_path}/store.db", "--workers", "2"), "--port", "{port}"])

    ran, found = soak("--server-command", command, "--rounds=kills=3", directory=tmp_path)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert found["kills"]["faults"] == 3 * WITH_A_SERVER
