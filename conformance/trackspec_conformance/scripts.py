"""A check's calls as a script that runs as it stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trackspec_conformance.interfaces import Interface

_COMMENT_LENGTH = 100


@dataclass
class Call:
    """One call, as Python source.

    :ivar name: the variable that later calls know its answer by.
    :ivar outcome: None while it has not ended, ``"returned"``, or the error that it raised.
    """

    source: str
    name: str
    outcome: str | None = None


def opening(interface: Interface) -> str:
    """The expression that opens a script's subject."""
    judged_by = "" if interface.name == "tracking" else f", {interface.name!r}"
    return f"open_subject(SUBJECT{judged_by}).open()"


def script(calls: Sequence[Call], interface: Interface, subject: str | None, expected: str, got: str) -> str:
    """The calls as a Python script, ending with what was expected and what came.

    :param subject: the locator that the script opens; without one, that is left to the reader.
    """
    body = [_statement(call, calls[number:]) for number, call in enumerate(calls, 1)]
    source = "\n".join(body)
    opened = opening(interface) if subject else f"...  # the {interface.parameter} under test"
    lines = []
    if "with suppress(" in source:
        lines.append("from contextlib import suppress")
    if "Decimal(" in source:
        lines.append("from decimal import Decimal")
    if "Fraction(" in source:
        lines.append("from fractions import Fraction")
    if "{ns}" in source:
        lines.append("from uuid import uuid4")
    lines += [
        *([""] if lines else []),
        "from trackspec import *",
        *(["from trackspec_conformance.subjects import open_subject"] if subject else []),
        "",
        *([f"SUBJECT = {subject!r}"] if subject else []),
        *(['ns = f"repro-{uuid4().hex[:10]}"'] if "{ns}" in source else []),
        f"{interface.parameter} = {opened}",
        "",
        *body,
        f"# expected: {_one_line(expected)}",
        f"# got:      {_one_line(got)}",
    ]
    if calls and calls[-1].outcome == "returned":
        lines.append(f"print({calls[-1].name})")
    return "\n".join(lines) + "\n"


def _statement(call: Call, later: Sequence[Call]) -> str:
    used = any(re.search(rf"\b{call.name}\b", other.source) for other in later)
    line = f"{call.name} = {call.source}" if used or not later else call.source
    if call.outcome is None:
        return f"{line}  # did not return"
    if call.outcome == "returned" or not later:
        return line
    return f"with suppress(Exception):  # {_one_line(call.outcome)[:_COMMENT_LENGTH]}\n    {line}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
