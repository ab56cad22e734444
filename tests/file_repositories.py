"""What tests of repositories on servers of files share."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.object_stores import ObjectStore
from trackspec import ArtifactRepository, TrackspecError
from trackspec_conformance.local_files import Noise, local_file

SECRET = "a-secret-of-nobodys"
SERVERS = ["ftp", "ftps", "sftp", "dbfs", "hdfs"]
OLD, NEW = Noise(2_500_000, 1), Noise(3_000_001, 2)


def known(kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """A server of a kind, which the environment names."""
    found: ObjectStore = request.getfixturevalue(kind)
    for name, value in found.settings.items():
        monkeypatch.setenv(name, value)
    return found


def logged(repository: ArtifactRepository, path: str, content: bytes = b"1") -> None:
    """Log a file to this path."""
    folder, _, name = path.rpartition("/")
    repository.log_artifact(local_file(name, content), folder)


def told(error: TrackspecError) -> str:
    """All that a traceback shows of an error."""
    return "".join(traceback.format_exception(error))


def calls(root: str, tmp_path: Path) -> Iterator[TrackspecError]:
    """What each call raises, on a repository that cannot work."""
    with ArtifactRepository.from_artifact_uri(root) as repository:
        for call in (
            lambda: repository.log_artifact(local_file("file", b"1")),
            lambda: repository.list_artifacts("folder"),
            lambda: repository.download_artifacts("file", tmp_path),
            lambda: repository.delete_artifacts("folder"),
        ):
            with pytest.raises(TrackspecError) as raised:
                call()
            yield raised.value
        assert SECRET not in repr(repository)
