"""A directory whose power can be lost, and whose writes can be made to fail."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from trackspec_conformance.expectations import NotApplicable
from trackspec_conformance.power.tree import Loss

PATIENCE = 20.0
_MODULE = "trackspec_conformance.power.mounted"


class FailingStorage:
    """A mounted storage in memory.

    :ivar directory: where it is.
    """

    def __init__(self, directory: Path, process: subprocess.Popen[str]) -> None:
        self.directory = directory
        self._process = process
        self._mounted = True

    def fail(self, what: str) -> None:
        """Let every ``write``, every ``fsync`` or ``nothing`` fail with an I/O error."""
        self._order(f"fail {what}")

    def lose_power(self, loss: Loss, seed: int) -> None:
        """Forget what was not synced. What survives is in the same directory, which does not fail any more.

        Who writes to it has been killed before.
        """
        with tempfile.TemporaryDirectory(prefix="trackspec-") as name:
            self._order(f"lose {loss.name} {seed} {name}")
            self.unmount()
            shutil.copytree(name, self.directory, dirs_exist_ok=True)

    def unmount(self) -> None:
        """Take it away."""
        if self._mounted:
            self._mounted = False
            subprocess.run(_unmounting(self.directory), check=False, capture_output=True)
            assert self._process.stdin is not None
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(2)
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()

    def await_order(self) -> bool:
        """Whether it says in time that it waits for an order."""
        assert self._process.stdout is not None
        readable = select.select([self._process.stdout], [], [], PATIENCE)[0]
        return bool(readable and self._process.stdout.readline())

    def _order(self, order: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()
        if not self.await_order():
            raise RuntimeError("the storage that can fail has failed by itself")


@contextlib.contextmanager
def failing_storage() -> Iterator[FailingStorage]:
    """Mount such a storage for as long as the context lasts.

    :raises NotApplicable: if this system has no FUSE, or this process may not mount with it.
    """
    if importlib.util.find_spec("mfusepy") is None:
        raise NotApplicable("a storage that loses its power needs FUSE: pip install 'trackspec[power-loss]'")
    if not os.path.exists("/dev/fuse"):
        raise NotApplicable("a storage that loses its power needs FUSE, and this system has no /dev/fuse")
    with tempfile.TemporaryDirectory(prefix="trackspec-") as name, tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", _MODULE, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        storage = FailingStorage(Path(name), process)
        try:
            if not storage.await_order():
                log.seek(0)
                words = log.read().strip().splitlines() or ["it did not say why"]
                raise NotApplicable(f"a storage that loses its power cannot be mounted: {words[-1]}")
            yield storage
        finally:
            storage.unmount()


def _unmounting(directory: Path) -> list[str]:
    if os.geteuid() == 0:
        return ["umount", "-l", str(directory)]
    return [shutil.which("fusermount3") or "fusermount", "-u", "-z", str(directory)]
