"""Ending a process in the middle of its writes, as a crash does."""

from __future__ import annotations

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
    with opened_process(subject, fresh, "writer") as writer:
        let_write(writer, orders, fresh.random)
        server = None if witness else fresh.started_server
        if server:
            server.kill()
        writer.kill()
        if server:
            server.start()
        if witness is not None:
            witness.wait(PATIENCE)
        history = writer.history()
    expect(any(item.end is End.ANSWERED for item in history), "a call to be answered", list(map(str, history[:2])))
    return history


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
