"""The local artifact repository: what only it can do wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from trackspec import ArtifactRepository, ErrorCode, FileInfo, TrackspecError
from trackspec_reference.artifacts.local import LocalArtifactRepository


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the repository is; nothing is there yet."""
    return tmp_path / "root"


@pytest.fixture
def repository(root: Path) -> LocalArtifactRepository:
    """A repository in a new folder."""
    return LocalArtifactRepository(root.as_uri())


def logged(repository: ArtifactRepository, tmp_path: Path, path: str, content: bytes = b"1") -> None:
    """Log a file to this path."""
    folder, _, name = path.rpartition("/")
    (tmp_path / name).write_bytes(content)
    repository.log_artifact(tmp_path / name, folder)


# -- URIs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{}", "file:{}", "file://{}", "file://localhost{}", "FILE://{}", "{}/"])
def test_a_folder_has_several_uris(form: str, root: Path, tmp_path: Path) -> None:
    """A path, and a file: URI with and without an empty or local host, name the same folder."""
    logged(ArtifactRepository.from_artifact_uri(form.format(root)), tmp_path, "a")

    assert (root / "a").read_bytes() == b"1"


def test_a_uri_is_decoded_once(tmp_path: Path) -> None:
    """A file: URI is percent-encoded, a path is not."""
    logged(ArtifactRepository.from_artifact_uri((tmp_path / "a b%20c").as_uri()), tmp_path, "x")
    logged(ArtifactRepository.from_artifact_uri(str(tmp_path / "d%20e")), tmp_path, "y")

    assert (tmp_path / "a b%20c" / "x").exists()
    assert (tmp_path / "d%20e" / "y").exists()


@pytest.mark.parametrize(
    "uri",
    ["file://elsewhere/a", "file:///a?b", "file:///a#b", "file:///a/../b", "file:///a/%2e%2e/b", "file:///a%00"],
)
def test_a_uri_that_is_more_than_a_place_is_refused(uri: str) -> None:
    """Another host, options and detours are refused."""
    with pytest.raises(TrackspecError) as refused:
        ArtifactRepository.from_artifact_uri(uri)

    assert refused.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE


def test_opening_makes_nothing(repository: LocalArtifactRepository, root: Path) -> None:
    """The folder is made with the first file."""
    assert repository.list_artifacts() == []
    assert not root.exists()


# -- symbolic links ----------------------------------------------------------------------------------------------


@pytest.fixture
def outside(tmp_path: Path, root: Path) -> Path:
    """A folder outside, to which a link in the repository's folder leads."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    root.mkdir()
    (root / "link").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    return outside


def test_links_are_not_listed(repository: LocalArtifactRepository, outside: Path, tmp_path: Path) -> None:
    """A link is no artifact, and nothing lies below it."""
    logged(repository, tmp_path, "a")

    assert repository.list_artifacts() == [FileInfo("a", False, 1)]
    assert repository.list_artifacts("link") == []


@pytest.mark.parametrize("path", ["file", "link", "link/secret"])
def test_links_are_not_read(repository: LocalArtifactRepository, outside: Path, path: str, tmp_path: Path) -> None:
    """What a link leads to is not downloaded."""
    (tmp_path / "dst").mkdir()

    with pytest.raises(TrackspecError) as refused:
        repository.download_artifacts(path, tmp_path / "dst")

    assert refused.value.error_code is ErrorCode.RESOURCE_DOES_NOT_EXIST
    assert list((tmp_path / "dst").iterdir()) == []


@pytest.mark.parametrize("path", ["link/secret", "link/new", "link/deep/new", "file"])
def test_links_are_not_written(
    repository: LocalArtifactRepository, outside: Path, path: str, tmp_path: Path
) -> None:
    """What a link leads to is not written."""
    with pytest.raises(TrackspecError) as refused:
        logged(repository, tmp_path, path)

    assert refused.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_bytes() == b"secret"


@pytest.mark.parametrize("path", ["file", "link", "link/secret", ""])
def test_what_links_lead_to_is_not_deleted(repository: LocalArtifactRepository, outside: Path, path: str) -> None:
    """Deleting a link, or what has links in it, leaves what they lead to."""
    repository.delete_artifacts(path)

    assert (outside / "secret").read_bytes() == b"secret"


def test_the_root_may_be_a_link(tmp_path: Path, root: Path) -> None:
    """The folder itself is the user's choice."""
    root.mkdir()
    (tmp_path / "also").symlink_to(root)

    logged(LocalArtifactRepository(str(tmp_path / "also")), tmp_path, "a/b")

    assert (root / "a" / "b").exists()


# -- half-written files ------------------------------------------------------------------------------------------

_UPLOADER = """
import sys
from trackspec import ArtifactRepository
repository = ArtifactRepository.from_artifact_uri(sys.argv[1])
print("ready", flush=True)
while True:
    repository.log_artifact(sys.argv[2])
"""


def test_a_killed_process_leaves_whole_files(
    repository: LocalArtifactRepository, root: Path, tmp_path: Path
) -> None:
    """A process that is killed while it writes leaves the file whole, and nothing else is listed."""
    content = os.urandom(8 * 1024 * 1024)
    (tmp_path / "a.bin").write_bytes(content)
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", _UPLOADER, root.as_uri(), str(tmp_path / "a.bin")], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            while not (root / "a.bin").exists():
                assert process.poll() is None
            process.send_signal(signal.SIGKILL)

        assert (root / "a.bin").read_bytes() == content
        assert repository.list_artifacts() == [FileInfo("a.bin", False, len(content))]


def test_a_full_disk_is_told_and_leaves_the_old_file(
    repository: LocalArtifactRepository, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that does not fit is refused without a path, and the one that was there stays."""
    logged(repository, tmp_path, "a", b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trackspec_reference.artifacts.local.shutil.copyfile", full)
    with pytest.raises(TrackspecError) as refused:
        logged(repository, tmp_path, "a", b"new")

    assert refused.value.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
    assert str(root) not in refused.value.message
    assert [path.name for path in root.iterdir()] == ["a"]
    assert (root / "a").read_bytes() == b"old"


def test_files_are_readable_by_whom_their_folder_is(
    repository: LocalArtifactRepository, root: Path, tmp_path: Path
) -> None:
    """A file that was private where it came from is not private among the artifacts, and is never executable."""
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "a").chmod(0o700)

    repository.log_artifact(tmp_path / "a")

    assert (root / "a").stat().st_mode & 0o777 == root.stat().st_mode & 0o644 | 0o600


def test_what_is_logged_is_synced_unless_it_need_not_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment says whether a call waits for the disk; what it says has to be known."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    (tmp_path / "a").write_bytes(b"content")

    for durability, waits in (("", True), ("power", True), ("process", False)):
        monkeypatch.setenv("TRACKSPEC_ARTIFACT_DURABILITY", durability)
        with ArtifactRepository.from_artifact_uri(f"file:{tmp_path}/{durability}-root") as repository:
            repository.log_artifact(tmp_path / "a")
        assert bool(synced) is waits
        synced.clear()

    monkeypatch.setenv("TRACKSPEC_ARTIFACT_DURABILITY", "perhaps")
    with pytest.raises(TrackspecError, match="TRACKSPEC_ARTIFACT_DURABILITY"):
        ArtifactRepository.from_artifact_uri(f"file:{tmp_path}/root")
