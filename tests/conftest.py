"""Fixtures of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.servers import mariadb, postgresql
from tests.servers.databases import fresh_database

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
