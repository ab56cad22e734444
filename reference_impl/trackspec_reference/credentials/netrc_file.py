"""Who a client says that it is, by a netrc file."""

from __future__ import annotations

import netrc
import os
from pathlib import Path
from typing import NamedTuple

from trackspec.errors import invalid

NETRC = "NETRC"


class Login(NamedTuple):
    """A login. Its text does not show the password."""

    login: str
    password: str

    def __repr__(self) -> str:
        return f"Login(login={self.login!r})"


def netrc_entry(host: str) -> Login | None:
    """What the netrc file has for a host: that of ``NETRC``, or ``~/.netrc``; None where it has nothing.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if it cannot be read, or ``NETRC`` names none.
    """
    named = os.environ.get(NETRC)
    file = Path(named or "~/.netrc").expanduser()
    if not named and not file.exists():
        return None
    try:
        found = netrc.netrc(str(file)).authenticators(host)
    except (netrc.NetrcParseError, UnicodeDecodeError, OSError):  # whose texts may show what is in it
        raise invalid(f"The netrc file cannot be read; {NETRC} names another one than ~/.netrc.") from None
    if found is None or not found[0]:
        return None
    return Login(found[0], found[2] or "")
