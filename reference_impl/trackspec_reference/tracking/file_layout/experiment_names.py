"""Which experiment has a name, found in one step.

A name is reserved before its experiment exists or is renamed, by a file whose name is the digest of the name and
whose content is the experiment's id. A reservation counts only if it leads to an experiment that has the name, so
one that was left over or damaged does no harm: all experiments are then looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from trackspec_reference.tracking.file_layout.durability import Durability
from trackspec_reference.tracking.file_layout.run_ids import is_experiment_id


class ExperimentNames:
    """The reservations in one directory."""

    def __init__(self, directory: Path, durability: Durability) -> None:
        self._directory = directory
        self._durability = durability

    def find(self, name: str) -> str | None:
        """The id that a name is reserved for; the empty string if it is reserved and the id is not legible.

        None means that no experiment has the name.
        """
        try:
            content = self._path(name).read_bytes()
        except FileNotFoundError:
            return None
        experiment_id = content.decode("ascii", "replace").strip()
        return experiment_id if is_experiment_id(experiment_id) else ""

    def reserve(self, name: str, experiment_id: str) -> None:
        """Let a name lead to an experiment. The caller holds the store's lock."""
        self._durability.write_file(self._path(name), f"{experiment_id}\n".encode())

    def release(self, name: str) -> None:
        """Forget a reservation. The caller holds the store's lock."""
        self._path(name).unlink(missing_ok=True)

    def is_lost(self) -> bool:
        """Whether the directory is gone."""
        return not self._directory.is_dir()

    def restore(self, ids_by_name: Iterable[tuple[str, str]]) -> None:
        """Make the directory anew, whole or not at all, with these reservations. The caller holds the lock."""
        unfinished = ExperimentNames(self._directory.with_name(f"{self._directory.name}.new"), self._durability)
        self._durability.make_directory(unfinished._directory)
        for name, experiment_id in ids_by_name:
            unfinished.reserve(name, experiment_id)
        unfinished._directory.rename(self._directory)
        self._durability.sync_directory(self._directory.parent)

    def _path(self, name: str) -> Path:
        return self._directory / hashlib.sha256(name.encode()).hexdigest()
