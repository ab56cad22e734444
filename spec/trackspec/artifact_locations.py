"""What an artifact location is: a URI that names a place and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trackspec import limits, uris
from trackspec.errors import invalid

_URI = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):(?://(?P<authority>[^/?#]*))?(?P<path>[^?#]*)(?P<rest>.*)", re.DOTALL
)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Location:
    """An artifact location, taken apart.

    :ivar scheme: in lower case.
    :ivar authority: what stands between ``//`` and the path, such as a bucket or a host; empty if there is none.
    :ivar path: as it was given, without a slash at its end; not decoded.
    """

    scheme: str
    authority: str
    path: str


def artifact_location(uri: object) -> Location:
    """An artifact location, taken apart.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if it is no URI, is too long, or holds a query, a fragment, a
        password, a ``..`` segment, a back-slash or a control character. The message does not repeat it.
    """
    if not isinstance(uri, str) or not (parts := _URI.fullmatch(uri)):
        raise invalid("An artifact location must be a URI with a scheme.")
    if len(uri) > limits.MAX_ARTIFACT_LOCATION_LENGTH:
        raise invalid(f"An artifact location has at most {limits.MAX_ARTIFACT_LOCATION_LENGTH} characters.")
    authority = parts["authority"] or ""
    if parts["rest"]:
        raise invalid("An artifact location has no query and no fragment.")
    if uris.has_password(uri):
        raise invalid("An artifact location holds no password; a repository finds its credentials itself.")
    if _CONTROL.search(uri) or "\\" in uri:
        raise invalid("An artifact location holds no back-slash and no control character.")
    if ".." in parts["path"].split("/"):
        raise invalid("An artifact location has no '..' segment.")
    return Location(parts["scheme"].lower(), authority, parts["path"].rstrip("/"))
