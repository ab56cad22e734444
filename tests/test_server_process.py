"""``trackspec serve``: how it starts, how it stops, and what it has acknowledged by then."""

from __future__ import annotations

import http.client
import itertools
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.servers import wait_until_ready
from tests.servers.tracking import TIMEOUT, Client, Process, Response, SlowStore, command, in_process
from trackspec import Metric, Param, RunTag, TrackingStore, open_store
from trackspec_conformance import cli
from trackspec_reference.server.command import masked
from trackspec_reference.server.limits import Limits
from trackspec_reference.server.serving import Server, Settings


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """A SQLite store of its own."""
    return f"sqlite:///{tmp_path}/store.db"


# -- starting ----------------------------------------------------------------------------------------------------


def test_it_tells_where_what_and_by_how_many_it_serves(tmp_path: Path) -> None:
    """Without arguments it serves a SQLite store in the working directory."""
    with in_process(directory=tmp_path) as server:
        answer = Client(server.port).call("get_experiment", experiment_id="0")

        assert server.started.endswith(
            f"serves sqlite:///trackspec.db at http://127.0.0.1:{server.port} (1 worker)\n"
        )
        assert answer.json["experiment"]["name"] == "Default"
        assert (tmp_path / "trackspec.db").exists()


@pytest.mark.parametrize(
    ("store_uri", "shown"),
    [
        ("sqlite:///a.db", "sqlite:///a.db"),
        ("sqlite:////data/a@b:c.db?durability=power", "sqlite:////data/a@b:c.db"),
        ("postgresql+psycopg://u:p%40ss@host:1/db?password=x", "postgresql+psycopg://u:***@host:1/db"),
        ("mysql+pymysql://u:p@ss:w@host/db", "mysql+pymysql://u:***@host/db"),
        ("postgresql://u@host/db", "postgresql://u@host/db"),
        ("postgresql://:secret@host/db", "postgresql://:***@host/db"),
        ("./runs", "./runs"),
        ("memory:", "memory:"),
    ],
)
def test_no_password_is_shown(store_uri: str, shown: str) -> None:
    """Neither one of the user nor one among the options."""
    assert masked(store_uri) == shown


def test_the_artifact_root_is_set_before_anything_is_below_it(uri: str) -> None:
    """The first experiment of a new store is below it too, and the store keeps it."""
    with in_process(uri, "--artifact-root", "s3://bucket/kept") as server:
        experiment = Client(server.port).returned("get_experiment", experiment_id="0")

    assert experiment.artifact_location == "s3://bucket/kept/0"
    with open_store(uri) as store:
        assert store.get_artifact_root() == "s3://bucket/kept"


def test_credentials_come_from_a_file_or_the_environment(uri: str, tmp_path: Path) -> None:
    """And not from the command line, where others see them."""
    file = tmp_path / "credentials"
    file.write_text("bearer token-of-the-file\n")
    file.chmod(0o600)
    variable = {"TRACKSPEC_SERVER_CREDENTIALS": "bearer token-of-the-environment"}

    for arguments, environment, token in (
        (["--auth-file", str(file)], {}, "token-of-the-file"),
        ([], variable, "token-of-the-environment"),
    ):
        with in_process(uri, *arguments, environment=environment) as server:
            answers = [
                Client(server.port, headers).call("get_experiment", experiment_id="0").status
                for headers in ({}, {"Authorization": f"Bearer {token}"})
            ]
        assert answers == [401, 200]


def test_the_largest_body_is_an_option(uri: str) -> None:
    """Larger ones are refused."""
    with in_process(uri, "--max-body", "1024") as server:
        assert Client(server.port).post("/api/2.0/mlflow/runs/delete", {"run_id": "x" * 1024}).status == 413


def could_not_start(*arguments: str, directory: Path) -> str:
    """The only line that the command prints before it ends with 2."""
    ended = subprocess.run(
        command(*arguments), capture_output=True, text=True, cwd=directory, timeout=TIMEOUT, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    return ended.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nonsense:x"], "no installed store claims"),
        (["sqlite:////no/such/directory/x.db"], "directory of the SQLite file does not exist"),
        (["postgresql+psycopg://u:secret@127.0.0.1:1/x"], ""),
        (["memory:", "--workers", "2"], "cannot have several workers"),
        (["memory:", "--host", "host.invalid"], "cannot listen at host.invalid:5000"),
        (["memory:", "--auth-file", "missing"], "file of the credentials cannot be read"),
        (["memory:", "--allowed-origins", "nonsense"], "An allowed origin is"),
        (["memory:", "--artifact-root", "x" * 3000], "artifact root"),
    ],
)
def test_what_cannot_be_served_is_told_in_a_line(arguments: list[str], told: str, tmp_path: Path) -> None:
    """The status is 2, and nothing of a secret is in the line."""
    line = could_not_start(*arguments, directory=tmp_path)

    assert line.startswith("trackspec: ")
    assert told.lower() in line.lower()
    assert "secret" not in line


def test_a_port_in_use_is_told_in_a_line(tmp_path: Path) -> None:
    """The store is not touched then."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        line = could_not_start("--port", str(taken.getsockname()[1]), directory=tmp_path)

    assert "in use" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("module", ["uvicorn", "httptools"])
def test_a_missing_library_is_told_in_a_line(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names the extra that brings it."""
    for name in ("serving", "workers", "connection"):
        monkeypatch.delitem(sys.modules, f"trackspec_reference.server.{name}", raising=False)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("uvicorn", "httptools")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(SystemExit) as ended:
        cli.main(["serve", "memory:"])

    assert ended.value.code == 2
    assert capsys.readouterr().err == f"trackspec: {module} is missing: pip install 'trackspec[server]'\n"


# -- stopping ----------------------------------------------------------------------------------------------------


class Writer(threading.Thread):
    """Writes to a run of its own until the server is gone.

    :ivar acknowledged: the numbers whose writes the server has acknowledged.
    :ivar refused: what it answered instead.
    """

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._client = Client(port)
        created = self._client.returned("create_run", experiment_id="0", user_id="u", start_time=1)
        self.run_id: str = created.info.run_id
        self.acknowledged: list[int] = []
        self.refused: list[Response] = []

    def run(self) -> None:
        """Write each number as a batch, a param, a point and a tag in turn."""
        for number in itertools.count():
            key = f"{number}"
            name, item = [
                ("log_batch", {"metrics": [Metric(key, number, 1)] * 3, "params": [Param(key, key)], "tags": []}),
                ("log_param", {"param": Param(key, key)}),
                ("log_metric", {"metric": Metric("m", number, 1, number)}),
                ("set_tag", {"tag": RunTag(key, key)}),
            ][number % 4]
            try:
                answer = self._client.call(name, run_id=self.run_id, **item)
            except (OSError, http.client.HTTPException):
                return
            if answer.status == 200:
                self.acknowledged.append(number)
            else:
                self.refused.append(answer)

    def assert_kept(self, store: TrackingStore) -> None:
        """All that was acknowledged is in the store, and of what was not no half."""
        run = store.get_run(self.run_id)
        points = {point.step for point in store.get_metric_history(self.run_id, "m")}
        kept = [set(run.data.params), set(run.data.params), {f"{step}" for step in points}, set(run.data.tags)]
        assert [number for number in self.acknowledged if f"{number}" not in kept[number % 4]] == []
        batches = {key for key in run.data.params if int(key) % 4 == 0}
        assert batches == set(run.data.metrics) - {"m"}


@contextmanager
def writers(port: int, number: int = 4) -> Iterator[list[Writer]]:
    """Clients that write at the same time; when this ends, they have met the end of the server."""
    found = [Writer(port) for _ in range(number)]
    for writer in found:
        writer.start()
    yield found
    for writer in found:
        writer.join(TIMEOUT)
        assert not writer.is_alive()


def wait_for_writes(found: list[Writer], more: int = 10) -> None:
    """Wait until each has so many more acknowledged."""
    wanted = [len(writer.acknowledged) + more for writer in found]
    deadline = time.monotonic() + TIMEOUT
    while any(len(writer.acknowledged) < least for writer, least in zip(found, wanted, strict=True)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_and_nothing_acknowledged_is_lost(uri: str, workers: str, number: int) -> None:
    """It ends well, whoever of its processes gets the signal; no request is refused on the way."""
    with in_process(uri, "--workers", workers) as server:
        with writers(server.port) as found:
            wait_for_writes(found)
            server.signal_all(number)
        assert server.ended() == 0
        assert server.errors() == ""

    with open_store(uri) as store:
        for writer in found:
            writer.assert_kept(store)
    assert [writer.refused for writer in found] == [[]] * len(found)


@pytest.mark.parametrize("seed", range(6))
def test_a_kill_at_any_time_loses_nothing_that_was_acknowledged(uri: str, seed: int) -> None:
    """With one worker or two, on SQLite."""
    with in_process(uri, "--workers", str(1 + seed % 2)) as server, writers(server.port) as found:
        wait_for_writes(found, 3)
        time.sleep(random.Random(seed).uniform(0, 0.2))
        server.signal_all(signal.SIGKILL)

    with open_store(uri) as store:
        for writer in found:
            writer.assert_kept(store)


class Stopping:
    """A server that is stopped while a call is in hand.

    :param before: how many calls were answered on its connection before.
    :ivar answers: what the caller got.
    :ivar all_ended: whether the server says that all calls have ended.
    """

    def __init__(self, stop_time: int, before: int = 0) -> None:
        self.store = SlowStore()
        self._before = before
        self.run_id = self.store.create_run("0", "u", 1, [], None).info.run_id
        self.answers: list[Response] = []
        self.all_ended: list[bool] = []
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        settings = Settings(limits=Limits(stop_time=stop_time))
        self._server = Server(settings.application(self.store), settings.limits)
        self._threads = [
            threading.Thread(target=lambda: self.all_ended.append(self._server.serve_until_stopped(listening))),
            threading.Thread(target=self._call),
        ]
        for thread in self._threads:
            thread.start()
        assert self.store.begun.wait(TIMEOUT)
        self._server.stop()

    def _call(self) -> None:
        client = Client(self.port)
        for _ in range(self._before):
            client.returned("get_experiment", experiment_id="0")
        self.answers.append(client.call("get_run", run_id=self.run_id))

    def wait(self) -> None:
        """Wait for the caller and for the end of the server."""
        for thread in self._threads:
            thread.join(TIMEOUT)
            assert not thread.is_alive()


@pytest.mark.parametrize("before", [0, 3])
def test_a_call_in_hand_is_finished_and_no_other_is_taken(before: int) -> None:
    """The listening socket is closed at once, the connection when its answer is sent."""
    server = Stopping(TIMEOUT, before)
    wait_until_ready(lambda: refuses_connections(server.port))

    server.store.may_end.set()
    server.wait()

    assert [answer.status for answer in server.answers] == [200]
    assert server.answers[0].headers["Connection"] == "close"
    assert server.all_ended == [True]


def refuses_connections(port: int) -> None:
    """Return if nobody listens."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return
    raise AssertionError("somebody listens")


@pytest.mark.parametrize("before", [0, 3])
def test_a_call_that_does_not_end_is_not_waited_for_too_long(before: int) -> None:
    """Its caller is not told that it is done, nor that it is not."""
    server = Stopping(1, before)
    server.wait()

    assert [answer.json["error_code"] for answer in server.answers] == ["INTERNAL_ERROR"]
    assert server.all_ended == [False]
    server.store.may_end.set()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_second_signal_ends_it_at_once(uri: str, workers: str, tmp_path: Path) -> None:
    """Also while a call waits for the database."""
    with in_process(uri, "--workers", workers) as server:
        run = Client(server.port).returned("create_run", experiment_id="0", user_id="u", start_time=1)
        children = psutil.Process(server.pid).children()
        database = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
        database.execute("BEGIN IMMEDIATE")  # no other process can write now
        waiting = Client(server.port)
        waiting.send("delete_run", run_id=run.info.run_id)
        server.signal(signal.SIGTERM)
        wait_until_ready(lambda: refuses_connections(server.port))

        server.signal(signal.SIGTERM)

        assert server.ended() == 128 + signal.SIGTERM
        psutil.wait_procs(children, TIMEOUT)
        assert [child for child in children if child.is_running()] == []


# -- several workers ---------------------------------------------------------------------------------------------


def test_a_worker_that_ends_is_replaced(uri: str) -> None:
    """The others go on meanwhile, and nothing that was acknowledged is lost."""
    with in_process(uri, "--workers", "2") as server:
        assert server.started.endswith("(2 workers)\n")
        first = workers_of(server)
        assert len(first) == 2
        with writers(server.port) as found:
            wait_for_writes(found)
            first[0].kill()
            wait_until_ready(lambda: assert_replaced(server, first[0]))
            assert Client(server.port).request("GET", "/health").status == 200
            server.signal(signal.SIGTERM)
        assert server.ended() == 0

    with open_store(uri) as store:
        for writer in found:
            writer.assert_kept(store)


def workers_of(server: Process) -> list[psutil.Process]:
    """Its worker processes; Python's own helper is none."""
    children = psutil.Process(server.pid).children()
    return [child for child in children if "resource_tracker" not in " ".join(child.cmdline())]


def assert_replaced(server: Process, ended: psutil.Process) -> None:
    """There are two workers, and this is none of them."""
    found = workers_of(server)
    assert len(found) == 2
    assert ended not in found


def test_workers_end_with_the_process_that_started_them(uri: str) -> None:
    """However it ends."""
    with in_process(uri, "--workers", "2") as server:
        children = workers_of(server)
        server.signal(signal.SIGKILL)
        server.ended()

        _, alive = psutil.wait_procs(children, TIMEOUT)
        assert alive == []


def test_what_one_worker_writes_all_workers_read(sql_uri: str) -> None:
    """They share the database and nothing else."""
    with in_process(sql_uri, "--workers", "2") as server:
        clients = [Client(server.port) for _ in range(8)]
        run = clients[0].returned("create_run", experiment_id="0", user_id="u", start_time=1)
        for number, client in enumerate(clients):
            client.returned("log_param", run_id=run.info.run_id, param=Param(f"{number}", "v"))

        found = [client.returned("get_run", run_id=run.info.run_id).data.params for client in clients]

    assert found == [{f"{number}": "v" for number in range(8)}] * 8
