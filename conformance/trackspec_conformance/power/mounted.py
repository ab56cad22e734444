"""The process that serves a mounted :class:`Tree`: orders come on standard input, an answer to each goes out.

``fail write``, ``fail fsync`` and ``fail nothing`` say what fails from then on, with EIO.
``lose LOSS SEED DIRECTORY`` writes what would survive a loss of power into a directory.
"""

from __future__ import annotations

import errno
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import mfusepy

from trackspec_conformance.power.tree import File, Folder, Loss, Tree, write_out

READY = "ready"


class Mounted(mfusepy.Operations):  # type: ignore[misc]  # the library is not typed for subclasses
    """What the kernel asks."""

    use_ns = True

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._open: dict[int, File] = {}
        self._last = 0
        self.failing = ""

    def init(self, path: str) -> None:
        """Say that the kernel asks."""
        threading.Thread(target=_take_orders, args=(self, self._tree), daemon=True).start()

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        node = self._open[fh] if fh in self._open else self._tree.node(path)
        size = len(node.data) if isinstance(node, File) else 0
        moment = int(node.changed * 1e9)
        return {
            "st_mode": node.mode,
            "st_nlink": 1 if isinstance(node, File) else 2,
            "st_size": size,
            "st_blocks": -(-size // 512),
            "st_mtime": moment,
            "st_ctime": moment,
            "st_atime": moment,
        }

    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *self._tree.folder(path).entries]

    def mkdir(self, path: str, mode: int) -> int:
        self._tree.add(path, Folder(changed=time.time()))
        return 0

    def rmdir(self, path: str) -> int:
        self._tree.remove(path)
        return 0

    def unlink(self, path: str) -> int:
        self._tree.remove(path)
        return 0

    def rename(self, old: str, new: str) -> int:
        self._tree.move(old, new)
        return 0

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        file = File(mode=mode, changed=time.time())
        self._tree.add(path, file)
        return self._opened(file)

    def open(self, path: str, flags: int) -> int:
        file = self._tree.file(path)
        if flags & os.O_TRUNC:
            file.data.clear()
        return self._opened(file)

    def _opened(self, file: File) -> int:
        self._last += 1
        self._open[self._last] = file
        return self._last

    def release(self, path: str, fh: int) -> int:
        self._open.pop(fh, None)
        return 0

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return bytes(self._open[fh].data[offset : offset + size])

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        if self.failing == "write":
            raise mfusepy.FuseOSError(errno.EIO)
        file = self._open[fh]
        file.data.extend(b"\0" * (offset - len(file.data)))
        file.data[offset : offset + len(data)] = data
        file.changed = time.time()
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        file = self._open[fh] if fh in self._open else self._tree.file(path)
        file.data.extend(b"\0" * (length - len(file.data)))
        del file.data[length:]
        file.changed = time.time()
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        if self.failing in ("fsync", "write"):
            raise mfusepy.FuseOSError(errno.EIO)
        self._open[fh].sync()
        return 0

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        if self.failing in ("fsync", "write"):
            raise mfusepy.FuseOSError(errno.EIO)
        self._tree.folder(path).sync()
        return 0

    def chmod(self, path: str, mode: int) -> int:
        self._tree.node(path).mode = mode
        return 0

    def chown(self, path: str, uid: int, gid: int) -> int:
        return 0

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        self._tree.node(path).changed = times[1] / 1e9 if times else time.time()
        return 0

    def statfs(self, path: str) -> dict[str, int]:
        return {"f_bsize": 4096, "f_frsize": 4096, "f_blocks": 1 << 20, "f_bfree": 1 << 19, "f_bavail": 1 << 19}


def _take_orders(mounted: Mounted, tree: Tree) -> None:
    print(READY, flush=True)
    for line in sys.stdin:
        what, *given = line.split()
        if what == "fail":
            mounted.failing = given[0]
        else:
            loss, seed, directory = given
            write_out(tree.survivors(Loss[loss], random.Random(seed)), Path(directory))
        print(READY, flush=True)
    os.kill(os.getpid(), signal.SIGTERM)  # who gave orders has gone: the library unmounts, and ends


def main() -> None:
    """Mount a tree at the directory in argv, and serve it until it is unmounted."""
    mfusepy.FUSE(Mounted(Tree()), sys.argv[1], foreground=True, nothreads=True, fsname="trackspec", nonempty=False)


if __name__ == "__main__":
    main()
