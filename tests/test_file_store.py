"""The file store keeps what it is given, in few small files. The conformance suite judges the whole contract."""

from __future__ import annotations

import math
import os
import random
import resource
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from trackspec.entities import (
    Dataset,
    DatasetInput,
    ExperimentTag,
    InputTag,
    LifecycleStage,
    Metric,
    Param,
    RunStatus,
    RunTag,
    ViewType,
)
from trackspec.errors import ErrorCode, TrackspecError
from trackspec.search.order import metric_order
from trackspec_reference.tracking.file_layout import durability, folding, metric_history, runs
from trackspec_reference.tracking.file_store import FileStore


@pytest.fixture
def store_uri(tmp_path: Path) -> str:
    """The URI of a store that is not there yet."""
    return f"file:{tmp_path}/store?durability=process"


@pytest.fixture
def store(store_uri: str) -> Iterator[FileStore]:
    """A new store."""
    with FileStore(store_uri) as store:
        yield store


def new_run(store: FileStore, experiment_id: str = "0", name: str = "first") -> str:
    """A run of a name, by its id."""
    return store.create_run(experiment_id, "ada", 1000, [], name).info.run_id


def the_log(directory: Path, run_id: str) -> Path:
    """The log of a run."""
    (path,) = directory.rglob(f"{run_id}.log")
    return path


# -- what is kept -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("durability", ["power", "process"])
def test_keeps_everything_when_opened_again(tmp_path: Path, durability: str) -> None:
    """What one object of a URI wrote, the next one reads."""
    uri = f"file:{tmp_path}/store?durability={durability}"
    inputs = (DatasetInput(Dataset("d", "1", "local", "f", None, "{}"), (InputTag("use", "train"),)),)
    with FileStore(uri) as store:
        experiment_id = store.create_experiment("kept", "s3://bucket/kept", [ExperimentTag("team", "vision")])
        run_id = store.create_run(experiment_id, "ada", 1, [RunTag("a/b", "x")], "first").info.run_id
        store.log_batch(run_id, [Metric("loss", 0.5, 2, 3)], [Param("lr", "0.1")], [RunTag("a", "y")])
        store.log_inputs(run_id, list(inputs))
        store.update_run_info(run_id, RunStatus.FINISHED, 9, "renamed")
        store.set_artifact_root("s3://bucket/root")
        experiment, run = store.get_experiment(experiment_id), store.get_run(run_id)
    with FileStore(uri) as store:
        assert store.get_experiment(experiment_id) == experiment
        assert store.get_experiment_by_name("kept") == experiment
        assert store.get_run(run_id) == run
        assert store.search_runs([experiment_id]) == [run]
        assert store.get_metric_history(run_id, "loss") == [Metric("loss", 0.5, 2, 3)]
        assert store.get_artifact_root() == "s3://bucket/root"
    assert run.info.run_name == run.data.tags["mlflow.runName"] == "renamed"
    assert run.info.artifact_uri == f"s3://bucket/kept/{run_id}/artifacts"
    assert run.inputs.dataset_inputs == inputs


def test_holds_a_default_experiment_from_the_start(store: FileStore, tmp_path: Path) -> None:
    """The experiment "0" is there, below the artifact root beside it, and cannot be deleted."""
    with pytest.raises(TrackspecError) as error:
        store.delete_experiment("0")

    assert store.get_experiment("0").name == "Default"
    assert store.get_experiment("0").artifact_location == f"{(tmp_path / 'store' / 'artifacts').as_uri()}/0"
    assert error.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE


def test_a_run_that_logged_nothing_costs_no_file(store: FileStore, tmp_path: Path) -> None:
    """A run gets a log with its first write, and is complete without one."""
    before = sorted(tmp_path.rglob("*"))
    run_id = new_run(store)

    assert sorted(tmp_path.rglob("*")) == before
    assert store.get_run(run_id).info.run_name == "first"
    assert [run.info.run_id for run in store.search_runs(["0"], "run_name = 'first'")] == [run_id]
    assert store.get_metric_history(run_id, "m") == []


def test_moving_an_experiment_touches_no_run(store: FileStore, tmp_path: Path) -> None:
    """Deleting and restoring an experiment writes one record, however many runs it has."""
    experiment_id = store.create_experiment("moved")
    ids = [new_run(store, experiment_id) for _ in range(3)]
    store.log_metric(ids[0], Metric("m", 1.0, 1))
    store.delete_run(ids[1])

    def others() -> dict[Path, bytes]:
        files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "experiment.log"]
        return {path: path.read_bytes() for path in files}

    before = others()
    store.delete_experiment(experiment_id)
    deleted = store.search_runs([experiment_id], run_view_type=ViewType.DELETED_ONLY)
    store.restore_experiment(experiment_id)

    assert len(deleted) == 3
    assert {store.get_run(run_id).info.lifecycle_stage for run_id in ids} == {LifecycleStage.ACTIVE}
    assert others() == before


# -- points that name a dataset ----------------------------------------------------------------------------------

PLAIN = Metric("m", 1.0, 1, 1)
NAMED = Metric("m", 1.0, 1, 1, None, "a b\n\N{SNOWMAN}", "d")
RENAMED = Metric("m", 1.0, 1, 1, None, "other", "d")


@pytest.mark.parametrize(
    ("logged", "kept"),
    [
        ([PLAIN, NAMED], PLAIN),
        ([NAMED, PLAIN], NAMED),
        ([NAMED, RENAMED], NAMED),
        ([NAMED, PLAIN, RENAMED], NAMED),
    ],
    ids=["plain first", "named first", "two names", "all"],
)
@pytest.mark.parametrize("at_once", [True, False], ids=["in a batch", "singly"])
def test_of_equal_points_the_first_one_stays(
    store: FileStore, store_uri: str, logged: list[Metric], kept: Metric, at_once: bool
) -> None:
    """Points that differ in their dataset only are one point, with the dataset of the first."""
    run_id = new_run(store)
    other = Metric("m", 0.5, 2, 0, None, "n", "e")
    for points in [[*logged, other]] if at_once else [[point] for point in [*logged, other]]:
        store.log_batch(run_id, points, [], [])
        store.get_metric_history(run_id, "m")

    with FileStore(store_uri) as again:
        for reader in (store, again):
            assert reader.get_metric_history(run_id, "m") == [other, kept]
            assert reader.get_metric_history_bulk_interval([run_id], "m", 10, 1, 1) == [kept]
            assert reader.get_run(run_id).data.latest_metrics == {"m": kept}
            assert reader.search_runs(["0"])[0].data.latest_metrics == {"m": kept}


def test_a_point_without_a_dataset_takes_four_values(store: FileStore, tmp_path: Path) -> None:
    """Only points that name a dataset are longer."""
    run_id = new_run(store)
    store.log_metric(run_id, Metric("m", 0.5, 7, 3))
    store.log_metric(run_id, Metric("m", 0.5, 7, 4, None, "n", "d"))

    lines = the_log(tmp_path, run_id).read_text().splitlines()

    assert [line[17:] for line in lines[-2:]] == [
        '{"metrics":[["m",0.5,7,3]]}',
        '{"metrics":[["m",0.5,7,4,"n","d"]]}',
    ]


# -- logs that grow, and what is kept of them in memory ----------------------------------------------------------


def fill(store: FileStore, run_id: str, records: int) -> None:
    """Write records of every kind to a run, so that its log gets checkpoints."""
    for number in range(records):
        points = [Metric("m", float(number), number, number), Metric(f"k{number % 50}", math.nan, 0)]
        store.log_batch(run_id, points, [Param(f"p{number}", "v")], [RunTag("t", str(number))])
    store.delete_tag(run_id, "t")
    store.log_inputs(run_id, [DatasetInput(Dataset("d", "1", "t", "s"))])
    store.update_run_info(run_id, RunStatus.KILLED, 5, None)


def test_a_long_log_is_read_from_its_last_checkpoint(store: FileStore, store_uri: str, tmp_path: Path) -> None:
    """What a checkpoint says is what all the records before it say."""
    run_id = new_run(store)
    fill(store, run_id, 700)
    written = store.get_run(run_id)
    log = the_log(tmp_path, run_id)
    with FileStore(store_uri) as reopened:
        by_checkpoint = reopened.get_run(run_id)
    assert log.read_bytes().count(b' {"checkpoint":') > 1

    log.write_bytes(log.read_bytes().replace(b'{"checkpoint":{"crc":', b'{"checkpoint":{"cRc":'))
    whole = log.read_bytes()
    with FileStore(store_uri) as reopened, pytest.raises(TrackspecError):
        reopened.get_run(run_id)

    assert repr(by_checkpoint) == repr(written)
    assert whole.count(b'"cRc"') > 1


def test_a_checkpoint_that_does_not_hold_is_passed_over(
    store: FileStore, store_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where its checksum is not that of the records before it, they are read themselves."""
    checkpoint = folding.Folded.due_checkpoint

    def wrong(folded: folding.Folded[Any]) -> Any:
        folded._crc ^= 1
        made = checkpoint(folded)
        folded._crc ^= 1
        return made

    monkeypatch.setattr(folding.Folded, "due_checkpoint", wrong)
    run_id = new_run(store)
    fill(store, run_id, 700)

    with FileStore(store_uri) as reopened:
        assert repr(reopened.get_run(run_id)) == repr(store.get_run(run_id))
    assert the_log(tmp_path, run_id).read_bytes().count(b' {"checkpoint":') > 1


def test_a_history_is_read_on_from_where_it_ended(store: FileStore, store_uri: str) -> None:
    """Points that arrive later, in any order and from any store object, find their place."""
    run_id = new_run(store)
    points = [
        Metric("m", value, time, step) for step in range(-5, 5) for time in (0, 1) for value in (math.nan, 2.0)
    ]
    random.Random(7).shuffle(points)
    with FileStore(store_uri) as other:
        for number, point in enumerate(points * 2):
            (store, other)[number % 2].log_batch(run_id, [Metric("n", 0.0, 0), point], [], [])
            found = store.get_metric_history(run_id, "m")
            assert list(map(metric_order, found)) == sorted(set(map(metric_order, points[: number + 1])))


def test_histories_that_are_kept_take_bounded_room(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The histories asked for last are kept, up to a number of points and of histories."""
    monkeypatch.setattr(metric_history, "_KEPT_POINTS", 100)
    monkeypatch.setattr(metric_history, "_KEPT_HISTORIES", 5)
    ids = [new_run(store) for _ in range(8)]
    for run_id in ids[:4]:
        store.log_batch(run_id, [Metric("m", 0.5, step, step) for step in range(40)], [], [])
    for run_id in ids * 2:
        store.get_metric_history(run_id, "m")

    kept = store._histories._kept.values()

    assert [history.run_id for history in kept] == ids[-5:]
    assert store._histories._points == sum(history.points for history in kept)


def test_what_searches_keep_never_goes_stale(
    store: FileStore, store_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With much room, little and none, a search finds what any store object has written."""
    monkeypatch.setattr(runs, "_KEPT_LOGS", 2)
    for allowance in (1 << 20, 3000, 0):
        monkeypatch.setattr(runs, "_PACKED_ALLOWANCE", allowance)
        monkeypatch.setattr(runs, "_UNPACKED_ALLOWANCE", allowance)
        experiment_id = store.create_experiment(f"room for {allowance}")
        with FileStore(store_uri) as reader:
            ids = [new_run(store, experiment_id) for _ in range(10)]
            for number, run_id in enumerate(ids * 3):
                (store, reader)[number % 2].log_metric(run_id, Metric("m", float(number), 0, number))
                found = {run.info.run_id: run.data.metrics for run in reader.search_runs([experiment_id])}
                assert found.keys() == set(ids)
                assert found[run_id] == {"m": float(number)}


def test_a_search_holds_a_page_and_not_all_runs(store_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a search needs beside what it may keep does not grow with the runs that it reads."""
    monkeypatch.setattr(runs, "_PACKED_ALLOWANCE", 0)
    monkeypatch.setattr(runs, "_UNPACKED_ALLOWANCE", 0)
    with FileStore(store_uri) as store:
        for _ in range(300):
            store.log_batch(new_run(store), [], [Param(f"p{key}", "x" * 5000) for key in range(4)], [])
        tracemalloc.start()
        found = store.search_runs(["0"], max_results=5, order_by=["params.p1", "start_time"])
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert len(found) == 5
    assert peak < 2_000_000  # all runs have 6 MB of params


def test_open_files_do_not_grow_with_the_runs(store: FileStore) -> None:
    """Runs that are written to in turn keep few files open."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
    try:
        ids = [new_run(store) for _ in range(300)]
        for run_id in ids * 2:
            store.log_metric(run_id, Metric("m", 1.0, 1))
        for number in range(50):
            new_run(store, store.create_experiment(f"e{number}"))
        assert len(store.search_runs(["0"], "metrics.m = 1")) == 300
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_write_costs_the_same_among_many_runs(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system calls of creating a run and of logging to it are as many as in an empty experiment."""
    counts: list[str] = []
    for name in ("open", "pread", "pwrite", "stat", "fstat", "scandir", "listdir", "rename", "ftruncate"):
        call = getattr(os, name)
        monkeypatch.setattr(os, name, counted(call, name, counts))

    def calls() -> list[str]:
        counts.clear()
        run_id = new_run(store)
        store.log_metric(run_id, Metric("m", 1.0, 1))
        store.log_metric(run_id, Metric("m", 1.0, 2))
        store.get_run(run_id)
        return list(counts)

    few = [calls() for _ in range(2)][-1]
    for _ in range(500):
        new_run(store)
    many = calls()

    assert few == many
    assert len(many) < 40
    assert "scandir" not in many


def counted(call: Callable[..., Any], name: str, counts: list[str]) -> Callable[..., Any]:
    """A function that notes its calls."""

    def counting(*args: Any, **kwargs: Any) -> Any:
        counts.append(name)
        return call(*args, **kwargs)

    return counting


# -- threads, forks, the end -------------------------------------------------------------------------------------


def test_threads_share_a_store(store: FileStore) -> None:
    """Points, tags and params of many threads are all there, and histories are whole while they grow."""
    run_id = new_run(store)

    def log(worker: int) -> None:
        for step in range(50):
            store.log_batch(
                run_id,
                [Metric("m", float(worker), 0, -step), Metric("m", float(worker), 1, step)],
                [Param(f"p{worker}/{step}", "v")],
                [RunTag("t", str(worker))],
            )
            history = list(map(metric_order, store.get_metric_history(run_id, "m")))
            assert history == sorted(set(history))
            assert len(history) >= 2 * step
            store.search_runs(["0"], f"tags.t = '{worker}'")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(log, range(6)))

    assert len(store.get_metric_history(run_id, "m")) == 600
    assert len(store.get_run(run_id).data.params) == 300
    assert store.get_run(run_id).data.latest_metrics["m"] == Metric("m", 5.0, 1, 49)


def test_more_threads_than_open_logs(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that is forgotten while a thread uses it, and opened a second time, loses nothing."""
    monkeypatch.setattr(store._runs._logs, "_capacity", 1)
    ids = [new_run(store) for _ in range(4)]

    def log(worker: int) -> None:
        for step in range(60):
            store.log_metric(ids[(worker + step) % 4], Metric("m", float(worker), 0, step))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(log, range(6)))

    assert sum(len(store.get_metric_history(run_id, "m")) for run_id in ids) == 360


def in_a_fork(call: Callable[[], object]) -> int:
    """Make a call in a forked process; returns the process's status."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            call()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_forked_process_opens_files_of_its_own(store: FileStore) -> None:
    """A store that was used before a fork serves both processes after it."""
    run_id = new_run(store)
    store.log_metric(run_id, Metric("m", 0.0, 0))

    def write() -> None:
        for step in range(1, 50):
            store.log_metric(run_id, Metric("m", 1.0, 0, step))
        store.create_experiment("the child's")

    with ThreadPoolExecutor(1) as pool:
        child = pool.submit(in_a_fork, write)
        for step in range(50, 100):
            store.log_metric(run_id, Metric("m", 2.0, 0, step))
        store.create_experiment("the parent's")
        assert child.result() == 0

    assert [point.step for point in store.get_metric_history(run_id, "m")] == list(range(100))
    assert {found.name for found in store.search_experiments()} == {"Default", "the child's", "the parent's"}


def test_a_fork_in_the_middle_of_a_write_keeps_no_lock(store: FileStore, store_uri: str) -> None:
    """A process that was forked while another thread held locks neither waits for them nor holds them on."""
    run_id = new_run(store)
    store.log_metric(run_id, Metric("m", 0.0, 0))
    told, tell = os.pipe()

    with store._directory.locked(), store._runs.changing(run_id):
        child = os.fork()
        if child == 0:
            os.close(tell)
            os.read(told, 1)  # until the parent is done
            os._exit(0)
    with FileStore(store_uri) as other:
        other.create_experiment("after the fork")
        other.log_metric(run_id, Metric("m", 1.0, 1))
    os.close(told)
    os.close(tell)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(store.get_metric_history(run_id, "m")) == 2


def test_a_closed_store_says_so(store: FileStore) -> None:
    """It opens no file behind the caller's back, and can be closed again."""
    run_id = new_run(store)
    store.close()
    store.close()

    calls: list[Callable[[], object]] = [
        lambda: store.get_run(run_id),
        lambda: store.log_metric(run_id, Metric("m", 1.0, 1)),
        store.get_artifact_root,
        lambda: store.search_runs(["0"]),
    ]
    for call in calls:
        with pytest.raises(TrackspecError) as error:
            call()
        assert error.value.error_code is ErrorCode.INVALID_STATE


def test_closing_gives_the_files_back(store_uri: str) -> None:
    """A store that was closed keeps no file open, though the object lives on."""
    before = os.listdir("/dev/fd")
    with FileStore(store_uri) as store:
        for _ in range(5):
            store.log_metric(new_run(store), Metric("m", 1.0, 1))
        used = os.listdir("/dev/fd")

    assert len(used) >= len(before) + 5
    assert os.listdir("/dev/fd") == before


def test_durability_says_what_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By default each write is synced before it returns, and with ``process`` none is."""
    synced: list[int] = []
    monkeypatch.setattr(durability.os, "fdatasync", synced.append)
    monkeypatch.setattr(durability, "_FULL_SYNC", None)
    counts = {}
    for option in ("", "?durability=power", "?durability=process"):
        with FileStore(f"file:{tmp_path}/store{option}") as store:
            run_id = new_run(store)
            store.log_param(run_id, Param("p", "v"))
            synced.clear()
            store.log_metric(run_id, Metric("m", 1.0, 1))
            store.log_param(run_id, Param("p", "v"))  # it may be another's, who died before it was synced
            new_run(store)
            counts[option] = len(synced)

    assert counts == {"": 3, "?durability=power": 3, "?durability=process": 0}
