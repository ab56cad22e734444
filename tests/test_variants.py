"""No check fails on a backend that is right, however much it differs from the model."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gallery import judged
from tests.variants import repositories, servers
from trackspec import catalogue
from trackspec_conformance.checks import checks_of
from trackspec_conformance.outcomes import Outcome

PROFILES = {"tracking": ("rest",), "artifacts": ("artifacts", "artifact-names", "artifact-delete")}


@pytest.mark.parametrize("variant", servers.VARIANTS, ids=lambda variant: variant.__name__)
def test_a_server_that_differs_passes(variant: type[Any]) -> None:
    """Whatever a server does otherwise, what it keeps of the protocol is not said to be broken."""
    assert failures(variant, "tracking") == {}


@pytest.mark.parametrize("variant", repositories.VARIANTS, ids=lambda variant: variant.__name__)
def test_a_repository_that_differs_passes(variant: type[Any]) -> None:
    """Whatever a repository does otherwise, what it keeps of the specification is not said to be broken."""
    assert failures(variant, "artifacts") == {}


def failures(variant: type[Any], interface: str) -> dict[str, str]:
    """What the checks of the interface's profiles find, by their names."""
    requirements = catalogue.requirements_of(interface)
    names = [
        check.name
        for check in checks_of(interface).values()
        if all(requirements[id_].profile in PROFILES[interface] for id_ in check.verifies)
        and not any(id_.startswith("delete.crowd") for id_ in check.verifies)
    ]
    assert names
    results = {name: judged(variant, interface, name) for name in names}
    right = (Outcome.PASS, Outcome.NOT_APPLICABLE)
    return {name: result.message for name, result in results.items() if result.outcome not in right}
