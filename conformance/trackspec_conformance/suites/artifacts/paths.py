"""The checks of the chapter on artifact repositories: which paths are refused.

What a path would lead to, where it is not refused, has a name of the check's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from trackspec import ArtifactRepository, ErrorCode
from trackspec_conformance.artifact_trees import files_below
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, refused
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.local_files import tree_of

Judge = Callable[[ArtifactRepository, FreshArtifacts, Any], object]

LOGGED = ("upload.file",)


def _logs_a_file(repository: ArtifactRepository, fresh: FreshArtifacts, path: Any) -> None:
    repository.log_artifact(fresh.file("f.txt"), path)


def _logs_a_folder(repository: ArtifactRepository, fresh: FreshArtifacts, path: Any) -> None:
    repository.log_artifacts(fresh.tree({"f.txt": b"content"}), path)


def _lists(repository: ArtifactRepository, fresh: FreshArtifacts, path: Any) -> None:  # noqa: ARG001 - as the others
    repository.list_artifacts(path)


def _downloads(repository: ArtifactRepository, fresh: FreshArtifacts, path: Any) -> None:
    repository.download_artifacts(path, fresh.destination())


LOGGING: tuple[Judge, ...] = (_logs_a_file, _logs_a_folder)
READING: tuple[Judge, ...] = (_lists, _downloads)


def require_refused(
    repository: ArtifactRepository, fresh: FreshArtifacts, paths: Sequence[Any], calls: Sequence[Judge]
) -> None:
    """Require that each of the calls refuses each of the paths."""
    for path in paths:
        for call in calls:
            with refused(ErrorCode.INVALID_PARAMETER_VALUE):
                call(repository, fresh, path)


@check("path.root", rests_on=LOGGED)
def none_and_the_empty_string_are_the_root(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Files logged without a folder, to None and to the empty string are found in the root by either."""
    names = [fresh.name(f"root{number}") for number in range(4)]

    repository.log_artifact(fresh.file(names[0], b"1"), None)
    repository.log_artifact(fresh.file(names[1], b"22"), "")
    repository.log_artifacts(fresh.tree({names[2]: b"333"}), None)
    repository.log_artifacts(fresh.tree({names[3]: b"4444"}), "")

    expected = dict(zip(names, (1, 2, 3, 4), strict=True))
    for path in (None, ""):
        sizes = {info.path: info.file_size for info in repository.list_artifacts(path) if info.path in names}
        expect_equal(expected, sizes, f"the files in {path!r}")


@check("path.parent-refused", rests_on=LOGGED)
def parents_are_refused(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Paths with a parent segment at the start, in the middle and at the end are refused."""
    folder = fresh.logged({"a/f.txt": b"1"})
    paths = (
        f"../{fresh.name()}",
        "..",
        f"{folder}/../{fresh.name()}",
        f"{folder}/a/../a",
        f"{folder}/..",
        f"../../../{fresh.name()}",
        f"{folder}/a/../../../{fresh.name()}",
    )

    require_refused(repository, fresh, paths, (*LOGGING, *READING))


@check("path.absolute-refused", rests_on=LOGGED)
def absolute_paths_are_refused(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Paths that begin with one slash or several are refused."""
    folder = fresh.logged({"a/f.txt": b"1"})

    require_refused(repository, fresh, (f"/{folder}", f"//{folder}/a", f"/tmp/{fresh.name()}"), LOGGING)
    require_refused(repository, fresh, (f"/{folder}", f"//{folder}/a", "/etc/passwd"), READING)


@check("path.drive-refused", rests_on=LOGGED)
def drives_are_refused(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Paths that begin with a drive are refused, whether or not a slash follows."""
    paths = (f"C:/{fresh.name()}", f"c:{fresh.name()}", f"Z:/a/{fresh.name()}")

    require_refused(repository, fresh, paths, (*LOGGING, *READING))


@check("path.back-slash-refused", rests_on=LOGGED)
def back_slashes_are_refused(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Paths with a back-slash are refused, wherever it stands."""
    folder = fresh.logged({"a/f.txt": b"1"})
    paths = (
        f"..\\{fresh.name()}",
        f"{folder}\\a",
        f"{folder}/a\\..\\..",
        f"\\\\host\\{fresh.name()}",
        f"{folder}/x\\",
    )

    require_refused(repository, fresh, paths, (*LOGGING, *READING))


@check("path.control-refused", rests_on=LOGGED)
def control_characters_are_refused(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Paths with NUL, a line break or another control character are refused, wherever it stands."""
    folder = fresh.logged({"a/f.txt": b"1"})
    paths = [f"{folder}/x{character}y" for character in "\x00\n\r\t\x1b\x7f\x85"]
    paths += [f"{folder}/a\x00", f"{folder}/a\n", f"\n{folder}", f"{folder}\x00/../x"]

    require_refused(repository, fresh, paths, (*LOGGING, *READING))


@check("path.surrogates-refused", rests_on=LOGGED)
def lone_surrogates_are_refused(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Paths with a lone surrogate are refused."""
    folder = fresh.folder()

    require_refused(repository, fresh, (f"{folder}/\ud800", f"{folder}\udcff/a"), (*LOGGING, *READING))


@check("path.one-form", rests_on=LOGGED)
def another_form_of_a_path_is_not_logged_to(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Paths with empty and dot segments are refused by the calls that log."""
    require_refused(repository, fresh, _other_forms(fresh), LOGGING)


@check("path.one-form-read", rests_on=LOGGED)
def another_form_of_a_path_is_not_read(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Paths with empty and dot segments are refused by the calls that read."""
    require_refused(repository, fresh, _other_forms(fresh), READING)


def _other_forms(fresh: FreshArtifacts) -> tuple[str, ...]:
    folder = fresh.logged({"a/f.txt": b"1"})
    return (f"{folder}//a", f"{folder}/./a", f"./{folder}", f"{folder}/a/", f"{folder}/.", ".", f"{folder}/a//")


@check("path.encoded-refused", rests_on=LOGGED)
def encoded_detours_are_refused(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Paths that lead out of the root when they are decoded, up to three times, are refused."""
    name = fresh.name()
    paths = (
        f"%2e%2e/{name}",
        f"..%2f{name}",
        f"%2E%2E%2F{name}",
        f"{name}/%2e%2e/%2e%2e/x",
        f"%252e%252e/{name}",
        f"%252e%252e%252f{name}",
        f"%25252e%25252e/{name}",
        f"%2fetc%2f{name}",
        f"%5c{name}",
        f"..%5c{name}",
        f"{name}%00",
    )

    require_refused(repository, fresh, paths, (*LOGGING, *READING))


@check("path.type-refused", rests_on=LOGGED)
def other_types_are_refused(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """What is neither a string nor None is refused."""
    require_refused(repository, fresh, (5, b"a", ["a"], True, 0.5, object()), (*LOGGING, *READING))


@check("path.refused-writes-nothing", rests_on=LOGGED)
def a_refused_path_leaves_no_trace(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """After a call whose path was refused, repository and destination are as they were."""
    for detour in ("a/../b", "a/..", "/b", "./b", "a//b", "a\\..\\b"):
        for call in LOGGING:
            folder = fresh.logged({"a/f.txt": b"1"})
            if _is_refused(call, repository, fresh, f"{folder}/{detour}"):
                expect_equal({f"{folder}/a/f.txt": 1}, files_below(repository, folder), "what lies in the folder")
        folder, destination = fresh.logged({"a/f.txt": b"1"}), fresh.destination()
        with suppress(Exception):
            repository.download_artifacts(f"{folder}/{detour}", destination)
            continue
        expect_equal({}, tree_of(destination), "what lies in the destination")


def _is_refused(call: Judge, repository: ArtifactRepository, fresh: FreshArtifacts, path: str) -> bool:
    try:
        call(repository, fresh, path)
    except Exception:
        return True
    return False
