"""The repositories of servers of files: their URIs, their credentials, transfers that are cut, links."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import traceback
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from requests import PreparedRequest

from tests.cutting import NAME, cut_after, cut_connections
from tests.servers import free_port
from tests.servers.file_servers import PASSWORD, FileServer
from tests.servers.object_stores import ObjectStore
from tests.servers.scripted import answer, relayed, scripted
from trackspec import ArtifactRepository, ErrorCode, FileInfo, TrackspecError
from trackspec_conformance.local_files import Noise, digest_of, local_file
from trackspec_reference.artifacts import dbfs, remote_tree
from trackspec_reference.artifacts.hdfs import HdfsArtifactRepository
from trackspec_reference.credentials import databricks
from trackspec_reference.credentials.databricks import get_databricks_host_creds
from trackspec_reference.tracking.rest.patience import Patience

SECRET = "a-secret-of-nobodys"
SERVERS = ["ftp", "ftps", "sftp", "dbfs", "hdfs"]
REAL = [*SERVERS, "vsftp", "real_hdfs"]
OLD, NEW = Noise(2_500_000, 1), Noise(3_000_001, 2)


@pytest.fixture(autouse=True)
def quick(no_cloud: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No credentials of whoever runs the tests are in reach, and what fails is tried again for a moment only."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(dbfs, "_PATIENCE", Patience(1.0, 30.0, 30.0, retries=1))
    monkeypatch.setattr(databricks, "_BOUNDS", {"http_timeout_seconds": 1, "retry_timeout_seconds": 1})
    get_databricks_host_creds.cache_clear()
    yield
    get_databricks_host_creds.cache_clear()


@pytest.fixture(params=REAL)
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """A server of each kind in turn, which the environment names."""
    return known(request.param, request, monkeypatch)


@pytest.fixture
def repository(server: ObjectStore, tmp_path: Path) -> Iterator[ArtifactRepository]:
    """A repository on such a server, with a root of its own."""
    with ArtifactRepository.from_artifact_uri(f"{server.root}/{tmp_path.name}") as opened:
        yield opened
        opened.delete_artifacts()


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


# -- URIs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        "ftp://",
        "ftp:///path",
        "ftp:path",
        "ftp://user:secret@127.0.0.1/path",
        "ftp://127.0.0.1:port/path",
        "ftp://127.0.0.1:70000/path",
        "ftps://127.0.0.1/a?secret",
        "ftp://127.0.0.1/../x",
        "ftp://user@secret@127.0.0.1/x",
        "sftp://",
        "sftp://user:secret@127.0.0.1/path",
        "sftp://127.0.0.1/path#secret",
        "sftp://a b/path",
        "dbfs:path",
        "dbfs://elsewhere/path",
        "dbfs://profile:secret@databricks/path",
        "dbfs:/a/../b",
        "hdfs://user@127.0.0.1/path",
        "hdfs:///path",
        "hdfs://a/b?user.name=secret",
    ],
)
def test_a_uri_that_is_more_or_less_than_a_place_is_refused(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No passwords, options and detours, and a place there must be; the error repeats none of it."""
    monkeypatch.setenv("DATABRICKS_HOST", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("DATABRICKS_TOKEN", "token")

    with pytest.raises(TrackspecError) as refused:
        ArtifactRepository.from_artifact_uri(uri)

    assert refused.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert "secret" not in refused.value.message


def test_a_path_is_not_decoded(server: ObjectStore) -> None:
    """The path of a URI is the server's, whatever is in it."""
    with (
        ArtifactRepository.from_artifact_uri(f"{server.root}/undecoded") as above,
        ArtifactRepository.from_artifact_uri(f"{server.root}/undecoded/a%20b c") as below,
    ):
        logged(below, "x")

        assert above.list_artifacts() == [FileInfo("a%20b c", True, None)]
        above.delete_artifacts()


def test_everything_below_a_root_is_deleted_and_the_rest_stays(server: ObjectStore) -> None:
    """Roots are parted at slashes."""
    with (
        ArtifactRepository.from_artifact_uri(f"{server.root}/apart/1") as one,
        ArtifactRepository.from_artifact_uri(f"{server.root}/apart/12") as other,
    ):
        logged(one, "x/y")
        logged(other, "x")

        one.delete_artifacts()

        assert one.list_artifacts() == []
        assert other.list_artifacts() == [FileInfo("x", False, 1)]
        other.delete_artifacts()


@pytest.mark.parametrize(
    ("uri", "module", "library", "extra"),
    [
        ("sftp://127.0.0.1/x", "sftp", "paramiko", "sftp"),
        ("dbfs:/x", "dbfs", "databricks.sdk", "databricks"),
        ("hdfs://127.0.0.1/x", "hdfs", "requests", "hdfs"),
    ],
)
def test_a_missing_library_is_told_with_its_extra(uri: str, module: str, library: str, extra: str) -> None:
    """Where a library is not installed, the error says how to install it."""
    program = (
        f"import sys; sys.modules[{library!r}] = None\n"
        "from trackspec import ArtifactRepository, TrackspecError\n"
        f"try: ArtifactRepository.from_artifact_uri({uri!r})\n"
        "except TrackspecError as error: print(error)"
    )

    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert printed.startswith("INVALID_PARAMETER_VALUE: ")
    assert f"trackspec[{extra}]" in printed


# -- transfers that are cut --------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 100])
def test_an_upload_whose_connection_is_cut_is_whole_or_was_not(
    repository: ArtifactRepository, times: int, tmp_path: Path
) -> None:
    """The file has its new content where the call returned, else the former one; nothing else is left."""
    repository.log_artifact(local_file(NAME, OLD), "folder")
    new, raised = local_file(NAME, NEW), None

    with cut_after(1_200_000, times) as left:
        try:
            repository.log_artifact(new, "folder")
        except TrackspecError as error:
            raised = error

    assert left[0] < times
    assert raised is None or raised.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
    assert raised is None or times > 1
    expected = NEW if raised is None else OLD
    assert repository.list_artifacts("folder") == [FileInfo(f"folder/{NAME}", False, digest_of(expected)[0])]
    assert digest_of(Path(repository.download_artifacts(f"folder/{NAME}", tmp_path))) == digest_of(expected)


@pytest.mark.parametrize("times", [1, 100])
def test_a_download_whose_connection_is_cut_is_whole_or_leaves_nothing(
    repository: ArtifactRepository, times: int, tmp_path: Path
) -> None:
    """The destination has the whole file where the call returned, and nothing where it raised."""
    repository.log_artifact(local_file("a.bin", NEW))
    destination, raised = tmp_path / "destination", None
    destination.mkdir()

    with cut_after(1_200_000, times) as left:
        try:
            repository.download_artifacts("a.bin", destination)
        except TrackspecError as error:
            raised = error

    assert left[0] < times
    assert raised is None or times > 1
    assert raised is None or raised.error_code in (ErrorCode.TEMPORARILY_UNAVAILABLE, ErrorCode.DATA_LOSS)
    assert {file.name: digest_of(file) for file in destination.iterdir()} == (
        {"a.bin": digest_of(NEW)} if raised is None else {}
    )


@pytest.mark.parametrize("kind", ["ftp", "sftp", "hdfs"])
def test_a_connection_that_is_always_cut_is_told(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload is begun again so many times, and no more."""
    server = known(kind, request, monkeypatch)

    with ArtifactRepository.from_artifact_uri(f"{server.root}/always-cut") as repository:
        with (
            cut_after(1_200_000, 100) as left,
            pytest.raises(TrackspecError, match="does not answer") as raised,
        ):
            repository.log_artifact(local_file(NAME, NEW))

        assert raised.value.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
        assert left == [100 - remote_tree._ATTEMPTS]
        assert repository.list_artifacts() == []


def test_a_connection_that_was_cut_while_idle_is_replaced(repository: ArtifactRepository) -> None:
    """What is lost before anything was asked for is not the caller's matter."""
    logged(repository, "a")
    cut_connections()

    assert repository.list_artifacts() == [FileInfo("a", False, 1)]


def test_a_renaming_whose_answer_is_lost_has_been_done(hdfs: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The upload asks again, finds its hidden file gone, and has ended."""
    monkeypatch.setenv("HADOOP_USER_NAME", hdfs.settings["HADOOP_USER_NAME"])
    port = int(hdfs.settings["TRACKSPEC_WEBHDFS_URL"].rpartition(":")[2])
    with scripted(relayed(port, "renameoptions=OVERWRITE")) as relay:
        monkeypatch.setenv("TRACKSPEC_WEBHDFS_URL", relay.url)
        with ArtifactRepository.from_artifact_uri(f"{hdfs.root}/answer-lost") as repository:
            logged(repository, "a")

            assert repository.list_artifacts() == [FileInfo("a", False, 1)]
            repository.delete_artifacts()
    assert sum("op=RENAME" in request.target for request in relay.received) == 2


def test_who_asks_is_told_to_the_name_node_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A redirection is followed with the token that it holds, which no log shows, and with no other credential."""
    caplog.set_level(logging.DEBUG)
    (Path.home()).mkdir()
    (Path.home() / ".netrc").write_text(f"machine 127.0.0.1 login tester password {SECRET}\n")
    monkeypatch.setenv("HADOOP_USER_NAME", "tester")
    with scripted(answer(b"content", "200 OK", None)) as elsewhere:
        there = f"Location: {elsewhere.url}/webhdfs/v1/x/a?op=OPEN&delegation={SECRET}"
        with scripted(answer(b"", "307 Temporary Redirect", None, there)) as name_node:
            monkeypatch.setenv("TRACKSPEC_WEBHDFS_URL", name_node.url)
            with ArtifactRepository.from_artifact_uri("hdfs://127.0.0.1/x") as repository:
                assert isinstance(repository, HdfsArtifactRepository)
                assert repository._read("/x/a", Path(local_file("read", b"")))
                name_node.play(answer(b"", "307 Temporary Redirect", None, "Location: file:///etc/passwd"))
                with pytest.raises(TrackspecError, match="speaks no WebHDFS"):
                    repository._read("/x/a", Path(local_file("read", b"")))

    assert [request.target for request in elsewhere.received] == [f"/webhdfs/v1/x/a?op=OPEN&delegation={SECRET}"]
    assert "delegation=***" in caplog.text
    assert SECRET not in caplog.text
    assert all("authorization" not in request.headers for request in elsewhere.received)


# -- services that fail ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SERVERS)
def test_a_service_that_is_not_there_is_told(kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A port on which nothing listens makes every call raise one error."""
    port = free_port()
    monkeypatch.setenv("DATABRICKS_HOST", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("DATABRICKS_TOKEN", SECRET)
    monkeypatch.setenv("TRACKSPEC_WEBHDFS_URL", f"http://127.0.0.1:{port}")
    root = {"dbfs": "dbfs:/x", "hdfs": "hdfs://127.0.0.1/x"}.get(kind, f"{kind}://127.0.0.1:{port}/x")

    for error in calls(root, tmp_path):
        assert error.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
        assert SECRET not in told(error)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("ftp", "netrc"),
        ("ftps", "netrc"),
        ("sftp", "IdentityFile"),
        ("dbfs", "DATABRICKS_TOKEN"),
        ("hdfs", "HADOOP"),
    ],
)
def test_wrong_credentials_are_told_and_not_shown(
    kind: str,
    names: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Every call names what to set; no error, traceback, log or repr shows a credential."""
    caplog.set_level(logging.DEBUG, "trackspec")
    server = known(kind, request, monkeypatch)
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login tester password {SECRET}\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("DATABRICKS_TOKEN", SECRET)
    monkeypatch.setenv("HADOOP_USER_NAME", "nobody")
    if kind == "sftp":
        other_key(Path(server.settings["HOME"]), tmp_path / "home")
        monkeypatch.setenv("HOME", str(tmp_path / "home"))

    for error in calls(f"{server.root}/x", tmp_path):
        assert error.error_code in (ErrorCode.UNAUTHENTICATED, ErrorCode.PERMISSION_DENIED)
        assert names in error.message
        assert SECRET not in told(error)
        assert PASSWORD not in told(error)
    assert SECRET not in caplog.text


def other_key(home: Path, copy: Path) -> None:
    """A home directory that knows the same hosts, and has a key that nobody accepts."""
    (copy / ".ssh").mkdir(parents=True)
    (copy / ".ssh" / "known_hosts").write_bytes((home / ".ssh" / "known_hosts").read_bytes())
    key = str(copy / ".ssh" / "id_ed25519")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)


# -- FTP ---------------------------------------------------------------------------------------------------------


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


# -- SFTP --------------------------------------------------------------------------------------------------------


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


# -- DBFS --------------------------------------------------------------------------------------------------------


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


# -- HDFS --------------------------------------------------------------------------------------------------------


def configure_hadoop(folder: Path, **settings: str) -> None:
    """Write the configuration files of Hadoop."""
    items = "".join(
        f"<property><name>{name}</name><value>{value}</value></property>" for name, value in settings.items()
    )
    folder.mkdir(exist_ok=True)
    (folder / "core-site.xml").write_text(f"<configuration>{items}</configuration>")


@pytest.mark.parametrize("uri", ["hdfs://team/configured", "hdfs:///configured"])
def test_the_configuration_of_hadoop_counts(
    uri: str, hdfs: ObjectStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A nameservice leads to the NameNode that answers, and without one in the URI the default one does."""
    address = hdfs.settings["TRACKSPEC_WEBHDFS_URL"].removeprefix("http://")
    monkeypatch.setenv("HADOOP_CONF_DIR", str(tmp_path / "conf"))
    configure_hadoop(
        tmp_path / "conf",
        **{
            "fs.defaultFS": "hdfs://team",
            "dfs.ha.namenodes.team": "nn1, nn2",
            "dfs.namenode.http-address.team.nn1": f"127.0.0.1:{free_port()}",
            "dfs.namenode.http-address.team.nn2": address,
        },
    )

    with ArtifactRepository.from_artifact_uri(uri) as repository:
        logged(repository, "a")

        assert repository.list_artifacts() == [FileInfo("a", False, 1)]
        repository.delete_artifacts()


def test_a_ticket_is_shown_to_the_name_node_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where Hadoop's configuration asks for Kerberos, a ticket says who asks, and no name does."""

    class Ticket:
        def __init__(self, **options: object) -> None: ...

        def __call__(self, request: PreparedRequest) -> PreparedRequest:
            request.headers["Authorization"] = f"Negotiate {SECRET}"
            return request

    library = types.ModuleType("requests_gssapi")
    library.OPTIONAL, library.HTTPSPNEGOAuth = 2, Ticket  # type: ignore[attr-defined]  # there is no KDC in reach
    monkeypatch.setitem(sys.modules, "requests_gssapi", library)
    monkeypatch.setenv("HADOOP_CONF_DIR", str(tmp_path / "conf"))
    with scripted(answer(b"content", "200 OK", None)) as data_node:
        there = f"Location: {data_node.url}/webhdfs/v1/x/a?op=OPEN&delegation=token"
        with scripted(
            answer(b"", "307 Temporary Redirect", None, there), answer("", "401 Unauthorized")
        ) as name_node:
            address = name_node.url.removeprefix("http://")
            configure_hadoop(
                tmp_path / "conf",
                **{"hadoop.security.authentication": "kerberos", "dfs.namenode.http-address": address},
            )
            with ArtifactRepository.from_artifact_uri("hdfs://127.0.0.1/x") as repository:
                assert isinstance(repository, HdfsArtifactRepository)
                assert repository._read("/x/a", Path(local_file("read", b"")))
                with pytest.raises(TrackspecError, match="kinit") as refused:
                    repository.list_artifacts()

    assert refused.value.error_code is ErrorCode.UNAUTHENTICATED
    assert SECRET not in told(refused.value)
    assert {request.headers["authorization"] for request in name_node.received} == {f"Negotiate {SECRET}"}
    assert not any("user.name" in request.target for request in name_node.received)
    assert [request.headers.get("authorization") for request in data_node.received] == [None]


def test_a_name_node_that_cannot_work_now_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As while it starts; its text, which shows more than anybody asked for, is not repeated."""
    failure = f'{{"RemoteException": {{"exception": "SafeModeException", "message": "{SECRET}"}}}}'
    with scripted(answer(failure, "403 Forbidden")) as name_node:
        monkeypatch.setenv("TRACKSPEC_WEBHDFS_URL", name_node.url)
        with (
            ArtifactRepository.from_artifact_uri("hdfs://127.0.0.1/x") as repository,
            pytest.raises(TrackspecError) as raised,
        ):
            repository.list_artifacts()

    assert raised.value.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
    assert SECRET not in told(raised.value)


def test_a_configuration_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A setting is never ignored."""
    monkeypatch.setenv("HADOOP_CONF_DIR", str(tmp_path / "conf"))
    configure_hadoop(tmp_path / "conf", **{"hadoop.security.authentication": "kerberos"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "requests_gssapi", None)  # type: ignore[arg-type]  # this is how it is barred
        with pytest.raises(TrackspecError, match=r"trackspec\[kerberos\]"):
            ArtifactRepository.from_artifact_uri("hdfs://127.0.0.1/x")
    (tmp_path / "conf" / "core-site.xml").write_text("<configuration>")
    with pytest.raises(TrackspecError, match="HADOOP_CONF_DIR"):
        ArtifactRepository.from_artifact_uri("hdfs://127.0.0.1/x")
    monkeypatch.delenv("HADOOP_CONF_DIR")
    monkeypatch.setenv("TRACKSPEC_WEBHDFS_URL", "127.0.0.1")
    with pytest.raises(TrackspecError, match="TRACKSPEC_WEBHDFS_URL"):
        ArtifactRepository.from_artifact_uri("hdfs://127.0.0.1/x")


def test_names_that_hdfs_does_not_have_are_kept(hdfs: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Colons, and what stands for them, are different names that come back as they were."""
    for name, value in hdfs.settings.items():
        monkeypatch.setenv(name, value)
    names = ["ab:c", "ab=3Ac", "ab=3D3Ac", "=:", "a=", "year=2026", "=25", "100%", "a+b;c", "e\u0301", "\u00e9"]
    with ArtifactRepository.from_artifact_uri(f"{hdfs.root}/colons") as repository:
        for name in names:
            logged(repository, name, name.encode())

        assert [found.path for found in repository.list_artifacts()] == sorted(names)
        for name in names:
            assert Path(repository.download_artifacts(name)).read_bytes() == name.encode()
        repository.delete_artifacts()
