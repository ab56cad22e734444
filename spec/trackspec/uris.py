"""Joining path segments to a URI."""

from __future__ import annotations

import re
from pathlib import Path

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_PASSWORD = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://[^/?#@]*:[^/?#]*@")


def join(root: str, *segments: str) -> str:
    """Append path segments to a URI, before its query and fragment, normalising nothing."""
    path, tail = re.match(r"([^?#]*)(.*)", root, re.DOTALL).groups()  # type: ignore[union-attr]  # always matches
    return "/".join([path.removesuffix("/"), *segments]) + tail


def absolute(location: str) -> str:
    """A URI as it is; a path as a ``file:`` URI, made absolute against the working directory."""
    if _SCHEME.match(location):
        return location
    return Path(location).absolute().as_uri()


def has_password(uri: str) -> bool:
    """Whether the authority of a URI holds a password."""
    return _PASSWORD.match(uri) is not None
