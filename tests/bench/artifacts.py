"""Artifact repositories against each other: ours, MLflow's, and the client beneath, over the same service."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from tests.bench.artifacts_worker import peak_memory
from tests.bench.comparison import print_row, row, timed
from tests.bench.sides import Side
from tests.bench.targets import ARTIFACT_TARGETS, MOST_MEMORY_OF_A_TRANSFER_MB
from tests.servers import Unavailable, azurite, fake_gcs, free_port, moto_s3, seaweedfs, wait_until_ready
from tests.servers.object_stores import ObjectStore, Server, without_clouds
from tests.servers.tracking import Client
from trackspec.protocol.artifact_endpoints import ARTIFACTS
from trackspec_reference.artifacts.local import DURABILITY

SERVICES = ("local", "local-synced", "s3", "gcs", "azure", "proxy")
UNSYNCED = ("local", "proxy")
"""Where ours is as durable as MLflow's and the raw copy are: when a file is on disk is left to the system."""
SIDES = ("ours", "mlflow", "raw")
OPERATIONS = ("upload_large", "download_large", "upload_many", "list_many", "download_many")
CROWDED = UNSYNCED
"""Where a folder of very many files is made in a short time."""

LONG_ENOUGH = 30.0
"""Seconds after which a side has had its rounds of an operation; of the full size, most have one or two."""

WORKER = Path(__file__).with_name("artifacts_worker.py")
SMALL = 4096
_FOLDERS = 50


@dataclass(frozen=True)
class Service:
    """What runs.

    :ivar uris: by side, without the path of a root.
    :ivar environments: by side, what says where the service is.
    :ivar crowds: the folders of this machine that hold what is at the root of each side.
    :ivar servers: the processes, by side, whose memory is of interest; of each, or of what it has started.
    """

    uris: Mapping[str, str]
    environments: Mapping[str, Mapping[str, str]]
    crowds: tuple[Path, ...] = ()
    servers: Mapping[str, int] = field(default_factory=dict)


def measure_artifacts(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of the artifact repositories."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="trackspec-bench-") as name:
        files = Path(name, "files")
        write_files(files, options.large, options.files)
        for service in options.service or SERVICES:
            directory = Path(name, service)
            directory.mkdir()
            try:
                with running(service, directory, options) as found:
                    rows += _measured(service, found, files, options)
            except Unavailable as reason:
                print(f"{service} is left out: {reason}", file=sys.stderr, flush=True)
            shutil.rmtree(directory)
    return rows


def write_files(folder: Path, mebibytes: int, count: int) -> None:
    """Write what is uploaded: one large file, and many small ones in several folders."""
    (folder / "large").mkdir(parents=True)
    with (folder / "large" / "file").open("wb") as written:
        for _ in range(mebibytes):
            written.write(os.urandom(1 << 20))
    for number in range(count):
        place = folder / "many" / f"{number % _FOLDERS:02}" / f"{number:05}.bin"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(os.urandom(SMALL))


def _measured(
    service: str, running_service: Service, files: Path, options: argparse.Namespace
) -> list[dict[str, Any]]:
    store, rows = f"artifacts-{service.partition('-')[0]}", []
    durability = "process" if service in UNSYNCED else "power"
    with ExitStack() as stack:
        pythons = {"ours": sys.executable, "mlflow": options.mlflow_python, "raw": sys.executable}
        sides = {
            side: stack.enter_context(_worker(python, side, service, running_service, files))
            for side, python in pythons.items()
            if python
        }
        for operation in OPERATIONS:
            rounds = timed(operation, sides, options.rounds, LONG_ENOUGH)
            rows.append(row(store, operation, durability, rounds, ARTIFACT_TARGETS.get((service, operation))))
            print_row(rows[-1])
            if operation == "download_large":
                rows += _memory_rows(store, "large", sides, running_service.servers)
        if running_service.crowds:
            for root in running_service.crowds:
                _crowd(root / "crowd", options.entries)
            rounds = timed("list_crowd", sides, min(2, options.rounds))
            rows.append(row(store, f"list_{options.entries}", durability, rounds))
            print_row(rows[-1])
            rows += _memory_rows(store, f"list_{options.entries}", sides, running_service.servers)
    return rows


def _crowd(folder: Path, entries: int) -> None:
    folder.mkdir(parents=True)
    for number in range(entries):
        (folder / f"{number:06}").touch()


def _memory_rows(
    store: str, operation: str, sides: Mapping[str, Side], servers: Mapping[str, int]
) -> list[dict[str, Any]]:
    """What the processes of each side took at most until now, and the servers that are measured with them."""
    taken = {f"memory_of_{operation}_mb": {name: worker.rate("memory") or 0 for name, worker in sides.items()}}
    if servers:
        taken[f"server_memory_of_{operation}_mb"] = {name: _most(process) for name, process in servers.items()}
    rows: list[dict[str, Any]] = []
    for name, figures in taken.items():
        found: dict[str, Any] = {"store": store, "operation": name}
        found |= {side: round(figure, 1) for side, figure in figures.items()}
        rows.append(found | {"limit": MOST_MEMORY_OF_A_TRANSFER_MB})
        print_row(rows[-1])
    return rows


def _most(process: int) -> float:
    """The megabytes of that process of a server which took the most."""
    own = psutil.Process(process)
    return max(peak_memory(one.pid) for one in (own, *own.children(recursive=True)))


@contextmanager
def _worker(python: str, side: str, service: str, running_service: Service, files: Path) -> Iterator[Side]:
    process = subprocess.Popen(
        [python, str(WORKER), side, service, f"{running_service.uris[side]}/{side}", str(files)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**running_service.environments[side], "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"},
    )
    try:
        yield Side(process)
    finally:
        process.kill()
        process.wait()


@contextmanager
def running(service: str, directory: Path, options: argparse.Namespace) -> Iterator[Service]:
    """A service, until the end.

    :raises Unavailable: if it cannot be had.
    """
    quiet = {**without_clouds(os.environ), "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    quiet["TMPDIR"] = str(directory)  # which is removed, whatever ends the benchmark
    if service in UNSYNCED:
        quiet[DURABILITY] = "process"
    if service.startswith("local"):
        roots = tuple(directory / side for side in SIDES)
        yield Service(dict.fromkeys(SIDES, f"file://{directory}"), dict.fromkeys(SIDES, quiet), roots)
    elif service == "proxy":
        with ExitStack() as stack:
            ours, process = stack.enter_context(_server("ours", directory, quiet, options))
            uris, servers = {"ours": ours, "raw": ours}, {"ours": process}
            if options.mlflow_python:
                uris["mlflow"], servers["mlflow"] = stack.enter_context(
                    _server("mlflow", directory, quiet, options)
                )
            crowds = (
                *(directory / "ours-kept" / side for side in ("ours", "raw")),
                directory / "mlflow-kept/mlflow",
            )
            yield Service(uris, dict.fromkeys(SIDES, quiet), crowds, servers)
    else:
        with ExitStack() as stack:
            stores = {side: _first(_stores(service, directory / side), stack) for side in SIDES}
            yield Service(
                {side: store.root for side, store in stores.items()},
                {side: {**quiet, **store.environment()} for side, store in stores.items()},
            )


def _stores(service: str, directory: Path) -> tuple[Server, ...]:
    """What starts a server of a service, the one that is wanted first."""
    return {
        "s3": (seaweedfs.server, moto_s3.server),
        "gcs": (partial(fake_gcs.server, directory),),
        "azure": (azurite.server,),
    }[service]


def _first(servers: tuple[Server, ...], stack: ExitStack) -> ObjectStore:
    first, *others = servers
    try:
        return stack.enter_context(first())
    except Unavailable as reason:
        if not others:
            raise
        print(f"Another server is taken: {reason}", file=sys.stderr, flush=True)
        return _first(tuple(others), stack)


@contextmanager
def _server(
    side: str, directory: Path, environment: Mapping[str, str], options: argparse.Namespace
) -> Iterator[tuple[str, int]]:
    """A server of a side that proxies a folder; gives the URL of its artifacts, and its process."""
    port, database, kept = free_port(), f"sqlite:///{directory}/{side}.db", f"{directory}/{side}-kept"
    if side == "ours":
        program = str(Path(sys.executable).with_name("trackspec"))
        command = [program, "serve", database, "--port", str(port), "--artifacts-destination", kept]
    else:
        command = [options.mlflow_python, "-m", "mlflow", "server", "--backend-store-uri", database]
        command += ["--port", str(port), "--workers", "2", "--artifacts-destination", kept]
    with Path(f"{directory}/{side}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
    try:
        wait_until_ready(lambda: Client(port).request("GET", "/health"), process, seconds=120)
        yield f"http://127.0.0.1:{port}{ARTIFACTS}", process.pid
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def print_memory(rows: list[dict[str, Any]]) -> None:
    """Print what the processes took at most."""
    for found in rows:
        if "limit" in found:
            sides = ", ".join(f"{side} {found[side]:.0f}" for side in SIDES if side in found)
            Console(width=120).print(
                f"{found['store']}: {found['operation']}: {sides} (ours at most {found['limit']})"
            )
