"""The checks of the chapter on listing: folders of a few entries."""

from __future__ import annotations

from trackspec import ArtifactRepository, FileInfo
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal
from trackspec_conformance.fresh_artifacts import FreshArtifacts

LOGGED = ("upload.folder",)


@check("listing.direct", rests_on=LOGGED)
def a_folder_lists_what_is_directly_in_it(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Files and folders in a folder are listed once each, and nothing that lies deeper."""
    folder = fresh.logged({"a": b"1", "b": b"2", "c/d": b"3", "c/e": b"4", "f/g/h": b"5", "f/g/i": b"6"})

    listed = [info.path for info in repository.list_artifacts(folder)]
    deeper = [info.path for info in repository.list_artifacts(f"{folder}/f")]

    expect_equal([f"{folder}/{name}" for name in "abcf"], sorted(listed), "what lies in the folder")
    expect_equal([f"{folder}/f/g"], deeper, "what lies in its folder f")


@check("listing.from-root", rests_on=LOGGED)
def paths_are_relative_to_the_root(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """The paths of a listing are from the root, at the root and in a folder of a folder."""
    folder = fresh.logged({"a/b/c": b"1"})

    root = [info.path for info in repository.list_artifacts() if folder in info.path]
    deeper = [info.path for info in repository.list_artifacts(f"{folder}/a/b")]

    expect_equal([folder], root, "what the root lists")
    expect_equal([f"{folder}/a/b/c"], deeper, "what the deepest folder lists")


@check("listing.sizes", rests_on=LOGGED)
def files_have_sizes_and_folders_none(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A file is listed with its size in bytes, and a folder with None."""
    folder = fresh.logged({"a": b"xx", "b": b"x", "c": "é".encode() * 100, "d": b"x" * 70_000, "e/f": b"12345"})

    listed = repository.list_artifacts(folder)

    sizes = {"a": 2, "b": 1, "c": 200, "d": 70_000}
    expected = [FileInfo(f"{folder}/{name}", False, size) for name, size in sizes.items()]
    expect_equal([*expected, FileInfo(f"{folder}/e", True, None)], listed, "the listing")


@check("listing.order", rests_on=LOGGED)
def a_listing_is_in_the_order_of_the_paths(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Files and folders are listed together, by code point, whatever the order in which they were logged."""
    names = ["é", "b", "B", "a-b", "a", "Z", "10", "9", "_", "a.b", "ab", "a b", "~"]
    folder = fresh.logged({"d/x": b"1", "a+/x": b"1"})
    for name in names:
        repository.log_artifact(fresh.file(name), folder)

    listed = [info.path for info in repository.list_artifacts(folder)]

    expect_equal(sorted(f"{folder}/{name}" for name in [*names, "d", "a+"]), listed, "the paths")


@check("listing.of-file", rests_on=LOGGED)
def a_file_lists_nothing(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """The listing of a file is empty, in the root and in a folder."""
    folder = fresh.logged({"a": b"1"})
    name = fresh.name("file")
    repository.log_artifact(fresh.file(name))

    expect_equal([], repository.list_artifacts(f"{folder}/a"), "the listing of a file in a folder")
    expect_equal([], repository.list_artifacts(name), "the listing of a file in the root")


@check("listing.missing", rests_on=LOGGED)
def nothing_lists_nothing(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """The listing of a path is empty where nothing is, in the root, in a folder, and below a file."""
    folder = fresh.logged({"a": b"1"})

    expect_equal([], repository.list_artifacts(fresh.folder()), "the listing of no folder")
    expect_equal([], repository.list_artifacts(f"{folder}/b"), "the listing of no folder in a folder")
    expect_equal([], repository.list_artifacts(f"{folder}/a/b"), "the listing below a file")


@check("listing.prefix-apart", rests_on=LOGGED)
def a_name_that_begins_another_lists_its_own(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A folder lists nothing of the folders and files that its name begins the name of."""
    folder = fresh.logged({"a/x": b"1", "ab/y": b"2", "a.b/z": b"3", "a-": b"4", "a ": b"5"})

    listed = [info.path for info in repository.list_artifacts(f"{folder}/a")]

    expect_equal([f"{folder}/a/x"], listed, "what a lists")
    expect_equal([], repository.list_artifacts(folder[:-1]), "what a shorter name lists")


@check("listing.replaced", rests_on=("upload.overwrite",))
def a_replaced_file_is_listed_once(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A file that was logged three times is listed once, with the size of the last."""
    folder = fresh.folder()
    for content in (b"first", b"the second, which is longer", b"3rd"):
        repository.log_artifact(fresh.file("a", content), folder)

    expect_equal([FileInfo(f"{folder}/a", False, 3)], repository.list_artifacts(folder), "the listing")
