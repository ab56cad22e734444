"""Two stores side by side: the one under test, and another that nothing may lead to."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from trackspec import Metric, Param, RunTag, TrackingStore
from trackspec_conformance.expectations import expect, expect_equal
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.local_files import tree_of

_DEEPEST = 5
"""Folders that a store may put an id's place into."""
_MOST = 12
"""Places of the other store that are tried."""


@dataclass(frozen=True)
class Neighbours:
    """A store under test, and what lies beside it.

    :ivar directory: what holds both.
    :ivar secret: what the other store keeps.
    :ivar ways: texts that read as paths from the one to the other.
    """

    store: TrackingStore
    directory: Path
    secret: str
    ways: tuple[str, ...]
    _outside: dict[str, bytes]

    def told_by(self, calls: list[Callable[[], Any]]) -> None:
        """Make calls, and require that none of them tells what the other store keeps."""
        for call in calls:
            try:
                told = repr(call())
            except Exception as error:
                told = f"{error} {error.__cause__}"
            expect(self.secret not in told, "nothing of what lies outside of the store", told)

    def require_untouched(self) -> None:
        """Require that all that lies beside the store is as it was."""
        expect_equal(self._outside, _beside(self.directory), "what lies outside of the store")


@contextlib.contextmanager
def neighbours(fresh: Fresh) -> Iterator[Neighbours]:
    """Two stores of the subject's kind in one folder.

    :raises NotApplicable: if where it is kept is not known.
    """
    with tempfile.TemporaryDirectory(prefix="trackspec-") as name:
        directory = Path(name)
        for place in ("mine", "other"):
            (directory / place).mkdir()
        (directory / "canary.txt").write_text("as it was")
        secret = fresh.name("secret")
        other = fresh.opened_in(directory / "other")
        experiment_id = other.create_experiment(secret, None, [])
        run_id = other.create_run(experiment_id, "", 0, [], None).info.run_id
        other.log_batch(run_id, [Metric("m", 1.0, 0, 0)], [Param("p", secret)], [RunTag("t", secret)])
        other.close()
        store = fresh.opened_in(directory / "mine")
        try:
            ways = tuple(_ways(directory, (run_id, experiment_id)))
            yield Neighbours(store, directory, secret, ways, _beside(directory))
        finally:
            store.close()


def _ways(directory: Path, ids: tuple[str, str]) -> Iterator[str]:
    found = [path.relative_to(directory) for path in (directory / "other").rglob("*")]
    found.sort(key=lambda path: (not any(id_ in path.parts for id_ in ids), len(path.parts), str(path)))
    for path in [*found[:_MOST], Path("canary.txt"), Path("stray"), Path("other/stray")]:
        for depth in range(1, _DEEPEST + 1):
            yield "../" * depth + str(path)
        yield str(directory / path)
        yield f"file://{directory / path}"
        yield quote(f"../{path}", safe="")
        yield quote(quote(f"../../{path}", safe=""), safe="")
        yield f"..\\..\\{path}"
        yield f"x/../../{path}"
        yield f"../{path}\0"


def _beside(directory: Path) -> dict[str, bytes]:
    return {path: content for path, content in tree_of(str(directory)).items() if not path.startswith("mine/")}
