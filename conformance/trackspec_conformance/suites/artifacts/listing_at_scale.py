"""The checks of the chapter on listing: folders of more than a thousand entries."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from trackspec import ArtifactRepository, FileInfo
from trackspec.artifact_paths import parent_of
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import Unexpected, expect_equal
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.local_files import Many

MANY = 1050
PIECE = 50
"""Files that are logged by one call, so that no call takes long."""


def many(pattern: str) -> list[Many]:
    """The files of a crowd, in pieces; each path is the pattern with a number."""
    return [Many(pattern, start, min(start + PIECE, MANY)) for start in range(0, MANY, PIECE)]


def crowd(fresh: FreshArtifacts, *, folders: bool = False) -> str:
    """A folder with many files, or many folders, which all checks of a process share; the files' sizes differ.

    It is the only thing in the folder that it is in.
    """
    kind, pattern = ("folders", "{:04}/x") if folders else ("files", "{:04}")
    filled = repr(Many(f"{kind}/{pattern}", 0, MANY))
    return f"{fresh.shared(kind, many(f'{kind}/{pattern}'), filled)}/{kind}"


def require_same(expected: list[str], got: list[str]) -> None:
    """Require that two long lists of paths are equal, and tell by what they differ."""
    if expected != got:
        missing, strange = sorted({*expected} - {*got})[:3], sorted({*got} - {*expected})[:3]
        told = f"{len(got)} paths, {len({*got})} different ones; missing: {missing}; not logged: {strange}"
        raise Unexpected(f"the {len(expected)} paths that were logged", told)


@check("crowd.files", rests_on=("upload.folder", "listing.direct"), timeout=120)
def many_files_are_listed(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A folder with more than a thousand files lists each of them once, with its size."""
    folder = crowd(fresh)

    listed = repository.list_artifacts(folder)

    require_same([f"{folder}/{number:04}" for number in range(MANY)], sorted(info.path for info in listed))
    wrong = [info for info in listed if info != FileInfo(info.path, False, 1 + int(info.path[-4:]) % 7)]
    expect_equal([], wrong[:3], "files of another size than they were logged with")


@check("crowd.folders", rests_on=("upload.folder", "listing.direct"), timeout=120)
def many_folders_are_listed(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A folder with more than a thousand folders lists each of them once."""
    folder = crowd(fresh, folders=True)

    listed = repository.list_artifacts(folder)

    require_same([f"{folder}/{number:04}" for number in range(MANY)], sorted(info.path for info in listed))
    expect_equal([], [info for info in listed if not info.is_dir][:3], "files among them")


@check("crowd.order", rests_on=("crowd.files",), timeout=120)
def many_files_are_in_order(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A listing of more than a thousand files is in the order of their paths, whatever the pages it came in."""
    folder = crowd(fresh)

    listed = [info.path for info in repository.list_artifacts(folder)]

    out_of_order = [pair for pair in pairwise(listed) if pair[0] > pair[1]]
    expect_equal([], out_of_order[:3], "neighbours that are not in order")


@check("crowd.above", rests_on=("crowd.files",), timeout=120)
def a_crowded_folder_is_listed_once(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A folder with more than a thousand files is one entry of the folder that it is in."""
    folder = crowd(fresh)

    listed = repository.list_artifacts(parent_of(folder))

    expect_equal([FileInfo(folder, True, None)], listed, "the listing of the folder above")


@check("crowd.downloaded", rests_on=("crowd.files",), timeout=120)
def many_files_are_downloaded(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A folder with more than a thousand files is downloaded with each of them, and with its content."""
    folder = crowd(fresh)

    downloaded = Path(repository.download_artifacts(folder, fresh.destination()))

    require_same([f"{number:04}" for number in range(MANY)], sorted(path.name for path in downloaded.iterdir()))
    wrong = [path.name for path in downloaded.iterdir() if path.stat().st_size != 1 + int(path.name) % 7]
    expect_equal([], wrong[:3], "files of another size than they were logged with")
