"""Local files that checks upload, and what is read of those that they downloaded. Scripts use it too."""

from __future__ import annotations

import hashlib
import os
import random
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

_PIECE = 1024 * 1024
_SHOWN = 100
"""Bytes of a file that anybody wants to read."""


@dataclass(frozen=True)
class Noise:
    """The content of a file that is too long to show: bytes without a pattern, the same for the same seed."""

    size: int
    seed: int = 0

    def pieces(self) -> Iterator[bytes]:
        """The bytes, piece by piece."""
        source = random.Random(self.seed)
        for start in range(0, self.size, _PIECE):
            yield source.randbytes(min(_PIECE, self.size - start))


Content: TypeAlias = "bytes | Noise"


@dataclass(frozen=True)
class Many(Mapping[str, "Content"]):
    """Files that are too many to show: the path of each is a pattern with its number, and its size is 1 to 7."""

    pattern: str
    start: int
    stop: int

    def __getitem__(self, path: str) -> Content:
        return self._files[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return self.stop - self.start

    @cached_property
    def _files(self) -> dict[str, Content]:
        return {self.pattern.format(number): b"x" * (1 + number % 7) for number in range(self.start, self.stop)}


def local_file(name: str, content: Content, *, within: str | None = None) -> str:
    """The path of a new file of this name, in a folder of its own or in one that is given."""
    directory = Path(within or tempfile.mkdtemp(prefix="trackspec-"))
    return str(_written(directory / name, content))


def local_folder(tree: Mapping[str, Content] | None = None, *, within: str | None = None) -> str:
    """The path of a new folder that holds these files, by their relative paths.

    A path that ends in ``/`` is an empty folder.
    """
    directory = Path(tempfile.mkdtemp(prefix="trackspec-", dir=within))
    for path, content in (tree or {}).items():
        if path.endswith("/"):
            (directory / path).mkdir(parents=True, exist_ok=True)
        else:
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            _written(directory / path, content)
    return str(directory)


def local_link(folder: str, path: str, target: str) -> str:
    """The path of a new symbolic link, at a relative path in a folder."""
    link = Path(folder, path)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)
    return str(link)


def local_pipe(folder: str, name: str) -> str:
    """The path of a new named pipe in a folder."""
    pipe = Path(folder, name)
    os.mkfifo(pipe)
    return str(pipe)


def local_write(place: str, content: Content) -> str:
    """The path of the file at this place, with this content from now on."""
    return str(_written(Path(place), content))


def tree_of(place: str) -> dict[str, bytes]:
    """The content of every file below a local folder by its relative path; of a file, by the empty string."""
    root = Path(place)
    if root.is_file():
        return {"": root.read_bytes()}
    return {
        str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if not path.is_dir()
    }


def digest_of(content: Content | Path) -> tuple[int, str]:
    """The size of a content in bytes, and its SHA-256 digest; what is compared where it is too long to show."""
    digest, size = hashlib.sha256(), 0
    for piece in _pieces_of(content):
        digest.update(piece)
        size += len(piece)
    return size, digest.hexdigest()


def contents_of(place: str) -> dict[str, bytes | tuple[int, str]]:
    """What :func:`tree_of` gives, with size and digest in the place of contents that are too long to show."""
    tree = tree_of(place)
    return {path: content if len(content) <= _SHOWN else digest_of(content) for path, content in tree.items()}


def _pieces_of(content: Content | Path) -> Iterator[bytes]:
    if isinstance(content, Noise):
        yield from content.pieces()
    elif isinstance(content, Path):
        with content.open("rb") as stream:
            while piece := stream.read(_PIECE):
                yield piece
    else:
        yield content


def _written(path: Path, content: Content) -> Path:
    with path.open("wb") as stream:
        for piece in _pieces_of(content):
            stream.write(piece)
    return path
