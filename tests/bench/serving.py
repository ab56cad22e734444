"""Servers against each other: ours with RestStore and MLflow's with its own client, both on SQLite."""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from rich.console import Console
from rich.table import Table

from tests.bench.operations import names
from tests.bench.targets import MAX_SPREAD, MAX_WORKER_MEBIBYTES, SERVING_TARGETS, SINGLE_CALLS
from tests.servers import free_port, wait_until_ready
from tests.servers.tracking import Client

WORKER = Path(__file__).with_name("serving_worker.py")

CLIENTS = (1, 16)
MANY = ("log_metric", "log_param", "set_tag", "create_run", "log_batch_1000", "get_run")
"""What many clients do at once."""

LONG_ENOUGH = 60.0
"""Seconds after which an operation has had its rounds, if it has had two."""

_MLFLOW_SIDES = {"mlflow-1": "1", "mlflow-2": "2"}
"""MLflow's server with as many workers; the better one counts."""


class Served(NamedTuple):
    """A server that runs."""

    url: str
    database: Path
    process: subprocess.Popen[bytes]

    def worker_mebibytes(self) -> float:
        """The memory of its largest process."""
        parent = psutil.Process(self.process.pid)
        sizes = [process.memory_info().rss for process in (parent, *parent.children(recursive=True))]
        return max(sizes) / 2**20


@contextmanager
def server(command: list[str], port: int, database: Path) -> Iterator[Served]:
    """A server, until the end."""
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    with Path(f"{database}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
    try:
        wait_until_ready(lambda: Client(port).request("GET", "/health"), seconds=120)
        yield Served(f"http://127.0.0.1:{port}", database, process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def command_of(side: str, port: int, database: Path, options: argparse.Namespace) -> list[str]:
    """The command that starts the server of a side."""
    if side == "bare":
        return [
            *(sys.executable, "-m", "uvicorn", "tests.bench.bare:application", "--port", str(port)),
            *("--log-level", "error", "--no-access-log", "--lifespan", "off", "--timeout-keep-alive", "600"),
        ]
    if side == "ours":
        program = str(Path(sys.executable).with_name("trackspec"))
        return [program, "serve", f"sqlite:///{database}", "--port", str(port)]
    return [
        *(options.mlflow_python, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{database}"),
        *("--port", str(port), "--workers", _MLFLOW_SIDES[side], "--no-serve-artifacts"),
        *("--default-artifact-root", str(database.parent / "artifacts")),
    ]


class Side:
    """A process of clients that times operations on request."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"clients ended: {self._process.args}")
        return json.loads(line)

    def times(self, operation: str, clients: int) -> dict[str, float]:
        """Operations a second over one round; of many clients also the median and the 99th percentile."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([operation, clients]) + "\n")
        self._process.stdin.flush()
        found: dict[str, float] = self._answer()
        return found


@contextmanager
def clients_of(side: str, served: Served, options: argparse.Namespace) -> Iterator[Side]:
    """The clients of one side; they populate its store first."""
    python = options.mlflow_python if side in _MLFLOW_SIDES else sys.executable
    process = subprocess.Popen(
        [python, str(WORKER), side.partition("-")[0], served.url, str(served.database), str(options.runs)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Side(process)
    finally:
        process.kill()
        process.wait()


def measure_servers(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of the servers. The sides take turns, so that a busy machine is busy for all.

    The raw rate of a single call is that of a server that does nothing, called by ``requests``.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trackspec-bench-")))
        servers = {}
        for side in ("ours", *_MLFLOW_SIDES, "bare"):
            port, database = free_port(), directory / f"{side}.db"
            servers[side] = stack.enter_context(server(command_of(side, port, database, options), port, database))
        sides = {side: stack.enter_context(clients_of(side, servers[side], options)) for side in servers}
        sides |= {
            side: stack.enter_context(clients_of(side, servers["ours"], options)) for side in ("wire", "store")
        }
        rows = []
        for clients in CLIENTS:
            for operation in names() if clients == 1 else MANY:
                rows.append(_row(operation, clients, _rounds(sides, operation, clients, options.rounds)))
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
        rows.append(_memory_row({side: servers[side].worker_mebibytes() for side in ("ours", *_MLFLOW_SIDES)}))
        return rows


def _rounds(sides: dict[str, Side], operation: str, clients: int, most: int) -> list[dict[str, dict[str, float]]]:
    rounds: list[dict[str, dict[str, float]]] = []
    started = time.monotonic()
    while len(rounds) < 2 or (len(rounds) < most and time.monotonic() < started + LONG_ENOUGH):
        timed = sides if clients == 1 else {side: sides[side] for side in ("ours", *_MLFLOW_SIDES)}
        rounds.append({side: found.times(operation, clients) for side, found in timed.items()})
    return rounds


def _row(operation: str, clients: int, rounds: list[dict[str, dict[str, float]]]) -> dict[str, Any]:
    """A row of ``bench.json``: medians, the ratio to MLflow's better server, where the time goes."""

    def median(side: str, figure: str = "rate") -> float:
        return statistics.median(turn[side][figure] for turn in rounds)

    best = max(_MLFLOW_SIDES, key=median)
    ratio = statistics.median(turn["ours"]["rate"] / turn[best]["rate"] for turn in rounds)
    row = {
        "store": "rest",
        "operation": operation,
        "durability": "power",
        "clients": clients,
        "ours": round(median("ours"), 2),
        "mlflow": round(median(best), 2),
        "mlflow_workers": int(_MLFLOW_SIDES[best]),
        "ratio": round(ratio, 2),
        "target": SERVING_TARGETS.get((operation, clients)),
    }
    if clients == 1:
        whole, wire, store = (1 / median(side) for side in ("ours", "wire", "store"))
        parts = {"store": store, "server": wire - store, "client": whole - wire}
        if operation in SINGLE_CALLS:
            row["raw"] = round(median("bare"), 2)
        return row | {"share": {part: round(time / whole, 2) for part, time in parts.items()}}
    p50, p99 = median("ours", "p50"), median("ours", "p99")
    return row | {
        "p50_ms": round(p50, 2),
        "p99_ms": round(p99, 2),
        "p99_limit_ms": round(MAX_SPREAD * p50, 2),
        "mlflow_p99_ms": round(median(best, "p99"), 2),
    }


def _memory_row(mebibytes: dict[str, float]) -> dict[str, Any]:
    return {
        "store": "rest",
        "operation": "worker_memory_mebibytes",
        "ours": round(mebibytes["ours"], 1),
        "mlflow": round(min(mebibytes[side] for side in _MLFLOW_SIDES), 1),
        "limit": MAX_WORKER_MEBIBYTES,
    }


def print_servers(rows: list[dict[str, Any]]) -> None:
    """Print the ratios beside their targets, and where the time goes."""
    table = Table(box=None, header_style="dim", title="servers, SQLite, power")
    table.add_column("operation")
    for heading in ("clients", "ours/s", "mlflow/s", "raw/s", "× mlflow", "target", "p50", "p99 ms", "limit"):
        table.add_column(heading, justify="right")
    table.add_column("time in")
    *timed, memory = rows
    for row in timed:
        short = row["target"] and row["ratio"] < row["target"]
        numbers = [f"{row[name]:,.1f}" if name in row else "·" for name in ("ours", "mlflow", "raw")]
        spread = [f"{row[name]:,.1f}" if name in row else "·" for name in ("p50_ms", "p99_ms", "p99_limit_ms")]
        wide = "p99_ms" in row and row["p99_ms"] > row["p99_limit_ms"]
        if wide:
            spread[1] = f"[red]{spread[1]}[/]"
        share = ", ".join(f"{part} {part_share:.0%}" for part, part_share in row.get("share", {}).items())
        ratio = f"[red]{row['ratio']:.2f}[/]" if short else f"{row['ratio']:.2f}"
        table.add_row(
            row["operation"], str(row["clients"]), *numbers, ratio, str(row["target"] or "·"), *spread, share
        )
    console = Console(width=150)
    console.print(table)
    console.print(
        f"a worker's memory: {memory['ours']} MiB (at most {memory['limit']}), MLflow's {memory['mlflow']} MiB"
    )
