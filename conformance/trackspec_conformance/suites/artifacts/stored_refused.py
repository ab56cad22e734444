"""The checks of the chapter on transfers: what holds while the storage is full, or fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from trackspec import ArtifactRepository, ErrorCode
from trackspec_conformance.artifact_trees import files_below
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import Unexpected, error_code, expect, expect_equal, shown_error
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.local_files import Content, Noise, digest_of
from trackspec_conformance.power.failing_storage import FailingStorage, failing_storage
from trackspec_conformance.storage import SIZE, SmallStorage, small_storage
from trackspec_conformance.suites.artifacts.interrupted import kept

FILES = 5
FOLDER = "f"
TRIES = 40
"""How many files of a fifth of a megabyte are logged at most until the storage is full."""
LARGE, SMALL = Noise(SIZE + (8 << 20), 31), Noise(SIZE // 4, 32)
CODES = ("TEMPORARILY_UNAVAILABLE", "INTERNAL_ERROR")


@dataclass
class Full:
    """A repository on a storage that is full.

    :ivar contents: what was acknowledged last, by the name of the file.
    :ivar error: what the first upload that was not served failed with.
    """

    repository: ArtifactRepository
    storage: SmallStorage
    contents: dict[str, Content] = field(default_factory=dict)
    error: Exception | None = None


@contextmanager
def _filled_up(fresh: FreshArtifacts) -> Iterator[Full]:
    """A repository of the subject's kind on a small storage, with files that are replaced until a call fails."""
    with small_storage() as storage:
        repository = fresh.opened_in(storage.directory)
        try:
            full = Full(repository, storage)
            for number in range(FILES):
                _log(full, fresh, number, Noise(100_000, number))
                if full.error is not None:
                    raise Unexpected("a file to be stored while there is room", shown_error(full.error))
            storage.fill()
            for number in range(TRIES):
                if not _log(full, fresh, number, Noise(200_000, 100 + number)):
                    break
            yield full
        finally:
            repository.close()


def _log(full: Full, fresh: FreshArtifacts, number: int, content: Content) -> bool:
    name = f"{number % FILES}.bin"
    full.error = _error_of(full.repository, fresh.file(name, content))
    if full.error is None:
        full.contents[name] = content
    return full.error is None


def _error_of(repository: ArtifactRepository, file: str) -> Exception | None:
    """What logging a file fails with, None where it does not."""
    try:
        repository.log_artifact(file, FOLDER)
    except Exception as error:
        return error
    return None


@check("stored.full-refused", rests_on=("artifact.kept", "upload.overwrite"))
def a_full_storage_is_told(fresh: FreshArtifacts) -> None:
    """An upload for which there is no room fails with TEMPORARILY_UNAVAILABLE."""
    with _filled_up(fresh) as full:
        expect(full.error is not None, "an upload to fail, there being no room", f"{TRIES} served")
        assert full.error is not None
        code = error_code(full.error)
        expect(code == ErrorCode.TEMPORARILY_UNAVAILABLE.value, "TEMPORARILY_UNAVAILABLE", shown_error(full.error))


@check("stored.full-keeps", rests_on=("artifact.kept", "upload.overwrite"))
def what_is_stored_is_read_while_there_is_no_room(fresh: FreshArtifacts) -> None:
    """Each file is downloaded as it was acknowledged last, while the storage is full."""
    with _filled_up(fresh) as full:
        for name, content in full.contents.items():
            found = kept(full.repository, fresh, f"{FOLDER}/{name}")
            expect_equal(digest_of(content), found, f"size and digest of {name}")


@check("stored.full-given-back", rests_on=("artifact.kept",))
def an_upload_without_room_leaves_nothing(fresh: FreshArtifacts) -> None:
    """A file that is larger than the storage is not listed, and a smaller one is stored after it."""
    large, small = fresh.file("large.bin", LARGE), fresh.file("small.bin", SMALL)
    with small_storage() as storage:
        repository = fresh.opened_in(storage.directory)
        try:
            error = _error_of(repository, large)
            expect(error is not None, "an upload of more than there is room for to fail", "it returned")
            expect_equal({}, files_below(repository, ""), "the files")

            repository.log_artifact(small, FOLDER)

            expect_equal(digest_of(SMALL), kept(repository, fresh, f"{FOLDER}/small.bin"), "size and digest")
        finally:
            repository.close()


@check("stored.full-recovers", rests_on=("artifact.kept", "upload.overwrite"))
def uploads_are_taken_when_there_is_room(fresh: FreshArtifacts) -> None:
    """Once there is room again, the same repository object takes a file, and keeps it."""
    content = Noise(200_000, 33)
    with _filled_up(fresh) as full:
        full.storage.free()

        full.repository.log_artifact(fresh.file("again.bin", content), FOLDER)

        found = kept(full.repository, fresh, f"{FOLDER}/again.bin")
        expect_equal(digest_of(content), found, "size and digest of what was logged afterwards")


@dataclass
class Failing:
    """A repository on a storage that can be made to fail; it holds a file."""

    repository: ArtifactRepository
    storage: FailingStorage
    content: Content


@contextmanager
def _about_to_fail(fresh: FreshArtifacts) -> Iterator[Failing]:
    fresh.placing()
    content = Noise(30_000, 34)
    with failing_storage() as storage:
        repository = fresh.opened_in(storage.directory)
        try:
            repository.log_artifact(fresh.file("a.bin", content), FOLDER)
            yield Failing(repository, storage, content)
        finally:
            storage.fail("nothing")
            repository.close()


def _require_failures(failing: Failing, fresh: FreshArtifacts, what: str) -> None:
    failing.storage.fail(what)
    for name in ("a.bin", "b.bin"):
        error = _error_of(failing.repository, fresh.file(name, Noise(50_000, 35)))
        expect(error is not None, f"the upload of {name} to fail, since every {what} does", "it returned")
        assert error is not None
        expect(error_code(error) in CODES, f"it to fail with {' or '.join(CODES)}", shown_error(error))


@check("stored.error-told", rests_on=("artifact.kept",))
def a_failed_write_is_told(fresh: FreshArtifacts) -> None:
    """An upload whose writes fail with an I/O error fails, whether it replaces a file or not."""
    with _about_to_fail(fresh) as failing:
        _require_failures(failing, fresh, "write")


@check("stored.power-error-told", rests_on=("artifact.kept",))
def a_failed_sync_is_told(fresh: FreshArtifacts) -> None:
    """An upload that cannot be synced, with an I/O error, fails, whether it replaces a file or not."""
    with _about_to_fail(fresh) as failing:
        _require_failures(failing, fresh, "fsync")


@check("stored.error-keeps", rests_on=("artifact.kept", "upload.overwrite"))
def nothing_is_destroyed_by_a_failure(fresh: FreshArtifacts) -> None:
    """A file whose replacement failed is whole when the storage works again, the old one or the new one."""
    new = Noise(50_000, 36)
    with _about_to_fail(fresh) as failing:
        failing.storage.fail("write")
        _error_of(failing.repository, fresh.file("a.bin", new))
        failing.storage.fail("nothing")
        again = fresh.opened_in(failing.storage.directory)

        found = kept(again, fresh, f"{FOLDER}/a.bin")

        again.close()
    whole = found in (digest_of(failing.content), digest_of(new))
    expect(whole, "the file, whole, as it was before or as it was to be", found)
