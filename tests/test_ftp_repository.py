"""The repository on FTP servers: who asks, what a server hides, certificates."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.file_repositories import SECRET, calls, logged, told
from tests.servers.file_servers import FileServer
from trackspec import ArtifactRepository, ErrorCode, FileInfo, TrackspecError

pytestmark = pytest.mark.usefixtures("quick_file_servers")


def test_nobody_in_the_netrc_file_is_anonymous(
    ftp: FileServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without an entry for the host, what anybody may read is read, and writing is refused."""
    (tmp_path / "netrc").write_text("machine elsewhere login tester password x\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (ftp.folder / "open").mkdir()
    (ftp.folder / "open" / "a").write_bytes(b"1")

    with ArtifactRepository.from_artifact_uri(f"{ftp.root}/open") as repository:
        assert Path(repository.download_artifacts("a")).read_bytes() == b"1"
        with pytest.raises(TrackspecError, match="netrc") as refused:
            logged(repository, "b")
    assert refused.value.error_code is ErrorCode.PERMISSION_DENIED
    with ArtifactRepository.from_artifact_uri(ftp.root) as repository:
        assert repository.list_artifacts("open") == [FileInfo("open/a", False, 1)]
        with pytest.raises(TrackspecError, match="netrc") as refused:
            logged(repository, "b")
    assert refused.value.error_code is ErrorCode.PERMISSION_DENIED


def test_names_that_a_server_hides_are_found(vsftp: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that lists no facts, and hides names with a full stop unless it is asked for them."""
    monkeypatch.setenv("NETRC", vsftp.settings["NETRC"])
    with ArtifactRepository.from_artifact_uri(f"{vsftp.root}/hidden") as repository:
        logged(repository, ".a/.b")
        logged(repository, ".c", b"22")

        assert repository.list_artifacts() == [FileInfo(".a", True, None), FileInfo(".c", False, 2)]
        repository.delete_artifacts()
    assert list((vsftp.folder / "hidden").iterdir()) == []


def test_a_user_who_is_not_in_the_netrc_file_is_told(ftp: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A URI that names a user means this one."""
    monkeypatch.setenv("NETRC", ftp.settings["NETRC"])

    ArtifactRepository.from_artifact_uri(ftp.root.replace("ftp://", "ftp://tester@")).close()
    with pytest.raises(TrackspecError, match="netrc") as refused:
        ArtifactRepository.from_artifact_uri(ftp.root.replace("ftp://", "ftp://somebody@"))

    assert refused.value.error_code is ErrorCode.UNAUTHENTICATED


def test_a_netrc_file_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A setting is never ignored, and the error does not repeat what is in the file."""
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for content in (None, f"machine 127.0.0.1 {SECRET} login"):
        if content:
            (tmp_path / "netrc").write_text(content)

        with pytest.raises(TrackspecError, match="NETRC") as refused:
            ArtifactRepository.from_artifact_uri("ftp://127.0.0.1/x")

        assert refused.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE
        assert SECRET not in told(refused.value)


def test_a_certificate_that_nobody_vouches_for_is_told(
    ftps: FileServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing is said to a server that shows another certificate."""
    monkeypatch.setenv("NETRC", ftps.settings["NETRC"])

    for error in calls(f"{ftps.root}/x", tmp_path):
        assert error.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
        assert "SSL_CERT_FILE" in error.message
