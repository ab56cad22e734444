"""Every check is seen to fail: each faulty backend is killed by the check that names what it breaks."""

from __future__ import annotations

import pytest

from trackspec import catalogue
from trackspec.memory_store import MemoryStore
from trackspec_conformance.checks import tracking_checks
from trackspec_conformance.fresh import Workspace
from trackspec_conformance.outcomes import Outcome
from trackspec_conformance.trial import run_check

from . import faults


def judged_by_checks(*levels: str) -> list[str]:
    """The ids of the tracking requirements of these levels that checks judge."""
    return [
        item.id for item in catalogue.requirements().values() if item.level in levels and not item.not_testable
    ]


@pytest.mark.parametrize("name", faults.gallery())
def test_a_fault_is_killed_by_the_check_that_names_it(name: str) -> None:
    """Each requirement that a fault breaks fails, by a check that verifies it."""
    fault = faults.gallery()[name]

    for requirement in fault.breaks:
        outcomes = {check: fault.outcome_of(check) for check in fault.checks_of(requirement)}
        assert Outcome.FAIL in outcomes.values(), f"{name} breaks {requirement} and passes: {outcomes}"
        assert Outcome.ERROR not in outcomes.values(), f"{name} makes the suite itself fail: {outcomes}"


@pytest.mark.parametrize("requirement", judged_by_checks("MUST", "SHOULD"))
def test_a_requirement_has_a_fault(requirement: str) -> None:
    """Each testable requirement is broken by some faulty backend."""
    assert any(requirement in fault.breaks for fault in faults.gallery().values())


def test_faults_break_requirements_that_exist() -> None:
    """No fault names a requirement that the specification lacks."""
    named = {id_ for fault in faults.gallery().values() for id_ in fault.breaks}

    assert named <= catalogue.requirements().keys()


@pytest.mark.parametrize("name", tracking_checks())
def test_the_model_passes(name: str) -> None:
    """The model, from which each fault differs in one thing, passes every check."""
    store = MemoryStore(f"memory:{name}")

    result = run_check(
        tracking_checks()[name],
        store,
        Workspace(),
        subject="memory:",
        reopen=lambda: MemoryStore(f"memory:{name}"),
    )

    assert (result.outcome, result.message) == (Outcome.PASS, "")
