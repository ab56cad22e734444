"""The checks of the chapter on listing and deleting: deleting."""

from __future__ import annotations

from trackspec import ArtifactRepository, ErrorCode
from trackspec_conformance.artifact_trees import files_below
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, raising, refused
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.local_files import tree_of
from trackspec_conformance.suites.artifacts.listing_at_scale import many

LOGGED = ("upload.folder",)


@check("delete.file", rests_on=LOGGED)
def a_deleted_file_is_gone(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A file that was deleted is not listed any more, and not downloaded."""
    folder = fresh.logged({"a": b"1", "b": b"2"})

    repository.delete_artifacts(f"{folder}/a")

    expect_equal([f"{folder}/b"], [info.path for info in repository.list_artifacts(folder)], "the listing")
    with raising():  # which error it is, and what it leaves behind, is another requirement's
        repository.download_artifacts(f"{folder}/a", fresh.destination())


@check("delete.folder", rests_on=("delete.file",))
def a_deleted_folder_is_gone(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A folder is deleted with all below it."""
    folder = fresh.logged({"a/b": b"1", "a/c/d": b"2", "a/c/e/f": b"3", "a/.h/.i": b"5", "g": b"4"})

    repository.delete_artifacts(f"{folder}/a")

    expect_equal({f"{folder}/g": 1}, files_below(repository, folder), "the files")


@check("delete.alone", rests_on=("delete.file",))
def nothing_else_is_deleted(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Files and folders beside the deleted ones stay, also those whose names theirs begin."""
    others = {"ab": b"1", "a.b": b"2", "a-b/c": b"3", "b/a": b"4", "fg/h": b"5", "f.txt": b"6", "F/x": b"7"}
    folder = fresh.logged({**others, "a": b"0", "f/x": b"0"})

    repository.delete_artifacts(f"{folder}/a")
    repository.delete_artifacts(f"{folder}/f")

    downloaded = tree_of(repository.download_artifacts(folder, fresh.destination()))
    expect_equal(others, downloaded, "the files")


@check("delete.exact-name", rests_on=("delete.file",))
def names_are_taken_as_they_are(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Files whose names read as patterns, encodings and parts of a URI are deleted, and no other ones."""
    odd = ("a*", "a?", "[ab]", "a%20b", "a#b", "a?b", "a;b", "a+b", "~", "a.", "．．", "a_", "%", "_")
    others = dict.fromkeys(("a", "ab", "abc", "a b", "b", "A", "a,", "c/a", "c/ab"), b"other")
    folder = fresh.logged({**dict.fromkeys(odd, b"odd"), **others})

    for name in odd:
        repository.delete_artifacts(f"{folder}/{name}")

    downloaded = tree_of(repository.download_artifacts(folder, fresh.destination()))
    expect_equal(others, downloaded, "the files")


@check("delete.root", rests_on=("artifact.below", "delete.folder"))
def everything_is_deleted(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Without a path, everything in a repository is deleted, and nothing beside it."""
    folder = fresh.logged({"a/b": b"1", "a/c/d": b"2", "ab/e": b"3"})

    fresh.below(f"{folder}/a").delete_artifacts()

    expect_equal({f"{folder}/ab/e": 1}, files_below(repository, folder), "the files")


@check("delete.missing", rests_on=("delete.file", "delete.folder"))
def nothing_is_deleted_already(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Deleting what was never there, and what is there no more, succeeds and changes nothing."""
    folder = fresh.logged({"a": b"1", "b/c": b"2", "d": b"3"})

    repository.delete_artifacts(f"{folder}/nothing")
    repository.delete_artifacts(fresh.folder())
    repository.delete_artifacts(f"{folder}/a/below")
    repository.delete_artifacts(f"{folder}/d")
    repository.delete_artifacts(f"{folder}/d")

    expect_equal({f"{folder}/a": 1, f"{folder}/b/c": 1}, files_below(repository, folder), "the files")


@check("delete.logged-again", rests_on=("delete.file", "delete.folder"))
def what_was_deleted_is_logged_again(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A file, a file in the place of a folder, and a folder in the place of a file are logged after deleting."""
    folder = fresh.logged({"a": b"old", "b": b"old", "c/d": b"old"})
    for path in ("a", "b", "c"):
        repository.delete_artifacts(f"{folder}/{path}")

    new = {"a": b"new", "b/x": b"new", "c": b"new"}
    repository.log_artifacts(fresh.tree(new), folder)

    expect_equal(new, tree_of(repository.download_artifacts(folder, fresh.destination())), "the files")


@check("delete.path-refused", rests_on=("delete.file",))
def bad_paths_delete_nothing(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Paths with detours, encoded or not, are refused by deleting, and everything stays."""
    files = {"a/b": b"1", "c": b"2"}
    folder = fresh.logged(files)
    detours = ("../c", "./b", "%2e%2e/c", "%252e%252e/c", "..\\c", "b\0", "..%2fc")
    paths = (*(f"{folder}/a/{detour}" for detour in detours), f"/{folder}", f"C:/{folder}", f"{folder}/a/..", 5)

    for path in paths:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            repository.delete_artifacts(path)  # type: ignore[arg-type]  # one of them is no string

    downloaded = tree_of(repository.download_artifacts(folder, fresh.destination()))
    expect_equal(files, downloaded, "the files")


@check("delete.crowd", rests_on=("delete.folder",), timeout=120)
def many_files_are_deleted(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A folder with more than a thousand files is deleted whole, and what lies beside it stays."""
    folder = fresh.logged({"beside": b"1"})
    for piece in many("many/{:04}"):
        fresh.logged(piece, folder)

    repository.delete_artifacts(f"{folder}/many")

    expect_equal({f"{folder}/beside": 1}, files_below(repository, folder), "the files")
