"""One side of a benchmark in a process of its own: reads the names of operations, answers rates.

``python worker.py SIDE STORE DURABILITY DIRECTORY RUNS``, SIDE being ours, mlflow or raw.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from filling import fill_files, fill_sqlite
from operations import Fill, Operations, rate
from raw import RawFile, RawSqlite


def ours(store: str, durability: str, directory: str) -> tuple[Any, Any]:
    """Our store and entities."""
    import trackspec  # noqa: PLC0415 - the other side's environment does not have it

    path = f"sqlite:///{directory}/ours.db" if store == "sqlite" else f"file:{directory}/ours"
    return trackspec.open_store(f"{path}?durability={durability}"), trackspec


def mlflow(store: str, durability: str, directory: str) -> tuple[Any, Any]:
    """MLflow's store and entities, at the same durability."""
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    from mlflow import entities  # noqa: PLC0415 - this side's environment only

    if store == "file":
        from mlflow.store.tracking.file_store import FileStore  # noqa: PLC0415

        return FileStore(f"{directory}/mlruns"), entities
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore  # noqa: PLC0415
    from sqlalchemy import event  # noqa: PLC0415
    from sqlalchemy.engine import Engine  # noqa: PLC0415

    if durability == "process":

        @event.listens_for(Engine, "connect")
        def no_sync(connection: Any, _: Any) -> None:
            connection.execute("PRAGMA synchronous = OFF")

    return SqlAlchemyStore(f"sqlite:///{directory}/mlflow.db", f"{directory}/artifacts"), entities


def filler(side: str, store: str, directory: str) -> Fill | None:
    """The short way to many runs, which MLflow's side needs."""
    if side == "ours":
        return None
    if store == "file":
        return functools.partial(fill_files, Path(directory, "mlruns"))
    return functools.partial(fill_sqlite, Path(directory, "mlflow.db"))


def main() -> None:
    """Answer each line of standard input, an operation's name, with its rate."""
    side, store, durability, directory, runs = sys.argv[1:]
    if side == "raw":
        raw: Any = (RawSqlite if store == "sqlite" else RawFile)(Path(directory), durability == "power")
        named: Callable[[str], Callable[[], None] | None] = raw.named
    else:
        opened, entities = {"ours": ours, "mlflow": mlflow}[side](store, durability, directory)
        populated = Operations(opened, entities, None).populate(int(runs), filler(side, store, directory))
        named = Operations(opened, entities, populated).named
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        operation = named(json.loads(line))
        print(json.dumps(rate(operation) if operation else None), flush=True)


if __name__ == "__main__":
    main()
