"""Several clients of one subject at once: threads on the opened object, and processes that have one each."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from trackspec import TrackingStore
from trackspec_conformance.arrangement import Arrangement
from trackspec_conformance.expectations import NotApplicable, Unexpected, expect
from trackspec_conformance.histories.clients import ClientError, Process, in_processes, in_threads
from trackspec_conformance.histories.explaining import named, smallest
from trackspec_conformance.histories.linearizability import Model, explained
from trackspec_conformance.histories.operation import End, Operation
from trackspec_conformance.histories.performing import Order, perform
from trackspec_conformance.subjects import Identity

CLIENTS = 4
PATIENCE = 20.0
"""Seconds in which all calls that are made at the same time have to end."""


@dataclass(frozen=True)
class Crowd:
    """Clients of one kind.

    :ivar kind: ``threads`` or ``processes``.
    :ivar make: lets each client make its calls in turn, all at the same time, and returns the history.
    """

    kind: str
    make: Callable[[Sequence[Sequence[Order]]], list[Operation]]


def threads(subject: Any, fresh: Arrangement[Any]) -> Crowd:
    """Clients that are threads on one object."""

    def make(orders: Sequence[Sequence[Order]]) -> list[Operation]:
        start = fresh.transcript.mark()
        history = in_threads(subject, orders, patience=PATIENCE)
        fresh.transcript.rewind(start)  # their order is not what happened
        return history

    return Crowd("threads", make)


def processes(subject: Any, fresh: Arrangement[Any], count: int = CLIENTS) -> Crowd:
    """Clients that are processes with an object each, so many at least.

    :raises NotApplicable: if no other process can open the subject, or see what it keeps.
    """
    ready = _processes(subject, fresh, count)
    return Crowd("processes", lambda orders: in_processes(ready, orders, patience=PATIENCE))


def crowds(subject: Any, fresh: Arrangement[Any]) -> Iterator[Crowd]:
    """Threads, and processes too where there can be any."""
    yield threads(subject, fresh)
    try:
        others = processes(subject, fresh)
    except NotApplicable:
        return
    yield others


def some_crowd(subject: Any, fresh: Arrangement[Any], count: int = CLIENTS) -> Crowd:
    """Threads or processes, as chance has it; threads where there can be no processes."""
    if fresh.random.random() < 0.5:
        return threads(subject, fresh)
    try:
        return processes(subject, fresh, count)
    except NotApplicable:
        return threads(subject, fresh)


def _processes(subject: Any, fresh: Arrangement[Any], count: int) -> list[Process]:
    locator = fresh.locator()
    pool: list[Process] = fresh.kept("processes", list)
    for process in [process for process in pool if not process.lives]:
        pool.remove(process)
    is_new = not pool
    while len(pool) < count:
        try:
            name = f"process {len(pool) + 1}"
            process = fresh.keep(Process(locator, name, imports(subject), fresh.interface))
        except ClientError as error:
            raise NotApplicable(f"another process cannot open the subject: {error}") from error
        pool.append(process)
    if is_new:
        order, answer = fresh.left_for_others()
        (found,) = in_processes(pool[:1], [[order]], patience=PATIENCE)
        if found.answer != answer:
            raise NotApplicable("another process that opens the subject sees something else")
    return pool


def any_calls(chance: random.Random, client: int, run_id: str, experiment_id: str) -> list[Order]:
    """Calls of all kinds on one run, with values that tell who wrote them."""
    kinds = ["log"] * 5 + ["read"] * 3 + ["search", "history", "history", "untag", "delete", "restore", "restore"]
    orders = []
    for number in range(12):
        kind = chance.choice(kinds)
        given: object = None
        if kind == "log":
            value = f"{client}-{number}"
            given = chance.choice(
                [
                    {"tags": {"a": value}},
                    {"tags": {"a": value, "b": value}, "points": [["m", 100 * client + number, 1.0]]},
                    {"params": {chance.choice("pq"): chance.choice("12")}, "tags": {"b": value}},
                    {"points": [["m", 100 * client + number, float(number)]]},
                ]
            )
        elif kind in ("untag", "history"):
            given = "a" if kind == "untag" else "m"
        orders.append(Order(kind, run_id, given, experiment_id))
    return orders


def any_transfers(chance: random.Random, client: int, path: str) -> list[Order]:
    """Calls of all kinds on one path, with files that tell who has logged them."""
    kinds = [chance.choice(["upload", "upload", "download", "download", "list"]) for _ in range(12)]
    return [
        Order(kind, path, f"{client}-{number}" if kind == "upload" else None) for number, kind in enumerate(kinds)
    ]


def imports(subject: Any) -> list[str]:
    """The modules that opening another subject of the kind needs."""
    return [Identity.of(subject).module]


def require_order(history: Sequence[Operation], model: Model) -> None:
    """Require that some order of the calls explains every answer, and that most calls had an answer.

    :raises Unexpected: with the fewest calls that show what is wrong.
    """
    lost = [operation for operation in history if operation.end is End.UNKNOWN]
    expect(2 * len(lost) <= len(history), "most calls to end", f"{len(lost)} of {len(history)} without an answer")
    if not explained(history, model):
        told = smallest(history, model)
        calls = ";\n".join(str(operation) for operation in told)
        raise Unexpected("an order of the calls that explains every answer", f"{named(told)}:\n{calls}")


def require_ended(history: Sequence[Operation], count: int) -> None:
    """Require that so many calls were made, and that each was answered or refused."""
    lost = [str(operation) for operation in history if operation.end is End.UNKNOWN]
    expect(not lost, "every call to be answered or refused in time", f"{len(lost)} were not, as {lost[:1]}")
    expect(len(history) == count, f"{count} calls", f"{len(history)}")


def now(store: TrackingStore, order: Order) -> Operation:
    """A single call, made alone."""
    return perform(store, order, "the check")
