"""Faults of large files."""

from __future__ import annotations

from trackspec.memory_repository import MemoryArtifactRepository

from . import fault

MEBIBYTE = 1024 * 1024


@fault("large.exact")
class LargeFilesAreCut(MemoryArtifactRepository):
    """A file is cut at a hundred mebibytes."""

    def _store(self, path: str, content: bytes) -> None:
        super()._store(path, content[: 100 * MEBIBYTE])


@fault("large.exact")
class PartsComeInAnotherOrder(MemoryArtifactRepository):
    """The tenth part of sixteen mebibytes and the second one change places in the name's order."""

    def _store(self, path: str, content: bytes) -> None:
        if len(content) > 90 * MEBIBYTE:
            size = 8 * MEBIBYTE
            parts = [content[start : start + size] for start in range(0, len(content), size)]
            numbered = sorted(range(len(parts)), key=str)
            content = b"".join(parts[number] for number in numbered)
        super()._store(path, content)


@fault("large.part-edges")
class TheLastByteOfAPartIsLost(MemoryArtifactRepository):
    """A file whose size is that of a part and one byte loses the byte."""

    def _store(self, path: str, content: bytes) -> None:
        if len(content) > MEBIBYTE and len(content) % (5 * MEBIBYTE) == 1:
            content = content[:-1]
        super()._store(path, content)


@fault("large.part-edges")
class FullPartsAreSentTwice(MemoryArtifactRepository):
    """A file of exactly one part is followed by that part once more."""

    def _store(self, path: str, content: bytes) -> None:
        super()._store(path, content * 2 if len(content) == 8 * MEBIBYTE else content)


@fault("large.overwrite")
class ReplacedPartsStay(MemoryArtifactRepository):
    """A file that replaces one of several parts keeps the later parts of that."""

    def __init__(self, artifact_uri: str = "memory:") -> None:
        super().__init__(artifact_uri)
        self._parts: dict[str, bytes] = {}

    def _store(self, path: str, content: bytes) -> None:
        size = 16 * MEBIBYTE
        later = self._parts.get(path, b"")
        self._parts[path] = content[size:]
        super()._store(path, content[:size] + later if len(content) <= size and later else content)
