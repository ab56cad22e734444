"""Time every operation on our stores, on MLflow's and raw, in turn; print ratios and write ``bench.json``.

Then show what must not grow with the number of runs.

``python -m tests.bench [--mlflow-python PYTHON] [--runs 10000] [--many 100000] [--rounds 5] [--out bench.json]``

``--store artifacts [--service s3] [--large 64] [--files 500] [--entries 5000]`` times artifact repositories only.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any

from tests.bench.artifacts import SERVICES, measure_artifacts, print_memory
from tests.bench.comparison import print_row, print_table, row, timed
from tests.bench.growth import print_growth
from tests.bench.operations import names
from tests.bench.serving import measure_servers, print_servers
from tests.bench.sides import side
from tests.bench.targets import TARGETS


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
            rounds = timed(operation, sides, options.rounds)
            rows.append(row(store, operation, durability, rounds, TARGETS.get((store, operation, durability))))
            print_row(rows[-1])
        return rows


def _end(number: int, _: FrameType | None) -> None:
    """End with all that was started, and remove what was written."""
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)


def main() -> None:
    """Run the benchmarks."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument(
        "--mlflow-python", default=".venv-mlflow/bin/python", help="an interpreter that has MLflow"
    )
    parser.add_argument("--runs", type=int, default=10_000, help="runs in the experiment that searches read")
    parser.add_argument("--many", type=int, default=100_000, help="runs among which writes cost no more")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--store", choices=("sqlite", "file", "rest", "artifacts"), action="append")
    parser.add_argument("--service", choices=SERVICES, action="append", help="where artifacts are kept")
    parser.add_argument("--large", type=int, default=1024, metavar="MIB", help="the size of the large artifact")
    parser.add_argument("--files", type=int, default=5000, help="how many small artifacts there are")
    parser.add_argument("--entries", type=int, default=100_000, help="files in the folder that is listed at once")
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    options = parser.parse_args()
    chosen = options.store or ["sqlite", "file", "rest", "artifacts"]
    stores = [store for store in chosen if store in ("sqlite", "file")]
    rows = []
    for store in stores:
        for durability in ("power", "process"):
            rows += measure(store, durability, options)
    served = measure_servers(options) if "rest" in chosen else []
    artifacts = measure_artifacts(options) if "artifacts" in chosen else []
    options.out.write_text(json.dumps(rows + served + artifacts, indent=1) + "\n")
    if rows:
        print_table(rows)
    if served:
        print_servers(served)
    if artifacts:
        print_table([found for found in artifacts if "limit" not in found])
        print_memory(artifacts)
    print_growth(stores, options.many, options.rounds)


if __name__ == "__main__":
    main()
