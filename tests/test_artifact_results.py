"""What is written down of MLflow's artifact repositories is looked into, and holds nothing that is to stay out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.artifact_results_page import PROFILES, SUBJECTS, causes, is_shown, page
from tests.results_page import Findings
from trackspec import catalogue

RESULTS = Path(__file__).parent.parent / "docs" / "results"
VERSION = "3.17.2"


@pytest.fixture(scope="module")
def reports() -> dict[str, Any]:
    """The reports that ``docs/results`` holds, by subject."""
    files = {subject: RESULTS / f"mlflow-{VERSION}-artifacts-{subject}.json" for subject in SUBJECTS}
    found = {
        subject: json.loads(file.read_text(encoding="utf-8")) for subject, file in files.items() if file.exists()
    }
    assert found
    return found


def report(**outcomes: str) -> dict[str, object]:
    """A report in which all is kept but for what is told."""
    requirements = [
        {"id": id_, "outcome": outcomes.get(id_.replace(".", "_").replace("-", "_"), "pass")}
        | {"calls": ["repository.list_artifacts()"], "expected": "this", "got": "that", "message": ""}
        for id_ in catalogue.requirements_of("artifacts")
        if is_shown(id_)
    ]
    subject = {"module": "mlflow.x", "class": "X", "distribution": "mlflow 1"}
    return {"suite_version": "1", "spec_version": "1.0", "subject": subject, "requirements": requirements}


def test_paths_names_and_hostile_servers_stay_out() -> None:
    """Neither a profile nor a requirement of theirs is shown."""
    shown = [item for id_, item in catalogue.requirements_of("artifacts").items() if is_shown(id_)]

    assert shown
    assert {"artifacts", "artifact-delete", "artifact-large"} <= {item.profile for item in shown}
    assert not {item.profile for item in shown} & {
        "artifact-names",
        "artifact-hostile-server",
        "artifact-proxy",
        "artifact-security",
    }
    assert not [item.id for item in shown if item.id.startswith(("path.", "names.", "hostile.", "proxy."))]
    assert not [
        item.id for item in shown if "link" in item.id or item.id.endswith(("path-refused", "name-refused"))
    ]


def test_the_page_tells_what_fails_and_where() -> None:
    """A failure of one subject is a dot for the other."""
    drawn = page("1.2.3", {"local": report(listing_sizes="fail"), "s3": report()})

    (line,) = [line for line in drawn.splitlines() if line.startswith("| [`listing.sizes`]")]
    assert line.endswith("| MUST | [**fails**](#listingsizes) | · |")
    assert f"- {SUBJECTS['local']}: <br>`repository.list_artifacts()`<br>expected `this`<br>got `that`" in drawn
    assert "1 MUST failed" in drawn


def test_the_page_is_drawn_up_from_the_reports(reports: dict[str, Any]) -> None:
    """Whoever changes a cause, a sentence or a report draws the page up again."""
    file = RESULTS / f"mlflow-{VERSION}-artifacts.md"

    assert file.read_text(encoding="utf-8") == page(VERSION, reports), "python -m tests.artifact_results --only"


def test_each_failure_has_its_cause_and_each_cause_its_failure(reports: dict[str, Any]) -> None:
    """Each failure was looked into, and no cause outlives the failure that it explains."""
    found = Findings(reports)
    failing = {
        (item.id, subject)
        for item in found.unkept()
        for subject in found.subjects
        if found.outcome(subject, item) == "fail"
    }

    assert failing == {(id_, subject) for id_, subject in causes() if subject in reports}


def test_no_outcome_is_the_suites_own(reports: dict[str, Any]) -> None:
    """There is no error, and what is blocked rests on what fails."""
    found = Findings(reports)
    outcomes = {(item.id, subject): found.outcome(subject, item) for item in found.unkept() for subject in reports}
    blocked = [
        (subject, found.told(subject, catalogue.requirements()[id_])["message"].partition(" ")[0])
        for (id_, subject), outcome in outcomes.items()
        if outcome == "blocked"
    ]

    assert "error" not in outcomes.values()
    assert [
        (rests_on, subject) for subject, rests_on in blocked if outcomes.get((rests_on, subject)) is None
    ] == []
    assert {outcomes[rests_on, subject] for subject, rests_on in blocked} <= {"fail", "blocked"}


def test_the_reports_hold_what_the_page_shows_alone(reports: dict[str, Any]) -> None:
    """Whatever else was judged is in no file."""
    for report in reports.values():
        assert "profiles" not in report
        kept = [item["id"] for item in report["requirements"]]
        assert [id_ for id_ in kept if not is_shown(id_)] == []
        assert {catalogue.requirements()[id_].profile for id_ in kept} == set(PROFILES)
