"""Faults of names: what is kept under another name than it was given."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from trackspec.artifact_paths import parent_of
from trackspec.entities import FileInfo
from trackspec.memory_repository import MemoryArtifactRepository

from . import fault


class OtherNames(MemoryArtifactRepository):
    """A repository that keeps files under other names, and finds them under those and under the given ones."""

    def _key(self, path: str) -> str:
        return super()._key("/".join(self._kept(name) or "_" for name in path.split("/")) if path else path)

    def _kept(self, name: str) -> str:
        raise NotImplementedError


@fault("names.spaces")
class SpacesAtTheEndAreDropped(OtherNames):
    """Spaces at the end of a name are dropped."""

    def _kept(self, name: str) -> str:
        return name.rstrip(" ")


@fault("names.spaces")
class SpacesArePlusses(OtherNames):
    """A space in a name becomes a plus sign."""

    def _kept(self, name: str) -> str:
        return name.replace(" ", "+")


@fault("names.dots")
class FullStopsAtTheEndAreDropped(OtherNames):
    """Full stops at the end of a name are dropped."""

    def _kept(self, name: str) -> str:
        return name.rstrip(".")


@fault("names.unicode")
class NamesAreLatin(OtherNames):
    """Characters beyond Latin-1 are replaced."""

    def _kept(self, name: str) -> str:
        return name.encode("latin-1", errors="replace").decode("latin-1").replace("?", "_")


@fault("names.unicode")
class NamesAreOfTheBasicPlane(OtherNames):
    """Characters beyond the basic plane are dropped."""

    def _kept(self, name: str) -> str:
        return re.sub("[\U00010000-\U0010ffff]", "", name)


@fault("names.forms-apart")
class NamesAreComposed(OtherNames):
    """Names are brought into the composed form."""

    def _kept(self, name: str) -> str:
        return unicodedata.normalize("NFC", name)


@fault("names.look-alikes")
class LookAlikesAreWhatTheyLookLike(OtherNames):
    """Wide full stops and slashes become narrow ones."""

    def _kept(self, name: str) -> str:
        return name.translate(str.maketrans("．／＼", "./\\"))


@fault("names.percent")
class NamesAreDecoded(OtherNames):
    """What reads as an encoding is decoded."""

    def _kept(self, name: str) -> str:
        return unquote(name)


@fault("names.uri-characters")
class FragmentsAreDropped(OtherNames):
    """A name ends at a hash."""

    def _kept(self, name: str) -> str:
        return name.partition("#")[0]


@fault("names.uri-characters")
class QueriesAreDropped(OtherNames):
    """A name ends at a question mark."""

    def _kept(self, name: str) -> str:
        return name.partition("?")[0]


@fault("names.uri-characters")
class PlussesAreSpaces(OtherNames):
    """A plus sign in a name becomes a space."""

    def _kept(self, name: str) -> str:
        return name.replace("+", " ")


@fault("names.patterns")
class QuotesAreDropped(OtherNames):
    """Quotes are dropped from names."""

    def _kept(self, name: str) -> str:
        return re.sub("['\"`]", "", name)


@fault("names.patterns")
class TheHomeIsExpanded(OtherNames):
    """A tilde is the folder of the user."""

    def _kept(self, name: str) -> str:
        return name.replace("~", "home")


@fault("names.patterns")
class FoldersAreListedLike(MemoryArtifactRepository):
    """An underscore in the path of a folder that is listed is any character, as for SQL's LIKE."""

    def _list(self, path: str) -> Iterable[FileInfo]:
        listed = list(super()._list(path))
        if path and "_" in path.rpartition("/")[2]:
            for info in super()._list(parent_of(path)):
                if info.path != path and re.fullmatch(re.escape(path).replace("_", "."), info.path):
                    below = super()._list(info.path)
                    listed += [replace(found, path=path + found.path[len(path) :]) for found in below]
        return listed


@fault("names.longest")
class NamesAreCut(OtherNames):
    """A name has no more than 200 characters."""

    def _kept(self, name: str) -> str:
        return name[:200]


@fault("names.longest-path")
class PathsAreCut(MemoryArtifactRepository):
    """A path has no more than 700 bytes."""

    def _put(self, local_file: Path, path: str) -> None:
        super()._put(local_file, path[:700].rstrip("/"))


@fault("names.over-long")
class OverLongNamesAreCut(MemoryArtifactRepository):
    """Names and paths that are over their limits are cut to them."""

    def log_artifact(self, local_file: object, artifact_path: str | None = None) -> None:
        if isinstance(artifact_path, str):
            artifact_path = "/".join(name[:60] for name in artifact_path.split("/"))[:700].rstrip("/")
        super().log_artifact(local_file, artifact_path)


@fault("names.any")
class NamesAreHashed(OtherNames):
    """Names are kept as the first byte of a digest, so that some collide."""

    def _kept(self, name: str) -> str:
        if re.fullmatch(r"[\w.-]+", name, re.ASCII):
            return name
        return hashlib.sha256(name.encode()).hexdigest()[:1]

    def _list(self, path: str) -> Iterable[FileInfo]:
        return super()._list(path)
