"""``--server-command``: a server that the suite starts, kills, and starts again."""

from __future__ import annotations

import http.client
import shlex
import sys
from pathlib import Path

import psutil
import pytest

from tests.servers.tracking import command
from tests.test_rest_subject import check
from trackspec import open_store
from trackspec_conformance.expectations import Unexpected
from trackspec_conformance.started_server import RemoteServer, started, taking_orders


def command_line(directory: Path, *options: str) -> str:
    """What starts a server over a store of its own."""
    return shlex.join([*command(f"sqlite:///{directory}/store.db", *options), "--port", "{port}"])


def test_a_server_that_was_killed_is_started_where_it_was(tmp_path: Path) -> None:
    """All its processes are ended; afterwards it answers again, and has kept what it was told."""
    with started(command_line(tmp_path, "--workers", "2")) as server:
        url = f"http://127.0.0.1:{server.port}"
        experiment_id = open_store(url).create_experiment("kept")
        assert server._process is not None
        workers = psutil.Process(server._process.pid).children()
        with taking_orders(server) as address:
            remote = RemoteServer(address)

            remote.kill()

            assert not psutil.wait_procs(workers, timeout=5)[1]
            with pytest.raises(ConnectionRefusedError):
                http.client.HTTPConnection("127.0.0.1", server.port).connect()
            remote.start()
        assert open_store(url).get_experiment(experiment_id).name == "kept"


def test_a_server_that_does_not_start_again_is_told(tmp_path: Path) -> None:
    """The process that has ordered it hears how it ended."""
    once = tmp_path / "once"
    serve = command_line(tmp_path)
    with (
        started(f"sh -c 'test ! -e {once} && touch {once} && exec {serve}'") as server,
        taking_orders(server) as at,
    ):
        RemoteServer(at).kill()

        with pytest.raises(Unexpected, match="exit status 1"):
            RemoteServer(at).start()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (f"{sys.executable} -c pass", "does not say {port}"),
        (f"{sys.executable} -c 'raise SystemExit({{port}} * 0 + 3)'", "exit status 3"),
        ("/nowhere/server {port}", "cannot be started"),
    ],
)
def test_a_command_that_starts_none_is_told(given: str, told: str) -> None:
    """What cannot be started cannot be judged."""
    ran = check("--server-command", given, "--profile", "durability")

    assert ran.returncode == 2
    assert told in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_a_killed_server_is_judged_by_one_process(tmp_path: Path) -> None:
    """Checks that run beside each other would find it killed."""
    ran = check("--server-command", command_line(tmp_path), "--profile", "durability", "-n", "2")

    assert ran.returncode == 2
    assert "-n" in ran.stderr


def test_its_durability_is_judged(tmp_path: Path) -> None:
    """The command starts a server, judges it while it is killed, and leaves no process behind."""
    ran = check(
        "--server-command", command_line(tmp_path), "--profile", "durability", "-k", "durability.acknowledged"
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert not [item for item in psutil.process_iter(["cmdline"]) if str(tmp_path) in str(item.info["cmdline"])]
