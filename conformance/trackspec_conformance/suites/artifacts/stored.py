"""The checks of the chapter on transfers: what is stored when processes end, or the power is lost."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from trackspec import ArtifactRepository
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import NotApplicable, error_code, expect, expect_equal, expect_one_of
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.interrupting import end_a_process, end_together, seconds_in_a_process
from trackspec_conformance.local_files import Noise, digest_of
from trackspec_conformance.power.failing_storage import failing_storage
from trackspec_conformance.power.tree import Loss
from trackspec_conformance.suites.artifacts.interrupted import kept

CONTENTS = {f"{number}.bin": Noise(200_000 + number, number) for number in range(12)}
OLD, NEW = Noise(30_000, 21), Noise(90_001, 22)
ROUNDS = 4
PROCESSES = 4


class Uploads:
    """A process that logs one file after another, and marks each that was acknowledged.

    :ivar marks: a local folder that has the name of each of them.
    """

    def __init__(
        self, fresh: FreshArtifacts, files: list[str], folder: str, opened: Callable[[], ArtifactRepository]
    ) -> None:
        self._fresh, self._files, self._folder, self._open = fresh, files, folder, opened
        self.marks = Path(fresh.destination())

    def __call__(self) -> Callable[[], None]:
        self._fresh.transcript.on_call = None  # this is the process that is ended, and talks to nobody
        opened = self._open()
        opened.list_artifacts(self._folder)
        return lambda: self._log(opened)

    def _log(self, opened: ArtifactRepository) -> None:
        for file in self._files:
            opened.log_artifact(file, self._folder)
            (self.marks / Path(file).name).touch()

    def acknowledged(self, name: str) -> bool:
        """Whether the upload of a file was acknowledged."""
        return (self.marks / name).exists()

    def as_many_as(self, number: int) -> bool:
        """Whether so many files were acknowledged."""
        return len(os.listdir(self.marks)) >= number


def _require_shared(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Require that what another process logs is seen here at all.

    :raises NotApplicable: if it is not.
    """
    folder = fresh.folder()
    files = [fresh.file(name, b"1") for name in ("a", "b")]
    seconds_in_a_process(Uploads(fresh, files, folder, fresh.reopened))
    if not repository.list_artifacts(folder):
        raise NotApplicable("the subject lives in one process: what another one logs is not seen")


@check("stored.acknowledged", rests_on=("artifact.kept",), timeout=120)
def what_an_ended_process_was_told_is_there(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """The files that an ended process was told are logged are whole, and one more is whole or not there."""
    _require_shared(repository, fresh)
    files = [fresh.file(name, content) for name, content in CONTENTS.items()]
    seconds = seconds_in_a_process(Uploads(fresh, files, fresh.folder(), fresh.reopened)) / len(files)
    for first in range(1, len(files), len(files) // ROUNDS):
        folder = fresh.folder()
        uploads = Uploads(fresh, files, folder, fresh.reopened)
        after = seconds * fresh.random.random()
        end_a_process(uploads, after, fresh.started_server, reached=partial(uploads.as_many_as, first))

        for name, content in CONTENTS.items():
            permitted = [digest_of(content)] + ([] if uploads.acknowledged(name) else [None])
            expect_one_of(permitted, kept(repository, fresh, f"{folder}/{name}"), f"size and digest of {name}")


@check("stored.processes", rests_on=("artifact.kept", "upload.overwrite"), timeout=120)
def processes_log_to_one_path(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A path that several processes log to at once has the content of one of them, whole."""
    _require_shared(repository, fresh)
    contents = [Noise(400_000 + 1000 * number, number) for number in range(PROCESSES)]
    files = [fresh.file("a.bin", content) for content in contents]
    for _ in range(3):
        folder = fresh.folder()

        returned = end_together([_logging(fresh, file, folder) for file in files])

        expect(returned, "each call to succeed, or to be refused with TEMPORARILY_UNAVAILABLE", "one did neither")
        permitted = [digest_of(content) for content in contents]
        expect_one_of(permitted, kept(repository, fresh, f"{folder}/a.bin"), "size and digest")


def _logging(fresh: FreshArtifacts, file: str, folder: str) -> Callable[[], Callable[[], None]]:
    def ready() -> Callable[[], None]:
        fresh.transcript.on_call = None
        opened = fresh.reopened()
        return lambda: _log_often(opened, file, folder)

    return ready


def _log_often(opened: ArtifactRepository, file: str, folder: str) -> None:
    for _ in range(5):
        with _refusals_passed_over():
            opened.log_artifact(file, folder)


@contextmanager
def _refusals_passed_over() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if error_code(error) != "TEMPORARILY_UNAVAILABLE":
            raise


@check("stored.power", rests_on=("artifact.kept",), timeout=120)
def what_was_logged_is_on_the_device(fresh: FreshArtifacts) -> None:
    """Files whose upload was acknowledged are whole after the power was lost."""
    fresh.placing()
    files = [fresh.file(name, content) for name, content in CONTENTS.items()]
    folder = "new/folders"
    for loss in Loss:
        with failing_storage() as storage:
            uploads = Uploads(fresh, files, folder, partial(fresh.opened_in, storage.directory))
            seconds_in_a_process(uploads)
            storage.lose_power(loss, fresh.random.randrange(2**32))
            again = fresh.opened_in(storage.directory)

            for name, content in CONTENTS.items():
                expect(uploads.acknowledged(name), f"the upload of {name} to be acknowledged", "no answer")
                found = kept(again, fresh, f"{folder}/{name}")
                expect_equal(digest_of(content), found, f"size and digest of {name}, where {loss.value}")


@check("stored.power-whole", rests_on=("artifact.kept", "upload.overwrite"), timeout=120)
def what_was_replaced_is_whole_on_the_device(fresh: FreshArtifacts) -> None:
    """A file that was being replaced when the power was lost is whole, old or new."""
    fresh.placing()
    old, new = fresh.file("a.bin", OLD), fresh.file("a.bin", NEW)
    for loss in Loss:
        for part in range(1, ROUNDS + 1):
            with failing_storage() as storage:
                place = fresh.opened_in(storage.directory)
                place.log_artifact(old, "f")
                uploads = Uploads(fresh, [new] * 8, "f", partial(fresh.opened_in, storage.directory))
                reached = partial(uploads.as_many_as, part % 2)  # while the first is written, or after it
                end_a_process(uploads, 0.005 * part * fresh.random.random(), reached=reached)
                place.close()
                storage.lose_power(loss, fresh.random.randrange(2**32))

                found = kept(fresh.opened_in(storage.directory), fresh, "f/a.bin")
                permitted = [digest_of(NEW)] + ([] if uploads.acknowledged("a.bin") else [digest_of(OLD)])
                expect_one_of(permitted, found, f"size and digest, where {loss.value}")
