"""The whole suite over each server of files, on servers of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whole_suite import require_passed


@pytest.mark.parametrize("server", ["ftp", "ftps", "vsftp", "sftp", "dbfs", "hdfs", "real_hdfs"])
def test_a_server_of_files_passes_the_whole_suite(
    server: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Every requirement that a check verifies has passed, and none is left out."""
    require_passed(request.getfixturevalue(server), tmp_path / "report.json")
