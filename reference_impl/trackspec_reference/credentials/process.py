"""Who runs this process."""

from __future__ import annotations

import getpass


def user_of_process() -> str | None:
    """The name of the user; None where the system has no name for them, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return None
