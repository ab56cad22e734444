"""The suite inside a third party's own tests.

A subclass with one fixture, collected by plain pytest::

    from trackspec_conformance.testing import TrackingStoreContract

    class TestMyStore(TrackingStoreContract):
        @pytest.fixture
        def store(self, tmp_path_factory):
            return MyStore(...)

For an artifact repository, it is ``ArtifactRepositoryContract`` and a fixture ``repository``. Where the fixture
gives text, such as the URL of a server, that is opened as the command line opens it. Each check is one test. In
contrast to the command line, nothing isolates the tests from a subject that hangs or aborts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from trackspec import catalogue
from trackspec.catalogue import Level
from trackspec_conformance.arrangement import Openings, Workspace
from trackspec_conformance.checks import Check
from trackspec_conformance.interfaces import INTERFACES
from trackspec_conformance.outcomes import CheckResult, Outcome
from trackspec_conformance.planning import plan
from trackspec_conformance.subjects.locating import OPENERS, open_subject
from trackspec_conformance.trial import run_check


class NotConforming(Exception):
    """What is under test does not keep a requirement; the message is the report of it."""


class Contract:
    """The checks of the claimed profiles as tests of a subclass, whose fixture gives what is under test.

    :cvar interface: the name of the interface that it is judged by.
    :cvar profiles: the profiles that it claims; None for all that a subject of the interface claims by default.
    :cvar declines: the optional operations that it lacks, by method name.
    :cvar known_failures: requirement ids that it is known not to keep, each with the reason. Such a test fails as
        expected (xfail), and is an error once it passes.
    :cvar reopen: opens what it keeps anew, given what the fixture gave; None if that cannot be done.
    :cvar seed: with the same seed, the same calls are made.
    """

    interface: ClassVar[str]
    profiles: ClassVar[frozenset[str] | None] = None
    declines: ClassVar[frozenset[str]] = frozenset()
    known_failures: ClassVar[dict[str, str]] = {}
    reopen: ClassVar[Callable[[Any], Any] | None] = None
    seed: ClassVar[int] = 0
    _workspace: ClassVar[tuple[object, Workspace]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "test_keeps_the_contract" in vars(cls) and cls.__module__ != __name__:
            raise TypeError(f"{cls.__name__} overrides the checks; list known_failures with their reasons instead")
        unknown = cls.known_failures.keys() - catalogue.requirements().keys()
        if unknown:
            raise TypeError(f"{cls.__name__}.known_failures names no requirement: {', '.join(sorted(unknown))}")
        cls._workspace = (None, Workspace())

    def _judge(self, check: Check, made: Any) -> None:
        if isinstance(made, str):
            self._judge_located(check, made)
            return
        reopen = type(self).reopen
        result = run_check(
            check,
            OPENERS[self.interface].adapt(made),
            self._workspace_in(made),
            subject=None,
            seed=self.seed,
            openings=Openings(again=(lambda: reopen(made)) if reopen else None),
        )
        self._settle(check, result)

    def _judge_located(self, check: Check, locator: str) -> None:
        subject = open_subject(locator, self.interface)
        opened = subject.open()
        try:
            result = run_check(
                check,
                opened,
                self._workspace_in(locator),
                subject=locator,
                seed=self.seed,
                openings=Openings.of(subject, locator),
                wire=subject.wire(),
            )
        finally:
            opened.close()
        self._settle(check, result)

    @classmethod
    def _workspace_in(cls, made: object) -> Workspace:
        """The workspace of the checks in it: what one store keeps, a fixture's next one does not have."""
        if cls._workspace[0] is not made:
            cls._workspace = (made, Workspace())
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


class TrackingStoreContract(Contract):
    """The checks of a tracking store, which the ``store`` fixture of a subclass gives."""

    interface = "tracking"

    @pytest.mark.trackspec
    def test_keeps_the_contract(self, trackspec_check: Check, store: Any) -> None:
        """The store keeps the requirements that the check verifies."""
        self._judge(trackspec_check, store)


class ArtifactRepositoryContract(Contract):
    """The checks of an artifact repository, which the ``repository`` fixture of a subclass gives."""

    interface = "artifacts"

    @pytest.mark.trackspec
    def test_keeps_the_contract(self, trackspec_check: Check, repository: Any) -> None:
        """The repository keeps the requirements that the check verifies."""
        self._judge(trackspec_check, repository)


def pytest_generate_tests_for(metafunc: pytest.Metafunc) -> None:
    """Parametrise the one test of a contract class with its checks; the plugin calls it."""
    contract = metafunc.cls
    assert contract is not None
    profiles = contract.profiles
    if profiles is None:
        profiles = OPENERS[contract.interface].default_profiles()
    checks = plan(INTERFACES[contract.interface], profiles, keyword=None, declines=contract.declines).checks
    metafunc.parametrize("trackspec_check", checks, ids=[check.name for check in checks])


def _told(check: Check, result: CheckResult) -> str:
    lines = []
    for id_ in check.verifies:
        requirement = catalogue.requirements()[id_]
        lines += [f"{id_} · {requirement.level} · {requirement.place}", f"  {requirement.text}"]
    lines += [f"  expected  {result.expected}", f"  got       {result.got}", "", result.script]
    return "\n".join(lines)
