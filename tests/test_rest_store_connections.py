"""The connections of a REST store: who shares them, what is sent over them, and that none is left open."""

from __future__ import annotations

import gc
import json
import os
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import trackspec
from tests.servers import free_port
from tests.servers.scripted import answer, scripted
from tests.servers.tracking import TIMEOUT, in_thread
from trackspec import ErrorCode, Metric, Param, RunTag, TrackingStore, TrackspecError
from trackspec.memory_store import MemoryStore
from trackspec_reference.credentials.host_creds import HostCreds
from trackspec_reference.tracking.rest.transport import Transport
from trackspec_reference.tracking.rest_store import RestStore

pytestmark = pytest.mark.usefixtures("no_credentials")


@pytest.fixture
def port() -> Iterator[int]:
    """Where a server listens."""
    with in_thread(MemoryStore()) as found:
        yield found


@pytest.fixture
def store(port: int) -> Iterator[TrackingStore]:
    """A store that reaches it."""
    with trackspec.open_store(f"http://127.0.0.1:{port}") as opened:
        yield opened


def test_many_threads_share_a_store(store: TrackingStore) -> None:
    """Each gets the answers to its own questions."""
    made = [store.create_run("0", None, None, None, None).info.run_id for _ in range(8)]

    def log_and_read(run_id: str) -> bool:
        for step in range(20):
            store.log_metric(run_id, Metric("m", float(step), step, step))
            store.log_param(run_id, Param(f"p{step}", run_id))
        run = store.get_run(run_id)
        return set(run.data.params.values()) == {run_id} and run.data.metrics == {"m": 19.0}

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(log_and_read, made * 2)) == [True] * 16


def test_a_forked_process_makes_connections_of_its_own() -> None:
    """Neither of the two takes the answers of the other."""
    with scripted(answer()) as server, RestStore(server.url) as store:
        store.set_tag("r1", RunTag("k", "before"))
        child = os.fork()
        if child == 0:  # pragma: no cover - another process
            try:
                store.set_tag("r1", RunTag("k", "child"))
                os._exit(0)
            finally:
                os._exit(1)
        status = os.waitpid(child, 0)[1]
        store.set_tag("r1", RunTag("k", "after"))

    assert status == 0
    assert server.connections == 2
    assert [json.loads(request.body)["value"] for request in server.received] == ["before", "child", "after"]


def test_a_store_that_nobody_closes_leaves_no_open_connection(port: int) -> None:
    """Where it is forgotten, its connections are closed all the same, without a warning of the interpreter's."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        forgotten = trackspec.open_store(f"http://127.0.0.1:{port}")
        forgotten.get_experiment("0")
        del forgotten
        gc.collect()

    assert not [warning for warning in told if issubclass(warning.category, ResourceWarning)]


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_store_of_lost_connections_is_forgotten_in_silence() -> None:
    """There is nothing left to close."""
    forgotten = trackspec.open_store(f"http://127.0.0.1:{free_port()}?retries=0")
    with pytest.raises(TrackspecError) as raised:
        forgotten.get_experiment("0")
    assert raised.value.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
    del forgotten
    gc.collect()


@pytest.mark.parametrize("target", ["/a/b?c=d", "/a?", "//a//b", "/a/%2E%2E/b"])
def test_the_same_is_asked_for_over_a_new_connection_and_an_open_one(target: str) -> None:
    """Neither of the two ways tidies up what the caller has written, which may be signed."""
    with scripted(answer()) as server:
        transport = Transport(HostCreds(f"{server.url}/below"), connect_timeout=TIMEOUT)
        for _ in range(2):
            transport.send("GET", target, {}, None, time.monotonic() + TIMEOUT)
        transport.close()

    assert server.connections == 1
    assert [request.target for request in server.received] == [f"/below{target}"] * 2
