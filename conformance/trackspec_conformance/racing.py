"""Making calls at the same moment, from threads of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from trackspec_conformance.expectations import Unexpected

T = TypeVar("T")

PATIENCE = 25.0
"""Seconds that calls made at once may take together."""


def at_once(calls: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """What each call returned or raised, in the order of ``calls``; none begins before all can.

    :raises Unexpected: if a call neither returns nor raises in time.
    """
    start = threading.Barrier(len(calls))
    ends: list[T | Exception | None] = [None] * len(calls)
    running = set(range(len(calls)))

    def make(number: int, call: Callable[[], T]) -> None:
        start.wait(PATIENCE)
        try:
            ends[number] = call()
        except Exception as error:
            ends[number] = error
        running.discard(number)

    threads = [
        threading.Thread(target=make, args=(number, call), daemon=True) for number, call in enumerate(calls)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    if running:
        raise Unexpected(f"all of {len(calls)} calls made at once to end", f"{len(running)} still running")
    return ends  # type: ignore[return-value]  # a call that has ended has left its answer
