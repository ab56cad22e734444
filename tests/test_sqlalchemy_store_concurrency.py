"""Many threads and processes on one database."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from trackspec.entities import Dataset, DatasetInput, Metric, Param, RunTag
from trackspec.errors import ErrorCode, TrackspecError
from trackspec_reference.tracking.sqlalchemy_store import SqlAlchemyStore

WORKERS = 4
ROUNDS = 10


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    """Processes that share nothing with this one."""
    with ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def store(shared_sql_uri: str) -> Iterator[SqlAlchemyStore]:
    """A store on a database that other tests use too."""
    with SqlAlchemyStore(shared_sql_uri) as store:
        yield store


@pytest.fixture
def run_id(store: SqlAlchemyStore) -> str:
    """A run of the default experiment."""
    return store.create_run("0", "ada", 1000, [], None).info.run_id


def outcome(call: Callable[[], object]) -> str:
    """How a call ended, in one word."""
    try:
        call()
    except TrackspecError as error:
        return error.error_code.value
    return "done"


def race(store_uri: str, worker: int, run_id: str, names: list[str]) -> list[tuple[str, str, str]]:
    """One process's part: for each name an experiment of it, a param of its own value, and a tag."""
    with SqlAlchemyStore(store_uri) as store:
        return [
            (
                outcome(lambda: store.create_experiment(name, "s3://bucket")),  # noqa: B023 - called here
                outcome(lambda: store.log_param(run_id, Param(name, str(worker)))),  # noqa: B023
                outcome(lambda: store.set_tag(run_id, RunTag(name, str(worker)))),  # noqa: B023
            )
            for name in names
        ]


def test_processes_that_race_have_one_winner(
    processes: ProcessPoolExecutor, shared_sql_uri: str, store: SqlAlchemyStore, run_id: str
) -> None:
    """Of each experiment's name and each param there is one winner, and no tag is refused."""
    names = [f"race-{uuid.uuid4()}" for _ in range(ROUNDS)]
    parts = [processes.submit(race, shared_sql_uri, worker, run_id, names) for worker in range(WORKERS)]
    outcomes = [part.result() for part in parts]

    run = store.get_run(run_id)
    for name, *ended in zip(names, *outcomes, strict=True):
        created, logged, tagged = zip(*ended, strict=True)
        assert sorted(created) == ["RESOURCE_ALREADY_EXISTS"] * (WORKERS - 1) + ["done"]
        assert sorted(logged) == ["INVALID_PARAMETER_VALUE"] * (WORKERS - 1) + ["done"]
        assert set(tagged) == {"done"}
        assert run.data.params[name] == str(logged.index("done"))
        assert store.get_experiment_by_name(name) is not None


def test_batches_in_opposite_orders_all_finish(store: SqlAlchemyStore, run_id: str) -> None:
    """Batches and inputs that touch the same rows in opposite orders do not fail each other."""
    keys = [f"k{number}" for number in range(20)]

    def log(worker: int) -> None:
        order = keys if worker % 2 else keys[::-1]
        for step in range(ROUNDS):
            metrics = [Metric(key, float(worker), 0, step) for key in order]
            params = [Param(key, "same") for key in order]
            store.log_batch(run_id, metrics, params, [RunTag(key, str(worker)) for key in order])
        store.log_inputs(run_id, [DatasetInput(Dataset(key, "1", "t", "s")) for key in order])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(log, range(8)))

    run = store.get_run(run_id)
    assert {metric.value for metric in run.data.latest_metrics.values()} == {7.0}
    assert {metric.step for metric in run.data.latest_metrics.values()} == {ROUNDS - 1}
    assert len(store.get_metric_history(run_id, "k0")) == 8 * ROUNDS
    assert len(run.inputs.dataset_inputs) == len(keys)


def test_concurrent_points_lose_nothing(store: SqlAlchemyStore, run_id: str) -> None:
    """Points logged one by one by many threads are all there, and the latest is the greatest."""

    def log(worker: int) -> None:
        for step in range(25):
            store.log_metric(run_id, Metric("m", float(worker), 0, step))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(log, range(8)))

    assert len(store.get_metric_history(run_id, "m")) == 200
    assert store.get_run(run_id).data.latest_metrics["m"] == Metric("m", 7.0, 0, 24)


def test_a_run_is_not_created_in_an_experiment_that_is_being_deleted(store: SqlAlchemyStore) -> None:
    """Whatever order the two take place in, no active run is left in a deleted experiment."""
    for _ in range(ROUNDS):
        experiment_id = store.create_experiment(f"race-{uuid.uuid4()}", "s3://bucket")
        with ThreadPoolExecutor(4) as pool:
            creating = [
                pool.submit(outcome, lambda: store.create_run(experiment_id, "", 1, [], None))  # noqa: B023
                for _ in range(3)
            ]
            deleting = pool.submit(outcome, lambda: store.delete_experiment(experiment_id))  # noqa: B023

        assert deleting.result() == "done"
        assert {part.result() for part in creating} <= {"done", "INVALID_STATE"}
        assert store.search_runs([experiment_id]) == []


def test_a_reader_sees_whole_batches(store: SqlAlchemyStore, run_id: str) -> None:
    """What one call reads, one transaction wrote."""

    def write() -> None:
        for number in range(40):
            text = str(number)
            store.log_batch(
                run_id, [Metric("m", float(number), 0, number)], [Param(text, "")], [RunTag("t", text)]
            )

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        while not writing.done():
            data = store.get_run(run_id).data
            if "t" in data.tags:
                assert data.metrics["m"] == float(data.tags["t"]) == len(data.params) - 1
        writing.result()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_forked_process_uses_connections_of_its_own(store: SqlAlchemyStore, run_id: str) -> None:
    """A store that was opened before a fork serves both processes after it."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            store.set_tag(run_id, RunTag("child", "was here"))
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)

    store.set_tag(run_id, RunTag("parent", "is here"))

    assert status == 0
    assert store.get_run(run_id).data.tags.keys() >= {"child", "parent"}


@pytest.mark.parametrize(
    ("uri", "others", "kill"),
    [
        (
            "postgresql_uri",
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
            "SELECT pg_terminate_backend({})",
        ),
        (
            "mariadb_uri",
            "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
            "KILL {}",
        ),
    ],
    ids=["postgresql", "mariadb"],
)
def test_a_connection_that_died_idle_is_replaced(
    uri: str, others: str, kill: str, request: pytest.FixtureRequest
) -> None:
    """A server that closed the idle connections costs the next call nothing but a new one."""
    server_uri = request.getfixturevalue(uri)
    engine = sa.create_engine(server_uri, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with SqlAlchemyStore(server_uri) as store:
        run_id = store.create_run("0", "", 1, [], None).info.run_id
        calls: list[Callable[[], object]] = [
            lambda: store.get_run(run_id),
            lambda: store.set_tag(run_id, RunTag("t", "v")),
            lambda: store.log_batch(run_id, [], [Param("p", "v")], [RunTag("u", "v")]),
        ]
        for call in calls:
            with engine.connect() as connection:
                for number in connection.exec_driver_sql(others).scalars().all():
                    connection.exec_driver_sql(kill.format(number))

            assert outcome(call) == "done"


def test_a_locked_file_is_waited_for_within_the_bound(tmp_path: Path) -> None:
    """A writer that never lets go makes others fail in the end; readers are served all the while."""
    path = tmp_path / "s.db"
    with SqlAlchemyStore(f"sqlite:///{path}?timeout=0.2") as store:
        run_id = store.create_run("0", "", 1, [], None).info.run_id
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        ended = [
            outcome(lambda: store.set_tag(run_id, RunTag("t", "v"))),
            outcome(lambda: store.log_batch(run_id, [], [], [RunTag("t", "v"), RunTag("u", "v")])),
            outcome(lambda: store.get_run(run_id)),
        ]
        other.close()
        ended.append(outcome(lambda: store.set_tag(run_id, RunTag("t", "v"))))

    busy = ErrorCode.TEMPORARILY_UNAVAILABLE.value
    assert ended == [busy, busy, "done", "done"]
