"""The checks of the chapter on artifact repositories: names that are kept as they are."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from trackspec import ArtifactRepository, ErrorCode
from trackspec.artifact_paths import valid_path
from trackspec.errors import TrackspecError
from trackspec_conformance.artifact_trees import files_below
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, expect_one_of, unless_refused
from trackspec_conformance.exploring import explore
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.local_files import tree_of

LOGGED = ("upload.folder", "download.folder")


def require_kept(repository: ArtifactRepository, fresh: FreshArtifacts, names: Sequence[str]) -> None:
    """Require that files and folders of these names are listed and downloaded, each with its own content."""
    folder = fresh.folder()
    files = {f"{name}": f"file {number}".encode() for number, name in enumerate(names)}
    within = {f"in a folder/{name}/{number}": f"{number}, in".encode() for number, name in enumerate(names)}

    for name, content in files.items():
        repository.log_artifact(fresh.file(name, content), folder)
    repository.log_artifacts(fresh.tree(within), folder)

    everything = files | within
    expected = {f"{folder}/{path}": len(content) for path, content in everything.items()}
    expect_equal(expected, files_below(repository, folder), "the files that are listed")
    downloaded = tree_of(repository.download_artifacts(folder, fresh.destination()))
    expect_equal(everything, downloaded, "the files that are downloaded")
    for name, content in files.items():
        alone = tree_of(repository.download_artifacts(f"{folder}/{name}", fresh.destination()))
        expect_equal({"": content}, alone, f"the file {name!r}")


@check("names.spaces", rests_on=LOGGED)
def spaces_are_kept(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Names with spaces at the start, in the middle and at the end are kept, and are different names."""
    require_kept(repository, fresh, ("a b", "a  b", " ab", "ab ", "ab", "a\u00a0b", " a b "))


@check("names.dots", rests_on=LOGGED)
def full_stops_are_kept(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Names with full stops at the start, in the middle and at the end are kept, and are different names."""
    require_kept(repository, fresh, (".a", "..a", "a.", "a..", "a..b", "a", "a.tar.gz", "...a"))


@check("names.unicode", rests_on=LOGGED)
def every_script_is_kept(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Names in several scripts, with emoji and with invisible characters are kept."""
    names = (
        "größe",
        "層",
        "модель",
        "نموذج",
        "😀",
        "👩\u200d🔬",
        "a\u200bb",
        "ﬁ",
        "ẞ",
        "𝒳",
        "\ufeffa",
        "a\u2028b",
    )
    require_kept(repository, fresh, names)


@check("names.forms-apart", rests_on=LOGGED)
def forms_are_apart(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Composed and decomposed names are different names."""
    require_kept(repository, fresh, ("\u00e9", "e\u0301", "\u212b", "\u00c5", "A\u030a", "ﬀ", "ff"))


@check("names.look-alikes", rests_on=LOGGED)
def look_alikes_lead_nowhere(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Characters that look like full stops and slashes are kept in names, and part no folders."""
    require_kept(repository, fresh, ("．．", "‥", "a∕b", "a⁄b", "a／b", "a＼b", "．．／a", "․․", "a⧵b"))


@check("names.percent", rests_on=LOGGED)
def percent_signs_are_kept(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Names that read as percent-encoded are kept as they are, apart from what they would stand for."""
    require_kept(
        repository,
        fresh,
        ("100%", "%", "a%20b", "a b", "a%2520b", "%41", "a%2Fb", "A", "%zz", "50%25", "%C3%A9", "é"),
    )


@check("names.uri-characters", rests_on=LOGGED)
def characters_of_uris_are_kept(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Names with the characters that part a URI are kept whole."""
    names = (
        "a#b",
        "a?b",
        "a;b",
        "a&b=c",
        "a+b",
        "a b",
        "a@b",
        "a,b",
        "#",
        "?",
        "a?b#c",
        "ab:c",
        "http:a",
        "a=b;c",
    )
    require_kept(repository, fresh, names)


@check("names.patterns", rests_on=LOGGED)
def patterns_are_not_expanded(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Names with quotes, wildcards and what shells expand are kept as they are."""
    names = (
        "a*b",
        "*",
        "~",
        "~root",
        "$HOME",
        "${HOME}",
        "`id`",
        "$(id)",
        "a'b",
        'a"b',
        "[ab]",
        "{a,b}",
        "a|b",
        "<a>",
    )
    require_kept(repository, fresh, (*names, "!a", "a^b", "-rf", "--help", "a_b", "axb", "_", "x"))


@check("names.longest", rests_on=LOGGED)
def the_longest_names_are_kept(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Names of 255 bytes are kept whole, in ASCII and in wider characters, and told apart by their last one."""
    names = ("a" * 255, "a" * 254 + "b", "é" * 127 + "x", "層" * 85, "😀" * 63 + "xyz")
    folder = fresh.folder()
    files = {name: f"file {number}".encode() for number, name in enumerate(names)}

    for name, content in files.items():
        repository.log_artifact(fresh.file(name, content), folder)

    downloaded = tree_of(repository.download_artifacts(folder, fresh.destination()))
    expect_equal(files, downloaded, "the files")


@check("names.longest-path", rests_on=LOGGED)
def the_longest_paths_are_kept(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Paths of 800 bytes are kept whole, of long names and of many."""
    folder = fresh.folder()
    room = 800 - len(f"{folder}/")
    long_names = "/".join(("x" * 200, "y" * 200, "z" * 200))
    deep = "b/" * (room // 2 - 1)

    for path in (f"{long_names}/{'w' * (room - len(long_names) - 1)}", deep + "c" * (room - len(deep))):
        parent, _, name = path.rpartition("/")
        repository.log_artifact(fresh.file(name, b"1"), f"{folder}/{parent}")

        downloaded = tree_of(repository.download_artifacts(f"{folder}/{path}", fresh.destination()))
        expect_equal({"": b"1"}, downloaded, "the file")


@check("names.over-long", rests_on=LOGGED)
def what_is_over_long_is_not_cut(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A folder name of 300 bytes, and a path of 5000, are kept whole or refused."""
    for path in ("x" * 300, "層" * 100, "/".join(["y" * 249] * 20)):
        folder = fresh.folder()
        kept: dict[str, int | None] = {}

        with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
            repository.log_artifact(fresh.file("a", b"1"), f"{folder}/{path}")
            kept = {f"{folder}/{path}/a": 1}

        expect_one_of([kept], files_below(repository, folder), "the files")


@check("names.any", rests_on=LOGGED)
def any_names_are_kept(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Files of any paths that keep the rules are listed and downloaded under them."""

    def holds(paths: list[str]) -> None:
        folder = fresh.folder()
        files = {path: f"{number}".encode() for number, path in enumerate(paths)}

        repository.log_artifacts(fresh.tree(files), folder)

        expected = {f"{folder}/{path}": len(content) for path, content in files.items()}
        expect_equal(expected, files_below(repository, folder), "the files that are listed")
        downloaded = tree_of(repository.download_artifacts(folder, fresh.destination()))
        expect_equal(files, downloaded, "the files that are downloaded")

    explore(fresh, _paths(), holds, examples=20)


def _paths() -> st.SearchStrategy[list[str]]:
    """Paths of files, none of them a folder of another's, no two of them the same on any file system."""
    characters = st.characters(codec="utf-8", exclude_characters="/\\", exclude_categories=("Cc", "Cs"))
    names = st.text(characters, min_size=1, max_size=8)
    near = st.sampled_from(("a", "a ", "a.", ".a", "A", "a%20", "a+", "a#", "é", "e\u0301"))
    paths = st.lists(names | near, min_size=1, max_size=3).map("/".join).filter(_is_valid)
    return st.lists(paths, min_size=1, max_size=4, unique=True).filter(_are_apart)


def _is_valid(path: str) -> bool:
    try:
        return bool(valid_path(path))
    except TrackspecError:
        return False


def _are_apart(paths: list[str]) -> bool:
    return not any(other.startswith(f"{path}/") for path in paths for other in paths)
