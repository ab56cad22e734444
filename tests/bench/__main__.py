"""Time every operation on our stores, on MLflow's and raw, in turn; print ratios and write ``bench.json``.

``python -m tests.bench [--mlflow-python PYTHON] [--runs 10000] [--rounds 5] [--out bench.json]``
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.operations import names
from tests.bench.serving import measure_servers, print_servers
from tests.bench.targets import TARGETS, Target

LONG_ENOUGH = 60.0
"""Seconds after which an operation has had its rounds, if it has had two."""

WORKER = Path(__file__).with_name("worker.py")


class Side:
    """A worker process that times operations on request."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def answer(self) -> Any:
        """Wait for what the worker says next."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"a worker ended: {self._process.args}")
        return json.loads(line)

    def rate(self, operation: str) -> float | None:
        """Operations a second over one round, or None where the side has no such operation."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(operation) + "\n")
        self._process.stdin.flush()
        found: float | None = self.answer()
        return found


@contextmanager
def side(python: str, name: str, store: str, durability: str, directory: str, runs: int) -> Iterator[Side]:
    """Start one side; it populates its store first."""
    process = subprocess.Popen(
        [python, str(WORKER), name, store, durability, directory, str(runs)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Side(process)
    finally:
        process.kill()
        process.wait()


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
            rounds: list[dict[str, float | None]] = []
            started = time.monotonic()
            while len(rounds) < 2 or (len(rounds) < options.rounds and time.monotonic() < started + LONG_ENOUGH):
                rounds.append({name: worker.rate(operation) for name, worker in sides.items()})
            rows.append(row(store, operation, durability, rounds))
            print_row(rows[-1])
        return rows


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
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--store", choices=("sqlite", "file", "rest"), action="append")
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    options = parser.parse_args()
    chosen = options.store or ("sqlite", "file", "rest")
    rows = []
    for store in chosen:
        if store != "rest":
            for durability in ("power", "process"):
                rows += measure(store, durability, options)
    served = measure_servers(options) if "rest" in chosen else []
    options.out.write_text(json.dumps(rows + served, indent=1) + "\n")
    if rows:
        print_table(rows)
    if served:
        print_servers(served)


if __name__ == "__main__":
    main()
