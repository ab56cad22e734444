"""The repository on SSH servers: hosts, the configuration of ssh, links, names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.file_repositories import calls, logged
from tests.servers.file_servers import FileServer
from trackspec import ArtifactRepository, ErrorCode, FileInfo, TrackspecError

pytestmark = pytest.mark.usefixtures("quick_file_servers")


@pytest.fixture
def ssh(sftp: FileServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FileServer:
    """OpenSSH's server, and a home directory that may be changed."""
    subprocess.run(["cp", "-r", sftp.settings["HOME"], str(tmp_path / "home")], check=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return sftp


def test_a_host_that_is_not_known_is_told(ssh: FileServer, tmp_path: Path) -> None:
    """A host without a known key, and one with another key, get no credentials."""
    known_hosts = tmp_path / "home" / ".ssh" / "known_hosts"
    other = (tmp_path / "home" / ".ssh" / "id_ed25519.pub").read_text()
    host = known_hosts.read_text().partition(" ")[0]

    for content in ("", f"{host} {other}"):
        known_hosts.write_text(content)
        for error in calls(f"{ssh.root}/x", tmp_path):
            assert error.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
            assert "known_hosts" in error.message


def test_the_configuration_of_ssh_counts(ssh: FileServer, tmp_path: Path) -> None:
    """An alias, a port, a user, a key, known hosts and a command to go through are found in ``~/.ssh/config``."""
    home = tmp_path / "home" / ".ssh"
    user, _, rest = ssh.root.removeprefix("sftp://").partition("@")
    port = rest.partition(":")[2].partition("/")[0]
    (home / "id_ed25519").rename(home / "other")
    (home / "known_hosts").rename(home / "others")
    relay = tmp_path / "relay.py"
    relay.write_text(
        "import os, socket, sys, threading\n"
        "end = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n"
        "def back():\n"
        "    while piece := end.recv(65536): os.write(1, piece)\n"
        "threading.Thread(target=back, daemon=True).start()\n"
        "while piece := os.read(0, 65536): end.sendall(piece)\n"
    )
    (home / "config").write_text(
        f"Host store\n  HostName 127.0.0.1\n  Port {port}\n  User {user}\n  IdentityFile {home}/other\n"
        f"  UserKnownHostsFile {home}/others\n  ProxyCommand {sys.executable} {relay} %h %p\n"
    )

    with ArtifactRepository.from_artifact_uri(f"sftp://store{ssh.folder}/by-alias") as repository:
        logged(repository, "a")

        assert repository.list_artifacts() == [FileInfo("a", False, 1)]
    assert (ssh.folder / "by-alias" / "a").read_bytes() == b"1"


def test_hosts_that_the_user_does_not_want_judged_are_not(ssh: FileServer, tmp_path: Path) -> None:
    """``StrictHostKeyChecking no`` counts, and no key is written down."""
    (tmp_path / "home" / ".ssh" / "known_hosts").write_text("")
    (tmp_path / "home" / ".ssh" / "config").write_text("Host *\n  StrictHostKeyChecking no\n")

    with ArtifactRepository.from_artifact_uri(f"{ssh.root}/unjudged") as repository:
        assert repository.list_artifacts() == []
    assert (tmp_path / "home" / ".ssh" / "known_hosts").read_text() == ""


def test_a_jump_that_is_not_followed_is_told(ssh: FileServer, tmp_path: Path) -> None:
    """A setting is never ignored."""
    (tmp_path / "home" / ".ssh" / "config").write_text("Host *\n  ProxyJump elsewhere\n")

    with pytest.raises(TrackspecError, match="ProxyCommand") as refused:
        ArtifactRepository.from_artifact_uri(f"{ssh.root}/x")

    assert refused.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE


def test_no_link_is_followed(ssh: FileServer, tmp_path: Path) -> None:
    """Links below the root, to files and to folders, are neither listed, nor read, written through or deleted."""
    outside, root = tmp_path / "outside", ssh.folder / "links"
    outside.mkdir()
    root.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (root / "folder").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    with ArtifactRepository.from_artifact_uri(f"{ssh.root}/links") as repository:
        logged(repository, "a")

        assert repository.list_artifacts() == [FileInfo("a", False, 1)]
        assert repository.list_artifacts("folder") == []
        for path in ("file", "folder", "folder/secret"):
            with pytest.raises(TrackspecError) as refused:
                repository.download_artifacts(path)
            assert refused.value.error_code is ErrorCode.RESOURCE_DOES_NOT_EXIST
            repository.delete_artifacts(path)
        for path in ("folder/b", "folder/deeper/b", "folder/deeper/and/deeper/b"):
            with pytest.raises(TrackspecError) as refused:
                logged(repository, path)
            assert refused.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE
        logged(repository, "file", b"new")

        assert Path(repository.download_artifacts("file")).read_bytes() == b"new"
        repository.delete_artifacts()
    assert {file.name: file.read_bytes() for file in outside.iterdir()} == {"secret": b"secret"}


def test_names_that_are_no_text_are_told(ssh: FileServer) -> None:
    """A folder with a name that is not in UTF-8 is not listed in part."""
    (ssh.folder / "strange").mkdir()
    (ssh.folder / "strange" / os.fsdecode(b"a\xff")).write_bytes(b"1")

    with (
        ArtifactRepository.from_artifact_uri(f"{ssh.root}/strange") as repository,
        pytest.raises(TrackspecError, match="UTF-8") as refused,
    ):
        repository.list_artifacts()

    assert refused.value.error_code is ErrorCode.DATA_LOSS


@pytest.mark.parametrize(
    ("uri", "names"), [("sftp://127.0.0.1/x", "user"), ("hdfs://127.0.0.1/x", "HADOOP_USER_NAME")]
)
def test_who_has_no_name_is_told(uri: str, names: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in containers whose user the system does not know."""

    def nobody() -> str:
        raise KeyError

    monkeypatch.setattr("getpass.getuser", nobody)

    with pytest.raises(TrackspecError, match=names) as refused:
        ArtifactRepository.from_artifact_uri(uri)

    assert refused.value.error_code in (ErrorCode.UNAUTHENTICATED, ErrorCode.INVALID_PARAMETER_VALUE)
