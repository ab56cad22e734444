"""Many processes on one file store."""

from __future__ import annotations

import multiprocessing
import os
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, wait
from pathlib import Path

import pytest

from trackspec.entities import Dataset, DatasetInput, Metric, Param, RunTag, ViewType
from trackspec.errors import ErrorCode, TrackspecError
from trackspec.search.order import metric_order
from trackspec_reference.tracking.file_layout import locking
from trackspec_reference.tracking.file_store import FileStore

WORKERS = 4
ROUNDS = 50
POINTS = 100
DEADLINE = 180
"""Seconds until something that must happen is given up."""


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    """Processes that share nothing with this one."""
    with ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def store_uri(tmp_path: Path) -> str:
    """The URI of a store of its own for the test."""
    return f"file:{tmp_path}/store?durability=process"


@pytest.fixture
def store(store_uri: str) -> Iterator[FileStore]:
    """That store."""
    with FileStore(store_uri) as store:
        yield store


@pytest.fixture
def run_id(store: FileStore) -> str:
    """A run of the default experiment."""
    return store.create_run("0", "ada", 1000, [], None).info.run_id


def outcome(call: Callable[[], object]) -> str:
    """How a call ended, in one word."""
    try:
        call()
    except TrackspecError as error:
        return error.error_code.value
    return "done"


def together(meeting: Path, number: int) -> None:
    """Wait until as many processes are at this point as there are workers."""
    (meeting / f"{number}-{os.getpid()}").touch()
    deadline = time.monotonic() + DEADLINE
    while sum(name.startswith(f"{number}-") for name in os.listdir(meeting)) < WORKERS:
        assert time.monotonic() < deadline


@pytest.fixture
def meeting(tmp_path: Path) -> Path:
    """Where processes wait for each other."""
    place = tmp_path / "meeting"
    place.mkdir()
    return place


def race(store_uri: str, meeting: Path, worker: int, run_id: str, names: list[str]) -> list[tuple[str, ...]]:
    """One process's part: for each name, at the same time as the others, calls that only one can win."""
    with FileStore(store_uri) as store:
        mine = store.create_experiment(f"worker {worker}")
        ended = []
        for number, name in enumerate(names):
            together(meeting, number)
            calls = [
                lambda: store.create_experiment(name, "s3://bucket"),  # noqa: B023 - called here
                lambda: store.rename_experiment(mine, f"{name} 2"),  # noqa: B023
                lambda: store.log_param(run_id, Param(name, str(worker))),  # noqa: B023
                lambda: store.set_tag(run_id, RunTag(name, str(worker))),  # noqa: B023
            ]
            ended.append(tuple(map(outcome, calls)))
        return ended


def test_processes_that_race_have_one_winner(
    processes: ProcessPoolExecutor, store_uri: str, store: FileStore, run_id: str, meeting: Path
) -> None:
    """Of each experiment's name and each param there is one winner, and no tag is refused."""
    names = [f"race {number}" for number in range(ROUNDS)]
    parts = [processes.submit(race, store_uri, meeting, worker, run_id, names) for worker in range(WORKERS)]
    outcomes = [part.result(DEADLINE) for part in parts]

    run = store.get_run(run_id)
    for name, *ended in zip(names, *outcomes, strict=True):
        created, renamed, logged, tagged = zip(*ended, strict=True)
        assert sorted(created) == ["RESOURCE_ALREADY_EXISTS"] * (WORKERS - 1) + ["done"]
        assert sorted(renamed) == ["RESOURCE_ALREADY_EXISTS"] * (WORKERS - 1) + ["done"]
        assert sorted(logged) == ["INVALID_PARAMETER_VALUE"] * (WORKERS - 1) + ["done"]
        assert set(tagged) == {"done"}
        assert run.data.params[name] == str(logged.index("done"))
    found = [experiment.name for experiment in store.search_experiments()]
    assert len(found) == len(set(found)) == 1 + ROUNDS + WORKERS


def open_new(store_uri: str, meeting: Path, worker: int) -> list[str]:
    """One process's part: open stores that nobody has opened before, at the same time as the others."""
    ended = []
    for number in range(10):
        together(meeting, number)
        with FileStore(store_uri.format(number)) as store:
            run_id = store.create_run("0", str(worker), 1, [], None).info.run_id
            store.log_metric(run_id, Metric("m", 1.0, 1))
            ended.append(run_id)
    return ended


def test_processes_that_open_a_new_store_at_once_share_it(
    processes: ProcessPoolExecutor, tmp_path: Path, meeting: Path
) -> None:
    """One of them sets it up, and what each of them writes is there."""
    uris = f"file:{tmp_path}/deep/{{}}/store?durability=process"
    parts = [processes.submit(open_new, uris, meeting, worker) for worker in range(WORKERS)]
    created = list(zip(*[part.result(DEADLINE) for part in parts], strict=True))

    for number, run_ids in enumerate(created):
        with FileStore(uris.format(number)) as store:
            assert {run.info.run_id for run in store.search_runs(["0"], "metrics.m = 1")} == set(run_ids)
            assert [experiment.name for experiment in store.search_experiments()] == ["Default"]


def first_writes(store_uri: str, meeting: Path, worker: int, run_ids: list[str]) -> None:
    """One process's part: be among the first to write to runs that have no log yet."""
    with FileStore(store_uri) as store:
        for number, run_id in enumerate(run_ids):
            together(meeting, number)
            store.log_batch(run_id, [Metric("m", float(worker), 0, worker)], [], [RunTag(f"t{worker}", "v")])


def test_first_writes_of_a_run_meet_in_one_log(
    processes: ProcessPoolExecutor, store_uri: str, store: FileStore, meeting: Path
) -> None:
    """A run that several processes write to first gets one log, with all that they wrote."""
    run_ids = [store.create_run("0", "", 1, [], None).info.run_id for _ in range(ROUNDS)]
    parts = [processes.submit(first_writes, store_uri, meeting, worker, run_ids) for worker in range(WORKERS)]
    for part in parts:
        part.result(DEADLINE)

    for run_id in run_ids:
        assert [point.value for point in store.get_metric_history(run_id, "m")] == [0.0, 1.0, 2.0, 3.0]
        assert store.get_run(run_id).data.tags.keys() > {f"t{worker}" for worker in range(WORKERS)}


def log(store_uri: str, worker: int, run_id: str) -> list[str]:
    """One process's part: log points and batches to a common run, datasets, and runs of its own."""
    created = []
    with FileStore(store_uri) as store:
        for step in range(POINTS):
            store.log_metric(run_id, Metric("single", float(worker), 0, step))
            store.log_batch(
                run_id,
                [Metric(f"batch {key}", float(worker), 0, step) for key in range(5)],
                [Param(f"{worker}/{step}/{key}", "v") for key in range(5)],
                [RunTag("last", f"{worker}/{step}")],
            )
            if step % 10 == 0:
                created.append(store.create_run("0", "", worker, [RunTag("step", str(step))], None).info.run_id)
                dataset = Dataset(f"d{step}", "1", "t", f"worker {worker}'s")
                store.log_inputs(created[-1], [DatasetInput(dataset)])
    return created


def test_nothing_that_processes_write_is_lost(
    processes: ProcessPoolExecutor, store_uri: str, store: FileStore, run_id: str
) -> None:
    """All points, params and runs are there, readers see whole batches, and a dataset has one description."""
    parts = [processes.submit(log, store_uri, worker, run_id) for worker in range(WORKERS)]
    deadline = time.monotonic() + DEADLINE
    reads = 0
    while wait(parts, timeout=0).not_done:
        assert time.monotonic() < deadline
        (found,) = store.search_runs(["0"], f"run_id = '{run_id}'")
        for run in found, store.get_run(run_id):
            data = run.data
            steps = {key: metric.step for key, metric in data.latest_metrics.items() if key.startswith("batch")}
            assert len(set(steps.values())) <= 1
            assert len(steps) in (0, 5)
            assert len(data.params) % 5 == 0
            assert "last" not in data.tags or f"{data.tags['last']}/4" in data.params
        history = list(map(metric_order, store.get_metric_history(run_id, "single")))
        assert history == sorted(set(history))
        reads += 1
    created = [run for part in parts for run in part.result()]

    assert reads > 3
    assert len(store.get_metric_history(run_id, "single")) == WORKERS * POINTS
    assert len(store.get_metric_history(run_id, "batch 3")) == WORKERS * POINTS
    assert len(store.get_run(run_id).data.params) == WORKERS * POINTS * 5
    runs = {run.info.run_id: run for run in store.search_runs(["0"])}
    assert runs.keys() == {run_id, *created}
    described = {used.dataset for run in runs.values() for used in run.inputs.dataset_inputs}
    assert len(described) == POINTS // 10


def create_until_deleted(store_uri: str, experiment_ids: list[str]) -> int:
    """One process's part: create runs in experiments for as long as they are active."""
    created = 0
    with FileStore(store_uri) as store:
        for experiment_id in experiment_ids:
            while outcome(lambda: store.create_run(experiment_id, "", 1, [], None)) == "done":  # noqa: B023
                created += 1
    return created


def test_a_run_is_not_created_in_an_experiment_that_is_being_deleted(
    processes: ProcessPoolExecutor, store_uri: str, store: FileStore
) -> None:
    """Whatever order the two take place in, no active run is left in a deleted experiment."""
    ids = [store.create_experiment(f"race-{uuid.uuid4()}", "s3://bucket") for _ in range(ROUNDS)]
    parts = [processes.submit(create_until_deleted, store_uri, ids) for _ in range(WORKERS - 1)]
    deadline = time.monotonic() + DEADLINE
    for experiment_id in ids:
        while not store.search_runs([experiment_id], run_view_type=ViewType.ALL):
            assert time.monotonic() < deadline
        store.delete_experiment(experiment_id)
    created = sum(part.result(DEADLINE) for part in parts)

    assert store.search_runs(ids, max_results=50_000) == []
    deleted, token = 0, None
    while True:
        page = store.search_runs(ids, run_view_type=ViewType.DELETED_ONLY, max_results=50_000, page_token=token)
        deleted, token = deleted + len(page), page.token
        if token is None:
            break
    assert deleted == created


def test_a_lock_that_is_never_let_go_is_waited_for_within_bounds(
    store_uri: str, store: FileStore, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writers fail in the end, in words that say why; readers are served all the while."""
    store.log_metric(run_id, Metric("m", 1.0, 1))
    monkeypatch.setattr(locking, "PATIENCE", 0.05)
    with FileStore(store_uri) as holder, holder._directory.locked(), holder._runs.changing(run_id):
        for write in (
            lambda: store.log_metric(run_id, Metric("m", 2.0, 2)),
            lambda: store.create_experiment("locked out"),
        ):
            with pytest.raises(TrackspecError) as error:
                write()
            assert error.value.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
            assert "locked" in error.value.message
        assert store.get_run(run_id).data.metrics == {"m": 1.0}
        assert len(store.search_runs(["0"])) == 1

    store.log_metric(run_id, Metric("m", 2.0, 2))
    assert store.get_run(run_id).data.metrics == {"m": 2.0}
