"""Ids that lead to what they identify: no index is needed, and nothing is scanned.

A run id is the experiment's id in twelve decimal digits, the offset of the run's record in the experiment's run
register in ten hexadecimal digits, and ten random ones.
"""

from __future__ import annotations

import re
import secrets

_EXPERIMENT_ID = re.compile(r"0|[1-9][0-9]{11}")
_RUN_ID = re.compile(r"([0-9]{12})([0-9a-f]{10})[0-9a-f]{10}")


def new_experiment_id() -> str:
    """An experiment id that is very likely new."""
    return str(10**11 + secrets.randbelow(9 * 10**11))


def is_experiment_id(text: str) -> bool:
    """Whether an id is of the form that this store gives to experiments."""
    return _EXPERIMENT_ID.fullmatch(text) is not None


def new_run_id(experiment_id: str, offset: int) -> str:
    """The id of the run whose record stands at an offset."""
    return f"{int(experiment_id):012d}{offset:010x}{secrets.token_hex(5)}"


def parse_run_id(text: str) -> tuple[str, int] | None:
    """The experiment and the offset that a run id leads to, or None if it is not of this form."""
    match = _RUN_ID.fullmatch(text)
    if match is None:
        return None
    return str(int(match[1])), int(match[2], 16)
