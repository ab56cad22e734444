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

Ended = Callable[[Any, BaseException | None], None]
"""What the event loop is told of a call: what it returned, or what it raised."""


class Call:
    """A call in hand, which may be waited for and cancelled as a task is.

    :param make: the call.
    :param ended: is told how it ended; once.
    """

    def __init__(self, make: Callable[[], Any], ended: Ended) -> None:
        self.make = make
        self.is_cancelled = False
        self.loop = asyncio.get_running_loop()
        self._ended = ended

    def cancel(self, msg: str | None = None) -> None:
        """Wait no more. It is not made if it has not begun; if it has, it ends all the same."""
        if not self.is_cancelled:
            self.is_cancelled = True
            self.loop.call_soon(self._ended, None, asyncio.CancelledError(msg))

    def end(self, returned: Any, error: BaseException | None) -> None:
        """Tell how it ended."""
        if not self.is_cancelled:
            self._ended(returned, error)


class Calls:
    """The calls in hand.

    :ivar in_hand: how many there are, those included that wait for a thread.
    """

    def __init__(self, limits: Limits) -> None:
        self._waiting: SimpleQueue[Call | None] = SimpleQueue()
        self._most_threads, self._limit = limits.threads, limits.calls
        self._threads = 0
        self._lock = threading.Lock()
        self.in_hand = 0

    async def make(self, call: Callable[[], Any]) -> Any:
        """What a call returns. Once it is made it ends, whoever stops waiting for it.

        :raises TrackspecError: TEMPORARILY_UNAVAILABLE if there are too many already; what the call raises.
        """
        answer = asyncio.get_running_loop().create_future()

        def ended(returned: Any, error: BaseException | None) -> None:
            if answer.cancelled():
                return
            if error is None:
                answer.set_result(returned)
            else:
                answer.set_exception(error)

        begun = self.begin(call, ended)
        try:
            return await answer
        finally:
            if answer.cancelled():
                begun.is_cancelled = True

    def begin(self, call: Callable[[], Any], ended: Ended) -> Call:
        """Have a call made.

        :raises TrackspecError: TEMPORARILY_UNAVAILABLE if there are too many already.
        """
        if self.in_hand >= self._limit:
            raise TrackspecError("The server has too much in hand.", ErrorCode.TEMPORARILY_UNAVAILABLE)
        return self._begun(Call(call, ended))

    def has_waiting(self) -> bool:
        """Whether a call waits for a thread."""
        return not self._waiting.empty()

    def tidy_up(self, call: Callable[[], Any]) -> None:
        """Have a call made that nobody waits for, however many there are."""
        self._begun(Call(call, lambda *_: None))

    def _begun(self, call: Call) -> Call:
        with self._lock:
            self.in_hand += 1
        if self._threads < min(self.in_hand, self._most_threads):
            self._threads += 1
            threading.Thread(target=self._work, name=f"trackspec-call-{self._threads}", daemon=True).start()
        self._waiting.put(call)
        return call

    def close(self) -> None:
        """Let the threads end when they have made what is in hand; what nobody waits for is not begun."""
        for _ in range(self._threads):
            self._waiting.put(None)

    def _work(self) -> None:
        while (call := self._waiting.get()) is not None:
            self._make(call)
            del call  # nothing of it is kept while waiting for the next one

    def _make(self, call: Call) -> None:
        returned, error = None, None
        if not call.is_cancelled:
            try:
                returned = call.make()
            except BaseException as raised:
                error = raised
        with self._lock:
            self.in_hand -= 1
        with contextlib.suppress(RuntimeError):  # the loop may have been closed meanwhile
            call.loop.call_soon_threadsafe(call.end, returned, error)
