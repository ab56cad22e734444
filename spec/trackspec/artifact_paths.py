"""What an artifact's path is: the one place where it is judged, before anything is read or written.

Client and server use it alike. A path is relative and has one form only, and it leads nowhere else where a
back-slash parts folders, or where it is percent-decoded once more.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from trackspec import limits
from trackspec.errors import invalid

RESERVED = ".trackspec-"
"""How the names begin that a repository keeps for itself, such as those of files that are being written."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_DRIVE = re.compile(r"[A-Za-z]:")


def valid_path(value: object) -> str:
    """The path of a file or folder; None and the empty string mean the root, whose path is the empty string.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if it breaks a rule, as it is or once it is percent-decoded,
        however often.
    """
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        raise invalid(f"An artifact path must be a string, not {type(value).__name__}.")
    _require_short(value)
    form = value
    while True:
        if wrong := _fault_of(form):
            raise invalid(f"The artifact path {_shown(value)} {wrong}.")
        decoded = unquote(form)
        if decoded == form:
            return value
        form = decoded


def file_path(name: str, folder: str) -> str:
    """The path of a file in a folder that is judged already; the name is one segment.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if the name breaks a rule of paths.
    """
    if "/" in name or not name:
        raise invalid(f"An artifact's name is one segment of a path, which {_shown(name)} is not.")
    return valid_path(f"{folder}/{name}" if folder else name)


def parent_of(path: str) -> str:
    """The path of the folder that a path is in."""
    return path.rpartition("/")[0]


def is_within(path: str, folder: str) -> bool:
    """Whether a path is a folder's, or of something below it."""
    return not folder or path == folder or path.startswith(f"{folder}/")


def _require_short(path: str) -> None:
    limit = limits.MAX_ARTIFACT_PATH_BYTES
    if len(path) > limit or len(path.encode(errors="replace")) > limit:
        raise invalid(f"The artifact path {_shown(path)} is longer than {limit} bytes.")
    for name in path.split("/"):
        if len(name.encode(errors="replace")) > limits.MAX_ARTIFACT_NAME_BYTES:
            raise invalid(f"The name {_shown(name)} is longer than {limits.MAX_ARTIFACT_NAME_BYTES} bytes.")


def _fault_of(path: str) -> str | None:
    """What is wrong with a path, as the end of a sentence."""
    if found := _CONTROL.search(path) or _SURROGATE.search(path):
        return f"holds U+{ord(found.group()):04X}"
    if "\\" in path:
        return "holds a back-slash"
    if path.startswith("/") or _DRIVE.match(path):
        return "is not relative"
    names = path.split("/")
    if any(not name.strip(" .") for name in names):
        return "has a segment that is empty or of dots and spaces only"
    if any(name.startswith(RESERVED) for name in names):
        return "has a segment that a repository keeps for itself"
    return None


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:79]}…")
