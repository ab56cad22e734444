"""The page on MLflow's stores, drawn up from their reports."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.documents import anchor
from tests.spec_pages import section_of
from trackspec import catalogue
from trackspec.catalogue import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Report = Mapping[str, Any]

SUBJECTS = {
    "file": "`FileStore`",
    "sqlite": "`SqlAlchemyStore`, SQLite",
    "rest-sqlite": "server over SQLite",
    "rest-file": "server over files",
}
_SPEC = "../../spec"
_INTRODUCTION = """\
What the suite, version {suite}, finds in the tracking stores that MLflow {mlflow} ships, judged by version {spec}
of the [specification]({directory}/README.md). `make results` writes this page, and the reports in JSON beside it.

MLflow does not promise what the specification asks for: the specification is not MLflow's, and where MLflow's own
stores answer the same call differently, it had to [choose](../decisions.md). *Fails* means that a store does not
do what one sentence of the specification says, and no more than that.

| | class | of | reached |
| --- | --- | --- | --- |
{judged}

File stores are opened with `MLFLOW_ALLOW_FILE_STORE=true`, and MLflow's client makes each request once, with
`MLFLOW_HTTP_REQUEST_MAX_RETRIES=0`. Where the server answers with a status of 5xx, the client raises
`INTERNAL_ERROR` and *API request to … failed*; the server's own code is lost. A finding is repeated, and its calls
are printed as a script, by

    make check SUBJECT='mlflow+sqlite:///judged.db'

and one requirement is judged by `.venv-mlflow/bin/trackspec check tracking SUBJECT -k ID`."""
_REACHED = {
    "file": "in the process",
    "sqlite": "in the process",
    "rest-sqlite": "over HTTP, `mlflow server` with one worker",
    "rest-file": "over HTTP, `mlflow server` with one worker",
}


def _data() -> dict[str, Any]:
    file = Path(__file__).parent / "data" / "mlflow_divergences.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def divergences() -> dict[str, dict[str, Any]]:
    """The observed divergences by number: title, stores that are wrong by the contract, why one is not shown."""
    return {row: entry for row, entry in _data().items() if row != "cause"}


def causes() -> dict[str, str]:
    """Why some MLflow store does not keep a requirement that settles no divergence, by requirement."""
    return {id_: group["text"] for group in _data()["cause"] for id_ in group["requirements"]}


def requirements_by_row() -> dict[str, list[Requirement]]:
    """The requirements that settle each divergence."""
    settled: dict[str, list[Requirement]] = {row: [] for row in divergences()}
    for requirement in catalogue.requirements().values():
        for row in rows_of(requirement):
            settled.setdefault(row, []).append(requirement)
    return settled


def timed_requirements() -> set[str]:
    """The ids of those on which an MLflow store answers something else in each run."""
    timed = {row for row, entry in divergences().items() if entry.get("racy") or entry.get("timed")}
    return {id_ for id_, item in catalogue.requirements().items() if timed.intersection(rows_of(item))}


def rows_of(requirement: Requirement) -> list[str]:
    """The numbers of the divergences that a requirement settles."""
    return list(dict.fromkeys(row for decision in requirement.decisions for row in decision.rows))


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

    def told(self, subject: str, requirement: Requirement) -> Mapping[str, Any]:
        """What the report says of it: calls, expectation and answer of a failure, or a message."""
        found: Mapping[str, Any] = self._by_id[subject][requirement.id]
        return found

    def unkept(self) -> list[Requirement]:
        """The requirements that some subject does not keep, in the order of the chapters."""
        return [
            requirement
            for requirement in catalogue.requirements().values()
            if any(self.outcome(subject, requirement) in ("fail", "blocked", "error") for subject in self.subjects)
        ]

    def fails_row(self, subject: str, requirements: Sequence[Requirement]) -> bool:
        """Whether a subject fails one of the requirements that settle a divergence."""
        return bool(self.failing(subject, requirements))

    def failing(self, subject: str, requirements: Sequence[Requirement]) -> list[Requirement]:
        """Those of the requirements that a subject fails."""
        return [requirement for requirement in requirements if self.outcome(subject, requirement) == "fail"]


def page(mlflow_version: str, reports: Mapping[str, Report]) -> str:
    """The page as Markdown."""
    found = Findings(reports)
    first = next(iter(reports.values()))
    introduction = _INTRODUCTION.format(
        suite=first["suite_version"],
        mlflow=mlflow_version,
        spec=first["spec_version"],
        directory=_SPEC,
        judged="\n".join(_judged(reports)),
    )
    parts = [
        f"# MLflow {mlflow_version}'s tracking stores",
        introduction,
        "## Verdict",
        "A store conforms to a profile if it keeps every MUST of it. *Blocked* is what rests on a requirement "
        "that fails, and was not judged.",
        *_verdicts(reports),
        "## The observed divergences",
        "Where MLflow's stores were seen to differ from each other, or to do harm. Each is settled by the "
        "requirements named. *Fails* leads to what the store answered; a dot stands where the decision does not "
        "make a store wrong.",
        _tally(found),
        *_divergences(found),
        "## What fails",
        "Every requirement that some store does not keep. The id leads to its sentence in the specification, "
        "*fails* to what the store answered. A dot is a pass.",
        *_failures(found),
        "## Findings",
        "For each of these requirements the sentence, why it was decided so, and the calls whose answer is not "
        "permitted. There, `experiment_id`, `run_id` and `page` stand for what earlier calls returned, ID1 and so "
        "on for ids, TIME for times, DIRECTORY for where the store lives.",
        *_findings(found),
    ]
    return "\n\n".join(parts) + "\n"


def _judged(reports: Mapping[str, Report]) -> Iterator[str]:
    for subject, report in reports.items():
        judged = report["subject"]
        yield cells(
            SUBJECTS[subject], f"`{judged['module']}.{judged['class']}`", judged["distribution"], _REACHED[subject]
        )


def _verdicts(reports: Mapping[str, Report]) -> Iterator[str]:
    profiles = [name for name, profile in next(iter(reports.values()))["profiles"].items() if profile["claimed"]]
    lines = [cells("profile", "requirements", *map(_subject, reports)), rule(len(reports) + 2)]
    for name in profiles:
        total = next(iter(reports.values()))["profiles"][name]["counts"]["total"]
        lines.append(cells(f"`{name}`", total, *(_verdict(report, name) for report in reports.values())))
    yield "\n".join(lines)


def _verdict(report: Report, profile: str) -> str:
    conforms = "conforms" if report["profiles"][profile]["conforms"] else "does not conform"
    return f"{conforms}:<br>{tally(report, profile)}"


def tally(report: Report, profile: str) -> str:
    """How many requirements of a profile have which outcome."""
    catalogued = catalogue.requirements()
    judged = [
        (catalogued[item["id"]].level.value, item["outcome"])
        for item in report["requirements"]
        if item["id"] in catalogued and catalogued[item["id"]].profile == profile
    ]
    counts = {
        "kept": sum(outcome == "pass" for _, outcome in judged),
        "MUST failed": judged.count(("MUST", "fail")),
        "SHOULD failed": judged.count(("SHOULD", "fail")),
        "blocked": sum(outcome == "blocked" for _, outcome in judged),
        "not applicable": sum(outcome == "not applicable" for _, outcome in judged),
    }
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def _tally(found: Findings) -> str:
    """How much of what was observed is shown."""
    settled = requirements_by_row()
    wrong = [(row, subject) for row, entry in divergences().items() for subject in entry["wrong"]]
    shown = [(row, subject) for row, subject in wrong if found.fails_row(subject, settled[row])]
    total, harmful = len(divergences()), len({row for row, _ in wrong})
    return (
        f"Of {total} divergences, {harmful} make some store wrong: {len(wrong)} cases, in {len(shown)} of which "
        "the store fails."
    )


def _divergences(found: Findings) -> Iterator[str]:
    settled = requirements_by_row()
    lines = [cells("", "what", "settled by", *map(_subject, found.subjects)), rule(len(found.subjects) + 3)]
    for row, divergence in divergences().items():
        names = "<br>".join(map(linked, settled[row]))
        for word, text in (
            ("not shown", divergence.get("not_shown")),
            ("note", divergence.get("remark")),
            ("note", "a race, which some runs do not show" if divergence.get("racy") else None),
        ):
            names += f"<br>{word}: {text}" if text else ""
        marks = [_row_mark(found, subject, divergence, settled[row]) for subject in found.subjects]
        lines.append(cells(f"[{row}]({_SPEC}/decisions.md#{row.lower()})", divergence["title"], names, *marks))
    yield "\n".join(lines)


def _row_mark(
    found: Findings, subject: str, divergence: Mapping[str, Any], requirements: Sequence[Requirement]
) -> str:
    if subject not in divergence["wrong"]:
        return "·"
    # The one that settles the fewest others says most about this one.
    failing = sorted(found.failing(subject, requirements), key=lambda item: len(rows_of(item)))
    return f"[**fails**](#{_anchor(failing[0])})" if failing else "not seen"


def _failures(found: Findings) -> Iterator[str]:
    lines = [cells("requirement", "", "settles", *map(_subject, found.subjects)), rule(len(found.subjects) + 3)]
    for requirement in found.unkept():
        marks = [mark(found.outcome(subject, requirement), requirement) for subject in found.subjects]
        lines.append(cells(linked(requirement), requirement.level, ", ".join(rows_of(requirement)), *marks))
    yield "\n".join(lines)


def mark(outcome: str, requirement: Requirement) -> str:
    """What became of a requirement, as a cell."""
    if outcome in ("fail", "blocked"):
        return f"[**{'fails' if outcome == 'fail' else outcome}**](#{_anchor(requirement)})"
    return {"pass": "·", "not applicable": "n/a"}.get(outcome, outcome)


def _findings(found: Findings) -> Iterator[str]:
    for requirement in found.unkept():
        yield f"### {requirement.id}"
        place = linked(requirement, f"spec/{requirement.chapter}")
        yield f"{requirement.level} of `{requirement.profile}`, {place}: {requirement.text}"
        for decision in requirement.decisions:
            yield f"*Decided:* {', '.join(decision.rows)}: {decision.reason}"
        if cause := causes().get(requirement.id):
            yield f"*Cause:* {cause}"
        answers: dict[str, list[str]] = {}
        for subject in found.subjects:
            if found.outcome(subject, requirement) in ("fail", "blocked", "error"):
                answers.setdefault(answer_told(found.told(subject, requirement)), []).append(SUBJECTS[subject])
        yield "\n".join(f"- {'; '.join(subjects)}: {told}" for told, subjects in answers.items())


def answer_told(told: Mapping[str, Any]) -> str:
    """What a report says of one failure, as a list item goes on."""
    if "calls" not in told:
        return f"{told['outcome']}, since {told['message']}"
    calls = "".join(f"<br>{_literal(call)}" for call in told["calls"])
    return f"{calls}<br>expected {_literal(told['expected'])}<br>got {_literal(told['got'])}"


def linked(requirement: Requirement, text: str | None = None) -> str:
    """A link to the sentence of a requirement."""
    return f"[{text or f'`{requirement.id}`'}]({_SPEC}/{requirement.chapter}#{section_of(requirement)})"


def _subject(name: str) -> str:
    return SUBJECTS[name]


def _anchor(requirement: Requirement) -> str:
    return anchor(requirement.id)


def _literal(text: str) -> str:
    fence = "``" if "`" in text else "`"
    padding = " " if "`" in text else ""
    return f"{fence}{padding}{' '.join(text.split())}{padding}{fence}"


def cells(*texts: object) -> str:
    """A row of a table."""
    return "| " + " | ".join(str(text).replace("|", "\\|") for text in texts) + " |"


def rule(columns: int) -> str:
    """The line below the head of a table."""
    return "|" + " --- |" * columns
