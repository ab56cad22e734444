"""How long a client waits for a server, and how often it tries."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, fields
from urllib.parse import parse_qsl

from trackspec.errors import invalid

MAX_SECONDS = 86_400
MAX_RETRIES = 20

_VARIABLES = {"timeout": "MLFLOW_HTTP_REQUEST_TIMEOUT", "retries": "MLFLOW_HTTP_REQUEST_MAX_RETRIES"}
"""The variables that give an option which the URI does not give, by the option's name."""


@dataclass(frozen=True)
class Patience:
    """The times, in seconds, and the number of tries.

    :ivar connect_timeout: what making a connection may take.
    :ivar timeout: what one request may take, from connecting to the last byte of its answer.
    :ivar total_timeout: what a call may take, with all its repetitions and the pauses between them; at least
        ``timeout`` unless it is given.
    :ivar retries: how often a request is repeated at most.
    """

    connect_timeout: float = 5.0
    timeout: float = 120.0
    total_timeout: float = 300.0
    retries: int = 5

    @classmethod
    def asked_for(cls, query: str) -> Patience:
        """What the options of a URI ask for, and where they do not, the environment.

        :raises TrackspecError: INVALID_PARAMETER_VALUE if there is no such option, one is given twice, or a value
            is out of range.
        """
        known = {field.name: _count if field.name == "retries" else _seconds for field in fields(cls)}
        given: dict[str, float] = {}
        for name, text in _options(query):
            if name not in known:
                raise invalid(f"There is no URI option {name[:80]!r}; there are {', '.join(known)}.")
            if name in given:
                raise invalid(f"The URI option {name!r} is given twice.")
            given[name] = known[name](text, f"The URI option {name!r}")
        for name, variable in _VARIABLES.items():
            if name not in given and (told := os.environ.get(variable)):
                given[name] = known[name](told, variable)
        # Whoever lets one request take long did not mean the call to be cut short.
        given.setdefault("total_timeout", max(cls.total_timeout, given.get("timeout", 0)))
        return cls(**given)  # type: ignore[arg-type]  # retries is an int


def _options(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError:
        raise invalid("The options of the store URI are malformed.") from None


def _seconds(text: str, what: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= MAX_SECONDS:
        raise invalid(f"{what} must be a number of seconds above 0, at most {MAX_SECONDS}.")
    return seconds


def _count(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= MAX_RETRIES):
        raise invalid(f"{what} must be a whole number, at most {MAX_RETRIES}.")
    return int(text)
