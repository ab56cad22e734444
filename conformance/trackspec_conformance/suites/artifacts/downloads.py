"""The checks of the chapter on transfers: what is downloaded, and where to."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from trackspec import ArtifactRepository, ErrorCode
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import NotApplicable, expect, expect_equal, refused, unless_refused
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.local_files import tree_of

LOGGED = ("upload.folder",)


@check("download.file", rests_on=("upload.file",))
def a_file_lies_below_the_destination(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A file is written under its whole artifact path, and the absolute path of it is returned."""
    folder = fresh.folder()
    repository.log_artifact(fresh.file("c.txt", b"1"), f"{folder}/a/b")
    destination = fresh.destination()

    returned = repository.download_artifacts(f"{folder}/a/b/c.txt", destination)

    expect_equal(f"{destination}/{folder}/a/b/c.txt", os.path.normpath(returned), "the path")
    expect_equal({f"{folder}/a/b/c.txt": b"1"}, tree_of(destination), "the destination")


@check("download.file", rests_on=("upload.file",))
def a_relative_destination_is_of_the_working_directory(
    repository: ArtifactRepository, fresh: FreshArtifacts
) -> None:
    """A file is written below a destination that is named from the working directory; the path is absolute."""
    folder, working = fresh.logged({"a": b"1"}), fresh.tree({"to/here/": b""})

    with fresh.working_in(working):
        returned = repository.download_artifacts(f"{folder}/a", "to/here")

    expect_equal(f"{working}/to/here/{folder}/a", os.path.normpath(returned), "the path")
    expect_equal({f"to/here/{folder}/a": b"1"}, tree_of(working), "the working directory")


@check("download.folder", rests_on=LOGGED)
def a_folder_lies_below_the_destination(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A folder is written with all below it under its whole artifact path, and its absolute path is returned."""
    folder = fresh.logged({"a/b": b"1", "a/c/d": b"22", "a/c/e/f": b"333", "g": b"4444"})
    destination = fresh.destination()

    returned = repository.download_artifacts(f"{folder}/a", destination)

    expect_equal(f"{destination}/{folder}/a", os.path.normpath(returned), "the path")
    expected = {f"{folder}/a/b": b"1", f"{folder}/a/c/d": b"22", f"{folder}/a/c/e/f": b"333"}
    expect_equal(expected, tree_of(destination), "the destination")


@check("download.folder", rests_on=LOGGED)
def many_files_are_downloaded(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A folder of fifty files in ten folders is downloaded whole, each file with its own content."""
    files = {f"{number % 10}/{number}.txt": str(number).encode() * number for number in range(50)}
    folder = fresh.logged(files)

    downloaded = tree_of(repository.download_artifacts(folder, fresh.destination()))

    expect_equal(files, downloaded, "the files")


@check("download.root", rests_on=("artifact.below",))
def everything_is_downloaded(fresh: FreshArtifacts) -> None:
    """The empty path downloads all files of a repository into the destination itself."""
    files = {"a": b"1", "b/c": b"22", "b/d/e": b"333"}
    below = fresh.below(fresh.logged(files))
    destination = fresh.destination()

    returned = below.download_artifacts("", destination)

    expect_equal(destination, os.path.normpath(returned), "the path")
    expect_equal(files, tree_of(destination), "the destination")


@check("download.prefix-apart", rests_on=LOGGED)
def what_begins_alike_is_not_downloaded(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A folder and a file are downloaded without those whose names theirs begin."""
    folder = fresh.logged({"a/x": b"1", "ab/y": b"2", "a.b": b"3", "f": b"4", "fg": b"5", "f.h/i": b"6"})
    whole, alone = fresh.destination(), fresh.destination()

    repository.download_artifacts(f"{folder}/a", whole)
    repository.download_artifacts(f"{folder}/f", alone)

    expect_equal({f"{folder}/a/x": b"1"}, tree_of(whole), "the destination of the folder")
    expect_equal({f"{folder}/f": b"4"}, tree_of(alone), "the destination of the file")


@check("download.without-destination", rests_on=LOGGED)
def no_destination_is_needed(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Without a destination, a file and a folder can be read at the absolute paths that are returned."""
    folder = fresh.logged({"a": b"1", "b/c": b"22"})

    with fresh.temporary_folders():
        file = repository.download_artifacts(f"{folder}/a")
        whole = repository.download_artifacts(folder)

    expect(os.path.isabs(file) and os.path.isabs(whole), "absolute paths", [file, whole])
    expect_equal({"": b"1"}, tree_of(file), "the file")
    expect_equal({"a": b"1", "b/c": b"22"}, tree_of(whole), "the folder")


@check("download.without-destination", rests_on=LOGGED)
def no_download_is_out_of_date(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Without a destination, a file that was replaced is read as it is now, also where it is as long as before."""
    folder = fresh.logged({"a": b"old"})

    with fresh.temporary_folders():
        repository.download_artifacts(f"{folder}/a")
        fresh.logged({"a": b"new"}, folder)
        again = tree_of(repository.download_artifacts(f"{folder}/a"))

    expect_equal({"": b"new"}, again, "the file")


@check("download.copied", rests_on=("download.file",))
def what_was_downloaded_may_be_changed(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Artifacts stay as they are when the files in the destination are changed."""
    folder = fresh.logged({"a": b"artifact", "b/c": b"artifact"})

    downloaded = repository.download_artifacts(folder, fresh.destination())
    for path in ("a", "b/c"):
        Path(downloaded, path).write_bytes(b"changed")

    kept = tree_of(repository.download_artifacts(folder, fresh.destination()))
    expect_equal({"a": b"artifact", "b/c": b"artifact"}, kept, "the artifacts")


@check("download.is-a-copy", rests_on=("download.without-destination",))
def a_download_may_be_changed(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """An artifact stays as it is when the file that was downloaded is changed."""
    folder = fresh.logged({"a": b"artifact"})

    with fresh.temporary_folders():
        fresh.write(repository.download_artifacts(f"{folder}/a"), b"changed")

    kept = tree_of(repository.download_artifacts(f"{folder}/a", fresh.destination()))

    expect_equal({"": b"artifact"}, kept, "the artifact")


@check("download.temporary-private", rests_on=("download.without-destination",))
def a_temporary_folder_is_private(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """The folder that a download is put into gives no rights to other users, whatever the process permits."""
    folder = fresh.logged({"a": b"1"})
    permitted = os.umask(0)
    try:
        with fresh.temporary_folders() as temporary:
            first, second = (repository.download_artifacts(f"{folder}/a") for _ in range(2))
    finally:
        os.umask(permitted)
    places = [Path(first), *Path(first).parents]
    made = [place for place in places if Path(temporary) in place.parents]
    if first == second and not made:
        raise NotApplicable("the subject makes no folder: it returns where the artifact itself is")

    rights = [stat.S_IMODE(place.stat().st_mode) for place in made or places]
    told = "the file, or a folder that is made for it, to give no rights to other users"
    expect(any(right & 0o077 == 0 for right in rights), told, f"the rights {', '.join(map(oct, rights))}")


@check("download.missing-refused", rests_on=LOGGED)
def what_does_not_exist_is_refused(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Downloading what is not there is refused, in the root, in a folder and below a file, and leaves nothing."""
    folder, destination = fresh.logged({"a": b"1"}), fresh.destination()

    for path in (fresh.folder(), f"{folder}/b", f"{folder}/a/b", folder[:-1]):
        with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
            repository.download_artifacts(path, destination)

    expect_equal({}, tree_of(destination), "the destination")


@check("download.replaces", rests_on=LOGGED)
def a_local_file_is_replaced(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Local files that are longer than the artifacts at their places, or as long, are replaced whole."""
    folder = fresh.logged({"a": b"new", "b/c": b"the new one"})
    destination = fresh.tree({f"{folder}/{path}": b"old content" for path in ("a", "b/c")})

    repository.download_artifacts(f"{folder}/a", destination)
    repository.download_artifacts(folder, destination)

    expected = {f"{folder}/a": b"new", f"{folder}/b/c": b"the new one"}
    expect_equal(expected, tree_of(destination), "the destination")


@check("download.keeps-others", rests_on=LOGGED)
def other_local_files_stay(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """What lies in the destination besides stays, also in folders of artifacts, and nothing is added."""
    folder = fresh.logged({"a": b"1", "b/c": b"2"})
    others = {"mine": b"mine", f"{folder}/b/mine": b"mine", f"{folder}/.mine": b"mine"}
    destination = fresh.tree(others)

    repository.download_artifacts(folder, destination)

    expected = {f"{folder}/a": b"1", f"{folder}/b/c": b"2", **others}
    expect_equal(expected, tree_of(destination), "the destination")


@check("download.no-folder-refused", rests_on=LOGGED)
def a_destination_that_is_a_file_is_refused(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A file in the place of a destination is refused, for a file and for a folder, and stays."""
    folder, destination = fresh.logged({"a": b"1"}), fresh.file("destination", b"mine")

    for path in (f"{folder}/a", folder):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            repository.download_artifacts(path, destination)

    expect_equal({"": b"mine"}, tree_of(destination), "the file")


@check("download.destination-missing", rests_on=LOGGED)
def a_missing_destination_is_made_or_refused(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A destination that does not exist holds the artifacts afterwards, or is refused."""
    folder, destination = fresh.logged({"a": b"1"}), f"{fresh.destination()}/new"

    made = False
    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE, ErrorCode.RESOURCE_DOES_NOT_EXIST):
        repository.download_artifacts(folder, destination)
        made = True

    expect_equal({f"{folder}/a": b"1"} if made else {}, tree_of(destination), "the destination")


@check("download.link-not-followed", rests_on=LOGGED)
def links_in_the_destination_are_not_followed(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Symbolic links in the destination, to a file and to a folder, lead no write outside."""
    folder = fresh.logged({"a": b"artifact", "b/c": b"artifact"})
    for path, is_folder in (("a", False), ("b", True), ("b/c", False)):
        outside, destination = fresh.tree({"file": b"mine", "folder/c": b"mine"}), fresh.destination()
        fresh.link(destination, f"{folder}/{path}", f"{outside}/{'folder' if is_folder else 'file'}")

        with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
            repository.download_artifacts(folder, destination)

        expect_equal({"file": b"mine", "folder/c": b"mine"}, tree_of(outside), "what the link leads to")
