"""The command ``trackspec compare``: a store that is fine directly and wrong over REST is told apart."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.wire_numbers import NanIsNull
from trackspec.memory_store import MemoryStore
from trackspec.protocol.model_server import ModelServer, serving
from trackspec_conformance.comparing import ComparisonError, compare

TRACKSPEC = str(Path(sys.executable).with_name("trackspec"))


def trackspec(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does."""
    return subprocess.run([TRACKSPEC, *arguments], text=True, capture_output=True, check=False)


def report(**outcomes: str) -> dict[str, Any]:
    """A report with these outcomes, by the last word of the requirement's id."""
    items = [
        {"id": f"x.{name}", "level": "MUST", "outcome": outcome.replace("_", " "), "message": f"it is {outcome}"}
        for name, outcome in outcomes.items()
    ]
    return {
        "interface": "tracking",
        "spec_version": "1.0",
        "subject": {"locator": "here"},
        "requirements": items,
    }


def test_a_fault_of_the_server_is_no_fault_of_the_store(tmp_path: Path) -> None:
    """The same store, judged directly and behind a server that spoils NaN, differs in what NaN is about."""
    direct, served = tmp_path / "direct.json", tmp_path / "served.json"
    trackspec("check", "tracking", "memory:", "-k", "metric.", "--json", str(direct))
    with serving(NanIsNull(MemoryStore("memory:compared"))) as url:
        trackspec("check", "tracking", f"wire+{url}", "-k", "metric.", "--json", str(served))

    compared = trackspec("compare", str(direct), str(served))

    assert compared.returncode == 1, compared.stderr
    assert "metric.nan " in compared.stdout
    assert "metric.finite-values" not in compared.stdout


def test_a_sound_server_makes_no_difference(tmp_path: Path) -> None:
    """Behind the model server, the model is judged as it is directly; the profile of the protocol is left out."""
    direct, served = tmp_path / "direct.json", tmp_path / "served.json"
    trackspec("check", "tracking", "memory:", "-k", "metrics.", "--json", str(direct))
    with serving(ModelServer(MemoryStore("memory:compared too"))) as url:
        trackspec("check", "tracking", f"wire+{url}", "-k", "metrics.", "--json", str(served))

    compared = trackspec("compare", str(direct), str(served), str(direct))

    assert compared.returncode == 0, compared.stdout
    assert "none differs" in compared.stdout


def test_what_a_report_does_not_judge_is_no_difference() -> None:
    """Requirements that are not claimed, not applicable or missing in all reports but one are not compared."""
    compared = compare(
        [
            report(same="pass", other="pass", alone="fail", odd="pass"),
            report(same="pass", other="blocked", alone="not_claimed", odd="not_applicable"),
            report(same="pass", other="pass", odd="fail"),
        ]
    )

    assert [item.id for item in compared.differences] == ["x.other", "x.odd"]
    assert compared.differences[0].outcomes == ("pass", "blocked", "pass")
    assert compared.differences[1].outcomes == ("pass", None, "fail")
    assert (compared.compared, compared.alone) == (3, 1)


def test_reports_on_different_things_are_not_compared() -> None:
    """Reports by two versions of the specification, or on two interfaces, have nothing in common."""
    with pytest.raises(ComparisonError, match=r"versions of the specification: 1\.0, 2\.0"):
        compare([report(), report() | {"spec_version": "2.0"}])
    with pytest.raises(ComparisonError, match="interfaces: artifacts, tracking"):
        compare([report(), report() | {"interface": "artifacts"}])


@pytest.mark.parametrize("text", ["", "[]", json.dumps({"requirements": []})])
def test_what_is_no_report_cannot_be_compared(tmp_path: Path, text: str) -> None:
    """A file that is no report is named, and the exit status is 2."""
    file = tmp_path / "report.json"
    file.write_text(text, encoding="utf-8")

    compared = trackspec("compare", str(file), str(file))

    assert compared.returncode == 2
    assert str(file) in compared.stderr
    assert len(compared.stderr.splitlines()) == 1
