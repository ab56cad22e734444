"""Time every operation on our stores, on MLflow's and raw, in turn; print ratios and write ``bench.json``.

Then show what must not grow with the number of runs.

``python -m tests.bench [--mlflow-python PYTHON] [--runs 10000] [--many 100000] [--rounds 5] [--out bench.json]``
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.growth import print_growth
from tests.bench.operations import names
from tests.bench.serving import measure_servers, print_servers
from tests.bench.sides import Side, side
from tests.bench.targets import TARGETS, Target

LONG_ENOUGH = 60.0
"""Seconds after which a side has had its rounds of an operation."""


def measure(store: str, durability: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of one store at one durability. The sides take turns, so that a busy machine is busy for all."""
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="trackspec-bench-"))
        pythons = {"ours": sys.executable, "mlflow": options.mlflow_python, "raw": sys.executable}
        sides = {
            name: stack.enter_context(side(python, name, store, durability, directory, options.runs))
            for name, python in pythons.items()
            if python
        }
        for worker in sides.values():
            worker.answer()
        rows = []
        for operation in names():
            rows.append(row(store, operation, durability, timed(operation, sides, options.rounds)))
            print_row(rows[-1])
        return rows


def timed(operation: str, sides: dict[str, Side], count: int) -> list[dict[str, float | None]]:
    """The rates of each side, round by round. A side that has had its time sits out: its last rate stands."""
    rounds: list[dict[str, float | None]] = []
    spent = dict.fromkeys(sides, 0.0)
    for _ in range(count):
        rates: dict[str, float | None] = {}
        for name, worker in sides.items():
            started = time.monotonic()
            rates[name] = worker.rate(operation) if spent[name] < LONG_ENOUGH else rounds[-1][name]
            spent[name] += time.monotonic() - started
        rounds.append(rates)
    return rounds


def row(store: str, operation: str, durability: str, rounds: list[dict[str, float | None]]) -> dict[str, Any]:
    """A row of ``bench.json``: medians in operations a second, and the median of the ratios round by round."""

    def median(name: str) -> float | None:
        rates = [found for turn in rounds if (found := turn.get(name)) is not None]
        return round(statistics.median(rates), 2) if rates else None

    def ratio(name: str) -> float | None:
        pairs = [(turn["ours"], turn.get(name)) for turn in rounds]
        found = [mine / other for mine, other in pairs if mine and other]
        return round(statistics.median(found), 2) if found else None

    target = TARGETS.get((store, operation, durability), Target())
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


def main() -> None:
    """Run the benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument(
        "--mlflow-python", default=".venv-mlflow/bin/python", help="an interpreter that has MLflow"
    )
    parser.add_argument("--runs", type=int, default=10_000, help="runs in the experiment that searches read")
    parser.add_argument("--many", type=int, default=100_000, help="runs among which writes cost no more")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--store", choices=("sqlite", "file", "rest"), action="append")
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    options = parser.parse_args()
    chosen = options.store or ["sqlite", "file", "rest"]
    stores = [store for store in chosen if store != "rest"]
    rows = []
    for store in stores:
        for durability in ("power", "process"):
            rows += measure(store, durability, options)
    served = measure_servers(options) if "rest" in chosen else []
    options.out.write_text(json.dumps(rows + served, indent=1) + "\n")
    if rows:
        print_table(rows)
    if served:
        print_servers(served)
    print_growth(stores, options.many, options.rounds)


if __name__ == "__main__":
    main()
