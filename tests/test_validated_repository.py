"""What the validated repository does itself: it believes no storage, and stops at the first failure."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from trackspec import ErrorCode, FileInfo, TrackspecError
from trackspec.validated_repository import ValidatedRepository


class Storage(ValidatedRepository):
    """A storage that lists what it is told to, and notes what is done."""

    def __init__(self, entries: dict[str, list[FileInfo]] | None = None, content: bytes = b"1") -> None:
        super().__init__("test:")
        self.entries = entries or {}
        self.content = content
        self.put: list[str] = []
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()

    def _put(self, local_file: Path, path: str) -> None:
        with self._lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            self.put.append(path)
        time.sleep(0.005)
        with self._lock:
            self._now -= 1
        if path.endswith("bad"):
            raise TrackspecError("No.", ErrorCode.TEMPORARILY_UNAVAILABLE)

    def _get(self, path: str, local_file: Path) -> None:
        local_file.write_bytes(self.content)

    def _list(self, path: str) -> Iterable[FileInfo]:
        return self.entries.get(path, [])

    def _delete(self, path: str) -> None:
        raise NotImplementedError


def tree(tmp_path: Path, *names: str) -> Path:
    """A local folder with files of these names."""
    folder = tmp_path / "tree"
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(b"1")
    return folder


def test_files_are_transferred_at_once_and_not_too_many(tmp_path: Path) -> None:
    """As many at once as the class says."""
    storage = Storage()

    storage.log_artifacts(tree(tmp_path, *map(str, range(60))))

    assert len(storage.put) == 60
    assert 1 < storage.most_at_once <= Storage.parallel_transfers


def test_the_first_failure_is_raised_and_the_rest_is_not_begun(tmp_path: Path) -> None:
    """What has not begun when a transfer fails does not begin, and nothing runs on after the call."""
    storage = Storage()

    with pytest.raises(TrackspecError) as failed:
        storage.log_artifacts(tree(tmp_path, "0bad", *map(str, range(1, 200))))

    assert failed.value.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
    begun = len(storage.put)
    assert begun < 100
    time.sleep(0.05)
    assert len(storage.put) == begun


@pytest.mark.parametrize("name", ["../a", "/a", "x/../../a", "a\\b", "", "other/a", "f", "f/a/b", "f/..", "f/a\n"])
def test_what_is_not_in_the_folder_is_left_out_and_told(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """A listing has what is directly in its folder; what else a storage names is warned of."""
    good = FileInfo("f/good", False, 1)
    storage = Storage({"f": [FileInfo(name, False, 1), good, good]})

    with caplog.at_level(logging.WARNING):
        assert storage.list_artifacts("f") == [good]

    assert bool(caplog.records) is (name != "f")


@pytest.mark.parametrize("name", ["../a", "/a", "x/../../a", "a\\b", "other/a", "f/a/b"])
def test_a_folder_with_a_bad_name_is_not_downloaded(name: str, tmp_path: Path) -> None:
    """Nothing is written where a name leads elsewhere."""
    storage = Storage(
        {"": [FileInfo("f", True, None)], "f": [FileInfo(name, False, 1), FileInfo("f/g", False, 1)]}
    )

    with pytest.raises(TrackspecError) as failed:
        storage.download_artifacts("f", tmp_path)

    assert failed.value.error_code is ErrorCode.DATA_LOSS
    assert list(tmp_path.rglob("*")) == []


def test_a_file_of_another_size_is_not_there(tmp_path: Path) -> None:
    """A content of another size than the listing says is no file."""
    storage = Storage({"": [FileInfo("f", False, 5)]}, b"123")

    with pytest.raises(TrackspecError) as failed:
        storage.download_artifacts("f", tmp_path)

    assert failed.value.error_code is ErrorCode.DATA_LOSS
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_contains_itself_ends(tmp_path: Path) -> None:
    """The length of a path bounds how deep a listing is followed."""

    class Circle(Storage):
        asked = 0

        def _list(self, path: str) -> Iterable[FileInfo]:
            self.asked += 1
            return [FileInfo(f"{path}/again".lstrip("/"), True, None)]

    storage = Circle()

    with pytest.raises(TrackspecError):
        storage.download_artifacts("", tmp_path)

    assert storage.asked < 200


def test_a_file_where_a_folder_is_to_be_is_refused(tmp_path: Path) -> None:
    """What is in the way in the destination is told in the contract's terms, and stays."""
    storage = Storage({"": [FileInfo("f", True, None)], "f": [FileInfo("f/g", False, 1)]})
    (tmp_path / "f").write_bytes(b"mine")

    with pytest.raises(TrackspecError) as refused:
        storage.download_artifacts("f", tmp_path)

    assert refused.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert (tmp_path / "f").read_bytes() == b"mine"


def test_a_folder_where_a_file_is_to_be_is_refused(tmp_path: Path) -> None:
    """Likewise the other way round."""
    storage = Storage({"": [FileInfo("f", False, 1)]})
    (tmp_path / "f").mkdir()

    with pytest.raises(TrackspecError) as refused:
        storage.download_artifacts("f", tmp_path)

    assert refused.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert list(tmp_path.iterdir()) == [tmp_path / "f"]


def test_a_downloaded_file_has_the_rights_of_its_folder(tmp_path: Path) -> None:
    """Others may read it where they may read the folder, and nobody may execute it."""
    storage = Storage({"": [FileInfo("f", False, 1)]})
    for rights, expected in ((0o755, 0o644), (0o700, 0o600), (0o777, 0o644)):
        folder = tmp_path / f"{rights:o}"
        folder.mkdir()
        folder.chmod(rights)

        place = Path(storage.download_artifacts("f", folder))

        assert place.stat().st_mode & 0o777 == expected
