"""A MariaDB server for the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from tests.servers import Unavailable, containers, free_port, run, wait_until_ready

IMAGE = "mariadb:10.11"
DATABASE = "trackspec"
SETTINGS = {
    "innodb-flush-log-at-trx-commit": "0",
    "innodb-buffer-pool-size": "64M",
    "character-set-server": "utf8mb4",
    "performance-schema": "OFF",
}


@contextmanager
def server() -> Iterator[str]:
    """A server, as the URI of an empty database on it.

    :raises Unavailable: if there is none to be had.
    """
    if containers.engine_answers():
        try:
            with _container() as uri:
                yield uri
            return
        except Unavailable:
            pass  # an engine that cannot fetch images leaves the local binaries to try
    with _process() as uri:
        yield uri


@contextmanager
def _container() -> Iterator[str]:
    with containers.running(
        IMAGE,
        3306,
        {"MARIADB_ALLOW_EMPTY_ROOT_PASSWORD": "1", "MARIADB_DATABASE": DATABASE},
        ["mariadbd", *_options(SETTINGS)],
        lambda address: f"mysql+pymysql://root@{address}/{DATABASE}",
        lambda uri: _connect(uri, DATABASE),
    ) as uri:
        yield uri


@contextmanager
def _process() -> Iterator[str]:
    directory = Path(tempfile.mkdtemp(prefix="trackspec-db-"))
    try:
        data, port = directory / "data", free_port()
        user = ["--user=root"] if os.geteuid() == 0 else []
        run(
            _program("mariadb-install-db"),
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *user,
        )
        settings = {
            **SETTINGS,
            "datadir": str(data),
            "socket": str(directory / "socket"),
            "pid-file": str(directory / "pid"),
            "port": str(port),
            "bind-address": "127.0.0.1",
            "innodb-flush-method": "nosync",
            "innodb-doublewrite": "0",
            "innodb-log-file-size": "32M",
        }
        flags = ["--no-defaults", "--skip-log-bin", "--skip-name-resolve"]
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(
                [_program("mariadbd"), *flags, *_options(settings), *user], stdout=log, stderr=log
            )
        try:
            uri = f"mysql+pymysql://root@127.0.0.1:{port}/{DATABASE}"
            wait_until_ready(lambda: _create_database(uri), process)
            yield uri
        finally:
            process.kill()  # the data is thrown away
            process.wait(timeout=30)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _create_database(uri: str) -> None:
    _connect(uri, None, f"CREATE DATABASE IF NOT EXISTS {DATABASE}")


def _connect(uri: str, database: str | None, statement: str = "SELECT 1") -> None:
    import pymysql  # noqa: PLC0415 - not everybody has it

    url = sa.make_url(uri)
    with (
        pymysql.connect(host=url.host, port=url.port, user="root", database=database) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def _options(settings: dict[str, str]) -> list[str]:
    return [f"--{name}={value}" for name, value in settings.items()]


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise Unavailable(f"no MariaDB: there is no {name}, and tests/servers/install could not install it")
    return found
