"""The repository on DBFS: profiles, and replacements that were cut."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.file_repositories import NEW, OLD, SECRET, logged
from tests.servers import free_port
from tests.servers.object_stores import ObjectStore
from trackspec import ArtifactRepository, FileInfo, TrackspecError
from trackspec_conformance.local_files import digest_of, local_file
from trackspec_reference.artifacts import dbfs
from trackspec_reference.credentials.databricks import get_databricks_host_creds

pytestmark = pytest.mark.usefixtures("quick_file_servers")


@pytest.fixture
def workspace(dbfs: ObjectStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ArtifactRepository]:
    """A repository in DBFS."""
    for name, value in dbfs.settings.items():
        monkeypatch.setenv(name, value)
    with ArtifactRepository.from_artifact_uri(f"dbfs:/{tmp_path.name}") as opened:
        yield opened
        opened.delete_artifacts()


def test_a_profile_names_the_workspace(dbfs: ObjectStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The profile of the URI counts, and how to talk to its workspace is found out once."""
    (tmp_path / "config").write_text(
        f"[team]\nhost = {dbfs.settings['DATABRICKS_HOST']}\ntoken = {dbfs.settings['DATABRICKS_TOKEN']}\n"
    )
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("DATABRICKS_HOST", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("DATABRICKS_TOKEN", SECRET)

    for _ in range(2):
        with ArtifactRepository.from_artifact_uri("dbfs://team@databricks/by-profile") as repository:
            assert repository.list_artifacts() == []

    assert get_databricks_host_creds.cache_info().misses == 1
    with pytest.raises(TrackspecError, match="'nobody'"):
        ArtifactRepository.from_artifact_uri("dbfs://nobody@databricks/x")


def test_what_a_cut_replacement_has_put_aside_is_the_file(
    workspace: ArtifactRepository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the new content never came, the former one is listed, read, replaced and deleted like any."""
    assert isinstance(workspace, dbfs.DbfsArtifactRepository)
    monkeypatch.setattr(dbfs.DbfsArtifactRepository, "_remove_aside", None)  # where this process ends
    logged(workspace, "folder/a.bin", b"old")
    workspace._put_aside(f"/{tmp_path.name}/folder/a.bin")

    assert workspace.list_artifacts("folder") == [FileInfo("folder/a.bin", False, 3)]
    assert Path(workspace.download_artifacts("folder/a.bin")).read_bytes() == b"old"
    assert [path.name for path in Path(workspace.download_artifacts("folder")).iterdir()] == ["a.bin"]
    monkeypatch.undo()
    workspace.log_artifact(local_file("a.bin", NEW), "folder")
    workspace.log_artifact(local_file("a.bin", OLD), "folder")
    assert digest_of(Path(workspace.download_artifacts("folder/a.bin"))) == digest_of(OLD)
    workspace.delete_artifacts("folder/a.bin")
    assert workspace.list_artifacts("folder") == []
