"""Runs the checks on every faulty backend and writes the figures to ``faults.json``: ``make faults``.

A fault is *killed by name* if each requirement that it breaks is failed by a check that verifies it. One that is
not is tried on all other checks: if none of them fails either, it survives.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.galleries import every_fault
from tests.gallery import Fault
from trackspec import catalogue
from trackspec.catalogue import Level
from trackspec_conformance.checks import checks_of
from trackspec_conformance.outcomes import Outcome

OUTPUT = Path(__file__).parent.parent / "faults.json"


@dataclass(frozen=True)
class Row:
    """What the checks say of one fault.

    :ivar breaks: the requirements that it breaks, each with the checks of it that failed.
    :ivar others: the checks of other requirements that failed; tried only where a requirement above has none.
    :ivar harmed: the checks that ended in an error of the suite itself.
    """

    name: str
    interface: str
    summary: str
    breaks: dict[str, list[str]]
    others: list[str]
    harmed: list[str]

    @property
    def killed_by_name(self) -> bool:
        """Whether each broken requirement is failed by a check that verifies it."""
        return all(self.breaks.values())

    @property
    def killed(self) -> bool:
        """Whether any check fails."""
        return any(self.breaks.values()) or bool(self.others)


def main() -> None:
    """Print the matrix and write it; the exit status is 1 if a fault is not killed by name."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        rows = list(pool.map(row_of, range(len(every_fault()))))
    drawn_up = figures(rows)
    OUTPUT.write_text(json.dumps(drawn_up, indent=2) + "\n", encoding="utf-8")
    print_figures(drawn_up, rows, Console())
    sys.exit(0 if drawn_up["killed_by_named"] == drawn_up["faults"] else 1)


def row_of(number: int) -> Row:
    """Try one fault."""
    fault: Fault = every_fault()[number]
    breaks: dict[str, list[str]] = {}
    harmed: list[str] = []

    def failed(checks: Iterable[str]) -> list[str]:
        outcomes = {check: fault.result_of(check).outcome for check in checks}
        harmed.extend(check for check, outcome in outcomes.items() if outcome is Outcome.ERROR)
        return [check for check, outcome in outcomes.items() if outcome is Outcome.FAIL]

    for requirement in fault.breaks:
        breaks[requirement] = failed(fault.checks_of(requirement))
    tried = {check for requirement in breaks for check in fault.checks_of(requirement)}
    untried = [name for name in checks_of(fault.interface) if name not in tried]
    others = [] if all(breaks.values()) else failed(untried)
    return Row(fault.name, fault.interface, fault.summary, breaks, others, sorted(set(harmed)))


def figures(rows: list[Row]) -> dict[str, Any]:
    """The figures of the matrix, and the matrix."""
    proven = {id_ for row in rows for id_, checks in row.breaks.items() if checks}
    return {
        "faults": len(rows),
        "killed": sum(row.killed for row in rows),
        "killed_by_named": sum(row.killed_by_name for row in rows),
        "survivors": [row.name for row in rows if not row.killed],
        "requirements": {
            level.value: {"testable": len(_testable(level)), "seen_to_fail": len(proven & _testable(level))}
            for level in Level
        },
        "never_seen_to_fail": [
            id_
            for id_, item in catalogue.requirements().items()
            if not item.not_testable and item.level is not Level.MAY and id_ not in proven
        ],
        "matrix": [{**asdict(row), "killed": row.killed, "killed_by_named": row.killed_by_name} for row in rows],
    }


def print_figures(drawn_up: dict[str, Any], rows: list[Row], console: Console) -> None:
    """Print what stands out, then the figures."""
    for row in rows:
        if not row.killed_by_name:
            missed = ", ".join(id_ for id_, checks in row.breaks.items() if not checks)
            killer = f"only {', '.join(row.others)} fails" if row.others else "no check fails"
            console.print(f"{row.name} breaks {missed}: {killer}", markup=False, soft_wrap=True)
        for check in row.harmed:
            console.print(f"{row.name} makes {check} itself fail", markup=False, soft_wrap=True)
    for id_ in drawn_up["never_seen_to_fail"]:
        console.print(f"{id_} is failed on no faulty backend", markup=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_row("faulty backends", str(drawn_up["faults"]))
    table.add_row("killed", str(drawn_up["killed"]))
    table.add_row("killed by the check that names what they break", str(drawn_up["killed_by_named"]))
    table.add_row("survivors", str(len(drawn_up["survivors"])))
    for level, counts in drawn_up["requirements"].items():
        if counts["testable"]:
            seen = f"{counts['seen_to_fail']} of {counts['testable']}"
            table.add_row(f"testable {level} whose check was seen to fail", seen)
    console.print(table)


def _testable(level: Level) -> set[str]:
    return {item.id for item in catalogue.requirements().values() if item.level is level and not item.not_testable}


if __name__ == "__main__":
    main()
