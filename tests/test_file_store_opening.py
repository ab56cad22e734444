"""What a file store does when it is opened: set up, continue, or refuse."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import trackspec
from tests.failing_calls import SystemCalls
from trackspec.entities import Metric, RunTag
from trackspec.errors import ErrorCode, TrackspecError
from trackspec_reference.tracking.file_layout.durability import Durability
from trackspec_reference.tracking.file_store import FileStore


@pytest.fixture(autouse=True)
def unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is synced, which would take most of the time: no power is lost here."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    monkeypatch.setattr(os, "fdatasync", lambda fd: None)


def refusal(store_uri: str) -> TrackspecError:
    """The error with which a URI is refused."""
    with pytest.raises(TrackspecError) as error:
        FileStore(store_uri)
    return error.value


def contents(directory: Path) -> dict[str, bytes | None]:
    """All that is in a directory: files with what they hold, directories with None."""
    return {
        str(path.relative_to(directory)): None if path.is_dir() else path.read_bytes()
        for path in directory.rglob("*")
    }


def is_usable(store_uri: str) -> bool:
    """Whether a store keeps what is written to it when it is opened again."""
    with FileStore(store_uri) as store:
        run_id = store.create_run("0", "ada", 1, [], None).info.run_id
        store.log_metric(run_id, Metric("m", 1.0, 1))
    with FileStore(store_uri) as store:
        return store.get_run(run_id).data.metrics == {"m": 1.0}


# -- URIs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("store_uri", "directory"),
    [
        ("file:{place}/store", "store"),
        ("file://{place}/store", "store"),
        ("file://localhost{place}/store", "store"),
        ("FILE:{place}/store", "store"),
        ("{place}/store", "store"),
        ("{place}/store/", "store"),
        ("{place}/a/../store", "store"),
        ("{place}/made/on/the/way", "made/on/the/way"),
        ("{place}/with space", "with space"),
        ("file:{place}/with%20space", "with space"),
        ("file:{place}/100%25", "100%"),
        ("{place}/100%25", "100%25"),
        ("{place}/a#b", "a#b"),
        ("file:{place}/a%23b%3Fc", "a#b?c"),
        ("{place}/données-\N{SNOWMAN}", "données-\N{SNOWMAN}"),
        ("file:{place}/donn%C3%A9es", "données"),
        ("file:{place}/raw%FFbyte", os.fsdecode(b"raw\xffbyte")),
        ("file:{place}/a:b", "a:b"),
        ("{place}/store?durability=process", "store"),
        ("file:{place}/store?durability=power", "store"),
        ("file:{place}/store?", "store"),
    ],
)
def test_a_uri_names_a_directory(store_uri: str, directory: str, tmp_path: Path) -> None:
    """Each way to write a path leads to the directory that it means."""
    assert is_usable(store_uri.format(place=tmp_path))

    assert (tmp_path / directory / "trackspec.json").is_file()
    (top,) = tmp_path.iterdir()
    assert top == tmp_path / Path(directory).parts[0]


def test_a_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made absolute when the store is opened, wherever the process goes then."""
    monkeypatch.delenv("TRACKSPEC_ARTIFACT_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    with FileStore("file:runs") as store, trackspec.open_store("more/runs") as other:
        monkeypatch.chdir("/")
        for opened, directory in (store, tmp_path / "runs"), (other, tmp_path / "more" / "runs"):
            opened.set_experiment_tag("0", trackspec.ExperimentTag("t", "v"))
            assert opened.get_artifact_root() == (directory / "artifacts").as_uri()
            assert (directory / "trackspec.json").is_file()


@pytest.mark.parametrize(
    "store_uri",
    [
        "",
        "file:",
        "file://",
        "file:?durability=process",
        "file://host/path",
        "file:{place}/store#part",
        "file:{place}/100%",
        "file:{place}/%zz",
        "file:{place}/nul%00",
        "{place}/nul\0",
        "{place}/lone\udc41\ud800surrogate",
        "{place}/store?durability=none",
        "{place}/store?durability",
        "{place}/store?durability=power&durability=process",
        "{place}/store?colour=red",
        "{place}/why?not",
        "sqlite:///{place}/store",
        "{place}/text.txt",
        "{place}/text.txt/store",
        "{place}/{long}/store",
        "{place}/loop/store",
    ],
)
def test_a_uri_that_cannot_be_is_refused(store_uri: str, tmp_path: Path) -> None:
    """What names no directory, or asks for what does not exist, is refused and leaves nothing behind."""
    (tmp_path / "text.txt").write_text("not a directory")
    (tmp_path / "loop").symlink_to("loop")

    error = refusal(store_uri.format(place=tmp_path, long="n" * 300))

    assert error.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert str(tmp_path) not in error.message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["loop", "text.txt"]


@pytest.mark.parametrize("value", [None, 5, b"file:x", Path("x")], ids=repr)
def test_a_uri_is_a_string(value: Any) -> None:
    """Anything else is refused as an argument is."""
    assert refusal(value).error_code is ErrorCode.INVALID_PARAMETER_VALUE


# -- directories of others ----------------------------------------------------------------------------------------

FOREIGN: dict[str, Callable[[Path], object]] = {
    "a file": lambda place: (place / "notes.txt").write_text("mine"),
    "a hidden file": lambda place: (place / ".gitignore").write_text("*"),
    "MLflow's": lambda place: _write(
        place / "0" / "meta.yaml", "artifact_location: mlruns/0\nexperiment_id: '0'\n"
    ),
    "experiments of others": lambda place: _write(place / "experiments" / "1" / "experiment.log", "step 1: mix\n"),
    "names of others": lambda place: _write(place / "names" / "ada", "lovelace"),
    "names in a file": lambda place: (place / "names").write_text("ada"),
}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)


@pytest.mark.parametrize("fill", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_directory_that_holds_something_else_is_left_alone(
    fill: Callable[[Path], object], tmp_path: Path
) -> None:
    """It is refused in words that say why, and keeps every byte."""
    fill(tmp_path)
    before = contents(tmp_path)

    error = refusal(f"file:{tmp_path}")

    assert error.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert "not empty" in error.message
    assert str(tmp_path) not in error.message
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "null", '{"format": "else", "version": 1}', "\x00", "[" * 99999]
)
def test_a_configuration_that_is_none_is_no_store(content: str, tmp_path: Path) -> None:
    """A file of the configuration's name does not make a directory ours."""
    (tmp_path / "trackspec.json").write_text(content)

    assert refusal(f"file:{tmp_path}").error_code is ErrorCode.DATA_LOSS
    assert contents(tmp_path) == {"trackspec.json": content.encode()}


@pytest.mark.parametrize("version", [0, 2, "1", None, 1.5])
def test_another_version_of_the_format_is_refused(version: object, tmp_path: Path) -> None:
    """The message names both versions, and nothing is changed."""
    FileStore(f"file:{tmp_path}/store").close()
    path = tmp_path / "store" / "trackspec.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": version}))
    before = contents(tmp_path)

    error = refusal(f"file:{tmp_path}/store")

    assert error.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert f"version {version!r}" in error.message
    assert contents(tmp_path) == before


def test_opening_again_changes_no_file(tmp_path: Path) -> None:
    """Not even a time of modification."""
    assert is_usable(f"file:{tmp_path}")
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in tmp_path.rglob("*")}

    FileStore(f"file:{tmp_path}").close()

    assert {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in tmp_path.rglob("*")} == before


# -- setting up ---------------------------------------------------------------------------------------------------


def test_setting_up_continues_where_it_was_interrupted(tmp_path: Path) -> None:
    """Whichever system call fails first, the error is clear, and the next opening completes the store."""
    for succeeding in range(100):
        store_uri = f"file:{tmp_path}/{succeeding}/store"
        calls = SystemCalls(succeeding, lasting=True)
        with calls.patched():
            code, message = outcome(lambda: FileStore(store_uri).close())  # noqa: B023 - called here
        if not calls.has_failed:
            break
        assert code == "TEMPORARILY_UNAVAILABLE"
        assert "No space left" in message
        assert is_usable(store_uri), calls.made
    assert 15 < succeeding < 99


def outcome(call: Callable[[], object]) -> tuple[str, str]:
    """How a call ended: the error's code and message, or twice nothing."""
    try:
        call()
    except TrackspecError as error:
        return error.error_code.value, error.message
    return "", ""


def test_many_may_open_an_empty_directory_at_once(tmp_path: Path) -> None:
    """One of them sets it up, and all of them use it."""
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(FileStore, [f"file:{tmp_path}/a/b"] * 8))

    for store in stores:
        assert [experiment.name for experiment in store.search_experiments()] == ["Default"]
        store.close()


# -- places that cannot be used -----------------------------------------------------------------------------------


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory of a user without privileges, who runs the test."""
    place = Path(tempfile.mkdtemp())
    nobody = 65534
    privileged = os.geteuid() == 0
    if privileged:
        os.chown(place, nobody, nobody)
        os.setegid(nobody)
        os.seteuid(nobody)
    try:
        yield place
    finally:
        if privileged:
            os.seteuid(0)
            os.setegid(0)
        for path in (place, *place.rglob("*")):
            path.chmod(0o700)
        shutil.rmtree(place)


@pytest.mark.parametrize("mode", [0o000, 0o500], ids=["unreadable", "read-only"])
def test_a_place_without_permission_is_unavailable(place: Path, mode: int) -> None:
    """A new store needs a directory that can be read and written; the error says so."""
    place.chmod(mode)

    for store_uri in f"file:{place}", f"file:{place}/store":
        error = refusal(store_uri)
        assert error.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
        assert "Permission denied" in error.message
        assert str(place) not in error.message


def test_a_store_that_is_read_only_is_read(place: Path) -> None:
    """Everything can be read and searched, and a write says what it lacks."""
    with FileStore(f"file:{place}") as store:
        written = store.create_run("0", "", 1, [], "written").info.run_id
        unwritten = store.create_run("0", "", 2, [], "unwritten").info.run_id
        store.log_metric(written, Metric("m", 1.0, 1))
    for path in (*place.rglob("*"), place):
        path.chmod(0o500 if path.is_dir() else 0o400)

    with FileStore(f"file:{place}") as store:
        assert store.get_run(unwritten).info.run_name == "unwritten"
        assert store.get_metric_history(written, "m") == [Metric("m", 1.0, 1)]
        assert store.get_experiment_by_name("Default") == store.get_experiment("0")
        assert len(store.search_runs(["0"])) == 2
        writes: list[Callable[[], object]] = [
            lambda: store.create_run("0", "", 1, [], None),
            lambda: store.set_tag(written, RunTag("t", "v")),
            lambda: store.set_tag(unwritten, RunTag("t", "v")),
            lambda: store.delete_run(written),
            lambda: store.create_experiment("new"),
            lambda: store.rename_experiment("0", "new"),
            lambda: store.set_artifact_root("s3://bucket"),
        ]
        for write in writes:
            with pytest.raises(TrackspecError) as error:
                write()
            assert error.value.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
            assert "Permission denied" in error.value.message
        assert len(store.search_runs(["0"], "run_name LIKE '%written'")) == 2


def test_what_may_not_be_read_hides_nothing_else(place: Path) -> None:
    """A run and an experiment whose files are somebody else's are left out of searches."""
    with FileStore(f"file:{place}") as store:
        mine, others = (store.create_run("0", "", 1, [], None).info.run_id for _ in range(2))
        experiment_id = store.create_experiment("others'")
        for run_id in mine, others:
            store.log_metric(run_id, Metric("m", 1.0, 1))
    for pattern in f"{others}.log", f"{experiment_id}/experiment.log":
        (path,) = place.rglob(pattern)
        path.chmod(0)

    with FileStore(f"file:{place}") as store:
        found = store.search_runs(["0", experiment_id])
        experiments = store.search_experiments()
        with pytest.raises(TrackspecError) as error:
            store.get_run(others)

    assert [run.info.run_id for run in found] == [mine]
    assert [experiment.name for experiment in experiments] == ["Default"]
    assert error.value.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_says_so(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store there can be read; whatever needs a lock fails in words that name it, and changes nothing."""
    with FileStore(f"file:{tmp_path}/store") as store:
        run_id = store.create_run("0", "", 1, [], None).info.run_id
        store.log_metric(run_id, Metric("m", 1.0, 1))
    before = contents(tmp_path)

    def flock(fd: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with FileStore(f"file:{tmp_path}/store") as store:
        assert store.get_run(run_id).data.metrics == {"m": 1.0}
        calls: list[Callable[[], object]] = [
            lambda: store.log_metric(run_id, Metric("m", 2.0, 2)),
            lambda: store.create_run("0", "", 1, [], None),
            lambda: store.create_experiment("new"),
            lambda: FileStore(f"file:{tmp_path}/new"),
        ]
        for call in calls:
            with pytest.raises(TrackspecError) as error:
                call()
            assert error.value.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
            assert "locks" in error.value.message

    shutil.rmtree(tmp_path / "new")
    assert contents(tmp_path) == before


# -- the configuration --------------------------------------------------------------------------------------------


def test_the_configuration_is_a_file_to_read(tmp_path: Path) -> None:
    """It says what wrote it, and holds the artifact root as it was given."""
    with FileStore(f"file:{tmp_path}") as store:
        store.set_artifact_root("s3://bucket/données?region=eu")

    assert json.loads((tmp_path / "trackspec.json").read_text(encoding="utf-8")) == {
        "format": "trackspec-file-store",
        "version": 1,
        "artifact_root": "s3://bucket/données?region=eu",
    }


def test_the_artifact_root_is_by_precedence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store's own comes before the environment's, which comes before a directory in the store."""
    monkeypatch.delenv("TRACKSPEC_ARTIFACT_ROOT", raising=False)
    with FileStore(f"file:{tmp_path}/a b") as store:
        roots = [store.get_artifact_root()]
        monkeypatch.setenv("TRACKSPEC_ARTIFACT_ROOT", "s3://environment")
        roots.append(store.get_artifact_root())
        store.set_artifact_root("s3://own")
        roots.append(store.get_artifact_root())

    assert roots == [(tmp_path / "a b" / "artifacts").as_uri(), "s3://environment", "s3://own"]


def test_a_directory_is_synced_as_far_up_as_it_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each directory that opening creates is entered in its parent durably."""
    synced: list[Path] = []
    monkeypatch.setattr(Durability, "sync_directory", lambda self, path: synced.append(Path(path)))
    FileStore(f"file:{tmp_path}/a/b/c").close()

    assert {tmp_path, tmp_path / "a", tmp_path / "a/b", tmp_path / "a/b/c"} <= set(synced)
