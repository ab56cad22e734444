"""The pytest plugin, registered by entry point: it adds one marker and touches nothing else."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker that the conformance tests carry, for runs with ``--strict-markers``."""
    config.addinivalue_line("markers", "trackspec: a check of the trackspec conformance suite")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each contract class its checks."""
    if "trackspec_check" in metafunc.fixturenames and metafunc.cls is not None:
        from trackspec_conformance.testing import pytest_generate_tests_for  # noqa: PLC0415 - not for others' tests

        pytest_generate_tests_for(metafunc)
