"""What is wrong with a history that no order explains: the fewest calls that show it, and the name of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trackspec_conformance.histories.linearizability import Model, explained
from trackspec_conformance.histories.operation import READING, End, Operation
from trackspec_conformance.histories.transferring import TORN, TRANSFERS


def smallest(history: Sequence[Operation], model: Model) -> list[Operation]:
    """A part of an unexplained history that is unexplained too and has no call to spare.

    Only such calls are left out whose absence explains nothing: reads, and writes that nobody has seen or been
    refused for.
    """
    kept = _shortest_start(sorted(history, key=lambda operation: operation.ended), model)
    for candidate in sorted(kept, key=lambda operation: operation.kind not in READING):
        fewer = [operation for operation in kept if operation is not candidate]
        if (candidate.kind in READING or not _matters(candidate, fewer)) and not explained(fewer, model):
            kept = fewer
    return sorted(kept, key=lambda operation: operation.invoked)


def _shortest_start(ended: list[Operation], model: Model) -> list[Operation]:
    """The history up to the first end that cannot be explained, with the calls that were under way then."""
    low, high = 1, len(ended)
    while low < high:
        middle = (low + high) // 2
        if explained(_until(ended, middle), model):
            low = middle + 1
        else:
            high = middle
    return _until(ended, low)


def _until(ended: list[Operation], count: int) -> list[Operation]:
    moment = ended[count - 1].ended
    under_way = [
        Operation(item.client, item.subject, item.kind, item.given, End.UNKNOWN, None, item.invoked, float("inf"))
        for item in ended[count:]
        if item.invoked <= moment and item.kind not in READING
    ]
    return ended[:count] + under_way


def _matters(write: Operation, others: Sequence[Operation]) -> bool:
    """Whether some other call has seen what the write wrote, or was refused, maybe because of it."""
    if write.kind == "upload":
        return any(item.answer == write.given for item in others if item.kind in READING)
    if write.kind != "log":
        return True
    if write.given.get("params") and any(item.end is End.REFUSED for item in others):
        return True
    return any(True in parts_seen(write, read.answer).values() for read in _reads(others))


def _reads(history: Sequence[Operation]) -> list[Operation]:
    """The calls that answer what a run holds."""
    return [item for item in history if item.kind in READING and isinstance(item.answer, dict)]


def named(history: Sequence[Operation]) -> str:
    """What the anomaly of a smallest history is called."""
    answered = [item for item in history if item.end is End.ANSWERED]
    if sum(item.kind == "create" for item in answered) > 1:
        return "two winners: one name was given to several experiments"
    if any(item.kind in TRANSFERS for item in history):
        answers = [item.answer for item in answered if item.kind in READING]
        torn = any(isinstance(answer, str) and answer.startswith(TORN) for answer in answers)
        return "a torn file: what was read is no file that was logged" if torn else "a lost or stale file"
    reads = _reads(answered)
    logs = [item for item in history if item.kind == "log"]
    if not reads:
        keys = [key for item in logs if item.end is End.ANSWERED for key in item.given.get("params", {})]
        several = len(keys) > len(set(keys))
        return "two winners: one param took several values" if several else "a refusal without a cause"
    read = max(reads, key=lambda item: item.ended)
    seen = [(item, parts_seen(item, read.answer)) for item in logs]
    for item, parts in seen:
        overwritten, shared = _overwritten(item, history), _shared(item, seen)
        there = [name for name, is_seen in parts.items() if is_seen and name not in shared]
        missing = [name for name, is_seen in parts.items() if not is_seen and name not in overwritten]
        if there and missing:
            return f"a torn batch: of one call of {item.client}, {there[0]} is seen, and {missing[0]} is not"
    if any(
        item.end is End.ANSWERED and item.ended < read.invoked and True not in parts.values()
        for item, parts in seen
    ):
        return "a lost or stale write: what was acknowledged before the read began is not in it"
    return "an answer that no order of the calls explains"


def _shared(write: Operation, seen: Sequence[tuple[Operation, dict[str, bool]]]) -> set[str]:
    """What is seen, by the names of :func:`parts_seen`, that another call may have written just so."""
    others = [parts for item, parts in seen if item is not write and item.end is not End.REFUSED]
    return {name for parts in others for name, is_seen in parts.items() if is_seen}


def _overwritten(write: Operation, history: Sequence[Operation]) -> set[str]:
    """The tags, by the names of :func:`parts_seen`, that another call may have changed after this one."""
    later = [item for item in history if item is not write and item.ended > write.invoked]
    keys = {key for item in later if item.kind == "log" for key in item.given.get("tags", {})}
    return {_part("tag", key) for key in keys | {item.given for item in later if item.kind == "untag"}}


def parts_seen(write: Operation, answer: dict[str, Any]) -> dict[str, bool]:
    """For each thing that a call has logged, by name, whether the read shows it, as far as the read has looked."""
    seen: dict[str, bool] = {}
    for part in ("params", "tags"):
        if part in answer:
            for key, value in write.given.get(part, {}).items():
                seen[_part(part[:-1], key)] = answer[part].get(key) == value
    if "points" in answer:
        for key, *point in write.given.get("points", ()):
            if key in answer["points"]:
                seen[f"the point {point!r} of {key!r}"] = point in answer["points"][key]
    return seen


def _part(kind: str, key: str) -> str:
    return f"the {kind} {key!r}"
