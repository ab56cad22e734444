"""What an acknowledged write survives, and files that appear whole or not at all."""

from __future__ import annotations

import fcntl
import os
from enum import Enum
from pathlib import Path

_FULL_SYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)


class Durability(Enum):
    """What an acknowledged write survives.

    PROCESS: the death of the process. POWER: also the loss of power.
    """

    POWER = "power"
    PROCESS = "process"

    def sync(self, fd: int) -> None:
        """Return once the file's contents survive."""
        if self is Durability.PROCESS:
            return
        if _FULL_SYNC is not None:  # where a plain sync leaves the data in the drive's own cache
            fcntl.fcntl(fd, _FULL_SYNC)
        else:
            os.fdatasync(fd)

    def sync_directory(self, path: Path | str) -> None:
        """Return once the directory's entries survive."""
        if self is Durability.PROCESS:
            return
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def make_directory(self, path: Path) -> None:
        """Create a directory where there is none."""
        try:
            path.mkdir()
        except FileExistsError:
            return
        self.sync_directory(path.parent)

    def write_file(self, path: Path | str, content: bytes) -> None:
        """Create or replace a file: nobody sees it half written, and what it was stays until then.

        One writer at a time: the caller holds a lock.
        """
        unfinished = f"{path}.new"
        fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        try:
            write_all(fd, content, 0)
            self.sync(fd)
        except OSError:
            os.unlink(unfinished)
            raise
        finally:
            os.close(fd)
        os.rename(unfinished, path)
        self.sync_directory(os.path.dirname(path))


def write_all(fd: int, data: bytes, at: int) -> None:
    """Write all of ``data`` at an offset."""
    written = os.pwrite(fd, data, at)
    while written < len(data):
        written += os.pwrite(fd, data[written:], at + written)
