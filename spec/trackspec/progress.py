"""What somebody at a terminal sees of transfers that take long: a bar; nobody else sees anything."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

VARIABLE = "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"
"""``false`` shows no bar."""
PATIENCE = 1.0
"""Seconds that transfers take before there is a bar."""

_PAUSE = 0.2
_WIDTH = 30
_ERASED = "\r\x1b[K"
"""Takes the line of the cursor away."""


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[], None]]:
    """Give what is to be called when one of several transfers has ended; any thread may call it.

    :param what: is done, as a word.
    """
    stream = sys.stderr
    if os.environ.get(VARIABLE, "").lower() in ("false", "0") or stream is None or not stream.isatty():
        yield lambda: None
        return
    bar = _Bar(what, total, stream)
    bar.start()
    try:
        yield bar.advance
    finally:
        bar.over.set()
        bar.join()


class _Bar(threading.Thread):
    """Draws how many transfers have ended, again and again.

    :ivar over: ends it, and takes away what was drawn.
    """

    def __init__(self, what: str, total: int, stream: TextIO) -> None:
        super().__init__(name="trackspec-progress", daemon=True)
        self.over = threading.Event()
        self._what, self._total, self._stream = what, total, stream
        self._ended, self._lock = 0, threading.Lock()

    def advance(self) -> None:
        with self._lock:
            self._ended += 1

    def run(self) -> None:
        started, pause = time.monotonic(), PATIENCE
        while not self.over.wait(pause):
            done = "#" * (_WIDTH * self._ended // max(1, self._total))
            seconds = time.monotonic() - started
            told = f"{self._what} [{done:.<{_WIDTH}}] {self._ended}/{self._total}, {seconds:.0f} s"
            self._stream.write(_ERASED + told)
            self._stream.flush()
            pause = _PAUSE
        if pause == _PAUSE:
            self._stream.write(_ERASED)
            self._stream.flush()
