"""The command ``trackspec compare``: where reports differ."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from trackspec_conformance.outcomes import Outcome

_SAME, _DIFFERENT, _COULD_NOT_BE_COMPARED = 0, 1, 2
_UNJUDGED = (Outcome.NOT_CLAIMED.value, Outcome.NOT_APPLICABLE.value)


class ComparisonError(Exception):
    """Reports that cannot be compared; the message is one line."""


@dataclass(frozen=True)
class Difference:
    """A requirement that does not have the same outcome in all reports.

    :ivar outcomes: in the order of the reports; None where a report lacks the requirement or did not judge it.
    :ivar messages: why each is no pass.
    """

    id: str
    level: str
    outcomes: tuple[str | None, ...]
    messages: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """What became of the same requirements in several reports.

    :ivar compared: how many requirements at least two of them judged.
    :ivar alone: how many only one of them judged.
    """

    subjects: tuple[str, ...]
    compared: int
    alone: int
    differences: tuple[Difference, ...]


def print_comparison(files: Sequence[str]) -> int:
    """Print where reports differ, and return 0 if nowhere, 1 if somewhere, 2 if they cannot be compared."""
    try:
        comparison = compare([_read(file) for file in files])
    except ComparisonError as error:
        print(f"trackspec: {error}", file=sys.stderr)
        return _COULD_NOT_BE_COMPARED
    _print(comparison, Console())
    return _DIFFERENT if comparison.differences else _SAME


def compare(reports: Sequence[dict[str, Any]]) -> Comparison:
    """Compare reports on the same interface and version of the specification.

    A requirement counts where at least two reports judged it: what one of them does not claim, or has no use for,
    is no difference.

    :raises ComparisonError: if they are not about the same.
    """
    for key, what in (("interface", "interfaces"), ("spec_version", "versions of the specification")):
        told = sorted({str(report[key]) for report in reports})
        if len(told) > 1:
            raise ComparisonError(f"the reports are about different {what}: {', '.join(told)}")
    by_id = [{item["id"]: item for item in report["requirements"]} for report in reports]
    ids = list(dict.fromkeys(id_ for items in by_id for id_ in items))
    judged = {id_: [_judged(items.get(id_)) for items in by_id] for id_ in ids}
    counted = {id_: sum(item is not None for item in items) for id_, items in judged.items()}
    differences = [
        _difference(id_, items)
        for id_, items in judged.items()
        if counted[id_] > 1 and len({item["outcome"] for item in items if item is not None}) > 1
    ]
    return Comparison(
        tuple(str(report["subject"]["locator"]) for report in reports),
        sum(count > 1 for count in counted.values()),
        sum(count == 1 for count in counted.values()),
        tuple(differences),
    )


def _judged(item: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if item is None or item["outcome"] in _UNJUDGED else item


def _difference(id_: str, items: Sequence[dict[str, Any] | None]) -> Difference:
    level = next(item["level"] for item in items if item is not None)
    outcomes = tuple(None if item is None else str(item["outcome"]) for item in items)
    return Difference(id_, level, outcomes, tuple("" if item is None else str(item["message"]) for item in items))


def _read(file: str) -> dict[str, Any]:
    try:
        report = json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ComparisonError(f"cannot read {file}: {error}") from error
    if (
        not isinstance(report, dict)
        or not {"interface", "spec_version", "subject", "requirements"} <= report.keys()
    ):
        raise ComparisonError(f"{file} is no report that `trackspec check --json` has written")
    return report


def _print(comparison: Comparison, console: Console) -> None:
    for number, subject in enumerate(comparison.subjects, 1):
        console.print(f"[dim]({number})[/] {subject}", soft_wrap=True, highlight=False)
    if comparison.differences:
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("requirement", no_wrap=True)
        table.add_column("level", no_wrap=True)
        for number in range(1, len(comparison.subjects) + 1):
            table.add_column(f"({number})", no_wrap=True)
        for difference in comparison.differences:
            table.add_row(difference.id, difference.level, *(outcome or "·" for outcome in difference.outcomes))
        console.print(table, soft_wrap=True)
        for difference in comparison.differences:
            for number, message in enumerate(difference.messages, 1):
                if message:
                    console.print(
                        f"{difference.id} ({number}): {message}", soft_wrap=True, highlight=False, markup=False
                    )
    alone = f"; {comparison.alone} that only one report judges are left out" if comparison.alone else ""
    differing = f"{len(comparison.differences)} differ" if comparison.differences else "none differs"
    console.print(f"{comparison.compared} requirements compared: {differing}{alone}.", highlight=False)
