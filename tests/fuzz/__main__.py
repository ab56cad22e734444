"""Tries inputs on every surface for some minutes, and prints what came of them."""

from __future__ import annotations

import argparse
import json
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.fuzz.surfaces import SURFACES
from tests.fuzz.trying import LONGEST, Tried
from tests.results import RESULTS

ENGINES = ("hypothesis", "atheris")
KINDS = ("escape", "crash", "5xx", "hang")

_PAGE = f"""\
# What hostile inputs bring about

`python -m tests.fuzz --inputs 10000 --record` writes this page, and the figures in JSON beside it. Each surface
takes text or bytes from strangers; half of its inputs are made by strategies that know the grammar, half by
atheris, which is led by the code that they reach. An *escape* is what leads out of the place, or tells what lies
outside; a *hang* takes more than {LONGEST} s. `--surface` tries one of them, and leaves the rows of the others as
they are.

| surface | engine | inputs | escapes | crashes | 5xx | hangs | seed | date |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |
{{rows}}
"""

_LONGEST_COUNT = 1800.0
"""Seconds in which a share of a number of inputs is tried; what is not by then shows in the table."""


def engines() -> tuple[str, ...]:
    """The engines that are installed."""
    return tuple(engine for engine in ENGINES if find_spec(engine))


def tried(
    surface: str, engine: str, *, seed: int, seconds: float | None = None, inputs: int | None = None
) -> Tried:
    """What comes of the inputs that an engine tries on a surface, in a process of its own.

    :param seconds: how long it tries.
    :param inputs: how many it tries at most.
    """
    with tempfile.TemporaryDirectory(prefix="trackspec-") as directory:
        file = Path(directory) / "tried.json"
        bounds = [] if inputs is None else ["--inputs", str(inputs)]
        bounds += [] if seconds is None else ["--seconds", str(seconds)]
        command = [sys.executable, "-m", "tests.fuzz.trying", surface, engine, str(file), *bounds]
        patience = (600.0 if seconds is None else seconds) + 4 * LONGEST
        try:
            done = subprocess.run(
                [*command, "--seed", str(seed)], capture_output=True, text=True, timeout=patience, check=False
            )
            ended = "" if done.returncode == 0 else f"it ended with {done.returncode}: {done.stderr[-1500:]}"
            kind = "hang" if "timeout" in ended else "crash"
        except subprocess.TimeoutExpired:
            ended, kind = f"it did not end within {patience:.0f} s", "hang"
        found = Tried(**json.loads(file.read_text())) if file.exists() else Tried(surface, engine)
    if ended:
        found.note(kind, ended)
    return found


def soak(minutes: float, surfaces: Iterable[str] = tuple(SURFACES), seed: int | None = None) -> list[Tried]:
    """Try every surface with every engine for its share of these minutes.

    :param seed: None for another one each time.
    """
    seed = secrets.randbelow(2**31) if seed is None else seed
    shares = [(surface, engine) for surface in surfaces for engine in engines()]
    return [tried(surface, engine, seed=seed, seconds=minutes * 60 / len(shares)) for surface, engine in shares]


def count(inputs: int, surfaces: Iterable[str], seed: int) -> list[Tried]:
    """Try so many inputs on every surface, each engine its share of them."""
    share = -(-inputs // len(engines()))
    return [
        tried(surface, engine, seed=seed, inputs=share, seconds=_LONGEST_COUNT)
        for surface in surfaces
        for engine in engines()
    ]


def print_tried(results: Sequence[Tried], console: Console) -> None:
    """Print how many inputs there were, what was found, and the inputs that found it."""
    table = Table(box=None, pad_edge=False)
    for heading in ("surface", "engine", "inputs", "seconds", "escapes", "crashes", "5xx", "hangs"):
        table.add_column(heading, justify="left" if heading in ("surface", "engine") else "right")
    for result in results:
        counts = [str(result.found.get(kind, 0)) for kind in KINDS]
        table.add_row(result.surface, result.engine, str(result.inputs), f"{result.seconds:.0f}", *counts)
    console.print(table)
    for result in results:
        for example in result.examples:
            console.print(f"{result.surface}, {result.engine}: {example}", markup=False, soft_wrap=True)


def record(results: Sequence[Tried], seed: int, directory: Path) -> None:
    """Write down what came of each surface, beside what was written of others before, and draw the page up."""
    file = directory / "fuzz.json"
    known: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for result in results:
        entry = {"date": date.today().isoformat(), "seed": seed, **asdict(result)}
        known[f"{result.surface} {result.engine}"] = entry
    file.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n", encoding="utf-8")
    (directory / "fuzz.md").write_text(page(known.values()), encoding="utf-8")


def page(entries: Iterable[Mapping[str, Any]]) -> str:
    """The page as Markdown."""
    rows = [
        f"| {entry['surface']} | {entry['engine']} | {entry['inputs']:,} | "
        + " | ".join(str(entry["found"].get(kind, 0)) for kind in KINDS)
        + f" | {entry['seed']} | {entry['date']} |"
        for entry in entries
    ]
    return _PAGE.format(rows="\n".join(rows))


def main() -> None:
    """Try, and print; the exit status is 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="for all of it")
    parser.add_argument("--inputs", type=int, help="on each surface, however long it takes")
    parser.add_argument(
        "--surface", action="append", choices=sorted(SURFACES), help="one of them; may be repeated"
    )
    parser.add_argument("--seed", type=int, help="where the inputs begin")
    parser.add_argument("--record", action="store_true", help="write the figures to docs/results/")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the directory to write them to")
    options = parser.parse_args()
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    surfaces = options.surface or tuple(SURFACES)
    results = count(options.inputs, surfaces, seed) if options.inputs else soak(options.minutes, surfaces, seed)
    print_tried(results, Console())
    if options.record:
        record(results, seed, options.out)
    missing = [engine for engine in ENGINES if engine not in engines()]
    print(f"seed {seed}" + (f"; not installed here: {', '.join(missing)}" if missing else ""))
    sys.exit(1 if any(result.found for result in results) else 0)


if __name__ == "__main__":
    main()
