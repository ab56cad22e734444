"""Fixtures of the tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests import servers
from tests.servers import azurite, fake_gcs, hadoop, mariadb, moto_s3, postgresql, seaweedfs, sshd, vsftpd, webhdfs
from tests.servers import dbfs as dbfs_server
from tests.servers import ftp as ftp_server
from tests.servers.databases import fresh_database
from tests.servers.object_stores import ObjectStore, Server, without_clouds
from trackspec_reference.artifacts import dbfs as dbfs_artifacts
from trackspec_reference.credentials import databricks as databricks_credentials
from trackspec_reference.tracking.rest.patience import Patience

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def postgresql_uri() -> Iterator[str]:
    """An empty database on a PostgreSQL server that lasts as long as the tests."""
    try:
        with postgresql.server() as uri:
            yield uri
    except (servers.Unavailable, ImportError) as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def mariadb_uri() -> Iterator[str]:
    """An empty database on a MariaDB server that lasts as long as the tests."""
    try:
        with mariadb.server() as uri:
            yield uri
    except (servers.Unavailable, ImportError) as error:
        pytest.skip(str(error))


def _running(server: Server) -> Iterator[ObjectStore]:
    try:
        with server() as store:
            yield store
    except (servers.Unavailable, ImportError) as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def moto() -> Iterator[ObjectStore]:
    """The S3 of moto, which lasts as long as the tests."""
    yield from _running(moto_s3.server)


@pytest.fixture(scope="session")
def seaweed() -> Iterator[ObjectStore]:
    """The S3 of SeaweedFS, which lasts as long as the tests."""
    yield from _running(seaweedfs.server)


@pytest.fixture(scope="session")
def gcs() -> Iterator[ObjectStore]:
    """A Google Cloud Storage in memory, which lasts as long as the tests."""
    yield from _running(fake_gcs.server)


@pytest.fixture(scope="session")
def azure() -> Iterator[ObjectStore]:
    """An Azure Blob Storage, which lasts as long as the tests."""
    yield from _running(azurite.server)


@pytest.fixture(scope="session")
def ftp() -> Iterator[ObjectStore]:
    """An FTP server, which lasts as long as the tests."""
    yield from _running(ftp_server.server)


@pytest.fixture(scope="session")
def ftps() -> Iterator[ObjectStore]:
    """An FTP server over TLS, which lasts as long as the tests."""
    yield from _running(partial(ftp_server.server, tls=True))


@pytest.fixture(scope="session")
def vsftp() -> Iterator[ObjectStore]:
    """Another FTP server, which tells less of its files, and lasts as long as the tests."""
    yield from _running(vsftpd.server)


@pytest.fixture(scope="session")
def sftp() -> Iterator[ObjectStore]:
    """OpenSSH's server, which lasts as long as the tests."""
    yield from _running(sshd.server)


@pytest.fixture(scope="session")
def dbfs() -> Iterator[ObjectStore]:
    """A DBFS of our own, which lasts as long as the tests."""
    yield from _running(dbfs_server.server)


@pytest.fixture(scope="session")
def hdfs() -> Iterator[ObjectStore]:
    """An HDFS of our own, which lasts as long as the tests."""
    yield from _running(webhdfs.server)


@pytest.fixture(scope="session")
def real_hdfs() -> Iterator[ObjectStore]:
    """Hadoop's own HDFS, which lasts as long as the tests."""
    yield from _running(hadoop.server)


@pytest.fixture
def no_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment in which no SDK finds credentials, or a cloud."""
    kept = without_clouds(os.environ)
    for name in os.environ.keys() - kept.keys():
        monkeypatch.delenv(name)
    for name, value in kept.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing that whoever runs the tests has set for clients of servers."""
    proxies = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    for name in list(os.environ):
        if name.startswith(("MLFLOW_", "DATABRICKS_", "ARM_", "GOOGLE_")) or name.lower() in proxies:
            monkeypatch.delenv(name)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


KINDS = ["sqlite", "postgresql", "mariadb"]


@pytest.fixture(params=KINDS)
def sql_uri(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of its own for the test, on each kind of server in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
    else:
        with fresh_database(request.getfixturevalue(f"{request.param}_uri")) as uri:
            yield uri


@pytest.fixture(scope="session", params=KINDS)
def shared_sql_uri(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One database for all tests that do not mind the others, on each kind of server in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('shared')}/store.db?durability=process"
    else:
        with fresh_database(request.getfixturevalue(f"{request.param}_uri")) as uri:
            yield uri


@pytest.fixture
def quick_file_servers(no_cloud: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No credentials of whoever runs the tests are in reach, and what fails is tried again for a moment only."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(dbfs_artifacts, "_PATIENCE", Patience(1.0, 30.0, 30.0, retries=1))
    bounds = {"http_timeout_seconds": 1, "retry_timeout_seconds": 1}
    monkeypatch.setattr(databricks_credentials, "_BOUNDS", bounds)
    databricks_credentials.get_databricks_host_creds.cache_clear()
    yield
    databricks_credentials.get_databricks_host_creds.cache_clear()
