"""Writes what of the specification is drawn up from its chapters and its code: ``make spec``.

``spec/requirements.txt`` lists every requirement, one a line, so that a normative change shows in a diff as such.
``spec/decisions.md`` lists every observed divergence between stores, and the requirements that settle it. The
tables of ``spec/protocol.md`` and ``spec/artifact-proxy.md`` are those of the endpoints. ``spec/openapi.yaml``
describes the protocol to tools.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

from tests.documents import anchor
from tests.protocol_tables import with_tables
from trackspec import catalogue
from trackspec.catalogue import Requirement
from trackspec.protocol import openapi

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
SPEC = ROOT / "spec"
DATA = Path(__file__).parent / "data"

_STORES = {
    "file": "file store",
    "sqlite": "SQL store",
    "rest-file": "server over the file store",
    "rest-sqlite": "server over the SQL store",
}

_INTRODUCTION = """\
# Decisions

Stores in the wild answer the same call differently. Every divergence that was observed between the tracking stores
of MLflow 3.17.2, or between them and what a caller may expect, has a number here, and the requirements that settle
it, with the reason. [Where backends differ](../docs/decisions.md) tells how a point is decided.

This page is drawn up from the *Decided* paragraphs of the chapters by `make spec`; change it there.
"""


def main() -> None:
    """Write each page."""
    for name, text in pages().items():
        (SPEC / name).write_text(text, encoding="utf-8")
        print(f"spec/{name}")


def pages() -> dict[str, str]:
    """The text of each page by file name."""
    requirements = catalogue.requirements()
    return {
        "requirements.txt": requirement_list(requirements),
        "decisions.md": decision_page(requirements),
        "openapi.yaml": openapi.yaml_text(),
        "protocol.md": with_tables(catalogue.chapters()["protocol.md"]),
        "artifact-proxy.md": with_tables(catalogue.chapters()["artifact-proxy.md"]),
    }


def divergence_rows() -> tuple[str, ...]:
    """The number of every observed divergence, in order."""
    return tuple((DATA / "divergence_rows.txt").read_text(encoding="utf-8").split())


def decided(requirements: dict[str, Requirement]) -> dict[str, list[tuple[Requirement, str]]]:
    """For each divergence that some requirement settles, those requirements, each with its reason."""
    found: dict[str, list[tuple[Requirement, str]]] = {}
    for requirement in requirements.values():
        for decision in requirement.decisions:
            for row in decision.rows:
                found.setdefault(row, []).append((requirement, decision.reason))
    return found


def requirement_list(requirements: dict[str, Requirement]) -> str:
    """Every requirement in one line, by id."""
    lines = [
        "# Every requirement, drawn up from the chapters by `make spec`: id, level, profile, version, sentence."
    ]
    for item in sorted(requirements.values(), key=lambda item: item.id):
        words = [item.id, item.level.value, item.profile, item.since]
        words += [f"(not testable: {item.not_testable})"] if item.not_testable else []
        lines.append(" ".join([*words, item.text]))
    return "\n".join(lines) + "\n"


def decision_page(requirements: dict[str, Requirement]) -> str:
    """Every divergence in order, with the requirements that settle it."""
    observed = tomllib.loads((DATA / "mlflow_divergences.toml").read_text(encoding="utf-8"))
    settled = decided(requirements)
    sections = [_section(row, observed.get(row, {}), settled.get(row, [])) for row in divergence_rows()]
    return "\n".join([_INTRODUCTION, *sections])


def _section(row: str, observed: dict[str, Any], settled: list[tuple[Requirement, str]]) -> str:
    lines = [f"## {row}", ""]
    if title := observed.get("title"):
        stores = [_STORES[name] for name in observed["wrong"]]
        lines += [f"*Observed:* {title}." + (f" MLflow: {', '.join(stores)}." if stores else ""), ""]
    for requirement, reason in settled:
        link = f"{requirement.chapter}#{section_of(requirement)}"
        lines.append(f"- [`{requirement.id}`]({link}) ({requirement.level}): {reason}")
    if not settled:
        lines.append("Not settled yet.")
    return "\n".join([*lines, ""])


class Weakness(NamedTuple):
    """A row of the table of published weaknesses.

    :ivar advisories: what it was published as.
    :ivar ruled_out_by: the last column.
    :ivar requirements: the ids in it.
    """

    advisories: tuple[str, ...]
    ruled_out_by: str
    requirements: tuple[str, ...]


def weaknesses() -> list[Weakness]:
    """The table of the chapter on security."""
    table = catalogue.chapters()["security.md"].split("weaknesses -->")[1]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")][2:]
    return [
        Weakness(tuple(names.split(", ")), ruled_out_by, tuple(re.findall(r"`(.+?)`", ruled_out_by)))
        for names, _, ruled_out_by in rows
    ]


def section_of(requirement: Requirement) -> str:
    """The anchor of the heading that a requirement stands below."""
    lines = catalogue.chapters()[requirement.chapter].splitlines()[: requirement.line]
    return anchor(next(line for line in reversed(lines) if line.startswith("#")))


if __name__ == "__main__":
    main()
