"""What is written down of MLflow's stores shows each divergence, and nothing that nobody has looked into."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.results_page import SUBJECTS, Findings, causes, divergences, requirements_by_row
from trackspec import catalogue

RESULTS = Path(__file__).parent.parent / "docs" / "results"
SHOWN = [
    (row, subject)
    for row, divergence in divergences().items()
    if not divergence.get("not_shown") and not divergence.get("racy")
    for subject in divergence["wrong"]
]


@pytest.fixture(scope="module")
def found() -> Findings:
    """The outcomes that ``docs/results`` holds."""
    reports = {}
    for subject in SUBJECTS:
        files = sorted(RESULTS.glob(f"mlflow-*[0-9]-{subject}.json"))
        if not files:
            pytest.skip(f"docs/results has no report of {subject}: make results")
        reports[subject] = json.loads(files[-1].read_text(encoding="utf-8"))
    return Findings(reports)


@pytest.mark.parametrize(("row", "subject"), SHOWN)
def test_a_divergence_is_found(found: Findings, row: str, subject: str) -> None:
    """A store that the decision makes wrong fails a requirement that settles it."""
    assert found.fails_row(subject, requirements_by_row()[row])


@pytest.mark.parametrize("requirement", catalogue.requirements().values(), ids=lambda item: item.id)
def test_a_failure_is_explained(found: Findings, requirement: catalogue.Requirement) -> None:
    """What a store fails settles an observed divergence, or its cause is written down."""
    failing = [subject for subject in found.subjects if found.outcome(subject, requirement) == "fail"]
    if failing:
        assert requirement.decisions or requirement.id in causes()


def test_no_check_fails_by_itself(found: Findings) -> None:
    """No outcome is the suite's own error."""
    assert not [
        (subject, requirement.id)
        for requirement in catalogue.requirements().values()
        for subject in found.subjects
        if found.outcome(subject, requirement) == "error"
    ]


def test_what_is_blocked_rests_on_what_fails(found: Findings) -> None:
    """No requirement goes unjudged but for another one that the same store does not keep."""
    requirements = catalogue.requirements()
    for subject in found.subjects:
        for requirement in found.unkept():
            if found.outcome(subject, requirement) == "blocked":
                prerequisite = found.told(subject, requirement)["message"].removesuffix(" does not hold")
                assert found.outcome(subject, requirements[prerequisite]) in ("fail", "blocked")


def test_a_cause_is_of_a_failure(found: Findings) -> None:
    """No cause outlives the failure that it explains."""
    failing = {requirement.id for requirement in found.unkept()}
    assert set(causes()) <= failing
