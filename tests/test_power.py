"""The storage that forgets what was not synced, and what our stores keep on it."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_rest_subject import check
from trackspec_conformance.expectations import NotApplicable
from trackspec_conformance.power.failing_storage import FailingStorage, failing_storage
from trackspec_conformance.power.tree import File, Folder, Loss, Tree


@pytest.fixture
def storage() -> Iterator[FailingStorage]:
    """A mounted storage, where there can be one."""
    try:
        with failing_storage() as mounted:
            yield mounted
    except NotApplicable as reason:
        pytest.skip(str(reason))


def written(path: Path, content: bytes, *, sync: bool = False) -> None:
    """Write a file, and sync it if that is asked for."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        if sync:
            os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Sync the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def test_what_is_synced_with_its_name_survives(storage: FailingStorage) -> None:
    """Content and name are synced each by itself; what is written later is gone, and it is the same directory."""
    here = storage.directory
    written(here / "whole", b"1", sync=True)
    written(here / "content-lost", b"1")
    sync_folder(here)
    written(here / "name-lost", b"1", sync=True)
    written(here / "whole", b"2")

    storage.lose_power(Loss.EVERYTHING, 0)

    assert {path.name: path.read_bytes() for path in here.iterdir()} == {"whole": b"1", "content-lost": b""}


def test_a_rename_may_survive_without_the_content(storage: FailingStorage) -> None:
    """Where names survive, a file that was renamed and never synced is empty."""
    here = storage.directory
    written(here / "old", b"1", sync=True)
    sync_folder(here)
    written(here / "unfinished", b"2")
    (here / "unfinished").replace(here / "old")

    storage.lose_power(Loss.CONTENT, 0)

    assert {path.name: path.read_bytes() for path in here.iterdir()} == {"old": b""}


def test_blocks_survive_by_chance() -> None:
    """Of a file that was not synced each block is the old one or the new one, by the seed."""
    tree = Tree()
    file = File(bytearray(b"a" * 4096 * 8))
    file.sync()
    tree.add("/f", file)
    tree.root.sync()
    file.data[:] = b"b" * 4096 * 8

    left = [tree.survivors(Loss.PIECES, random.Random(seed))["f"] for seed in (1, 1, 2)]

    assert left[0] == left[1] != left[2]
    assert left[0] is not None
    assert set(left[0]) == {ord("a"), ord("b")}


def test_folders_survive_by_their_names() -> None:
    """A file in a folder whose name was not synced is gone with it."""
    tree = Tree()
    folder = Folder()
    tree.add("/d", folder)
    tree.add("/d/f", File())
    folder.sync()

    assert tree.survivors(Loss.EVERYTHING, random.Random(0)) == {}
    tree.root.sync()
    assert tree.survivors(Loss.EVERYTHING, random.Random(0)) == {"d": None, "d/f": b""}


@pytest.mark.parametrize("what", ["write", "fsync"])
def test_writes_and_syncs_fail_when_they_are_told_to(what: str, storage: FailingStorage) -> None:
    """The error is the system's own, and ends when it is told to."""
    storage.fail(what)
    with pytest.raises(OSError) as failed:  # noqa: PT011 - its number is what matters
        written(storage.directory / "f", b"1", sync=True)
    storage.fail("nothing")

    assert failed.value.errno == errno.EIO
    written(storage.directory / "f", b"2", sync=True)
    assert (storage.directory / "f").read_bytes() == b"2"


def test_a_storage_goes_with_who_mounted_it(storage: FailingStorage) -> None:
    """Nothing stays mounted when the process has gone that gives the orders."""
    assert storage._process.stdin is not None

    storage._process.stdin.close()

    storage._process.wait(10)
    assert not storage.directory.is_mount()


@pytest.mark.parametrize("uri", ["sqlite:///{}/store.db", "file:{}/store"])
def test_our_stores_survive_a_loss_of_power(uri: str, storage: FailingStorage, tmp_path: Path) -> None:
    """In their default durability they keep the whole profile."""
    ran = check(uri.format(tmp_path), "--profile", "power-loss")

    assert ran.returncode == 0, ran.stdout
    assert " n/a" not in ran.stdout


@pytest.mark.parametrize("uri", ["sqlite:///{}/store.db", "file:{}/store"])
def test_what_is_not_claimed_is_not_kept(uri: str, storage: FailingStorage, tmp_path: Path) -> None:
    """Opened for the death of a process only, they are found to lose what was acknowledged."""
    ran = check(f"{uri.format(tmp_path)}?durability=process", "--profile", "power-loss", "-k", "power.created")

    assert ran.returncode == 1, ran.stdout


def test_a_profile_of_which_nothing_was_judged_is_not_kept() -> None:
    """A store in memory has no device that could lose its power: that is no verdict."""
    ran = check("memory:", "--profile", "power-loss")

    assert ran.returncode == 2
    assert "No verdict" in ran.stdout
    assert "onforms" not in ran.stdout


def test_our_local_repository_survives_a_loss_of_power(storage: FailingStorage, tmp_path: Path) -> None:
    """What was logged has its name and its content on the device, in whatever folder."""
    profiles = ["--profile", "artifact-power-loss", "--profile", "artifact-durability"]

    ran = check(f"file:{tmp_path}/artifacts", *profiles, interface="artifacts")

    assert ran.returncode == 0, ran.stdout
    assert " n/a" not in ran.stdout
