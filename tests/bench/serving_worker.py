"""A client of a benchmarked server in a process of its own: reads operations, answers rates.

``python serving_worker.py SIDE URL DATABASE RUNS``, SIDE being mlflow, ours, wire (requests to our server that are
made up beforehand), store (our store without a server) or bare (``requests`` and a server that does nothing).
DATABASE is the SQLite file that the server serves.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from bare import bare_requests
from filling import fill_by_calls, fill_sqlite
from operations import Fill, Operations, many_at_once, rate
from wire import RawWire

Named = Callable[[str], Callable[[], Any]]


def ours(url: str, database: Path, runs: int) -> Callable[[], Named]:
    """What makes a client of our server."""
    import trackspec  # noqa: PLC0415 - the other side's environment need not have it

    def fill(_: Any, experiment: str, items: list[tuple[Any, Any, Any]]) -> None:
        with trackspec.open_store(f"sqlite:///{database}?durability=process") as direct:
            fill_by_calls(direct, experiment, items)

    return clients(functools.partial(trackspec.open_store, url), trackspec, runs, fill)


def mlflow(url: str, database: Path, runs: int) -> Callable[[], Named]:
    """What makes a client of MLflow's server."""
    os.environ |= {"MLFLOW_HTTP_POOL_MAXSIZE": "32", "MLFLOW_DISABLE_TELEMETRY": "true"}
    from mlflow import entities  # noqa: PLC0415 - this side's environment only
    from mlflow.store.tracking.rest_store import RestStore  # noqa: PLC0415
    from mlflow.utils.credentials import MlflowHostCreds  # noqa: PLC0415

    def connect() -> Any:
        return RestStore(lambda: MlflowHostCreds(url))

    return clients(connect, entities, runs, functools.partial(fill_sqlite, database))


def clients(connect: Callable[[], Any], entities: ModuleType, runs: int, fill: Fill) -> Callable[[], Named]:
    """What makes a client, once the runs that all of them search are there."""
    populated = Operations(connect(), entities, None).populate(runs, fill)
    return lambda: Operations(connect(), entities, populated).named


def beside(side: str, url: str, database: Path) -> Callable[[], Named]:
    """What makes a client of our server, or of the store behind it, that takes less than the usual way."""
    import trackspec  # noqa: PLC0415 - the other side's environment need not have it

    store = trackspec.open_store(f"sqlite:///{database}")
    (populated,) = store.search_experiments(filter_string="name LIKE 'populated-%'")
    if side == "wire":
        return lambda: RawWire(int(url.rpartition(":")[2]), populated.experiment_id).named
    return lambda: Operations(store, trackspec, populated.experiment_id).named


def main() -> None:
    """Answer each line of standard input, an operation's name and how many clients make it at once."""
    side, url, database, runs = sys.argv[1:]
    if side == "bare":
        make = functools.partial(lambda call: lambda _: call, bare_requests(url))
    elif side in ("wire", "store"):
        make = beside(side, url, Path(database))
    else:
        make = {"ours": ours, "mlflow": mlflow}[side](url, Path(database), int(runs))
    made: list[Named] = []
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        operation, number = json.loads(line)
        made += [make() for _ in range(number - len(made))]
        if number == 1:
            print(json.dumps({"rate": rate(made[0](operation))}), flush=True)
        else:
            print(json.dumps(many_at_once([named(operation) for named in made[:number]])), flush=True)


if __name__ == "__main__":
    main()
