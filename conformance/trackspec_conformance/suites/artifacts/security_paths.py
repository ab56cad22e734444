"""The checks of the chapter on security: no path leads out of the root of a repository."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from trackspec import ArtifactRepository, ErrorCode
from trackspec_conformance.artifact_trees import files_below
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import NotApplicable, error_code, expect, expect_equal, shown_error
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.local_files import tree_of

LOGGED = ("upload.file",)
MISTAKES = {ErrorCode.INVALID_PARAMETER_VALUE.value, ErrorCode.RESOURCE_DOES_NOT_EXIST.value}


@dataclass(frozen=True)
class Between:
    """A repository whose root lies between others.

    :ivar inner: the repository.
    :ivar around: the folder that it lies in.
    :ivar outside: a local folder that belongs to nobody.
    :ivar secret: what lies around it holds; and how its files are named.
    :ivar ways: paths that lead there, to who reads them wrongly.
    """

    inner: ArtifactRepository
    around: str
    outside: str
    secret: str
    ways: tuple[str, ...]

    def kept(self, repository: ArtifactRepository, fresh: FreshArtifacts) -> tuple[Any, ...]:
        """All that lies around the repository: names and sizes, a content, and the local folder."""
        inside = f"{self.around}/inner/"
        sizes = {
            path: size
            for path, size in files_below(repository, self.around).items()
            if not path.startswith(inside)
        }
        copy = repository.download_artifacts(f"{self.around}/other/{self.secret}", fresh.destination())
        return sizes, Path(copy).read_bytes(), tree_of(self.outside)


@contextmanager
def _between(fresh: FreshArtifacts) -> Iterator[Between]:
    secret = fresh.name("secret")
    content = secret.encode()
    around = fresh.logged({"inner/mine.txt": b"mine", f"other/{secret}": content, f"inner-not/{secret}": content})
    outside = fresh.tree({secret: content})
    inner = fresh.below(f"{around}/inner")
    try:
        yield Between(inner, around, outside, secret, tuple(_ways(around, outside, secret)))
    finally:
        inner.close()


def _ways(around: str, outside: str, secret: str) -> Iterator[str]:
    up = "../" * 15
    for target in (
        f"../other/{secret}",
        "../other",
        "..",
        f"x/../../other/{secret}",
        f"{up}{outside[1:]}/{secret}",
    ):
        yield target
        yield target.replace("/", "\\")
        yield quote(target, safe="")
        yield quote(quote(target, safe=""), safe="")
        yield quote(quote(quote(target, safe=""), safe=""), safe="")
        yield target.replace("..", "%2e%2e")
        yield target.replace("..", "....//")
        yield target.replace("..", "．．")
        yield target.replace("..", "․․")
        yield target.replace("..", "..\0")
        yield target.replace("../", "..;/")
        yield f"./{target}"
        yield f"mine.txt/{target}"
        yield f"{target}#x"
        yield f"{target}?x"
        yield f" {target}"
        yield f"{target}/."
    for place in (f"{outside}/{secret}", outside, f"/{around}/other/{secret}"):
        yield place
        yield f"/{place}"
        yield f"file:{place}"
        yield f"file://{place}"
        yield f"file://localhost{place}"
        yield f"C:{place}"
        yield f"\\\\localhost\\{place}"
        yield quote(place, safe="")
    yield "~"
    yield "\ud800/../other"
    yield "../" * 400
    yield "x" * 5000
    yield f"{'x/' * 300}..{'/..' * 300}/other"


@check("confined.artifact-read", rests_on=LOGGED, timeout=120)
def what_lies_around_is_not_read(fresh: FreshArtifacts) -> None:
    """Listing and downloading every way out gives nothing of what lies around the root."""
    with _between(fresh) as between:
        for way in between.ways:
            listed: list[str] = []
            with suppress(Exception):
                listed = [info.path for info in between.inner.list_artifacts(way)]
            astray = [path for path in listed if between.secret in path or path.endswith(("other", "inner-not"))]
            expect_equal([], astray, f"what is listed of {way[:200]!r}")

            destination = fresh.destination()
            place = destination
            with suppress(Exception):
                place = between.inner.download_artifacts(way, destination)
            for folder in {destination, place}:
                read = [path for path, content in _tree(folder).items() if between.secret.encode() in content]
                expect_equal([], read, f"what is downloaded of {way[:200]!r}")


def _tree(place: str) -> dict[str, bytes]:
    return tree_of(place) if Path(place).exists() else {}


@check("confined.artifact-written", rests_on=LOGGED, timeout=120)
def what_lies_around_is_not_written(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Logging files and folders to every way out leaves what lies around the root as it was."""
    with _between(fresh) as between:
        before = between.kept(repository, fresh)
        evil = fresh.tree({between.secret: b"evil", "x/evil.txt": b"evil"})

        for way in between.ways:
            with suppress(Exception):
                between.inner.log_artifact(f"{evil}/{between.secret}", way)
            with suppress(Exception):
                between.inner.log_artifacts(evil, way)

        expect_equal(before, between.kept(repository, fresh), "what lies around the root")


@check("confined.artifact-deleted", rests_on=LOGGED, timeout=120)
def what_lies_around_is_not_deleted(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Deleting every way out, and the root itself, leaves what lies around the root as it was."""
    with _between(fresh) as between:
        before = between.kept(repository, fresh)
        for way in (*between.ways, "", None):
            require_deleting(between.inner, way)

        expect_equal(before, between.kept(repository, fresh), "what lies around the root")


def require_deleting(repository: ArtifactRepository, path: str | None) -> None:
    """Delete, whatever comes of it.

    :raises NotApplicable: if the subject does not delete.
    """
    try:
        repository.delete_artifacts(path)
    except Exception as error:
        if error_code(error) == ErrorCode.NOT_IMPLEMENTED:
            raise NotApplicable("the subject does not delete") from None


@check("confined.artifact-error", rests_on=LOGGED, timeout=120)
def a_way_out_is_the_callers_mistake(fresh: FreshArtifacts) -> None:
    """Every way out is refused as invalid or as nothing that exists, unless it is served inside of the root."""
    with _between(fresh) as between:
        file = fresh.file("f.txt")
        calls: tuple[Callable[[str], object], ...] = (
            between.inner.list_artifacts,
            lambda way: between.inner.download_artifacts(way, fresh.destination()),
            lambda way: between.inner.log_artifact(file, way),
        )
        for way in between.ways:
            for call in calls:
                _require_no_failure(call, way)


def _require_no_failure(call: Callable[[str], object], way: str) -> None:
    try:
        call(way)
    except Exception as error:
        mistaken = error_code(error) in MISTAKES
        expect(mistaken, f"an answer, or the error of a mistake, for {way[:200]!r}", shown_error(error))
