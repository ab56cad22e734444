"""Calls of the store, made by a bounded number of threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from trackspec.errors import ErrorCode, TrackspecError
from trackspec_reference.server.limits import Limits

T = TypeVar("T")


class Calls:
    """The calls in hand.

    :ivar in_hand: how many there are, those included that wait for a thread.
    """

    def __init__(self, limits: Limits) -> None:
        self._threads = ThreadPoolExecutor(limits.threads, thread_name_prefix="trackspec-call")
        self._limit = limits.calls
        self._lock = threading.Lock()
        self.in_hand = 0

    async def make(self, call: Callable[[], T]) -> T:
        """What a call returns. Once it is made it ends, whoever stops waiting for it.

        :raises TrackspecError: TEMPORARILY_UNAVAILABLE if there are too many already; what the call raises.
        """
        if self.in_hand >= self._limit:
            raise TrackspecError("The server has too much in hand.", ErrorCode.TEMPORARILY_UNAVAILABLE)
        with self._lock:
            self.in_hand += 1
        made = self._threads.submit(call)
        made.add_done_callback(self._ended)
        return await asyncio.wrap_future(made)

    def _ended(self, _: object) -> None:
        with self._lock:
            self.in_hand -= 1

    def close(self) -> None:
        """Take no more calls; those that no thread has begun are never made."""
        self._threads.shutdown(wait=False, cancel_futures=True)
