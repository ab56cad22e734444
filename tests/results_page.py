"""The page on MLflow's stores, drawn up from their reports."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trackspec import catalogue
from trackspec.catalogue import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Report = Mapping[str, Any]

SUBJECTS = {
    "file": "`FileStore`",
    "sqlite": "`SqlAlchemyStore` on SQLite",
    "rest-sqlite": "client and `mlflow server` over SQLite",
    "rest-file": "client and `mlflow server` over files",
}
_MARKS = {"pass": "·", "fail": "**fails**", "not claimed": "not claimed", "not applicable": "n/a"}


def divergences() -> dict[str, dict[str, Any]]:
    """The observed divergences by number: title, stores that are wrong by the contract, why one is not shown."""
    file = Path(__file__).parent / "data" / "mlflow_divergences.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def causes() -> dict[str, str]:
    """Why some MLflow store does not keep a requirement that settles no divergence, by requirement."""
    file = Path(__file__).parent / "data" / "mlflow_causes.toml"
    groups = tomllib.loads(file.read_text(encoding="utf-8"))["cause"]
    return {id_: group["text"] for group in groups for id_ in group["requirements"]}


def requirements_by_row() -> dict[str, list[Requirement]]:
    """The requirements that settle each divergence."""
    settled: dict[str, list[Requirement]] = {row: [] for row in divergences()}
    for requirement in catalogue.requirements().values():
        for row in dict.fromkeys(row for decision in requirement.decisions for row in decision.rows):
            settled.setdefault(row, []).append(requirement)
    return settled


def page(mlflow_version: str, reports: Mapping[str, Report]) -> str:
    """The page as Markdown."""
    found = Findings(reports)
    first = next(iter(reports.values()))
    parts = [
        f"# MLflow {mlflow_version}'s tracking stores",
        f"What the suite, version {first['suite_version']}, finds in the stores that MLflow ships, judged by "
        f"version {first['spec_version']} of the specification. `make results` writes this page and the reports "
        "beside it.",
        "## Verdict",
        *_verdicts(reports),
        "## What fails",
        "A dot is a pass. Every requirement that some store does not keep is a row; what each store answered "
        "instead is [below](#findings).",
        *_failures(found),
        "## The observed divergences",
        "Where MLflow's stores were seen to differ from each other or to do harm. Each is settled by the "
        "requirements named; a store that the decision makes wrong *fails* one of them.",
        *_divergences(found),
        "## Findings",
        *_findings(found),
    ]
    return "\n\n".join(parts) + "\n"


class Findings:
    """The outcomes of every subject, by requirement."""

    def __init__(self, reports: Mapping[str, Report]) -> None:
        self.subjects = list(reports)
        self._by_id = {
            subject: {item["id"]: item for item in report["requirements"]} for subject, report in reports.items()
        }

    def outcome(self, subject: str, requirement: Requirement) -> str:
        """What became of a requirement on a subject; ``not judged`` where the report is older than it."""
        return str(self._by_id[subject].get(requirement.id, {}).get("outcome", "not judged"))

    def message(self, subject: str, requirement: Requirement) -> str:
        """Why it is no pass."""
        return str(self._by_id[subject][requirement.id]["message"])

    def unkept(self) -> list[Requirement]:
        """The requirements that some subject does not keep, in the order of the chapters."""
        return [
            requirement
            for requirement in catalogue.requirements().values()
            if any(self.outcome(subject, requirement) in ("fail", "blocked", "error") for subject in self.subjects)
        ]

    def fails_row(self, subject: str, requirements: list[Requirement]) -> bool:
        """Whether a subject fails one of the requirements that settle a divergence."""
        return any(self.outcome(subject, requirement) == "fail" for requirement in requirements)


def _verdicts(reports: Mapping[str, Report]) -> Iterator[str]:
    profiles = [name for name, profile in next(iter(reports.values()))["profiles"].items() if profile["claimed"]]
    lines = [_row("profile", "requirements", *map(_subject, reports)), _rule(len(reports) + 2)]
    for name in profiles:
        judged = [report["profiles"][name] for report in reports.values()]
        cells = [
            ("conforms" if profile["conforms"] else "does not conform")
            + f": {profile['counts']['pass']} kept, {profile['counts']['fail']} not"
            + (f", {profile['counts']['blocked']} not judged" if profile["counts"]["blocked"] else "")
            for profile in judged
        ]
        lines.append(_row(f"`{name}`", judged[0]["counts"]["total"], *cells))
    yield "\n".join(lines)


def _failures(found: Findings) -> Iterator[str]:
    lines = [
        _row("requirement", "level", "settles", *map(_subject, found.subjects)),
        _rule(len(found.subjects) + 3),
    ]
    for requirement in found.unkept():
        rows = ", ".join(dict.fromkeys(row for decision in requirement.decisions for row in decision.rows))
        marks = [_mark(found.outcome(subject, requirement)) for subject in found.subjects]
        lines.append(_row(f"[`{requirement.id}`](#{_anchor(requirement)})", requirement.level, rows, *marks))
    yield "\n".join(lines)


def _divergences(found: Findings) -> Iterator[str]:
    settled = requirements_by_row()
    lines = [
        _row("", "what", "requirements", *map(_subject, found.subjects)),
        _rule(len(found.subjects) + 3),
    ]
    for row, divergence in divergences().items():
        names = ", ".join(f"`{requirement.id}`" for requirement in settled[row])
        if reason := divergence.get("not_shown"):
            names += f"<br>not shown: {reason}"
        marks = []
        for subject in found.subjects:
            wrong = subject in divergence["wrong"]
            fails = found.fails_row(subject, settled[row])
            marks.append(("**fails**" if fails else "not seen") if wrong else "·")
        lines.append(_row(row, divergence["title"], names, *marks))
    yield "\n".join(lines)


def _findings(found: Findings) -> Iterator[str]:
    for requirement in found.unkept():
        yield f"### {requirement.id}"
        yield f"{requirement.level}, {requirement.profile}, {requirement.place}. {requirement.text}"
        for decision in requirement.decisions:
            yield f"*Decided:* {', '.join(decision.rows)}: {decision.reason}"
        if cause := causes().get(requirement.id):
            yield f"*Cause:* {cause}"
        answers: dict[str, list[str]] = {}
        for subject in found.subjects:
            outcome = found.outcome(subject, requirement)
            if outcome not in ("pass", "not claimed", "not applicable"):
                said = found.message(subject, requirement)
                answers.setdefault(said if outcome == "fail" else f"{outcome}: {said}", []).append(subject)
        yield "\n".join(f"- {', '.join(subjects)}: {_literal(said)}" for said, subjects in answers.items())


def _subject(name: str) -> str:
    return SUBJECTS[name]


def _mark(outcome: str) -> str:
    return _MARKS.get(outcome, outcome)


def _anchor(requirement: Requirement) -> str:
    return requirement.id.replace(".", "")


def _literal(text: str) -> str:
    fence = "``" if "`" in text else "`"
    padding = " " if "`" in text else ""
    return f"{fence}{padding}{' '.join(text.split())}{padding}{fence}"


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _rule(columns: int) -> str:
    return "|" + " --- |" * columns
