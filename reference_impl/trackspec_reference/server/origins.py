"""From where a call may come: the names under which the server answers, and the sites whose pages may call.

A page of a foreign site can make the browser of somebody inside a private network call a server there: under a
name of its own that leads to the server's address, which the Host tells; or under the server's name, and then the
Origin tells.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache

from trackspec.errors import ErrorCode, TrackspecError, invalid
from trackspec_reference.server.answers import Headers

_HOST = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::\d{1,5})?")
_ORIGIN = re.compile(r"https?://(?P<authority>[^/?#@\s]+)")

_PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, POST, PUT, DELETE"),
    (b"access-control-allow-headers", b"authorization, content-type, idempotency-key"),
    (b"access-control-max-age", b"600"),
    (b"content-length", b"0"),
)


class Hosts:
    """The names under which a server answers: loopback, the address that it is called at, and those allowed.

    :param allowed: more names, or IP addresses, without a port.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(map(_normal, allowed)) | {"localhost"}
        self._admits = lru_cache(maxsize=256)(self._judge)

    def require(self, host: bytes | None, local_address: str) -> None:
        """Let a request pass that names the server as one of these.

        :param host: the value of the header field.
        :param local_address: the address at which the connection was accepted.
        :raises TrackspecError: INVALID_PARAMETER_VALUE if the field is missing or malformed; PERMISSION_DENIED if
            it names another host.
        """
        if host is None:
            raise invalid("The header field Host is missing.")
        if not self._admits(host, local_address):
            raise TrackspecError(
                "The server does not answer under this Host; its operator may allow it.",
                ErrorCode.PERMISSION_DENIED,
            )

    def _judge(self, host: bytes, local_address: str) -> bool:
        match = _HOST.fullmatch(host.decode("latin-1").lower())
        if match is None:
            return False
        name = _normal(match["v6"] or match["name"])
        return name in self._allowed or name == _normal(local_address) or _is_loopback(name)


class Origins:
    """The sites whose pages may call: the server's own, and those allowed.

    :param allowed: more origins, as ``https://NAME`` or ``https://NAME:PORT``.
    :raises TrackspecError: INVALID_PARAMETER_VALUE if one has another form.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(origin.lower() for origin in allowed)
        if wrong := [origin for origin in sorted(self._allowed) if not _ORIGIN.fullmatch(origin)]:
            raise invalid(f"An allowed origin is 'https://NAME' or 'https://NAME:PORT', not {wrong[0]!r}.")

    @property
    def any_allowed(self) -> bool:
        """Whether there are others than the server's own."""
        return bool(self._allowed)

    def require(self, origin: bytes, host: bytes) -> None:
        """Let a change of state pass that a page of one of these sites asks for.

        :raises TrackspecError: PERMISSION_DENIED if it is of another site, or of none that it tells.
        """
        given = origin.decode("latin-1").lower()
        match = _ORIGIN.fullmatch(given)
        own = match is not None and match["authority"] == host.decode("latin-1").lower()
        if not own and given not in self._allowed:
            raise TrackspecError(
                "Pages of this Origin may not change anything here; the server's operator may allow it.",
                ErrorCode.PERMISSION_DENIED,
            )

    def headers(self, origin: bytes) -> Headers:
        """What lets a page of an allowed site read an answer; nothing for others."""
        if origin.decode("latin-1").lower() not in self._allowed:
            return ()
        return ((b"access-control-allow-origin", origin), (b"vary", b"origin"))

    def preflight(self, origin: bytes) -> Headers:
        """What more tells a browser that a page of an allowed site may call; nothing for others."""
        return _PREFLIGHT if self.headers(origin) else ()


def _normal(host: str) -> str:
    """One form of each name and each IP address."""
    host = host.strip("[]").lower()
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
