"""The suite inside a third party's own tests."""

from __future__ import annotations

import pytest

from tests.servers.tracking import in_thread
from trackspec.memory_store import MemoryStore

FIVE_LINES = """
import pytest
from trackspec.memory_store import MemoryStore
from trackspec_conformance.testing import TrackingStoreContract

class TestMyStore(TrackingStoreContract):
    @pytest.fixture
    def store(self):
        return MemoryStore()
"""

FAULTY = """
import pytest
from trackspec.memory_store import MemoryStore
from trackspec_conformance.testing import TrackingStoreContract

class ParamsAreOverwritten(MemoryStore):
    def _require_no_other_value(self, record, param):
        return None

class TestMyStore(TrackingStoreContract):
    {attributes}

    @pytest.fixture
    def store(self):
        return ParamsAreOverwritten()
"""


@pytest.fixture(autouse=True)
def in_a_process_of_its_own(pytester: pytest.Pytester) -> None:
    """Give the third party a directory without our configuration."""
    pytester.makeini("[pytest]\naddopts = --strict-markers -p no:cacheprovider")


def test_a_subclass_with_one_fixture_runs_every_check(pytester: pytest.Pytester) -> None:
    """Five lines are collected by plain pytest and judge the store."""
    pytester.makepyfile(FIVE_LINES)

    outcomes = pytester.runpytest_subprocess("-q").parseoutcomes()

    assert outcomes["passed"] > 250
    assert outcomes.keys() <= {"passed", "skipped"}


def test_an_artifact_repository_has_a_class_of_its_own(pytester: pytest.Pytester) -> None:
    """The same lines judge a repository."""
    pytester.makepyfile(
        """
        import pytest
        from trackspec.memory_repository import MemoryArtifactRepository
        from trackspec_conformance.testing import ArtifactRepositoryContract

        class TestMyRepository(ArtifactRepositoryContract):
            @pytest.fixture
            def repository(self):
                return MemoryArtifactRepository()
        """
    )

    outcomes = pytester.runpytest_subprocess("-q", "-k", "uploads or files_and_folders").parseoutcomes()

    assert outcomes["passed"] > 25
    assert outcomes.keys() <= {"passed", "skipped", "deselected"}


def test_a_server_is_named_by_its_url(pytester: pytest.Pytester) -> None:
    """It is judged as a store, and by raw requests."""
    with in_thread(MemoryStore()) as port:
        pytester.makepyfile(
            f"""
            import pytest
            from trackspec_conformance.testing import TrackingStoreContract

            class TestMyServer(TrackingStoreContract):
                profiles = frozenset({{"core", "rest"}})

                @pytest.fixture
                def store(self):
                    return "http://127.0.0.1:{port}"
            """
        )
        outcomes = pytester.runpytest_subprocess("-q", "-k", "params or wire_bodies").parseoutcomes()

    assert outcomes["passed"] > 20
    assert outcomes.keys() <= {"passed", "skipped", "deselected"}


def test_a_failure_is_told_as_a_bug_report(pytester: pytest.Pytester) -> None:
    """A failing check shows the requirement, both sides and the calls."""
    pytester.makepyfile(FAULTY.format(attributes="pass"))

    result = pytester.runpytest_subprocess("-q", "-k", "params and another_value")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*param.other-value-refused · MUST · spec/params-and-tags.md*"])
    result.stdout.fnmatch_lines(["*expected *INVALID_PARAMETER_VALUE*", "*got *no error*"])
    result.stdout.fnmatch_lines(["*store.log_param(*"])


def test_a_known_failure_is_expected_to_fail(pytester: pytest.Pytester) -> None:
    """What is listed with a reason fails as expected."""
    known = 'known_failures = {"param.other-value-refused": "a migration is planned"}'
    pytester.makepyfile(FAULTY.format(attributes=known))

    result = pytester.runpytest_subprocess("-q", "-rx", "-k", "params and another_value")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*a migration is planned*"])


def test_a_known_failure_that_passes_is_an_error(pytester: pytest.Pytester) -> None:
    """A list that is out of date does not stay unnoticed."""
    known = 'known_failures = {"param.log": "long mended"}'
    pytester.makepyfile(FAULTY.format(attributes=known))

    result = pytester.runpytest_subprocess("-q", "-k", "a_param_is_logged")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*take it off the list*"])


def test_the_checks_cannot_be_overridden_away(pytester: pytest.Pytester) -> None:
    """A subclass that replaces the test is refused when it is defined."""
    pytester.makepyfile(
        FAULTY.format(attributes="def test_keeps_the_contract(self, trackspec_check, store): pass")
    )

    result = pytester.runpytest_subprocess("-q")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*overrides the checks*"])


def test_the_plugin_leaves_others_tests_alone(pytester: pytest.Pytester) -> None:
    """Tests that do not use the suite run as before, and the suite is not imported for them."""
    pytester.makepyfile(
        """
        import sys

        def test_of_their_own():
            assert "trackspec_conformance.testing" not in sys.modules
        """
    )

    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)
