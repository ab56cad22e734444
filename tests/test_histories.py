"""The judge of histories: it explains what can be explained, and nothing else."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from trackspec_conformance.histories.explaining import named, smallest
from trackspec_conformance.histories.linearizability import explained
from trackspec_conformance.histories.models import FileModel, NameModel, RunModel
from trackspec_conformance.histories.operation import End, Operation
from trackspec_conformance.histories.transferring import TORN, content_of, which_of

NEVER = float("inf")


def op(
    kind: str, given: Any = None, answer: Any = None, *, at: tuple[float, float], end: End = End.ANSWERED
) -> Operation:
    """A call of one client that was made at the first moment and ended at the second."""
    return Operation(f"client-{at[0]}", "run", kind, given, end, answer, *at)


def tag(value: str) -> dict[str, Any]:
    """What a call is given that sets the tag t."""
    return {"tags": {"t": value}}


SEQUENTIAL = [
    op("log", tag("1"), at=(0, 1)),
    op("read", None, {"tags": {"t": "1"}}, at=(2, 3)),
]
EXPLAINED = {
    "nothing": [],
    "one after the other": SEQUENTIAL,
    "a read that overlaps a write sees it": [
        op("log", tag("1"), at=(0, 5)),
        op("read", None, {"tags": {"t": "1"}}, at=(1, 2)),
    ],
    "a read that overlaps a write does not see it": [
        op("log", tag("1"), at=(0, 5)),
        op("read", None, {"tags": {}}, at=(1, 2)),
    ],
    "a lost answer that has happened": [
        op("log", tag("1"), at=(0, NEVER), end=End.UNKNOWN),
        op("read", None, {"tags": {"t": "1"}}, at=(9, 10)),
    ],
    "a lost answer that has not": [
        op("log", tag("1"), at=(0, NEVER), end=End.UNKNOWN),
        op("read", None, {"tags": {}}, at=(9, 10)),
    ],
    "a param that is refused": [
        op("log", {"params": {"p": "1"}}, at=(0, 1)),
        op("log", {"params": {"p": "2"}}, "INVALID_PARAMETER_VALUE", at=(2, 3), end=End.REFUSED),
        op("log", {"params": {"p": "1"}}, at=(4, 5)),
    ],
    "a restoration that overlaps a deletion comes last": [
        op("restore", at=(0, 9)),
        op("delete", at=(1, 8)),
        op("log", tag("1"), at=(10, 11)),
    ],
    "a deleted run refuses": [
        op("delete", at=(0, 1)),
        op("log", tag("1"), "INVALID_PARAMETER_VALUE", at=(2, 3), end=End.REFUSED),
        op("restore", at=(4, 5)),
        op("log", tag("2"), at=(6, 7)),
        op("search", None, {"tags": {"t": "2"}, "stage": "active"}, at=(8, 9)),
    ],
}
UNEXPLAINED = {
    "a lost or stale write": [
        op("log", tag("1"), at=(0, 1)),
        op("read", None, {"tags": {}}, at=(2, 3)),
    ],
    "an answer that no order": [
        op("log", tag("1"), at=(0, 9)),
        op("log", tag("2"), at=(0.5, 9)),
        op("read", None, {"tags": {"t": "1"}}, at=(1, 2)),
        op("read", None, {"tags": {"t": "2"}}, at=(3, 4)),
        op("read", None, {"tags": {"t": "1"}}, at=(5, 6)),
    ],
    "a torn batch": [
        op("log", {"tags": {"t": "1"}, "params": {"p": "1"}}, at=(0, 9)),
        op("read", None, {"tags": {"t": "1"}, "params": {}}, at=(1, 2)),
    ],
    "two winners: one param": [
        op("log", {"params": {"p": "1"}}, at=(0, 9)),
        op("log", {"params": {"p": "2"}}, at=(1, 8)),
    ],
    "a refusal without": [op("log", tag("1"), "INVALID_PARAMETER_VALUE", at=(0, 1), end=End.REFUSED)],
    "a lost": [
        op("log", {"points": [["m", 0, 1.0]]}, at=(0, 1)),
        op("log", {"points": [["m", 1, 2.0]]}, at=(0, 1)),
        op("history", "m", {"points": {"m": [[1, 2.0]]}}, at=(2, 3)),
    ],
}


@pytest.mark.parametrize("name", EXPLAINED)
def test_what_an_order_explains_is_explained(name: str) -> None:
    """No history is accused that calls made one after the other could have had."""
    assert explained(EXPLAINED[name], RunModel())


@pytest.mark.parametrize("name", UNEXPLAINED)
def test_an_anomaly_is_seen_and_named(name: str) -> None:
    """A history that no order explains is seen, also among calls that have nothing to do with it."""
    noise = [op("read", None, {"stage": "active"}, at=(moment / 7, moment / 7 + 1)) for moment in range(60)]

    assert not explained([*UNEXPLAINED[name], *noise], RunModel())
    found = smallest([*UNEXPLAINED[name], *noise], RunModel())
    assert not any(item in noise for item in found)
    assert named(found).startswith(name)


def test_what_is_torn_is_told_apart_from_what_was_overwritten() -> None:
    """The name of the anomaly tells which part of which call is missing; a tag that was set again is not."""
    whole = op("log", {"tags": {"t": "1"}, "points": [["m", 1, 1.0]]}, at=(0, 1))
    torn = op("log", {"tags": {"t": "2"}, "points": [["m", 2, 2.0], ["n", 2, 2.0]]}, at=(2, 9), end=End.UNKNOWN)
    read = op("read", None, {"tags": {"t": "2"}, "points": {"m": [[1, 1.0], [2, 2.0]], "n": []}}, at=(10, 11))

    told = named([whole, torn, read])

    assert told.startswith(f"a torn batch: of one call of {torn.client}, the tag 't' is seen")
    assert told.endswith("and the point [2, 2.0] of 'n' is not")
    assert not named([whole, op("log", tag("2"), at=(2, 9)), read]).startswith("a torn batch")


def test_what_another_call_has_written_as_well_shows_no_torn_batch() -> None:
    """A param that two calls give one value may be either's."""
    first = op("log", {"params": {"p": "1"}}, at=(0, 1))
    second = op("log", {"params": {"p": "1"}, "tags": {"t": "1"}}, at=(2, 3))
    read = op("read", None, {"params": {"p": "1"}, "tags": {}}, at=(4, 5))

    assert named([second, read]).startswith("a torn batch")
    assert not named([first, second, read]).startswith("a torn batch")


def test_a_call_is_told_in_a_line_however_much_it_holds() -> None:
    """A failure that shows thousands of values shows nothing."""
    many = {"points": [[f"m{i}", i, 1.0] for i in range(1000)], "params": {f"p{i}": "v" * 500 for i in range(100)}}

    assert len(str(op("log", many, many, at=(0, 1)))) < 600


def test_one_winner_for_a_name() -> None:
    """Of two creates of one name one is answered, and found by its id."""
    created = op("create", None, "7", at=(0, 5))
    refused = op("create", None, "RESOURCE_ALREADY_EXISTS", at=(1, 2), end=End.REFUSED)

    assert explained([created, refused, op("find", None, "7", at=(6, 7))], NameModel())
    assert not explained([created, op("create", None, "8", at=(1, 2))], NameModel())
    assert not explained([created, op("find", None, None, at=(6, 7))], NameModel())
    assert not explained([refused], NameModel())
    assert explained([replace(created, end=End.UNKNOWN, ended=NEVER), refused], NameModel())


def test_a_path_has_the_file_that_was_logged_last() -> None:
    """Who reads while a file is replaced gets either; afterwards the former one is stale, and a mixture torn."""
    first, second = op("upload", "1-1", at=(0, 1)), op("upload", "2-1", at=(2, 5))
    missing = op("download", None, None, at=(6, 7))

    assert explained([first, second, op("download", None, "1-1", at=(3, 4))], FileModel())
    assert explained([first, second, op("list", None, "2-1", at=(3, 4))], FileModel())
    assert explained([replace(first, end=End.UNKNOWN, ended=NEVER), missing], FileModel())
    for answer, name in (
        (None, "a lost or stale"),
        ("1-1", "a lost or stale"),
        (f"{TORN}: 3 bytes", "a torn file"),
    ):
        history = [first, second, replace(missing, answer=answer)]
        assert not explained(history, FileModel())
        assert named(smallest(history, FileModel())).startswith(name)


def test_a_file_tells_which_it_is() -> None:
    """By its whole content, and by nothing less."""
    content = content_of("3-7")

    assert which_of(content) == "3-7"
    assert which_of(content[:-1]).startswith(TORN)
    assert which_of(content[:1000] + content_of("4-7")[1000:]).startswith(TORN)


@pytest.mark.parametrize("seed", range(12))
def test_histories_of_a_right_store_are_explained(seed: int) -> None:
    """Calls that took effect at some moment while they were made are explained, however they overlap."""
    assert explained(_recorded(seed), RunModel())


@pytest.mark.parametrize("seed", range(12))
def test_a_value_that_nobody_has_written_is_not(seed: int) -> None:
    """The same histories with one read spoilt are not explained, and the spoilt read is in what is shown."""
    history = _recorded(seed)
    number = next(number for number, item in enumerate(history) if item.kind == "read")
    history[number] = replace(history[number], answer=history[number].answer | {"tags": {"t": "never"}})

    assert not explained(history, RunModel())
    assert history[number] in smallest(history, RunModel())


def _recorded(seed: int) -> list[Operation]:
    """The history of 72 calls by six clients on a store that serves each at one moment."""
    chance = random.Random(seed)
    moments: list[tuple[float, float, float, str]] = []
    for client in range(6):
        now = 0.0
        for _ in range(12):
            begin = now + chance.random()
            effect = begin + chance.random() * 3
            now = effect + chance.random()
            moments.append((effect, begin, now, f"client-{client}"))
    tags: dict[str, str] = {}
    points: list[list[Any]] = []
    history = []
    for number, (_, begin, ended, client) in enumerate(sorted(moments)):
        answer: Any = None
        given: Any = None
        kind = chance.choice(["log", "log", "read", "history"])
        if kind == "log":
            given = {"tags": {"t": str(number)}, "points": [["m", number, 1.0]]}
            tags["t"] = str(number)
            points.append(["m", number, 1.0])
        elif kind == "read":
            latest = {"m": points[-1][1:]} if points else {}
            answer = {"tags": dict(tags), "stage": "active", "latest": latest}
        else:
            answer = {"points": {"m": [point[1:] for point in points]}}
        history.append(Operation(client, "run", kind, given, End.ANSWERED, answer, begin, ended))
    return history
