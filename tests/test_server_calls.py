"""The threads that make the calls of a server."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.servers.tracking import TIMEOUT
from trackspec_reference.server import calls as module
from trackspec_reference.server.calls import Calls
from trackspec_reference.server.limits import Limits

USUAL, MOST = 2, 5


class Crowd:
    """What remembers the threads that it is called by."""

    def __init__(self) -> None:
        self.threads: set[threading.Thread] = set()
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """For the time of a call."""
        with self._lock:
            self.threads.add(threading.current_thread())
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        yield
        with self._lock:
            self._at_once -= 1

    def pause(self) -> None:
        """A call that waits for something else for a while."""
        with self.entered():
            time.sleep(0.05)

    def still_there(self) -> int:
        """How many of the threads have not ended."""
        return sum(thread.is_alive() for thread in self.threads)


async def all_made(calls: Calls, call: Callable[[], Any], number: int) -> None:
    """Make a call so often at once."""
    await asyncio.gather(*[calls.make(call) for _ in range(number)])


async def until(condition: Callable[[], bool], calls: Calls, call: Callable[[], Any]) -> None:
    """Make a call one by one until something is the case."""
    end = time.monotonic() + TIMEOUT
    while not condition():
        await calls.make(call)
        assert time.monotonic() < end


def with_calls(test: Callable[[Calls], Awaitable[None]], kind: type[Calls] = Calls) -> None:
    """Run a test with calls of few threads, which are closed in the end."""

    async def main() -> None:
        calls = kind(Limits(threads=MOST), USUAL)
        try:
            await test(calls)
        finally:
            calls.close()

    asyncio.run(main())


@contextmanager
def held(calls: Calls, number: int) -> Iterator[list[asyncio.Future[Any]]]:
    """So many calls that are under way, and end with the block."""
    may_end = threading.Event()
    try:
        yield [asyncio.ensure_future(calls.make(lambda: may_end.wait(TIMEOUT))) for _ in range(number)]
    finally:
        may_end.set()


def test_short_calls_are_made_by_the_usual_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are: each further thread would cost more than it gains."""
    monkeypatch.setattr(module, "_LONG_WAIT", TIMEOUT)
    crowd = Crowd()

    def short() -> None:
        with crowd.entered():
            pass

    with_calls(lambda calls: all_made(calls, short, 20 * MOST))
    assert 0 < len(crowd.threads) <= USUAL


def test_a_short_call_is_not_held_up_by_long_ones() -> None:
    """It gets a thread, though all the usual ones are busy for as long as nothing else happens."""

    async def test(calls: Calls) -> None:
        with held(calls, USUAL) as long:
            assert await asyncio.wait_for(calls.make(lambda: "short"), TIMEOUT) == "short"
            assert not any(call.done() for call in long)
        assert all(await asyncio.gather(*long))

    with_calls(test)


def test_a_call_is_not_left_to_a_thread_that_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that begins while a thread is about to end, and all others are busy, gets another."""
    monkeypatch.setattr(module, "_SHORT_WAIT", TIMEOUT)
    leaving, may_leave = threading.Event(), threading.Event()

    class Leaving(Calls):
        def _leaves(self) -> bool:
            leaving.set()
            may_leave.wait(TIMEOUT)
            return super()._leaves()

    async def test(calls: Calls) -> None:
        with held(calls, USUAL):
            assert await asyncio.wait_for(calls.make(lambda: "first"), TIMEOUT) == "first"
            assert await asyncio.to_thread(leaving.wait, TIMEOUT)
            second = asyncio.ensure_future(calls.make(lambda: "second"))
            await asyncio.sleep(0)
            may_leave.set()
            assert await asyncio.wait_for(second, TIMEOUT / 3) == "second"

    with_calls(test, Leaving)


def test_there_are_never_more_threads_than_the_limit() -> None:
    """And so many there are, where calls have to wait."""
    crowd = Crowd()

    with_calls(lambda calls: all_made(calls, crowd.pause, 4 * MOST))
    assert crowd.most_at_once == MOST


def test_threads_that_are_not_needed_any_more_end() -> None:
    """Once calls find a thread at once."""
    crowd = Crowd()

    async def test(calls: Calls) -> None:
        await all_made(calls, crowd.pause, 4 * MOST)
        assert calls.wants_thread_back()
        await until(lambda: crowd.still_there() == USUAL, calls, int)
        assert not calls.wants_thread_back()
        for _ in range(20):
            assert await calls.make(lambda: "made") == "made"
        assert crowd.still_there() == USUAL

    with_calls(test)


def test_closing_ends_every_thread() -> None:
    """After what is in hand."""
    crowd = Crowd()

    async def test(calls: Calls) -> None:
        made = asyncio.ensure_future(all_made(calls, crowd.pause, 4 * MOST))
        await asyncio.sleep(0)
        calls.close()
        await made

    with_calls(test)
    assert crowd.threads
    for thread in crowd.threads:
        thread.join(TIMEOUT)
    assert not crowd.still_there()


@pytest.mark.parametrize("in_hand", range(USUAL + 1))
def test_a_thread_is_idle_while_there_are_fewer_calls(in_hand: int) -> None:
    """Then a call is made at once."""

    async def test(calls: Calls) -> None:
        with held(calls, in_hand) as long:
            await asyncio.sleep(0)
            assert calls.has_idle_thread() == (in_hand < USUAL)
        await asyncio.gather(*long)

    with_calls(test)
