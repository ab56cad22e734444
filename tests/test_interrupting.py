"""Calls are cut wherever a user's interrupt can get in, and nowhere else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from trackspec_conformance.interrupting import cut, end_together


def _returns_within(lock: threading.RLock) -> int:
    with lock:
        number = 1
        return number + 1


def _goes_on_after(lock: threading.RLock) -> int:
    number = 0
    with lock, lock:
        for _ in range(2):
            number += 1
    return number


def _leaves_a_loop(lock: threading.RLock) -> int:
    for number in range(3):
        with lock:
            if number == 1:
                break
            continue
    return 2


@pytest.mark.parametrize("call", [_returns_within, _goes_on_after, _leaves_a_loop])
def test_a_lock_of_a_block_is_never_left_held(call: Callable[[threading.RLock], int]) -> None:
    """Wherever a call is cut, another thread gets the lock that its block held."""
    lines = cut(lambda: call(threading.RLock()), None).lines
    held = []
    for line in range(1, lines + 1):
        lock = threading.RLock()
        assert cut(lambda lock=lock: call(lock), line).made
        taken: list[bool] = []
        other = threading.Thread(target=lambda lock=lock, taken=taken: taken.append(lock.acquire(blocking=False)))
        other.start()
        other.join()
        if taken != [True]:
            held.append(line)

    assert lines >= 4
    assert held == []


def test_every_other_line_is_cut() -> None:
    """Each line of a call without a block is one at which it is cut, and what follows does not happen."""
    done: list[int] = []

    def call() -> None:
        done.append(1)
        done.append(2)
        done.append(3)

    lines = cut(call, None).lines
    reached = []
    for line in range(1, lines + 1):
        done.clear()
        cut(call, line)
        reached.append([*done])

    assert reached == [[], [1], [1, 2]]


def test_a_copy_of_a_process_shares_no_connection() -> None:
    """A connection looks closed to the process that is ended, and the other one still reads what it was sent."""
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"for the one that judges")

        def read() -> None:
            assert here.recv(1) == b""

        assert end_together([lambda: read])
        assert here.recv(100) == b"for the one that judges"
