"""The repositories of servers of files: their URIs, transfers that are cut, services that fail."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cutting import NAME, cut_after, cut_connections
from tests.file_repositories import NEW, OLD, SECRET, SERVERS, calls, known, logged, told
from tests.servers import free_port
from tests.servers.file_servers import PASSWORD
from tests.servers.object_stores import ObjectStore
from tests.servers.scripted import answer, relayed, scripted
from trackspec import ArtifactRepository, ErrorCode, FileInfo, TrackspecError
from trackspec_conformance.local_files import digest_of, local_file
from trackspec_reference.artifacts import remote_tree
from trackspec_reference.artifacts.hdfs import HdfsArtifactRepository

pytestmark = pytest.mark.usefixtures("quick_file_servers")

REAL = [*SERVERS, "vsftp", "real_hdfs"]


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
