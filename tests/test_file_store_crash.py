"""Writers of a file store that die, disks that fail: what was acknowledged stays, the rest is whole or absent."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.failing_calls import DISK_FULL, DISK_WORN, Died, SystemCalls
from trackspec.entities import (
    Dataset,
    DatasetInput,
    LifecycleStage,
    Metric,
    Param,
    RunTag,
    ViewType,
)
from trackspec.errors import ErrorCode, TrackspecError
from trackspec_reference.tracking.file_layout import folding
from trackspec_reference.tracking.file_layout.log_format import encode
from trackspec_reference.tracking.file_store import FileStore


@dataclass(frozen=True)
class Shelf:
    """A store with something of each kind in it.

    :ivar written: a run with a log.
    :ivar unwritten: a run without one.
    :ivar experiment: their experiment.
    """

    root: Path
    experiment: str
    written: str
    unwritten: str

    @property
    def uri(self) -> str:
        """The URI of the store, whose writes are synced."""
        return f"file:{self.root}"


@pytest.fixture(autouse=True)
def unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Syncing is called and takes no time: no power is lost here."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    monkeypatch.setattr(os, "fdatasync", lambda fd: None)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """A store to copy."""
    root = tmp_path_factory.mktemp("whole")
    with FileStore(f"file:{root}?durability=process") as store:
        store.set_artifact_root("s3://bucket")
        experiment = store.create_experiment("mine")
        store.create_experiment("another")
        written, unwritten, bystander = (
            store.create_run(experiment, "", 1, [], name).info.run_id
            for name in ("written", "unwritten", "bystander")
        )
        for run_id in written, bystander:
            store.log_batch(run_id, [Metric("m", 0.5, 1)], [Param("p", "v")], [RunTag("t", "v")])
            store.log_inputs(run_id, [DatasetInput(Dataset("d", "1", "t", "s"))])
    return Shelf(root, experiment, written, unwritten)


@pytest.fixture
def copied(whole: Shelf, tmp_path: Path) -> Callable[[], Shelf]:
    """Makes copies of that store."""
    numbers = iter(range(10_000))

    def copy() -> Shelf:
        root = tmp_path / str(next(numbers))
        shutil.copytree(whole.root, root)
        return Shelf(root, whole.experiment, whole.written, whole.unwritten)

    return copy


def state(store: FileStore) -> dict[str, Any]:
    """All that a store holds, without times that depend on the clock; nothing of it is unreadable."""
    experiments = store.search_experiments(ViewType.ALL)
    ids = [experiment.experiment_id for experiment in experiments]
    runs = store.search_runs(ids, run_view_type=ViewType.ALL)
    for run in runs:
        assert store.get_run(run.info.run_id) == run
    for experiment in experiments:
        assert store.get_experiment_by_name(experiment.name) == experiment
    return {
        "root": store.get_artifact_root(),
        "experiments": {(found.name, found.lifecycle_stage, tuple(found.tags.items())) for found in experiments},
        "runs": {run.info.run_name: (repr(run.data), repr(run.inputs), run.info.lifecycle_stage) for run in runs},
        "points": {run.info.run_name: store.get_metric_history(run.info.run_id, "m") for run in runs},
    }


BATCH = (
    [Metric("m", float(step), 2, step) for step in range(5)],
    [Param(f"p{number}", "v" * 20) for number in range(5)],
    [RunTag("t", "later"), RunTag("u", "w")],
)

WRITES: dict[str, Callable[[FileStore, Shelf], object]] = {
    "log a batch": lambda store, shelf: store.log_batch(shelf.written, *BATCH),
    "log to a run without a log": lambda store, shelf: store.log_batch(shelf.unwritten, *BATCH),
    "log a param again": lambda store, shelf: store.log_param(shelf.written, Param("p", "v")),
    "log inputs": lambda store, shelf: store.log_inputs(
        shelf.written, [DatasetInput(Dataset("e", "2", "t", "s"))]
    ),
    "delete a run": lambda store, shelf: store.delete_run(shelf.written),
    "create a run": lambda store, shelf: store.create_run(shelf.experiment, "", 1, [RunTag("t", "v")], "created"),
    "create an experiment": lambda store, shelf: store.create_experiment("created"),
    "rename an experiment": lambda store, shelf: store.rename_experiment(shelf.experiment, "renamed"),
    "delete an experiment": lambda store, shelf: store.delete_experiment(shelf.experiment),
    "set the artifact root": lambda store, shelf: store.set_artifact_root("s3://elsewhere"),
}
"""A call of each kind, which repeated has no further effect or is refused."""

REPLACING = {"create an experiment", "set the artifact root"}
"""Calls that end with a file put in its place: once that is done, only syncing can fail."""


@pytest.fixture(params=WRITES)
def write(request: pytest.FixtureRequest) -> str:
    """The name of a call."""
    return str(request.param)


@pytest.fixture(autouse=True)
def checkpoints_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each record of a log is preceded by a checkpoint, so that these are torn too."""
    monkeypatch.setattr(folding, "_CHECKPOINT_DISTANCE", 0)
    monkeypatch.setattr(folding, "_CHECKPOINT_RATIO", 0)


def expected(copied: Callable[[], Shelf], write: str) -> tuple[dict[str, Any], dict[str, Any], int]:
    """What a store holds before a call and after it, and how many system calls change it."""
    shelf = copied()
    with FileStore(shelf.uri) as store:
        before = state(store)
        calls = SystemCalls()
        with calls.patched():
            WRITES[write](store, shelf)
        return before, state(store), len(calls.made)


def outcome(call: Callable[[], object]) -> tuple[ErrorCode | None, str]:
    """How a call ended: the error's code and message."""
    try:
        call()
    except TrackspecError as error:
        return error.error_code, error.message
    return None, ""


def settled(shelf: Shelf, write: str) -> dict[str, Any]:
    """What a store holds once a call was repeated until it had its effect."""
    with FileStore(shelf.uri) as store:
        code, _ = outcome(lambda: WRITES[write](store, shelf))
        assert code in (None, ErrorCode.RESOURCE_ALREADY_EXISTS, ErrorCode.RESOURCE_DOES_NOT_EXIST)
        return state(store)


# -- one call, interrupted wherever it can be ---------------------------------------------------------------------


@pytest.mark.parametrize("torn", [0, 0.5, 1])
def test_a_process_may_end_at_any_system_call(write: str, torn: float, copied: Callable[[], Shelf]) -> None:
    """Whatever was done by then, the call took place as a whole or not at all, and can be made again."""
    before, after, count = expected(copied, write)

    for succeeding in range(count):
        shelf = copied()
        calls = SystemCalls(succeeding, Died(), lasting=True, torn=torn)
        with pytest.raises(Died), calls.patched(), FileStore(shelf.uri) as store:
            WRITES[write](store, shelf)

        with FileStore(shelf.uri) as store:
            assert state(store) in (before, after), calls.made
        if write != "create a run":
            assert settled(shelf, write) == after, calls.made


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("failure", [DISK_FULL, DISK_WORN], ids=["full", "worn"])
def test_any_system_call_may_fail(
    write: str, failure: OSError, lasting: bool, copied: Callable[[], Shelf]
) -> None:
    """The call says so and has no effect, the store goes on reading, and takes writes when the disk does."""
    before, after, count = expected(copied, write)

    for succeeding in range(count):
        shelf = copied()
        calls = SystemCalls(succeeding, failure, lasting=lasting, torn=0.5)
        with FileStore(shelf.uri) as store:
            with calls.patched():
                code, message = outcome(lambda: WRITES[write](store, shelf))  # noqa: B023 - called here
            found = state(store)
            if code is None:  # what failed was not needed
                assert found == after
            elif write in REPLACING or lasting:
                assert found in (before, after), calls.made
            else:
                assert found == before, calls.made
            assert code in (None, ErrorCode.TEMPORARILY_UNAVAILABLE)
            assert code is None or str(failure.strerror) in message
            with FileStore(shelf.uri) as other:
                assert state(other) == found
            if write != "create a run":
                assert settled(shelf, write) == state(store) == after, calls.made


TAILS: dict[str, Callable[[bytes, int], bytes]] = {
    "nothing": lambda line, length: line[:length],
    "NULs": lambda line, length: line[:length].ljust(len(line), b"\0"),
    "noise": lambda line, length: line[:length] + random.Random(length).randbytes(len(line) - length),
    "the end": lambda line, length: bytes(length) + line[length:],
}
"""What may have reached the disk of a line by the time that the power is lost."""

APPENDED = {
    "log a batch": "experiments/*/runs/{written}.log",
    "log inputs": "experiments/{experiment}/datasets.log",
    "create a run": "experiments/{experiment}/runs.log",
    "delete an experiment": "experiments/{experiment}/experiment.log",
}


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("write", APPENDED)
def test_a_line_may_be_cut_short_at_any_byte(write: str, tail: str, copied: Callable[[], Shelf]) -> None:
    """What is behind the mark was not acknowledged: it is passed over, and overwritten."""
    shelf = copied()
    (path,) = shelf.root.glob(APPENDED[write].format(**vars(shelf)))
    old = path.read_bytes()
    with FileStore(shelf.uri) as store:
        before = state(store)
        WRITES[write](store, shelf)
        after = state(store)
    line = path.read_bytes()[len(old) :]
    shelf = copied()
    (path,) = shelf.root.glob(APPENDED[write].format(**vars(shelf)))

    for length in range(len(line)):
        path.write_bytes(old + TAILS[tail](line, length))
        with FileStore(shelf.uri) as store:
            found = state(store)
            assert found == before or (tail == "the end" and length == 0)
        if length % 10 == 5 and write != "log inputs":
            assert settled(shelf, write) == after
            shelf = copied()
            (path,) = shelf.root.glob(APPENDED[write].format(**vars(shelf)))


def test_what_a_cut_write_left_is_not_read_behind_the_next_one(copied: Callable[[], Shelf]) -> None:
    """A record that was whole behind a torn one stays unread, also if the next write ends where it begins."""
    shelf = copied()
    (path,) = shelf.root.glob(f"experiments/*/runs/{shelf.written}.log")
    old = path.read_bytes()
    with FileStore(shelf.uri) as store:
        store.set_tag(shelf.written, RunTag("t", "later"))
        after = state(store)
    new = path.read_bytes()
    path.write_bytes(old + bytes(len(new) - len(old)) + encode({"tags": {"t": "never"}}))

    with FileStore(shelf.uri) as store:
        store.set_tag(shelf.written, RunTag("t", "later"))
    assert path.read_bytes() == new
    with FileStore(shelf.uri) as store:
        assert state(store) == after


def test_what_was_read_of_a_write_that_failed_does_not_count(
    copied: Callable[[], Shelf], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A point that was seen before it could not be synced is gone, also if the next one takes as many bytes."""
    shelf = copied()
    with FileStore(shelf.uri) as store:

        def values() -> list[float]:
            store.get_run(shelf.written)
            return [point.value for point in store.get_metric_history(shelf.written, "m")]

        seen = []

        def failing(fd: int) -> None:
            seen.append(values())
            raise DISK_WORN

        with monkeypatch.context() as patched:
            patched.setattr(os, "fdatasync", failing)
            code, _ = outcome(lambda: store.log_metric(shelf.written, Metric("m", 1.5, 2, 1)))
        with FileStore(shelf.uri) as other:
            other.log_metric(shelf.written, Metric("m", 2.5, 2, 1))

        assert code is ErrorCode.TEMPORARILY_UNAVAILABLE
        assert seen == [[0.5, 1.5]]
        assert values() == [0.5, 2.5]
        assert store.get_run(shelf.written).data.metrics == {"m": 2.5}


def test_what_was_read_of_a_write_under_way_counts_once(
    copied: Callable[[], Shelf], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader may take in a record before its writer does."""
    shelf = copied()
    with FileStore(shelf.uri) as store:
        monkeypatch.setattr(os, "fdatasync", lambda fd: store.get_run(shelf.written))
        store.delete_tag(shelf.written, "t")

        assert "t" not in store.get_run(shelf.written).data.tags
        with FileStore(shelf.uri) as other:
            assert state(other) == state(store)


def test_a_file_that_may_not_grow_takes_no_half_of_a_batch(copied: Callable[[], Shelf]) -> None:
    """The system itself cuts a write short at a limit; the store takes back what was written of it."""
    shelf = copied()
    (path,) = shelf.root.glob(f"experiments/*/runs/{shelf.written}.log")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with FileStore(shelf.uri) as store:
        before = state(store)
        for room in (0, 1, 100, 400):
            resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + room, limits[1]))
            try:
                code, message = outcome(lambda: store.log_batch(shelf.written, *BATCH))
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            assert code is ErrorCode.TEMPORARILY_UNAVAILABLE
            assert "File too large" in message
            assert state(store) == before
        store.log_batch(shelf.written, *BATCH)
        assert len(store.get_metric_history(shelf.written, "m")) == 6


# -- writers that are killed --------------------------------------------------------------------------------------

ROUNDS = 60
SIZE = 8


def write_until_killed(store_uri: str, number: int, acknowledge: Callable[[Any], None]) -> None:
    """A writer of all kinds of things, each acknowledged once it is written."""
    store = FileStore(store_uri)
    experiment = store.create_experiment(f"experiment {number}")
    acknowledge(["experiment", experiment, f"experiment {number}"])
    for batch in range(10_000):
        if batch % 20 == 0:
            run_id = store.create_run(
                "0" if batch % 40 else experiment, "", 1, [], f"{number}/{batch}"
            ).info.run_id
            acknowledge(["run", run_id])
        acknowledge(["intent", run_id, batch])
        store.log_batch(
            run_id,
            [Metric(f"m{batch}", float(step), 1, step) for step in range(SIZE)],
            [Param(f"p{batch}/{position}", "v") for position in range(SIZE)],
            [RunTag(f"t{batch}/{position}", "v") for position in range(SIZE)] + [RunTag("last", str(batch))],
        )
        acknowledge(["batch", run_id, batch])
        if batch % 7 == 3:
            store.log_inputs(run_id, [DatasetInput(Dataset(f"d{batch}", "1", "t", "s"))])
            acknowledge(["inputs", run_id, f"d{batch}"])
        if batch % 31 == 30:
            store.rename_experiment(experiment, f"experiment {number} at {batch}")
            acknowledge(["experiment", experiment, f"experiment {number} at {batch}"])


def killed_writer(store_uri: str, number: int, after: float) -> list[list[Any]]:
    """What a forked writer said until it was killed, some seconds after its first word."""
    listening, speaking = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(listening)
            write_until_killed(
                store_uri, number, lambda said: os.write(speaking, json.dumps(said).encode() + b"\n") and None
            )
        finally:
            os._exit(1)
    os.close(speaking)
    with open(listening, "rb") as said:
        first = said.readline()
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
        heard = (first + said.read()).splitlines(keepends=True)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    return [json.loads(line) for line in heard if line.endswith(b"\n")]


def assert_kept(store: FileStore, said: list[list[Any]]) -> None:
    """All that was acknowledged is there, and what was under way is there as a whole or not at all."""
    names = {experiment: name for kind, experiment, name in (word for word in said if word[0] == "experiment")}
    for experiment, name in names.items():
        found = store.get_experiment(experiment)
        assert found.name.startswith(name.split(" at ")[0])
        assert store.get_experiment_by_name(found.name) == found
    runs = {run_id: store.get_run(run_id) for kind, run_id, *_ in said if kind == "run"}
    for kind, run_id, *what in said:
        if kind in ("intent", "batch"):
            data = runs[run_id].data
            points = store.get_metric_history(run_id, f"m{what[0]}")
            sizes = {
                len(points),
                sum(key.startswith(f"p{what[0]}/") for key in data.params),
                sum(key.startswith(f"t{what[0]}/") for key in data.tags),
            }
            assert sizes == {SIZE} or (kind == "intent" and sizes == {0})
        elif kind == "inputs":
            assert what[0] in {used.dataset.name for used in runs[run_id].inputs.dataset_inputs}
    searched = {run.info.run_id for run in store.search_runs(["0", *names], run_view_type=ViewType.ALL)}
    assert runs.keys() <= searched
    assert all(run.info.lifecycle_stage is LifecycleStage.ACTIVE for run in runs.values())


def test_a_writer_may_be_killed_at_any_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Time after time on the same store, nothing acknowledged is lost, nothing is half there or unreadable."""
    store_uri = f"file:{tmp_path}/store"
    generator = random.Random(11)
    said: list[list[Any]] = []
    acknowledged = 0
    for number in range(ROUNDS):
        said = killed_writer(store_uri, number, generator.uniform(0, 0.03))
        acknowledged += len(said)
        with FileStore(store_uri) as store:
            assert_kept(store, said)
            assert len(store.search_experiments()) == number + 2

    assert acknowledged > 5 * ROUNDS
    assert caplog.messages == []
