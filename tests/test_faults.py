"""Every check is seen to fail: each faulty backend is killed by the check that names what it breaks."""

from __future__ import annotations

import pytest

from tests.galleries import GALLERIES, every_fault, model_of
from tests.gallery import Fault, judged
from trackspec import catalogue
from trackspec_conformance.checks import Check, checks_of
from trackspec_conformance.interfaces import INTERFACES
from trackspec_conformance.outcomes import Outcome

CHECKS = [check for interface in INTERFACES for check in checks_of(interface).values()]


def judged_by_checks(*levels: str) -> list[str]:
    """The ids of the requirements of these levels that checks judge."""
    return [
        id_
        for gallery in GALLERIES
        for id_, item in catalogue.requirements_of(gallery.interface).items()
        if item.level in levels and not item.not_testable
    ]


@pytest.mark.parametrize("fault", every_fault(), ids=lambda fault: fault.name)
def test_a_fault_is_killed_by_the_check_that_names_it(fault: Fault) -> None:
    """Each requirement that a fault breaks fails, by a check that verifies it."""
    for requirement in fault.breaks:
        results = {check: fault.result_of(check) for check in fault.checks_of(requirement)}
        for result in results.values():
            if "cannot be mounted" in result.message or "needs FUSE" in result.message:
                pytest.skip(result.message)
        outcomes = {check: result.outcome for check, result in results.items()}
        assert Outcome.FAIL in outcomes.values(), f"{fault.name} breaks {requirement} and passes: {outcomes}"
        assert Outcome.ERROR not in outcomes.values(), f"{fault.name} makes the suite itself fail: {outcomes}"


@pytest.mark.parametrize("requirement", judged_by_checks("MUST", "SHOULD"))
def test_a_requirement_has_a_fault(requirement: str) -> None:
    """Each testable requirement is broken by some faulty backend."""
    assert any(requirement in fault.breaks for fault in every_fault())


def test_faults_break_requirements_that_exist() -> None:
    """No fault names a requirement that its interface lacks."""
    strangers = [
        fault.name
        for fault in every_fault()
        if not catalogue.requirements_of(fault.interface).keys() >= set(fault.breaks)
    ]

    assert strangers == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_the_model_passes(check: Check) -> None:
    """The model, from which each fault differs in one thing, passes every check."""
    result = judged(model_of(check), check.interface, check.name)

    lives_in_memory = result.outcome is Outcome.NOT_APPLICABLE and (
        "in one process" in result.message or "keeps" in result.message
    )
    assert (result.outcome, result.message) == (Outcome.PASS, "") or lives_in_memory
