"""The checks of the chapter on security: links in the storage of a repository are not followed out of its root."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from trackspec import ArtifactRepository
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import NotApplicable, expect_equal
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.local_files import local_folder, tree_of
from trackspec_conformance.suites.artifacts.security_paths import require_deleting

BEHIND = ("folder/link", "folder/link/deeper", "folder/link/secret.txt", "folder/file", "folder")
"""Links, what lies behind them, and the folder that they are in."""


@dataclass(frozen=True)
class Linked:
    """A repository with links in a folder of its storage: one to a folder outside, one to a file in it.

    :ivar mine: the name of a file in the folder of the links that is none.
    :ivar outside: the folder outside.
    :ivar secret: what the files in it hold.
    """

    repository: ArtifactRepository
    mine: str
    outside: str
    secret: str

    def require_untouched(self) -> None:
        """Require that the folder outside is as it was."""
        content = self.secret.encode()
        expect_equal(
            {"secret.txt": content, "deeper/secret.txt": content}, tree_of(self.outside), "what is outside"
        )


@contextmanager
def _linked(fresh: FreshArtifacts) -> Iterator[Linked]:
    """Such a repository.

    :raises NotApplicable: if where it is kept is not known, or its files lie in no folders there.
    """
    with tempfile.TemporaryDirectory(prefix="trackspec-") as directory:
        secret, mark = fresh.name("secret"), fresh.name("mark")
        (Path(directory) / "storage").mkdir()
        repository = fresh.opened_in(Path(directory) / "storage")
        repository.log_artifacts(fresh.tree({mark: b"mine"}), "folder")
        found = list((Path(directory) / "storage").rglob(mark))
        if not found or found[0].parent.name != "folder":
            raise NotApplicable("the subject keeps its files in no folders that could hold a link")
        content = secret.encode()
        outside = local_folder({"secret.txt": content, "deeper/secret.txt": content}, within=directory)
        os.symlink(outside, found[0].parent / "link")
        os.symlink(f"{outside}/secret.txt", found[0].parent / "file")
        try:
            yield Linked(repository, mark, outside, secret)
        finally:
            repository.close()


@check("confined.link-not-read")
def links_are_not_read(fresh: FreshArtifacts) -> None:
    """Downloading a link, what lies behind it and its folder brings nothing from outside."""
    with _linked(fresh) as linked:
        copy = linked.repository.download_artifacts(f"folder/{linked.mine}", fresh.destination())
        expect_equal(b"mine", Path(copy).read_bytes(), "the file beside the links")

        for path in (*BEHIND, ""):
            destination = fresh.destination()
            with suppress(Exception):
                linked.repository.download_artifacts(path, destination)
            read = [name for name, content in tree_of(destination).items() if linked.secret.encode() in content]
            expect_equal([], read, f"what is downloaded of {path!r} from outside")


@check("confined.link-not-listed")
def links_are_not_listed_through(fresh: FreshArtifacts) -> None:
    """Listing a link, and what lies behind it, gives nothing."""
    with _linked(fresh) as linked:
        for path in BEHIND[:4]:
            listed: list[str] = []
            with suppress(Exception):
                listed = [info.path for info in linked.repository.list_artifacts(path)]
            expect_equal([], listed, f"what is listed of {path!r}")


@check("confined.link-not-written")
def links_are_not_written_through(fresh: FreshArtifacts) -> None:
    """Logging to a link, and to what lies behind it, writes nothing outside."""
    with _linked(fresh) as linked:
        evil = fresh.tree({"secret.txt": b"evil", "file": b"evil"})
        for folder in BEHIND:
            for call in _logging(linked.repository, evil, folder):
                with suppress(Exception):
                    call()

        linked.require_untouched()


def _logging(repository: ArtifactRepository, evil: str, folder: str) -> list[Callable[[], None]]:
    return [
        lambda: repository.log_artifact(f"{evil}/secret.txt", folder),
        lambda: repository.log_artifact(f"{evil}/file", folder),
        lambda: repository.log_artifacts(evil, folder),
    ]


@check("confined.link-not-deleted")
def links_are_not_deleted_through(fresh: FreshArtifacts) -> None:
    """Deleting what lies behind a link, the link, its folder and the root deletes nothing outside."""
    with _linked(fresh) as linked:
        for path in (*reversed(BEHIND[:4]), "folder", ""):
            require_deleting(linked.repository, path)

        linked.require_untouched()
