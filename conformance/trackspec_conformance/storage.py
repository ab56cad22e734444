"""A directory on a storage of its own, which can be filled up."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from trackspec_conformance.expectations import NotApplicable

SIZE = 24 << 20
"""Bytes: enough for an empty store of any kind."""


class SmallStorage:
    """A mounted file system of some megabytes.

    :ivar directory: where it is.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._filler = directory / "filler"

    def fill(self) -> None:
        """Use up all that is left."""
        with self._filler.open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"\0" * size)

    def free(self) -> None:
        """Give back what :meth:`fill` took."""
        self._filler.unlink()


@contextlib.contextmanager
def small_storage() -> Iterator[SmallStorage]:
    """Mount a small file system in memory for as long as the context lasts.

    :raises NotApplicable: if this process may not mount one, or the operating system has none.
    """
    with tempfile.TemporaryDirectory(prefix="trackspec-") as name:
        mounting = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "trackspec", name]
        try:
            subprocess.run(mounting, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            who = "" if os.geteuid() == 0 else ", which only root may do"
            raise NotApplicable(f"a small file system cannot be mounted{who}") from None
        try:
            yield SmallStorage(Path(name))
        finally:
            subprocess.run(["umount", "-l", name], check=True, capture_output=True)
