"""Ending a process in the middle of its writes, as a crash does."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Sequence
from typing import Any

from trackspec_conformance.arrangement import Arrangement
from trackspec_conformance.crowds import imports
from trackspec_conformance.expectations import NotApplicable, Unexpected, expect
from trackspec_conformance.histories.clients import ClientError, Process
from trackspec_conformance.histories.operation import End, Operation
from trackspec_conformance.histories.performing import Order

PATIENCE = 20.0
WITH_A_SERVER = 4
LONGEST = 1.2
"""The process is killed at any moment of a call: within so many times what the calls before have taken."""


def killed(
    subject: Any, fresh: Arrangement[Any], orders: Sequence[Order], *, witness: Process | None = None
) -> list[Operation]:
    """The history of a process that was killed while it made these calls; the last may be one without an answer.

    Where the suite has started the server that the process talks to, it is killed too, and started again.

    :param witness: a process that makes its own calls meanwhile: then a server is spared.
    :raises NotApplicable: if no process can open the subject.
    """
    return killed_together(subject, fresh, [orders], witness=witness)[0]


def killed_together(
    subject: Any, fresh: Arrangement[Any], orders: Sequence[Sequence[Order]], *, witness: Process | None = None
) -> list[list[Operation]]:
    """The history of each of several processes that were killed at the same time, as :func:`killed` does one."""
    with contextlib.ExitStack() as stack:
        writers = [
            stack.enter_context(opened_process(subject, fresh, f"writer {number}"))
            for number in range(1, len(orders) + 1)
        ]
        for writer, own in zip(writers[1:], orders[1:], strict=True):
            writer.begin(own)
        let_write(writers[0], orders[0], fresh.random)
        server = None if witness else fresh.started_server
        if server:
            server.kill()
        for writer in writers:
            writer.kill()
        if server:
            server.start()
        if witness is not None:
            witness.wait(PATIENCE)
        histories = [writer.history() for writer in writers]
    first = histories[0]
    expect(any(item.end is End.ANSWERED for item in first), "a call to be answered", list(map(str, first[:2])))
    return histories


def writers_of_a_kill(fresh: Arrangement[Any]) -> int:
    """How many processes are killed at once: several where a server is, which takes long to start again."""
    return WITH_A_SERVER if fresh.started_server else 1


def let_write(writer: Process, orders: Sequence[Order], chance: random.Random) -> None:
    """Let a process begin these calls, and wait until a moment at which it is to be killed."""
    writer.begin(orders)
    writer.wait(PATIENCE, for_calls=chance.randrange(1, max(2, len(orders) - 3)))
    time.sleep(chance.random() * LONGEST * _duration(writer.history()))


def opened_process(subject: Any, fresh: Arrangement[Any], name: str) -> Process:
    """A process that has opened the subject.

    :raises NotApplicable: if none can.
    :raises Unexpected: if one could before another was killed, and none can any more.
    """
    opened: list[str] = fresh.kept("processes that could open the subject", list)
    try:
        process = Process(fresh.locator(), name, imports(subject), fresh.interface)
    except ClientError as error:
        if opened:
            raise Unexpected("a process to open the subject after another one was killed", str(error)) from error
        raise NotApplicable(f"another process cannot open the subject: {error}") from error
    opened.append(name)
    return process


def _duration(history: Sequence[Operation]) -> float:
    """How many seconds the calls have taken on average."""
    ended = [item.ended - item.invoked for item in history if item.end is not End.UNKNOWN]
    return sum(ended) / len(ended) if ended else 0.0
