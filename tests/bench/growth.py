"""What must not grow with the number of runs: the cost of a write, and the memory that a search takes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.bench.sides import side
from tests.bench.targets import LEAST_RATE_AMONG_MANY, MOST_MEMORY_OF_A_SEARCH_MB, SINGLE_WRITES

FEW = 1000

MEMORY = Path(__file__).with_name("memory.py")


def print_growth(stores: Sequence[str], many: int, rounds: int) -> None:
    """Print for each write how much of its rate among few runs it has among many, and what a search takes."""
    for store in stores:
        with tempfile.TemporaryDirectory(prefix="trackspec-bench-") as directory:
            rates = rates_among_many(store, directory, many, rounds)
            memory = memory_of_a_search(store, directory)
        for operation, rate in rates.items():
            print(
                f"{store}: {operation} among {many:,} runs has {rate:.2f} of its rate among {FEW:,} "
                f"(at least {LEAST_RATE_AMONG_MANY})"
            )
        print(
            f"{store}: a process that reads a page of a search over {many:,} runs takes {memory:.0f} MB "
            f"(at most {MOST_MEMORY_OF_A_SEARCH_MB})"
        )


def rates_among_many(store: str, directory: str, many: int, rounds: int) -> dict[str, float]:
    """For each write the ratio of its rate among many runs to that among few. The two take turns."""
    with ExitStack() as stack:
        few = stack.enter_context(tempfile.TemporaryDirectory(prefix="trackspec-bench-"))
        sides = [
            stack.enter_context(side(sys.executable, "ours", store, "process", place, runs))
            for place, runs in ((few, FEW), (directory, many))
        ]
        for worker in sides:
            worker.answer()
        rates = {}
        for operation in SINGLE_WRITES:
            turns = [[worker.rate(operation) or 0.0 for worker in sides] for _ in range(rounds)]
            rates[operation] = statistics.median(among_many / among_few for among_few, among_many in turns)
        return rates


def memory_of_a_search(store: str, directory: str) -> float:
    """The megabytes that a process takes at most which opens the populated store and searches it."""
    done = subprocess.run(
        [sys.executable, MEMORY, store, directory], stdout=subprocess.PIPE, text=True, check=True
    )
    return float(done.stdout)
