"""A check's calls as a script that runs as it stands."""

from __future__ import annotations

import re
from collections.abc import Sequence

from trackspec_conformance.calls import Call
from trackspec_conformance.interfaces import Interface

_COMMENT_LENGTH = 100
_IMPORTS = {
    "open_below(": "from trackspec_conformance.interfaces.artifacts import open_below",
    "open_at(": "from trackspec_conformance.interfaces.{interface} import open_at",
    "lying_server(": "from trackspec_conformance.lying_server import *",
    "lying_tracking_server(": "from trackspec_conformance.lying_tracking_server import *",
    "contents_of(": "from trackspec_conformance.local_files import *",
    "cut(lambda": "from trackspec_conformance.interrupting import *",
    "end_a_process(": "from trackspec_conformance.interrupting import *",
    "chdir(": "from os import chdir",
    "local_": "from trackspec_conformance.local_files import *",
}


def opening(interface: Interface) -> str:
    """The expression that opens a script's subject."""
    judged_by = "" if interface.name == "tracking" else f", {interface.name!r}"
    return f"open_subject(SUBJECT{judged_by}).open()"


def script(calls: Sequence[Call], interface: Interface, subject: str | None, expected: str, got: str) -> str:
    """The calls as a Python script, ending with what was expected and what came.

    :param subject: the locator that the script opens; without one, that is left to the reader.
    """
    body = [_statement(call, calls[number:]) for number, call in enumerate(calls, 1)]
    printed = []
    if calls and calls[-1].outcome == "returned":
        printed = [f"print({interface.told(calls[-1])})"]
    source = "\n".join([*body, *printed])
    opened = opening(interface) if subject else f"...  # the {interface.parameter} under test"
    wired = "open_subject(SUBJECT).wire()" if subject else "...  # requests to the server under test"
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
        *dict.fromkeys(
            statement.format(interface=interface.name) for word, statement in _IMPORTS.items() if word in source
        ),
        *(["from trackspec_conformance.subjects import open_subject"] if subject else []),
        "",
        *([f"SUBJECT = {subject!r}"] if subject else []),
        *(['ns = f"repro-{uuid4().hex[:10]}"'] if "{ns}" in source else []),
        f"{interface.parameter} = {opened}",
        *([f"wire = {wired}"] if re.search(r"\bwire\.", source) else []),
        "",
        *body,
        f"# expected: {one_line(expected)}",
        f"# got:      {one_line(got)}",
        *printed,
    ]
    return "\n".join(lines) + "\n"


def _statement(call: Call, later: Sequence[Call]) -> str:
    used = any(re.search(rf"\b{call.name}\b", other.source) for other in later)
    line = f"{call.name} = {call.source}" if used or not later else call.source
    if call.outcome is None:
        return f"{line}  # did not return"
    if call.outcome == "returned" or not later:
        return line
    return f"with suppress(Exception):  # {one_line(call.outcome)[:_COMMENT_LENGTH]}\n    {line}"


def one_line(text: str) -> str:
    """Text without line breaks."""
    return " ".join(text.split())
