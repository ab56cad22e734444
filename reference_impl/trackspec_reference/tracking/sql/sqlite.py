"""SQLite: one file, any number of readers, one writer at a time."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from trackspec.errors import invalid
from trackspec_reference.tracking.sql.dialect import Dialect, Fault
from trackspec_reference.tracking.sql.location import Durability, Location

_MAGIC = b"SQLite format 3\0"
_MAX_PATTERN_BYTES = 50_000

_FAULTS = {
    "locked": Fault.BUSY,
    "busy": Fault.BUSY,
    "UNIQUE constraint": Fault.CONFLICT,
    "malformed": Fault.DAMAGED,
    "not a database": Fault.DAMAGED,
    "no such table": Fault.DAMAGED,
    "no such column": Fault.DAMAGED,
    "Could not decode": Fault.DAMAGED,
    "disk I/O error": Fault.FAILING,
    "readonly": Fault.UNWRITABLE,
    "full": Fault.UNWRITABLE,
    "unable to open": Fault.UNWRITABLE,
    "too big": Fault.TOO_LARGE,
    "too large": Fault.TOO_LARGE,
    "too many": Fault.TOO_LARGE,
    "too complex": Fault.TOO_LARGE,
}
"""By a part of the driver's message: the codes are not to be had before Python 3.11."""


class SQLite(Dialect):
    """A database file.

    :param location: the file; the URI option ``timeout`` says for how many seconds a writer waits for another one.
    :raises TrackspecError: INVALID_PARAMETER_VALUE if it names no file, or has other options.
    """

    begin_read = "BEGIN"
    begin_write = "BEGIN IMMEDIATE"
    one_writer = True

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        if location.url.database in (None, "", ":memory:"):
            raise invalid("A SQLite store needs a file, as in sqlite:///PATH; a store in memory is 'memory:'.")
        if location.url.host or location.url.username:
            raise invalid("A SQLite URI names no server: it is sqlite:///PATH, or sqlite:////PATH from the root.")
        if unknown := sorted(set(location.url.query) - {"timeout"}):
            raise invalid(f"A SQLite store has no URI option {unknown[0]!r}; it has 'durability' and 'timeout'.")
        self._path = Path(os.path.abspath(str(location.url.database)))
        self.patience = _seconds(location.url.query.get("timeout", "60"))

    def create_engine(self) -> sa.Engine:
        self._require_a_place()
        return sa.create_engine(
            sa.URL.create("sqlite+pysqlite", database=str(self._path)),
            poolclass=sa.NullPool,
            pool_reset_on_return=None,
            connect_args={
                "isolation_level": None,
                "check_same_thread": False,  # one thread at a time is enough
                "timeout": self.patience,
                "cached_statements": 256,
            },
        )

    def _require_a_place(self) -> None:
        if not self._path.parent.is_dir():
            raise invalid("The directory of the SQLite file does not exist.")
        try:
            with self._path.open("ab"), self._path.open("rb") as file:
                start = file.read(len(_MAGIC))
        except OSError:
            raise invalid("The SQLite file cannot be opened for writing.") from None
        if start not in (b"", _MAGIC):
            raise invalid("The file of the store URI is not a SQLite database.")

    def prepare(self, connection: sqlite3.Connection) -> None:
        survives_power_loss = self.location.durability is Durability.POWER
        connection.execute(f"PRAGMA synchronous = {'FULL' if survives_power_loss else 'NORMAL'}")
        connection.execute(f"PRAGMA fullfsync = {int(survives_power_loss)}")  # macOS: through the drive's cache
        connection.execute("PRAGMA foreign_keys = ON")

    def fault(self, error: Exception) -> Fault:
        message = str(error)
        return next((fault for part, fault in _FAULTS.items() if part in message), Fault.UNKNOWN)

    def lock_schema(self, connection: sa.Connection) -> None:
        deadline = time.monotonic() + self.patience
        while True:
            try:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
                break
            except sa.exc.OperationalError:  # SQLite does not wait for the lock by itself here
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def unlock_schema(self, connection: sa.Connection) -> None:
        connection.exec_driver_sql("COMMIT")

    def artifact_root(self) -> str:
        return self._path.with_name(f"{self._path.stem}-artifacts").as_uri()

    def like(self, column: sa.ColumnElement[str], pattern: str) -> sa.ColumnElement[bool]:
        # LIKE ignores the case of ASCII letters; GLOB does not, and has three characters of its own.
        quoted = "".join({"%": "*", "_": "?"}.get(c, f"[{c}]" if c in "*?[" else c) for c in pattern)
        return column.op("GLOB", is_comparison=True)(_bounded(quoted))

    def ilike(self, column: sa.ColumnElement[str], pattern: str) -> sa.ColumnElement[bool]:
        return column.like(_bounded(pattern))


def _bounded(pattern: str) -> str:
    if len(pattern.encode()) > _MAX_PATTERN_BYTES:
        raise invalid("A LIKE pattern has at most 50,000 bytes here.")
    return pattern


def _seconds(option: Any) -> float:
    try:
        seconds = float(option)
    except (TypeError, ValueError):
        seconds = -1
    if not 0 <= seconds <= 86_400:
        raise invalid("The URI option 'timeout' is a number of seconds, at most a day.")
    return seconds
