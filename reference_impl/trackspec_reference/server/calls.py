"""Calls of the store, made by a bounded number of threads.

The standard library's executor does the same, at a third of the cost of a whole request: it makes a future with a
condition for every call, which the event loop's future then waits for.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from trackspec.errors import ErrorCode, TrackspecError
from trackspec_reference.server.limits import Limits

_Job = tuple[Callable[[], Any], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class Calls:
    """The calls in hand.

    :ivar in_hand: how many there are, those included that wait for a thread.
    """

    def __init__(self, limits: Limits) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._most_threads, self._limit = limits.threads, limits.calls
        self._threads = 0
        self._lock = threading.Lock()
        self.in_hand = 0

    async def make(self, call: Callable[[], Any]) -> Any:
        """What a call returns. Once it is made it ends, whoever stops waiting for it.

        :raises TrackspecError: TEMPORARILY_UNAVAILABLE if there are too many already; what the call raises.
        """
        if self.in_hand >= self._limit:
            raise TrackspecError("The server has too much in hand.", ErrorCode.TEMPORARILY_UNAVAILABLE)
        return await self._queued(call)

    def begin(self, call: Callable[[], Any]) -> None:
        """Have a call made that nobody waits for, such as one that tidies up."""
        self._queued(call).add_done_callback(lambda ended: ended.cancelled() or ended.exception())

    def _queued(self, call: Callable[[], Any]) -> asyncio.Future[Any]:
        with self._lock:
            self.in_hand += 1
        if self._threads < min(self.in_hand, self._most_threads):
            self._threads += 1
            threading.Thread(target=self._work, name=f"trackspec-call-{self._threads}", daemon=True).start()
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        self._jobs.put((call, loop, answer))
        return answer

    def close(self) -> None:
        """Let the threads end when they have made what is in hand; what nobody waits for is not begun."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._make(*job)
            del job  # nothing of it is kept while waiting for the next one

    def _make(self, call: Callable[[], Any], loop: asyncio.AbstractEventLoop, answer: asyncio.Future[Any]) -> None:
        returned, error = None, None
        if not answer.cancelled():
            try:
                returned = call()
            except BaseException as raised:
                error = raised
        with self._lock:
            self.in_hand -= 1
        with contextlib.suppress(RuntimeError):  # the loop may have been closed meanwhile
            loop.call_soon_threadsafe(_settle, answer, returned, error)


def _settle(answer: asyncio.Future[Any], returned: Any, error: BaseException | None) -> None:
    if answer.cancelled():
        return
    if error is None:
        answer.set_result(returned)
    else:
        answer.set_exception(error)
