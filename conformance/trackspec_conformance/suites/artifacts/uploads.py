"""The checks of the chapter on transfers: what is uploaded."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from trackspec import ArtifactRepository, ErrorCode
from trackspec_conformance.artifact_trees import files_below
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, unless_refused
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.local_files import tree_of

LOGGED = ("upload.file", "download.file")
LONG_AGO = 1_000_000_000
"""Seconds since the Unix epoch."""
RUBBISH = (
    ".DS_Store",
    "Thumbs.db",
    "__pycache__/a.cpython-312.pyc",
    "a.tmp",
    "a.part",
    "a.partial",
    "a.lock",
    "a.bak",
    "a~",
    ".a.swp",
    "~a",
    "lost+found/a",
    "_SUCCESS",
    "_temporary/a",
    "nul.txt",
)


@check("upload.file")
def a_file_is_stored_under_its_name(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Files logged to the root, to a folder and to a folder in it are found there with their content."""
    name, folder = fresh.name("file"), fresh.folder()

    repository.log_artifact(fresh.file(name, b"in the root"))
    repository.log_artifact(fresh.file("a.txt", b"in a folder"), folder)
    repository.log_artifact(fresh.file("a.txt", b"deeper"), f"{folder}/b/c")

    for path, content in {
        name: b"in the root",
        f"{folder}/a.txt": b"in a folder",
        f"{folder}/b/c/a.txt": b"deeper",
    }.items():
        downloaded = tree_of(repository.download_artifacts(path, fresh.destination()))
        expect_equal({"": content}, downloaded, f"the content of {path}")


@check("upload.overwrite", rests_on=LOGGED)
def a_file_is_replaced_whole(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A longer, a shorter, an equally long and an empty content each replace the one before."""
    folder = fresh.folder()

    for content in (b"one", b"a longer one", b"2", b"3", b"", b"the last"):
        repository.log_artifact(fresh.file("a.txt", content), folder)

        downloaded = tree_of(repository.download_artifacts(f"{folder}/a.txt", fresh.destination()))
        expect_equal({"": content}, downloaded, "the file")


@check("upload.overwrite", rests_on=("upload.folder",))
def a_file_is_replaced_by_an_older_one(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Files that were changed long before those that they replace, and are as long, replace them."""
    folder = fresh.logged({"a": b"1st", "b": b"1st"})
    file, tree = fresh.file("a", b"2nd"), fresh.tree({"b": b"2nd"})
    for path in (file, f"{tree}/b"):
        os.utime(path, (LONG_AGO, LONG_AGO))

    repository.log_artifact(file, folder)
    repository.log_artifacts(tree, folder)

    downloaded = tree_of(repository.download_artifacts(folder, fresh.destination()))
    expect_equal({"a": b"2nd", "b": b"2nd"}, downloaded, "the files, whose last change was in 2001")


@check("upload.source-stays", rests_on=LOGGED)
def local_files_stay(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Local files are there after they were logged, with their content, and are not the artifacts themselves."""
    file, tree = fresh.file("a.txt", b"1"), fresh.tree({"b.txt": b"2", "c/d.txt": b"3"})
    folder, before = fresh.folder(), [_status(file), _status(f"{tree}/b.txt")]

    repository.log_artifact(file, folder)
    repository.log_artifacts(tree, folder)

    expect_equal({"": b"1"}, tree_of(file), "the local file")
    after = [_status(file), _status(f"{tree}/b.txt")]
    expect_equal(before, after, "rights and times of change of the local files")
    expect_equal({"b.txt": b"2", "c/d.txt": b"3"}, tree_of(tree), "the local folder")
    fresh.write(file, b"changed")
    fresh.write(f"{tree}/b.txt", b"changed")
    downloaded = tree_of(repository.download_artifacts(folder, fresh.destination()))
    expect_equal({"a.txt": b"1", "b.txt": b"2", "c/d.txt": b"3"}, downloaded, "the artifacts, once those changed")


@check("upload.folder")
def a_folder_is_stored_with_all_below_it(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Every file of a tree is found under its relative path, in a folder and in the root."""
    files = {"a": b"1", "b/c": b"22", "b/d/e": b"333", "f/g/h/i/j": b"4444", "b/k": b"55555"}
    folder, name = fresh.folder(), fresh.name("root")

    repository.log_artifacts(fresh.tree(files), f"{folder}/x/y")
    repository.log_artifacts(fresh.tree({f"{name}/{path}": content for path, content in files.items()}))

    for place in (f"{folder}/x/y", name):
        expected = {f"{place}/{path}": len(content) for path, content in files.items()}
        expect_equal(expected, files_below(repository, place), f"the files below {place}")
        downloaded = tree_of(repository.download_artifacts(place, fresh.destination()))
        expect_equal(files, downloaded, f"the files below {place}")


@check("upload.folder")
def nothing_is_left_out(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Files that tools take for rubbish, or for their own, are stored with a folder, or refused as reserved."""
    folder, expected = fresh.folder(), {}

    for name in RUBBISH:
        with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
            repository.log_artifacts(fresh.tree({name: b"1"}), folder)
            expected[f"{folder}/{name}"] = 1

    expect_equal(expected, files_below(repository, folder), "the files that were not refused")


@check("upload.hidden-files", rests_on=("upload.folder",))
def hidden_files_are_stored(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Files and folders whose names begin with a full stop are logged alone and with a folder."""
    folder = fresh.folder()

    repository.log_artifact(fresh.file(".a"), folder)
    repository.log_artifacts(fresh.tree({".b": b"1", ".c/d": b"2", "e/.f": b"3", ".git/config": b"4"}), folder)

    expected = {f"{folder}/.a": 7} | {f"{folder}/{path}": 1 for path in (".b", ".c/d", "e/.f", ".git/config")}
    expect_equal(expected, files_below(repository, folder), "the files")


@check("upload.folder-merges", rests_on=("upload.folder",))
def a_folder_is_merged(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Files that lie in the folder already stay, and those of the same paths are replaced."""
    folder = fresh.logged({"a": b"old", "b/c": b"old", "b/d": b"old", "e/f": b"old"})

    repository.log_artifacts(fresh.tree({"a": b"new!", "b/c": b"new", "b/g": b"new"}), folder)

    expected = {"a": b"new!", "b/c": b"new", "b/d": b"old", "b/g": b"new", "e/f": b"old"}
    expect_equal(expected, tree_of(repository.download_artifacts(folder, fresh.destination())), "the files")


@check("upload.folder-of-nothing", rests_on=("upload.folder",))
def a_folder_of_nothing_is_logged(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """An empty local folder, and one of empty folders, are logged, and no file is there."""
    folder = fresh.logged({"a": b"1"})

    repository.log_artifacts(fresh.tree(), folder)
    repository.log_artifacts(fresh.tree({"b/": b"", "c/d/": b""}), folder)

    expect_equal({f"{folder}/a": 1}, files_below(repository, folder), "the files")


@check("upload.path-like", rests_on=LOGGED)
def local_paths_are_strings_or_paths(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Files and folders are logged, and downloaded, where their local path is an os.PathLike."""
    folder = fresh.folder()

    repository.log_artifact(Path(fresh.file("a", b"1")), folder)
    repository.log_artifacts(Path(fresh.tree({"b": b"2"})), folder)
    downloaded = repository.download_artifacts(folder, Path(fresh.destination()))

    expect_equal({"a": b"1", "b": b"2"}, tree_of(downloaded), "the files")


@check("upload.path-like", rests_on=LOGGED)
def local_paths_are_of_the_working_directory(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Files and folders are logged where their local path is relative, or ends with a slash."""
    folder = fresh.folder()

    with fresh.working_in(fresh.tree({"a": b"1", "b/c": b"2", "d/e": b"3"})):
        repository.log_artifact("a", folder)
        repository.log_artifacts("b", folder)
        repository.log_artifacts("d/", folder)

    downloaded = tree_of(repository.download_artifacts(folder, fresh.destination()))
    expect_equal({"a": b"1", "c": b"2", "e": b"3"}, downloaded, "the files")


@check("upload.link-to-file", rests_on=LOGGED)
def a_link_to_a_file_is_that_file(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Symbolic links to files are logged as the files, alone and in a folder."""
    elsewhere, tree = fresh.file("target.txt", b"target"), fresh.tree({"a": b"1"})
    link, folder = fresh.link(tree, "linked", elsewhere), fresh.folder()

    repository.log_artifact(link, f"{folder}/alone")
    repository.log_artifacts(tree, f"{folder}/tree")

    expected = {"alone/linked": b"target", "tree/a": b"1", "tree/linked": b"target"}
    expect_equal(expected, tree_of(repository.download_artifacts(folder, fresh.destination())), "the files")


def _status(path: str) -> tuple[int, int]:
    status = os.stat(path)
    return stat.S_IMODE(status.st_mode), status.st_mtime_ns
