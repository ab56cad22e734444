"""The checks of the chapter on transfers: what is not uploaded."""

from __future__ import annotations

import os
from pathlib import Path

from trackspec import ArtifactRepository, ErrorCode
from trackspec_conformance.artifact_trees import files_below
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import (
    NotApplicable,
    expect_equal,
    expect_one_of,
    refused,
    refused_here,
    unless_refused,
)
from trackspec_conformance.fresh_artifacts import FreshArtifacts

FOLDER = ("upload.folder",)
UNREADABLE = Path("/sys/class/net/lo/speed")
"""A file of Linux that has a size and can be opened, and not be read, whoever asks.

One that says to be empty, such as those of /proc, need not be read to be logged.
"""


@check("upload.missing-refused", rests_on=("upload.file",))
def what_does_not_exist_is_refused(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A local file and a local folder that do not exist are refused, and nothing is stored."""
    folder, local = fresh.folder(), fresh.tree()

    with refused_here(ErrorCode.INVALID_PARAMETER_VALUE):
        repository.log_artifact(f"{local}/nothing", folder)
    with refused_here(ErrorCode.INVALID_PARAMETER_VALUE):
        repository.log_artifacts(f"{local}/nothing", folder)

    expect_equal({}, files_below(repository, folder), "the files")


@check("upload.kind-refused", rests_on=FOLDER)
def the_other_kind_is_refused(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A folder is refused where a file is logged, and a file where a folder is."""
    folder = fresh.folder()

    with refused_here(ErrorCode.INVALID_PARAMETER_VALUE):
        repository.log_artifact(fresh.tree({"a": b"1"}), folder)
    with refused_here(ErrorCode.INVALID_PARAMETER_VALUE):
        repository.log_artifacts(fresh.file("a", b"1"), folder)

    expect_equal({}, files_below(repository, folder), "the files")


@check("upload.unreadable-refused", rests_on=("upload.file",))
def what_cannot_be_read_is_refused(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A local file whose reading fails is refused, alone and in a folder; its name is not taken, or as it was."""
    if not UNREADABLE.exists():
        raise NotApplicable("this system has no file that cannot be read")
    folder, tree = fresh.logged({"taken": b"1"}), fresh.tree({"0": b"1", "z": b"1"})
    links = [fresh.link(tree, name, str(UNREADABLE)) for name in ("broken", "taken")]

    for link in links:
        with refused_here(ErrorCode.INVALID_PARAMETER_VALUE):
            repository.log_artifact(link, folder)
    with refused_here(ErrorCode.INVALID_PARAMETER_VALUE):
        repository.log_artifacts(tree, folder)

    found = files_below(repository, folder)
    names = {name: found.get(f"{folder}/{name}") for name in ("broken", "taken")}
    expect_equal({"broken": None, "taken": 1}, names, "the sizes of what lies under their names")


@check("upload.name-refused", rests_on=FOLDER)
def a_bad_name_is_refused(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Local files with a back-slash, a line break or an encoded detour in their names are refused."""
    folder = fresh.folder()

    for name in ("a\\b", "a\nb", "..\\b", "%2e%2e%2fb", "a%00"):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            repository.log_artifact(fresh.file(name), folder)
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            repository.log_artifacts(fresh.tree({name: b"1"}), folder)

    expect_equal({}, files_below(repository, folder), "the files")


@check("upload.folder-judged-first", rests_on=("upload.name-refused",))
def a_folder_with_a_bad_name_is_not_begun(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Nothing of a local folder is stored where a file deep in it is refused."""
    folder = fresh.folder()
    files = {f"a{number}.txt": b"1" for number in range(20)} | {"b/c": b"2", "m/z\nz": b"3", "z/z": b"4"}

    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        repository.log_artifacts(fresh.tree(files), folder)

    expect_equal({}, files_below(repository, folder), "the files")


@check("upload.link-to-folder", rests_on=FOLDER)
def a_link_to_a_folder_is_not_left_out(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A symbolic link to a folder is logged with what it leads to, or refuses the whole."""
    elsewhere, tree, folder = fresh.tree({"b": b"22"}), fresh.tree({"a": b"1"}), fresh.folder()
    fresh.link(tree, "linked", elsewhere)

    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        repository.log_artifacts(tree, folder)

    whole = {f"{folder}/a": 1, f"{folder}/linked/b": 2}
    expect_one_of([whole, {}], files_below(repository, folder), "the files")


@check("upload.link-to-nothing-refused", rests_on=FOLDER)
def a_link_to_nothing_is_refused(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A symbolic link that leads nowhere is refused, alone and in a folder."""
    tree, folder = fresh.tree({"a": b"1"}), fresh.folder()
    link = fresh.link(tree, "linked", f"{tree}/nothing")

    with refused_here(ErrorCode.INVALID_PARAMETER_VALUE):
        repository.log_artifact(link, folder)
    with refused_here(ErrorCode.INVALID_PARAMETER_VALUE):
        repository.log_artifacts(tree, folder)

    expect_equal([], [path for path in files_below(repository, folder) if path.endswith("linked")], "the links")


@check("upload.circle-refused", rests_on=FOLDER)
def a_folder_in_itself_is_refused(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A local folder that a link in it leads back to is refused."""
    tree = fresh.tree({"a": b"1", "b/c": b"2"})
    fresh.link(tree, "b/up", tree)

    with refused_here(ErrorCode.INVALID_PARAMETER_VALUE):
        repository.log_artifacts(tree, fresh.folder())


@check("upload.no-file-refused", rests_on=FOLDER)
def what_is_no_file_is_refused(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A named pipe, which would have to be waited for, is refused, alone and in a folder."""
    if not hasattr(os, "mkfifo"):
        raise NotApplicable("this system has no named pipes")
    tree = fresh.tree({"a": b"1"})
    pipe = fresh.pipe(tree, "pipe")

    with refused_here(ErrorCode.INVALID_PARAMETER_VALUE):
        repository.log_artifact(pipe, fresh.folder())
    with refused_here(ErrorCode.INVALID_PARAMETER_VALUE):
        repository.log_artifacts(tree, fresh.folder())
