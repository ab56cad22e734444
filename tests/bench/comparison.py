"""Comparing sides: they take turns, and what is told are medians and ratios."""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.sides import Side
from tests.bench.targets import Target

LONG_ENOUGH = 60.0
"""Seconds after which a side has had its rounds of an operation."""


def timed(
    operation: str, sides: dict[str, Side], count: int, long_enough: float = LONG_ENOUGH
) -> list[dict[str, float | None]]:
    """The rates of each side, round by round. A side that has had its time sits out: its last rate stands."""
    rounds: list[dict[str, float | None]] = []
    spent = dict.fromkeys(sides, 0.0)
    for _ in range(count):
        rates: dict[str, float | None] = {}
        for name, worker in sides.items():
            started = time.monotonic()
            rates[name] = worker.rate(operation) if spent[name] < long_enough else rounds[-1][name]
            spent[name] += time.monotonic() - started
        rounds.append(rates)
    return rounds


def row(
    store: str,
    operation: str,
    durability: str,
    rounds: list[dict[str, float | None]],
    target: Target | None = None,
) -> dict[str, Any]:
    """A row of ``bench.json``: medians in operations a second, and the median of the ratios round by round."""

    def median(name: str) -> float | None:
        rates = [found for turn in rounds if (found := turn.get(name)) is not None]
        return round(statistics.median(rates), 2) if rates else None

    def ratio(name: str) -> float | None:
        pairs = [(turn["ours"], turn.get(name)) for turn in rounds]
        found = [mine / other for mine, other in pairs if mine and other]
        return round(statistics.median(found), 2) if found else None

    target = target or Target()
    return {
        "store": store,
        "operation": operation,
        "durability": durability,
        "ours": median("ours"),
        "mlflow": median("mlflow"),
        "raw": median("raw"),
        "ratio": ratio("mlflow"),
        "target": target.mlflow,
        "raw_ratio": ratio("raw"),
        "raw_target": target.raw,
    }


def print_row(found: dict[str, Any]) -> None:
    """Show a row as soon as it is there."""
    print(json.dumps(found), file=sys.stderr, flush=True)


def print_table(rows: list[dict[str, Any]]) -> None:
    """Print the ratios beside their targets."""
    table = Table(box=None, header_style="dim")
    for heading in ("store", "durability", "operation"):
        table.add_column(heading)
    for heading in ("ours/s", "mlflow/s", "raw/s", "× mlflow", "target", "× raw", "target"):
        table.add_column(heading, justify="right")
    for found in rows:
        numbers = [f"{found[name]:,.0f}" if found[name] else "·" for name in ("ours", "mlflow", "raw")]
        ratios = []
        for ratio, target in (("ratio", "target"), ("raw_ratio", "raw_target")):
            short = found[ratio] is not None and found[target] is not None and found[ratio] < found[target]
            shown = "·" if found[ratio] is None else f"{found[ratio]:.2f}"
            ratios += [f"[red]{shown}[/]" if short else shown, str(found[target] or "·")]
        table.add_row(found["store"], found["durability"], found["operation"], *numbers, *ratios)
    Console(width=120).print(table)
