"""The suite inside a third party's own tests.

A subclass with one fixture, collected by plain pytest::

    from trackspec_conformance.testing import TrackingStoreContract

    class TestMyStore(TrackingStoreContract):
        @pytest.fixture
        def store(self, tmp_path_factory):
            return MyStore(...)

Each check is one test. In contrast to the command line, nothing isolates the tests from a store that hangs or
aborts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from trackspec import TrackingStore, catalogue
from trackspec.catalogue import Level
from trackspec_conformance.checks import Check
from trackspec_conformance.fresh import Workspace
from trackspec_conformance.outcomes import CheckResult, Outcome
from trackspec_conformance.planning import plan_tracking
from trackspec_conformance.subjects.adapting import as_store
from trackspec_conformance.subjects.subject import default_profiles
from trackspec_conformance.trial import run_check


class NotConforming(Exception):
    """A store does not keep a requirement; the message is the report of it."""


class TrackingStoreContract:
    """The checks of the claimed profiles as tests of a subclass, whose ``store`` fixture gives the store.

    :cvar profiles: the profiles that the store claims; None for all that a tracking store claims by default.
    :cvar declines: the optional operations that it lacks, by method name.
    :cvar known_failures: requirement ids that it is known not to keep, each with the reason. Such a test fails as
        expected (xfail), and is an error once it passes.
    :cvar reopen: opens what the store keeps anew, given the store; None if that cannot be done.
    :cvar seed: with the same seed, the same calls are made.
    """

    profiles: ClassVar[frozenset[str] | None] = None
    declines: ClassVar[frozenset[str]] = frozenset()
    known_failures: ClassVar[dict[str, str]] = {}
    reopen: ClassVar[Callable[[Any], TrackingStore] | None] = None
    seed: ClassVar[int] = 0
    _workspace: ClassVar[tuple[object, Workspace]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "test_keeps_the_contract" in vars(cls):
            raise TypeError(f"{cls.__name__} overrides the checks; list known_failures with their reasons instead")
        unknown = cls.known_failures.keys() - catalogue.requirements().keys()
        if unknown:
            raise TypeError(f"{cls.__name__}.known_failures names no requirement: {', '.join(sorted(unknown))}")
        cls._workspace = (None, Workspace())

    @pytest.mark.trackspec
    def test_keeps_the_contract(self, trackspec_check: Check, store: Any) -> None:
        """The store keeps the requirements that the check verifies."""
        reopen = type(self).reopen
        result = run_check(
            trackspec_check,
            as_store(store),
            self._workspace_in(store),
            subject=None,
            seed=self.seed,
            reopen=(lambda: reopen(store)) if reopen else None,
        )
        self._settle(trackspec_check, result)

    @classmethod
    def _workspace_in(cls, store: object) -> Workspace:
        """The workspace of the checks in this store: what one store keeps, a fixture's next one does not have."""
        if cls._workspace[0] is not store:
            cls._workspace = (store, Workspace())
        return cls._workspace[1]

    def _settle(self, check: Check, result: CheckResult) -> None:
        known = [f"{id_}: {self.known_failures[id_]}" for id_ in check.verifies if id_ in self.known_failures]
        if result.outcome is Outcome.FAIL and known:
            pytest.xfail("; ".join(known))
        if result.outcome is Outcome.PASS and known:
            raise NotConforming(f"a known failure passes now, take it off the list: {'; '.join(known)}")
        if result.outcome in (Outcome.NOT_APPLICABLE, Outcome.DECLINED):
            pytest.skip(f"{result.outcome}: {result.message}")
        if result.outcome is Outcome.BLOCKED:
            pytest.fail(f"blocked: {result.message}", pytrace=False)
        if result.outcome is Outcome.ERROR:
            raise RuntimeError(f"{result.message}\n{result.got}")
        if result.outcome is Outcome.FAIL:
            told = _told(check, result)
            if all(catalogue.requirements()[id_].level is not Level.MUST for id_ in check.verifies):
                pytest.xfail(f"recommended, not required: {told}")
            pytest.fail(told, pytrace=False)


def pytest_generate_tests_for(metafunc: pytest.Metafunc) -> None:
    """Parametrise the one test of a contract class with its checks; the plugin calls it."""
    contract = metafunc.cls
    assert contract is not None
    profiles = default_profiles() if contract.profiles is None else contract.profiles
    checks = plan_tracking(profiles, keyword=None, declines=contract.declines).checks
    metafunc.parametrize("trackspec_check", checks, ids=[check.name for check in checks])


def _told(check: Check, result: CheckResult) -> str:
    lines = []
    for id_ in check.verifies:
        requirement = catalogue.requirements()[id_]
        lines += [f"{id_} · {requirement.level} · {requirement.place}", f"  {requirement.text}"]
    lines += [f"  expected  {result.expected}", f"  got       {result.got}", "", result.script]
    return "\n".join(lines)
