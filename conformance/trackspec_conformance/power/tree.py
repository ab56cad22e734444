"""Files and folders in memory, of which each knows what of it would survive a loss of power."""

from __future__ import annotations

import errno
import random
import stat
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Union

BLOCK = 4096
HIDDEN = ".fuse_hidden"
"""How the names begin that a removed file has as long as it is open."""


class Loss(str, Enum):
    """What is left of what was not synced."""

    EVERYTHING = "everything that was not synced is gone"
    CONTENT = "names are there, and the content that was not synced is gone"
    PIECES = "some blocks are there, and others are not"


@dataclass
class File:
    """A file.

    :ivar synced: the content that survives.
    """

    data: bytearray = field(default_factory=bytearray)
    synced: bytes = b""
    mode: int = stat.S_IFREG | 0o644
    changed: float = 0.0

    def sync(self) -> None:
        """Let all of it survive."""
        self.synced = bytes(self.data)

    def surviving(self, loss: Loss, chance: random.Random) -> bytes:
        """The content after the power was lost."""
        if loss is not Loss.PIECES or bytes(self.data) == self.synced:
            return self.synced
        size = chance.choice([len(self.data), len(self.synced)])
        old, new = (content.ljust(size, b"\0")[:size] for content in (self.synced, bytes(self.data)))
        blocks = range(0, size, BLOCK)
        return b"".join(chance.choice([old, new])[start : start + BLOCK] for start in blocks)


@dataclass
class Folder:
    """A folder.

    :ivar synced: the names that survive.
    """

    entries: dict[str, Node] = field(default_factory=dict)
    synced: dict[str, Node] = field(default_factory=dict)
    mode: int = stat.S_IFDIR | 0o755
    changed: float = 0.0

    def sync(self) -> None:
        """Let its names survive; what is in the files is their own affair."""
        self.synced = dict(self.entries)


Node = Union[File, Folder]  # noqa: UP007 - the names are needed before both are there


class Tree:
    """A root folder, and what is in it, by path."""

    def __init__(self) -> None:
        self.root = Folder()

    def node(self, path: str) -> Node:
        """What is at a path.

        :raises OSError: ENOENT if nothing is.
        """
        found: Node = self.root
        for name in _names(path):
            if not isinstance(found, Folder) or name not in found.entries:
                raise OSError(errno.ENOENT, path)
            found = found.entries[name]
        return found

    def folder(self, path: str) -> Folder:
        """The folder at a path."""
        found = self.node(path)
        if not isinstance(found, Folder):
            raise OSError(errno.ENOTDIR, path)
        return found

    def file(self, path: str) -> File:
        """The file at a path."""
        found = self.node(path)
        if not isinstance(found, File):
            raise OSError(errno.EISDIR, path)
        return found

    def add(self, path: str, node: Node) -> None:
        """Put something at a path."""
        parent, name = self._place(path)
        parent.entries[name] = node

    def remove(self, path: str) -> None:
        """Take what is at a path out of its folder."""
        node = self.node(path)
        if isinstance(node, Folder) and node.entries:
            raise OSError(errno.ENOTEMPTY, path)
        parent, name = self._place(path)
        del parent.entries[name]

    def move(self, old: str, new: str) -> None:
        """Rename what is at a path, over what has the new one."""
        node = self.node(old)
        source, name = self._place(old)
        self.add(new, node)
        if _names(old) != _names(new):
            del source.entries[name]

    def survivors(self, loss: Loss, chance: random.Random) -> dict[str, bytes | None]:
        """What is left when the power is lost: the content of files by path, and None for each folder."""
        by_name = loss is Loss.CONTENT or (loss is Loss.PIECES and chance.random() < 0.5)
        left: dict[str, bytes | None] = {}

        def visit(folder: Folder, path: str) -> None:
            for name, node in (folder.entries if by_name else folder.synced).items():
                if name.startswith(HIDDEN):
                    continue
                if isinstance(node, Folder):
                    left[f"{path}{name}"] = None
                    visit(node, f"{path}{name}/")
                else:
                    left[f"{path}{name}"] = node.surviving(loss, chance)

        visit(self.root, "")
        return left

    def _place(self, path: str) -> tuple[Folder, str]:
        *above, name = _names(path)
        return self.folder("/" + "/".join(above)), name


def write_out(survivors: dict[str, bytes | None], directory: Path) -> None:
    """Write what has survived into an empty directory."""
    for path, content in survivors.items():
        if content is None:
            (directory / path).mkdir()
        else:
            (directory / path).write_bytes(content)


def _names(path: str) -> list[str]:
    return [name for name in path.split("/") if name]
