"""A file store whose files are damaged: each loss is reported for what was lost, and the rest is served."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trackspec.entities import Dataset, DatasetInput, Experiment, Metric, Param, Run, RunTag, ViewType
from trackspec.errors import TrackspecError
from trackspec_reference.tracking.file_layout.log_format import encode, header
from trackspec_reference.tracking.file_store import FileStore

LOST = "DATA_LOSS"


@dataclass(frozen=True)
class Kept:
    """What a store held before it was damaged.

    :ivar root: its directory.
    :ivar runs: all runs, by name.
    :ivar histories: the points of the metric ``m``, by the run's name.
    """

    root: Path
    experiments: dict[str, Experiment]
    runs: dict[str, Run]
    histories: dict[str, list[Metric]]

    @property
    def ids(self) -> list[str]:
        """The ids of the experiments."""
        return [experiment.experiment_id for experiment in self.experiments.values()]

    def path(self, pattern: str) -> Path:
        """A file of the store, by a pattern with the ids of experiments and runs in the place of their names."""
        names = {name: experiment.experiment_id for name, experiment in self.experiments.items()}
        (path,) = self.root.glob(
            pattern.format(**names, **{name: run.info.run_id for name, run in self.runs.items()})
        )
        return path

    def copied_to(self, root: Path) -> Kept:
        """The same in another directory."""
        shutil.copytree(self.root, root)
        return replace(self, root=root)


def uri(root: Path) -> str:
    """The URI of the store in a directory."""
    return f"file:{root}?durability=process"


def dataset(name: str) -> DatasetInput:
    """A dataset input."""
    return DatasetInput(Dataset(name, "1", "t", "s"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A small store that has each kind of file: runs with and without a log in two experiments."""
    root = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACKSPEC_ARTIFACT_ROOT", "s3://b")  # short, as every byte is damaged in turn
        FileStore(uri(root)).close()
    with FileStore(uri(root)) as store:
        store.create_experiment("other", "s3://b")
        experiments = {found.name: found for found in store.search_experiments()}
        for name, experiment_id in ("a", "0"), ("b", "0"), ("c", experiments["other"].experiment_id):
            for run_name in name, f"{name}_new":
                run_id = store.create_run(experiment_id, "", 1, [], run_name).info.run_id
                if run_name == name:
                    store.log_batch(run_id, [Metric("m", 0.5, 1)], [Param("p", "v")], [])
                    store.log_inputs(run_id, [dataset("d")])
                    store.log_metric(run_id, Metric("m", 0.25, 2, 1))
        runs = {run.info.run_name: run for run in store.search_runs(["0", experiments["other"].experiment_id])}
        histories = {name: list(store.get_metric_history(run.info.run_id, "m")) for name, run in runs.items()}
    assert len(runs) == 6
    return Kept(root, experiments, runs, histories)


@pytest.fixture
def kept(whole: Kept, tmp_path: Path) -> Kept:
    """A copy of that store for the test to damage."""
    return whole.copied_to(tmp_path / "store")


FILES = {
    "run log": "experiments/0/runs/{a}.log",
    "run register": "experiments/0/runs.log",
    "experiment log": "experiments/0/experiment.log",
    "dataset index": "experiments/0/datasets.log",
    "name": f"names/{hashlib.sha256(b'Default').hexdigest()}",
    "configuration": "trackspec.json",
}
"""A file of each kind."""

MAY_LOSE: dict[str, set[str]] = {
    "run log": {"run a"},
    "run register": {"run a_new", "run b_new"},
    "experiment log": {"experiment Default"},
    "dataset index": set(),
    "name": set(),
    "configuration": set(),
}


def answer(call: Callable[[], Any]) -> Any:
    """What a call returns, or the code of the error that it raises."""
    try:
        return call()
    except TrackspecError as error:
        return error.error_code.value


def lost(kept: Kept, store: FileStore) -> set[str]:
    """What cannot be read any more; everything else is as it was, alone and in searches."""
    gone = set()
    for name, experiment in kept.experiments.items():
        found = answer(lambda: store.get_experiment(experiment.experiment_id))  # noqa: B023 - called here
        if found != experiment:
            assert found == LOST, name
            gone.add(f"experiment {name}")
    for name, run in kept.runs.items():
        found = [
            answer(lambda: store.get_run(run.info.run_id)),  # noqa: B023
            answer(lambda: list(store.get_metric_history(run.info.run_id, "m"))),  # noqa: B023
        ]
        if found != [run, kept.histories[name]]:
            assert found == [LOST, LOST], name
            gone.add(f"run {name}")
    for filter_string in None, "metrics.m < 1":
        found = store.search_runs(kept.ids, filter_string, ViewType.ALL)
        expected = [run for name, run in kept.runs.items() if f"run {name}" not in gone]
        matching = [run for run in expected if filter_string is None or run.data.metrics]
        assert sorted(found, key=repr) == sorted(matching, key=repr)
    experiments = [experiment for name, experiment in kept.experiments.items() if f"experiment {name}" not in gone]
    assert sorted(store.search_experiments(), key=repr) == sorted(experiments, key=repr)
    return gone


def assert_others_take_writes(kept: Kept, store: FileStore, gone: set[str]) -> None:
    """What was not lost is changed as before, and what was lost refuses to be, for one reason."""
    for name, run in kept.runs.items():
        ended = answer(lambda: store.set_tag(run.info.run_id, RunTag("t", "v")))  # noqa: B023
        assert ended == (LOST if f"run {name}" in gone else None), name
    for name, experiment in kept.experiments.items():
        ended = answer(lambda: store.rename_experiment(experiment.experiment_id, f"{name} 2"))  # noqa: B023
        assert ended == (LOST if f"experiment {name}" in gone else None), name
    other = store.create_run(kept.experiments["other"].experiment_id, "", 1, [], None).info.run_id
    store.log_inputs(other, [dataset("d")])
    store.log_metric(other, Metric("m", 1.0, 1))
    assert store.get_run(other).data.metrics == {"m": 1.0}


def flipped(content: bytes, position: int, bit: int) -> bytes:
    """Content with one bit changed."""
    return content[:position] + bytes([content[position] ^ (1 << bit)]) + content[position + 1 :]


# -- byte by byte -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_ends_too_early_loses_nothing_of_others(kind: str, kept: Kept) -> None:
    """Cut off at each byte, a file costs what was behind, and the store says so."""
    path = kept.path(FILES[kind])
    content = path.read_bytes()
    losses = []
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with FileStore(uri(kept.root)) as store:
            losses.append(lost(kept, store))
    path.write_bytes(content)

    assert losses[0] == MAY_LOSE[kind]
    assert set.union(*losses) == MAY_LOSE[kind]
    if kind != "run register":  # its records stand alone
        assert all(loss == losses[0] for loss in losses)


@pytest.mark.parametrize("kind", [kind for kind in FILES if kind != "configuration"])
def test_a_bit_that_is_flipped_alters_nothing(kind: str, kept: Kept) -> None:
    """With one bit of each byte flipped, what is read is as it was, or reported as lost."""
    path = kept.path(FILES[kind])
    content = path.read_bytes()
    generator = random.Random(5)
    losses = []
    for position in range(len(content)):
        path.write_bytes(flipped(content, position, generator.randrange(8)))
        with FileStore(uri(kept.root)) as store:
            losses.append(lost(kept, store))

    assert set.union(*losses) == MAY_LOSE[kind]
    if kind == "run log":
        assert all(losses[32:])  # behind the header no bit can be spared


def test_a_damaged_configuration_costs_the_configuration(kept: Kept) -> None:
    """With any bit of it flipped the runs are served, or the store is refused for its version."""
    path = kept.path("trackspec.json")
    content = path.read_bytes()
    refused = []
    for position in range(len(content)):
        for bit in range(8):
            path.write_bytes(flipped(content, position, bit))
            opened = answer(lambda: FileStore(uri(kept.root)))
            if isinstance(opened, FileStore):
                assert opened.get_run(kept.runs["a"].info.run_id) == kept.runs["a"]
                assert isinstance(answer(opened.get_artifact_root), str)
                opened.close()
            else:
                refused.append((opened, content[position : position + 1]))

    assert set(refused) == {("INVALID_PARAMETER_VALUE", b"1")}


# -- whole files --------------------------------------------------------------------------------------------------


def _removed(path: Path) -> None:
    path.unlink()


def _a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


WAYS: dict[str, Callable[[Path], object]] = {
    "emptied": lambda path: path.write_bytes(b""),
    "noise": lambda path: path.write_bytes(random.Random(1).randbytes(500)),
    "NULs": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "blank lines": lambda path: path.write_bytes(b"\n" * 400),
    "text": lambda path: path.write_text("This is no log.\n" * 20),
    "another log": lambda path: path.write_bytes(_another_log(path).read_bytes()),
    "records of no kind": lambda path: path.write_bytes(
        _log({"colour": "red"}, ["list"], {"run": 5}, {"run": {}})
    ),
    "a record of another time": lambda path: path.write_bytes(path.read_bytes() + encode({"colour": "red"})),
    "a record of less than nothing": lambda path: path.write_bytes(path.read_bytes() + b"0badcafe-9999999 {}\n"),
    "a directory": _a_directory,
    "removed": _removed,
}


def _another_log(path: Path) -> Path:
    root = next(place for place in path.parents if (place / "experiments").is_dir())
    return next(root.glob("experiments/[1-9]*/runs/*.log"))


def _log(*bodies: Any) -> bytes:
    lines = b"".join(map(encode, bodies))
    return header(32 + len(lines)) + lines


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_something_else_costs_itself(kind: str, way: str, kept: Kept) -> None:
    """Whatever takes the place of a file, the rest of the store is read, searched and written."""
    WAYS[way](kept.path(FILES[kind]))

    with FileStore(uri(kept.root)) as store:
        gone = lost(kept, store)
        assert gone <= MAY_LOSE[kind]
        assert_others_take_writes(kept, store, gone)
    with FileStore(uri(kept.root)) as store:
        assert {run.info.run_name for run in store.search_runs(kept.ids, "tags.t = 'v'")} == {
            name for name in kept.runs if f"run {name}" not in gone
        }
    if kind in ("run log", "experiment log") and not way.startswith("a record of"):  # which come behind the others
        assert gone == MAY_LOSE[kind]


@pytest.mark.parametrize("directory", ["experiments/0/runs", "experiments/0", "names"])
@pytest.mark.parametrize("way", ["removed", "a file"])
def test_a_directory_that_is_gone_costs_what_was_in_it(directory: str, way: str, kept: Kept) -> None:
    """The other experiment is served, alone and in searches."""
    shutil.rmtree(kept.root / directory)
    if way == "a file":
        (kept.root / directory).write_text("no directory")

    opened = answer(lambda: FileStore(uri(kept.root)))

    if (directory, way) == ("names", "a file"):
        assert opened == "TEMPORARILY_UNAVAILABLE"
        return
    with opened as store:
        assert store.get_run(kept.runs["c"].info.run_id) == kept.runs["c"]
        found = {run.info.run_name for run in store.search_runs(kept.ids)}
        assert {"c", "c_new"} <= found
        assert "other" in {experiment.name for experiment in store.search_experiments()}
        ended = answer(lambda: store.get_run(kept.runs["a"].info.run_id))
    if directory == "experiments/0/runs":
        assert found == {"a_new", "b_new", "c", "c_new"}
        assert ended == LOST
    if directory == "names":
        assert ended == kept.runs["a"]


def test_lost_names_are_made_anew(kept: Kept) -> None:
    """Whoever removes the reservations gets them back from the experiments, when the store is opened."""
    shutil.rmtree(kept.root / "names")

    with FileStore(uri(kept.root)) as store:
        assert store.get_experiment_by_name("other") == kept.experiments["other"]
        assert answer(lambda: store.create_experiment("other")) == "RESOURCE_ALREADY_EXISTS"
        assert answer(lambda: store.get_experiment_by_name("another")) is None


@pytest.mark.parametrize("content", ["", "999999999999", "0", "\xff", "../0"])
def test_a_name_that_leads_astray_is_found_all_the_same(content: str, kept: Kept) -> None:
    """A reservation counts only if the experiment has the name; otherwise all are looked at."""
    for path in (kept.root / "names").iterdir():
        path.write_text(content)

    with FileStore(uri(kept.root)) as store:
        for name, experiment in kept.experiments.items():
            assert store.get_experiment_by_name(name) == experiment
            assert answer(lambda: store.create_experiment(name)) == "RESOURCE_ALREADY_EXISTS"  # noqa: B023


def test_a_configuration_that_is_lost_can_be_set_again(kept: Kept) -> None:
    """Until then, what needs it says that it is lost."""
    kept.path("trackspec.json").unlink()

    with FileStore(uri(kept.root)) as store:
        assert answer(store.get_artifact_root) == LOST
        assert answer(lambda: store.create_experiment("rootless")) == LOST
        store.set_artifact_root("s3://again")
        assert answer(store.get_artifact_root) == "s3://again"
        assert store.get_experiment(store.create_experiment("rooted")).artifact_location.startswith("s3://again/")


def test_lost_experiments_are_told(kept: Kept) -> None:
    """A store that lost all of its experiments does not start as if it were new."""
    shutil.rmtree(kept.root / "experiments")

    assert answer(lambda: FileStore(uri(kept.root))) == LOST


def test_a_damaged_index_of_datasets_lets_no_dataset_change(kept: Kept) -> None:
    """Without it the first description of a dataset is not known, so that experiment takes no inputs."""
    kept.path(FILES["dataset index"]).write_bytes(b"")

    with FileStore(uri(kept.root)) as store:
        assert answer(lambda: store.log_inputs(kept.runs["a"].info.run_id, [dataset("new")])) == LOST
        assert answer(lambda: store.log_inputs(kept.runs["c"].info.run_id, [dataset("new")])) is None


@pytest.mark.parametrize("damage", [b"", b"}\n\n", b"x"], ids=["cut off", "shifted", "run on"])
@pytest.mark.parametrize("cut", [1, 10, 300])
def test_ids_of_lost_records_lead_nowhere_else(cut: int, damage: bytes, kept: Kept) -> None:
    """Runs that are created behind a register's damaged end are not found under ids of before."""
    path = kept.path(FILES["run register"])
    path.write_bytes(path.read_bytes()[:-cut] + damage)

    with FileStore(uri(kept.root)) as store:
        created = [store.create_run("0", "", 1, [], f"after {number}") for number in range(3)]
        assert [store.get_run(run.info.run_id) for run in created] == created
        assert answer(lambda: store.get_run(kept.runs["b_new"].info.run_id)) == LOST
        found = {run.info.run_name for run in store.search_runs(["0"])}

    assert found >= {"a", "b", "after 0", "after 1", "after 2"}
    assert "b_new" not in found


# -- long logs, and stores that are in use ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, Run, str]:
    """A run whose log has checkpoints: its log, what that holds, the run, and the store's URI."""
    root = tmp_path_factory.mktemp("long")
    with FileStore(uri(root)) as store:
        run_id = store.create_run("0", "", 1, [], None).info.run_id
        for number in range(900):
            store.log_batch(run_id, [Metric("m", number / 7, number, number)], [], [RunTag("t", str(number))])
        run = store.get_run(run_id)
    (path,) = root.rglob(f"{run_id}.log")
    content = path.read_bytes()
    assert content.count(b' {"checkpoint":') > 2
    return path, content, run, uri(root)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), cut=st.booleans())
def test_damage_anywhere_in_a_long_log_is_seen(
    long: tuple[Path, bytes, Run, str], position: float, bit: int, cut: bool
) -> None:
    """A checkpoint spares the decoding of what is before it, not the looking."""
    path, content, run, store_uri = long
    at = int(position * len(content))
    path.write_bytes(content[:at] if cut else flipped(content, at, bit))

    with FileStore(store_uri) as store:
        found = answer(lambda: store.get_run(run.info.run_id))
        points = answer(lambda: len(store.get_metric_history(run.info.run_id, "m")))
        searched = store.search_runs(["0"])

    assert (found, points, searched) in [(LOST, LOST, []), (run, 900, [run])]
    assert found == LOST or at < 32


def test_damage_under_a_store_in_use_is_no_surprise(kept: Kept) -> None:
    """A store that has read a file serves what it read, or says that it is lost; it never fails otherwise."""
    path = kept.path(FILES["run log"])
    content = path.read_bytes()
    generator = random.Random(3)
    for position in range(0, len(content), 3):
        path.write_bytes(content)
        with FileStore(uri(kept.root)) as store:
            assert lost(kept, store) == set()
            path.write_bytes(content[:position])
            assert lost(kept, store) == {"run a"}
            path.write_bytes(flipped(content, position, generator.randrange(8)))
            assert lost(kept, store) <= {"run a"}
            path.unlink()
            assert answer(lambda: store.get_run(kept.runs["a"].info.run_id)) == LOST


def test_damage_between_a_fold_and_a_history_is_seen(kept: Kept) -> None:
    """The points of a history are checked when they are read, though the log was read before."""
    path = kept.path(FILES["run log"])
    content = path.read_bytes()
    run_id = kept.runs["a"].info.run_id
    with FileStore(uri(kept.root)) as store:
        assert store.get_run(run_id) == kept.runs["a"]
        at = content.index(b"0.25")
        with path.open("r+b") as file:
            file.seek(at)
            file.write(b"0.75")

        assert answer(lambda: store.get_metric_history(run_id, "m")) == LOST
