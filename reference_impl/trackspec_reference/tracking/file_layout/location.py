"""The URI of a file store: which directory, and how durable a write is."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from trackspec.errors import invalid
from trackspec_reference.tracking.file_layout.durability import Durability

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.*)", re.DOTALL)
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class Location:
    """A directory, absolute, and what its acknowledged writes survive."""

    root: Path
    durability: Durability

    @classmethod
    def parse(cls, store_uri: str) -> Location:
        """Read ``file:PATH``, ``file:///PATH`` (both percent-decoded) or a path, each with or without options.

        :raises TrackspecError: INVALID_PARAMETER_VALUE if it is none of these, or has an unknown option.
        """
        if not isinstance(store_uri, str):
            raise invalid(f"A store URI must be a string, not {type(store_uri).__name__}.")
        target, _, query = store_uri.partition("?")
        if match := _SCHEME.fullmatch(target):
            if match[1].lower() != "file":
                raise invalid(f"A file store's URI has the scheme 'file', not {match[1]!r}.")
            if "#" in store_uri:
                raise invalid("A file store's URI has no fragment; in a path, write '#' as '%23'.")
            path = _decoded(_without_authority(match[2]))
        else:
            path = target
        if not path or "\x00" in path:
            raise invalid("A file store's URI must name a directory.")
        try:
            os.fsencode(path)
        except UnicodeEncodeError:
            raise invalid("The path in a file store's URI cannot be encoded.") from None
        return cls(Path(os.path.abspath(path)), _durability(query))


def _without_authority(path: str) -> str:
    if not path.startswith("//"):
        return path
    host, slash, rest = path[2:].partition("/")
    if host not in ("", "localhost"):
        raise invalid("A file store's URI names no host; an absolute path is written file:///PATH.")
    return slash + rest


def _decoded(path: str) -> str:
    if _STRAY_PERCENT.search(path):
        raise invalid("A file store's URI has a '%' that starts no escape; write it as '%25'.")
    return os.fsdecode(unquote_to_bytes(path))


def _durability(query: str) -> Durability:
    options = [option.partition("=") for option in query.split("&") if option]
    for name, _, value in options:
        if name != "durability":
            raise invalid(f"A file store has no URI option {name!r}; in a path, write '?' as '%3F' after 'file:'.")
        if value not in {durability.value for durability in Durability}:
            raise invalid("The URI option 'durability' is 'power' or 'process'.")
    if len(options) > 1:
        raise invalid("The URI option 'durability' is given more than once.")
    return Durability(options[0][2]) if options else Durability.POWER
