"""The whole suite over each object store, on real servers of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whole_suite import require_passed


@pytest.mark.parametrize("server", ["moto", "seaweed", "gcs", "azure"])
def test_an_object_store_passes_the_whole_suite(
    server: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Every requirement that a check verifies has passed, and none is left out."""
    require_passed(request.getfixturevalue(server), tmp_path / "report.json")
