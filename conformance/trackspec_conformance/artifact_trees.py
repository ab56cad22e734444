"""What a repository holds below a folder, found by listing one folder after the other."""

from __future__ import annotations

from trackspec import ArtifactRepository
from trackspec_conformance.expectations import Unexpected

_DEEPEST = 60
"""Levels; no check makes as many."""


def files_below(repository: ArtifactRepository, folder: str) -> dict[str, int | None]:
    """The size of each file below a folder, by its path.

    :raises Unexpected: if the folders do not end.
    """
    found: dict[str, int | None] = {}
    waiting = [folder]
    while waiting:
        listed = waiting.pop()
        if listed.count("/") > _DEEPEST:
            raise Unexpected(f"the folders below {folder!r} to end", f"a folder {listed!r}")
        for info in repository.list_artifacts(listed):
            if info.is_dir:
                waiting.append(info.path)
            else:
                found[info.path] = info.file_size
    return found
