"""The limits beneath: what sqlite3 and a file append give for one write of the same size."""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

_SINGLE_WRITES = ("log_metric", "log_param", "set_tag", "create_run")


class RawSqlite:
    """One insert and commit into a table of the shape of a metric's, in WAL mode."""

    def __init__(self, directory: Path, synced: bool) -> None:
        self._database = sqlite3.connect(directory / "raw.db", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute(f"PRAGMA synchronous = {'FULL' if synced else 'OFF'}")
        self._database.execute("CREATE TABLE metric (run TEXT, key TEXT, step INT, time INT, value REAL)")
        self._database.execute("CREATE UNIQUE INDEX points ON metric (run, key, step, time, value)")
        self._numbers = itertools.count()

    def named(self, operation: str) -> Callable[[], None] | None:
        """The raw counterpart of an operation, where there is one."""
        if operation in _SINGLE_WRITES:
            return self._insert_one
        return self._insert_1000 if operation == "log_batch_1000" else None

    def _insert_one(self) -> None:
        row = ("0" * 32, "m", next(self._numbers), 1_700_000_000_000, 0.5)
        self._database.execute("BEGIN IMMEDIATE")
        self._database.execute("INSERT INTO metric VALUES (?, ?, ?, ?, ?)", row)
        self._database.execute("COMMIT")

    def _insert_1000(self) -> None:
        first = next(self._numbers) * 1000 + 10**9
        rows = [("0" * 32, f"b{i % 10}", first + i, 1_700_000_000_000, i / 7) for i in range(1000)]
        self._database.execute("BEGIN IMMEDIATE")
        self._database.executemany("INSERT INTO metric VALUES (?, ?, ?, ?, ?)", rows)
        self._database.execute("COMMIT")


class RawFile:
    """One append of a line to a file; for a run, one new file with a line in it."""

    def __init__(self, directory: Path, synced: bool) -> None:
        self._directory = directory / "raw"
        self._directory.mkdir()
        self._synced = synced
        self._file = os.open(self._directory / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._numbers = itertools.count()

    def named(self, operation: str) -> Callable[[], None] | None:
        """The raw counterpart of an operation, where there is one."""
        if operation == "create_run":
            return self._create_file
        if operation in _SINGLE_WRITES:
            return lambda: self._append(self._file, b"x" * 99 + b"\n")
        return (lambda: self._append(self._file, b"x" * 40_000 + b"\n")) if operation == "log_batch_1000" else None

    def _append(self, file: int, line: bytes) -> None:
        os.write(file, line)
        if self._synced:
            os.fdatasync(file)

    def _create_file(self) -> None:
        path = self._directory / str(next(self._numbers))
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.write(file, b"x" * 299 + b"\n")
        if self._synced:
            os.fsync(file)
        os.close(file)
        if self._synced:
            folder = os.open(self._directory, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
