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
from time import monotonic
from typing import Any

from trackspec.errors import ErrorCode, TrackspecError
from trackspec_reference.server.limits import Limits

_LONG_WAIT = 0.01
"""Seconds that a call waits for one of the usual threads, before there is one more for it."""
_SHORT_WAIT = 0.003
"""Seconds within which calls find a thread, where there are enough of them."""

Ended = Callable[[Any, BaseException | None], None]
"""What the event loop is told of a call: what it returned, or what it raised."""


class Call:
    """A call in hand, which may be waited for and cancelled as a task is.

    :param make: the call.
    :param ended: is told how it ended; once.
    """

    def __init__(self, make: Callable[[], Any], ended: Ended) -> None:
        self.make = make
        self.is_cancelled = self.is_taken = False
        self.begun = monotonic()
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

    :param usual_threads: as many threads as short calls are made by. Where calls wait for them, there are more, up
        to the limit: for a store that waits for a server itself, and so that long calls do not hold up short ones.
    :ivar in_hand: how many there are, those included that wait for a thread.
    """

    def __init__(self, limits: Limits, usual_threads: int) -> None:
        self._waiting: SimpleQueue[Call | None] = SimpleQueue()
        self._most_threads, self._limit = limits.threads, limits.calls
        self._usual_threads = min(usual_threads, limits.threads)
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

    def has_idle_thread(self) -> bool:
        """Whether a call would be made at once."""
        return self.in_hand < self._usual_threads

    def wants_thread_back(self) -> bool:
        """Whether a thread that has made its call is to come back at once: for another one, or to end."""
        return self._threads > self._usual_threads or not self._waiting.empty()

    def tidy_up(self, call: Callable[[], Any]) -> None:
        """Have a call made that nobody waits for, however many there are."""
        self._begun(Call(call, lambda *_: None))

    def _begun(self, call: Call) -> Call:
        with self._lock:
            self.in_hand += 1
        if self._threads < min(self.in_hand, self._usual_threads):
            self._start_thread()
        elif self.in_hand > self._usual_threads:  # a thread beyond them may be about to leave
            call.loop.call_later(_LONG_WAIT, self._help, call)
        self._waiting.put(call)
        return call

    def _help(self, call: Call) -> None:
        if not call.is_taken and self._threads < self._most_threads:
            self._start_thread()

    def _start_thread(self) -> None:
        with self._lock:
            self._threads += 1
        threading.Thread(target=self._work, name=f"trackspec-call-{self._threads}", daemon=True).start()

    def close(self) -> None:
        """Let the threads end when they have made what is in hand; what nobody waits for is not begun."""
        self._waiting.put(None)

    def _work(self) -> None:
        while (call := self._waiting.get()) is not None:
            call.is_taken = True
            waited = monotonic() - call.begun
            self._make(call)
            del call  # nothing of it is kept while waiting for the next one
            if waited < _SHORT_WAIT and self._leaves():
                return
        self._waiting.put(None)  # for the next thread

    def _leaves(self) -> bool:
        """Whether a thread ends, as there are more than it takes."""
        with self._lock:
            if self._threads <= self._usual_threads:
                return False
            self._threads -= 1
            return True

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
