"""The repository on HDFS: its configuration, tickets, name nodes that cannot work, names."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest
from requests import PreparedRequest

from tests.file_repositories import SECRET, logged, told
from tests.servers import free_port
from tests.servers.object_stores import ObjectStore
from tests.servers.scripted import answer, scripted
from trackspec import ArtifactRepository, ErrorCode, FileInfo, TrackspecError
from trackspec_conformance.local_files import local_file
from trackspec_reference.artifacts.hdfs import HdfsArtifactRepository

pytestmark = pytest.mark.usefixtures("quick_file_servers")


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
