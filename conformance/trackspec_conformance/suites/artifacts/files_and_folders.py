"""The checks of the chapter on artifact repositories: files and folders."""

from __future__ import annotations

import gzip
from pathlib import Path

from hypothesis import strategies as st

from trackspec import ArtifactRepository, ErrorCode, FileInfo
from trackspec_conformance.artifact_trees import files_below
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, unless_refused
from trackspec_conformance.exploring import explore
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.local_files import tree_of

LOGGED = ("upload.file", "download.file")


@check("artifact.exact", rests_on=LOGGED)
def awkward_bytes_are_kept(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Bytes that text modes and encodings like to change are read as they were logged."""
    contents = (
        bytes(range(256)),
        b"a\r\nb\rc\n",
        b"\x1a\x04\x00",
        b"\xff\xfe\xef\xbb\xbf",
        b"\n",
        b"no newline",
        b"\x1f\x8b\x08\x00",
        b"%PDF <html> {} --boundary\r\n\r\n.\r\n",
        b"\x00" * 5000,
    )
    folder = fresh.folder()

    for number, content in enumerate(contents):
        repository.log_artifact(fresh.file(f"{number}.bin", content), folder)

    expected = {f"{number}.bin": content for number, content in enumerate(contents)}
    expect_equal(expected, tree_of(repository.download_artifacts(folder, fresh.destination())), "the files")


@check("artifact.exact", rests_on=LOGGED)
def no_name_tells_how_to_read(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Files whose names say that they are text or compressed are read as they were logged."""
    text = b"\xef\xbb\xbfa,b\r\nc\rd\n\x1a\xff\n"
    squeezed = gzip.compress(b"content", mtime=0)
    files = {f"a.{kind}": text for kind in ("txt", "csv", "json", "yaml", "md", "html", "svg", "xml", "py", "log")}
    files |= dict.fromkeys(("a.gz", "a.json.gz", "a.tgz", "a.svgz"), squeezed)
    folder = fresh.folder()

    repository.log_artifacts(fresh.tree(files), folder)

    expect_equal(files, tree_of(repository.download_artifacts(folder, fresh.destination())), "the files")


@check("artifact.exact", rests_on=LOGGED)
def any_bytes_are_kept(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Files of any bytes are read as they were logged."""

    def holds(contents: list[bytes]) -> None:
        folder = fresh.folder()
        files = {f"{number}.bin": content for number, content in enumerate(contents)}

        repository.log_artifacts(fresh.tree(files), folder)

        expect_equal(files, tree_of(repository.download_artifacts(folder, fresh.destination())), "the files")

    explore(fresh, st.lists(st.binary(max_size=300), min_size=1, max_size=4), holds, examples=15)


@check("artifact.empty-file", rests_on=LOGGED)
def an_empty_file_is_an_artifact(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Empty files, logged alone and with a folder, are listed with the size 0 and downloaded."""
    folder = fresh.folder()

    repository.log_artifact(fresh.file("a", b""), folder)
    repository.log_artifacts(fresh.tree({"b": b"", "c": b"1"}), folder)

    expected = [FileInfo(f"{folder}/{name}", False, size) for name, size in (("a", 0), ("b", 0), ("c", 1))]
    expect_equal(expected, repository.list_artifacts(folder), "the listing")
    downloaded = tree_of(repository.download_artifacts(f"{folder}/a", fresh.destination()))
    expect_equal({"": b""}, downloaded, "the empty file")


@check("artifact.kept", rests_on=LOGGED)
def another_object_finds_what_was_logged(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Files are found by a repository that was opened before they were logged, and by one opened after."""
    before = fresh.reopened()
    folder = fresh.folder()
    before.list_artifacts(folder)

    repository.log_artifacts(fresh.tree({"a": b"1", "b/c": b"22"}), folder)
    after = fresh.reopened()

    expected = {f"{folder}/a": 1, f"{folder}/b/c": 2}
    expect_equal(expected, files_below(before, folder), "the files, seen by the repository opened before")
    expect_equal(expected, files_below(after, folder), "the files, seen by the repository opened after")
    downloaded = tree_of(after.download_artifacts(folder, fresh.destination()))
    expect_equal({"a": b"1", "b/c": b"22"}, downloaded, "the files")


@check("artifact.below", rests_on=LOGGED)
def a_folder_is_the_root_of_a_repository_below(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """What is logged above and below is found by both repositories, each under its own path."""
    folder = fresh.logged({"a": b"1", "b/c": b"22"})
    below = fresh.below(folder)

    below.log_artifact(fresh.file("d", b"333"), "b")
    below.log_artifact(fresh.file("e", b"4444"))

    expect_equal({"a": 1, "b/c": 2, "b/d": 3, "e": 4}, files_below(below, ""), "the files, seen from below")
    expected = {f"{folder}/{path}": size for path, size in (("a", 1), ("b/c", 2), ("b/d", 3), ("e", 4))}
    expect_equal(expected, files_below(repository, folder), "the files, seen from above")


@check("artifact.case-apart", rests_on=LOGGED)
def case_parts_paths(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Files and folders whose names differ in case keep their own content."""
    folder = fresh.folder()
    files = {"a.TXT": b"1", "A.txt": b"2", "Data/x": b"3", "data/x": b"4"}

    for path, content in files.items():
        parent, _, name = path.rpartition("/")
        repository.log_artifact(fresh.file(name, content), f"{folder}/{parent}".rstrip("/"))

    downloaded = tree_of(repository.download_artifacts(folder, fresh.destination()))
    expect_equal(files, downloaded, "the files")


@check("artifact.file-or-folder", rests_on=LOGGED)
def nothing_is_logged_over_a_file_that_it_would_be_in(
    repository: ArtifactRepository, fresh: FreshArtifacts
) -> None:
    """A file stays when something is logged below its path, whether that is refused or kept."""
    folder = fresh.logged({"a": b"file"})

    kept = False
    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        repository.log_artifact(fresh.file("b", b"below"), f"{folder}/a")
        kept = True

    downloaded = Path(repository.download_artifacts(f"{folder}/a", fresh.destination()))
    found = downloaded.read_bytes() if downloaded.is_file() else tree_of(str(downloaded))
    expect_equal(b"file", found, "the file that was there before")
    if kept:
        below = tree_of(repository.download_artifacts(f"{folder}/a/b", fresh.destination()))
        expect_equal({"": b"below"}, below, "what was logged below it, since that was not refused")


@check("artifact.file-or-folder", rests_on=LOGGED)
def nothing_is_logged_over_a_folder(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """What lies in a folder stays when a file is logged to the folder's path, whether that is refused or kept."""
    folder = fresh.logged({"a/b": b"below"})

    kept = False
    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        repository.log_artifact(fresh.file("a", b"file"), folder)
        kept = True

    downloaded = tree_of(repository.download_artifacts(f"{folder}/a/b", fresh.destination()))
    expect_equal({"": b"below"}, downloaded, "the file that was there before")
    sizes = {info.path: info.file_size for info in repository.list_artifacts(f"{folder}/a")}
    expect_equal({f"{folder}/a/b": 5}, sizes, "the folder's listing")
    if kept:
        files = [info for info in repository.list_artifacts(folder) if not info.is_dir]
        expect_equal([FileInfo(f"{folder}/a", False, 4)], files, "the file, since it was not refused")


@check("artifact.file-or-folder", rests_on=("upload.folder",))
def no_file_of_a_folder_is_left_out(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A local folder of which one file cannot be where it belongs is refused, or all of it is there."""
    folder = fresh.logged({"a/b": b"below"})

    kept = False
    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        repository.log_artifacts(fresh.tree({"0": b"1", "a": b"file", "c": b"22"}), folder)
        kept = True

    below = tree_of(repository.download_artifacts(f"{folder}/a/b", fresh.destination()))
    expect_equal({"": b"below"}, below, "the file that was there before")
    if kept:
        files = {info.path: info.file_size for info in repository.list_artifacts(folder) if not info.is_dir}
        expect_equal({f"{folder}/0": 1, f"{folder}/a": 4, f"{folder}/c": 2}, files, "the files of the folder")
