"""The sides of a comparison: worker processes that time operations when they are asked to."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
