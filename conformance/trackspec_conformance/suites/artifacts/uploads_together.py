"""The checks of the chapter on transfers: callers at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from trackspec import ArtifactRepository
from trackspec_conformance.artifact_trees import files_below
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import Unexpected, error_code, expect, expect_equal, shown_error
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.local_files import Noise
from trackspec_conformance.racing import at_once

CALLERS = 8
LENGTH = 300_000
MOST_LOOKS = 200
PAUSE = 0.002
"""Seconds from one look to the next."""


@check("upload.together", rests_on=("upload.file",))
def callers_log_to_one_folder(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Files that several callers log to one new folder at once are all there."""
    folder = fresh.folder()
    files = [fresh.file(f"{number}.txt", b"x" * (1 + number)) for number in range(CALLERS)]

    ends = at_once([partial(repository.log_artifact, file, f"{folder}/a/b") for file in files])

    for error in ends:
        if isinstance(error, Exception):
            raise Unexpected("every call to succeed", shown_error(error))
    expected = {f"{folder}/a/b/{number}.txt": 1 + number for number in range(CALLERS)}
    expect_equal(expected, files_below(repository, folder), "the files")


@check("upload.same-path-together", rests_on=("upload.overwrite",))
def callers_log_to_one_path(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A path that several callers log to at once has the content of one of them, whole."""
    contents = [bytes([65 + number]) * (LENGTH + 1000 * number) for number in range(CALLERS)]
    files = [fresh.file("a.bin", content) for content in contents]

    for _ in range(3):
        folder = fresh.folder()
        ends = at_once([partial(repository.log_artifact, file, folder) for file in files])

        for error in ends:
            if isinstance(error, Exception) and error_code(error) != "TEMPORARILY_UNAVAILABLE":
                raise Unexpected("a success, or a refusal with TEMPORARILY_UNAVAILABLE", shown_error(error))
        kept = Path(repository.download_artifacts(f"{folder}/a.bin", fresh.destination())).read_bytes()
        expect(kept in contents, "the content of one caller, whole", _told(kept))


@check("upload.read-while-replaced", rests_on=("upload.overwrite",))
def readers_see_whole_files(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Who downloads a file while it is replaced gets one of its contents, whole."""
    contents = [bytes([65 + number]) * (LENGTH - 50_000 * number) for number in range(4)]
    files = [fresh.file("a.bin", content) for content in contents]
    folder = fresh.folder()
    repository.log_artifact(files[0], folder)
    destinations = [fresh.destination() for _ in range(12)]

    def replace() -> list[bytes]:
        for file in [*files, *files]:
            repository.log_artifact(file, folder)
        return []

    def read(mine: list[str]) -> list[bytes]:
        return [
            Path(repository.download_artifacts(f"{folder}/a.bin", destination)).read_bytes()
            for destination in mine
        ]

    readers: list[Callable[[], list[bytes]]] = [
        partial(read, destinations[start : start + 4]) for start in (0, 4, 8)
    ]
    ends = at_once([replace, *readers])

    for end in ends:
        if isinstance(end, Exception):
            raise Unexpected("every call to succeed", shown_error(end))
        for content in end:
            expect(content in contents, "one of the contents, whole", _told(content))


@check("upload.nothing-else-seen", rests_on=("upload.overwrite", "listing.sizes"))
def nobody_sees_what_is_not_finished(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Who lists a folder while files are logged to it sees those files, with sizes that they have had."""
    sizes = (2_000_000, 1_900_000)
    trees = [fresh.tree({"a.bin": Noise(size)}) for size in sizes]
    folder, ended = fresh.logged({"a.bin": Noise(sizes[0])}), threading.Event()

    def replace() -> list[tuple[str, int | None]]:
        try:
            for _ in range(4):
                repository.log_artifacts(trees[1], folder)
                repository.log_artifact(f"{trees[0]}/a.bin", folder)
        finally:
            ended.set()
        return []

    def look() -> list[tuple[str, int | None]]:
        found = set()
        for _ in range(MOST_LOOKS):
            if not ended.wait(PAUSE):
                found.update({(info.path, info.file_size) for info in repository.list_artifacts(folder)})
        return list(found)

    ends = at_once([replace, look, look])

    permitted = [(f"{folder}/a.bin", size) for size in sizes]
    for end in ends:
        if isinstance(end, Exception):
            raise Unexpected("every call to succeed", shown_error(end))
        strange = [found for found in end if found not in permitted]
        expect_equal([], strange, "paths and sizes that are listed besides those that the file has had")


def _told(content: bytes) -> str:
    letters = "".join(chr(byte) for byte in sorted(set(content)))
    return f"{len(content)} bytes, made of {letters!r}"
