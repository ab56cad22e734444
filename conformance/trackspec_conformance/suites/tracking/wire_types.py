"""The checks of the chapter on the REST protocol: values of the wrong type, in every place of every endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trackspec import ErrorCode, TrackingStore
from trackspec.protocol.kinds import Choice, Double, Int64, Items, Kind, Text
from trackspec.protocol.message import Message
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.suites.tracking.wire_paths import REFUSALS, SERVED
from trackspec_conformance.wire import Wire
from trackspec_conformance.wire.expectations import expect_each_refused, expect_refused, is_refused
from trackspec_conformance.wire.samples import MLFLOWS, Place, Samples, places, sent

RESTS_ON = (*REFUSALS, *SERVED)
NOT_IMPLEMENTED = ErrorCode.NOT_IMPLEMENTED.http_status

Values = Callable[[Any], list[object]]
"""The wrong values for a place, given the good one."""


def _expect_refused_everywhere(
    store: TrackingStore, fresh: Fresh, wire: Wire, kind: type[Kind], wrong: Values, what: str
) -> None:
    """Require that in each place of this kind, each wrong value is refused, and that nothing is written.

    The calls that were answered as they should are left out of the script of a failure.
    """
    samples = Samples.arranged(store, fresh)
    before = samples.kept(store)
    taken = []
    for endpoint in MLFLOWS:
        for place in places(endpoint):
            if not isinstance(place.kind, kind):
                continue
            for value in _sendable(place, wrong(samples.value_at(place))):
                mark = fresh.transcript.mark()
                answer = sent(wire, endpoint, samples.with_value(place, value))
                if is_refused(answer) or answer.status == NOT_IMPLEMENTED:
                    fresh.transcript.rewind(mark)
                else:
                    taken.append(f"{place} = {value!r}: {answer}")
    expect_each_refused(taken, what)
    expect_equal(before, samples.kept(store), "what the store keeps")


def _sendable(place: Place, values: list[object]) -> list[object]:
    """The values that the request can carry: in a query everything is text, and a list is the field repeated."""
    if place.endpoint.methods[0] != "GET":
        return values
    if isinstance(place.kind, (Text, Items)):
        return []
    return [value for value in values if not isinstance(value, (list, dict))]


@check("wire.text-type", rests_on=RESTS_ON)
def texts_are_strings(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A number and a list in the place of any text of any endpoint are refused, and nothing is written."""
    number = fresh.random.randrange(10**14, 10**15)  # a server that takes it for a name makes one that nobody has

    def wrong(good: Any) -> list[object]:
        is_number = isinstance(good, str) and good.isdigit() and good[0] != "0"
        return [int(good) if is_number else number, [good]]

    _expect_refused_everywhere(store, fresh, wire, Text, wrong, "what is no string")


@check("wire.int64-type", rests_on=RESTS_ON)
def integers_are_integers(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """What is no integer is refused in the place of any integer of any endpoint, and nothing is written."""

    def wrong(_: Any) -> list[object]:
        return [1.5, "x", "1.5", True, "", [7]]

    _expect_refused_everywhere(store, fresh, wire, Int64, wrong, "what is no integer")


@check("wire.int64-range", rests_on=RESTS_ON)
def integers_have_64_bits(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """An integer beyond 64 bits is refused in the place of any, and nothing is written."""

    def wrong(_: Any) -> list[object]:
        return [2**63, -(2**63) - 1, str(2**63), 2**64 + 7, 1e300]

    _expect_refused_everywhere(store, fresh, wire, Int64, wrong, "an integer beyond 64 bits")


@check("wire.double-type", rests_on=RESTS_ON)
def doubles_are_numbers(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """What is no number is refused in the place of any double, and nothing is written."""

    def wrong(_: Any) -> list[object]:
        return ["abc", True, "", [0.5], {"value": 0.5}]

    _expect_refused_everywhere(store, fresh, wire, Double, wrong, "what is no number")


@check("wire.enum-name", rests_on=RESTS_ON)
def names_of_enumerations_are_known(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A word that is none of the names is refused in the place of any, and nothing else is done."""

    def wrong(good: Any) -> list[object]:
        return ["NOPE", good.lower(), "", f"{good} ", [good]]

    _expect_refused_everywhere(store, fresh, wire, Choice, wrong, "a name that is unknown")


@check("wire.list-type", rests_on=RESTS_ON)
def lists_are_lists(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """What is no list is refused in the place of any, and nothing is written."""

    def wrong(_: Any) -> list[object]:
        return ["x", 7, {"key": "k", "value": "v"}]

    _expect_refused_everywhere(store, fresh, wire, Items, wrong, "what is no list")


@check("wire.list-items", rests_on=RESTS_ON)
def lists_hold_what_they_are_for(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """Null, or an item of another kind, in any list is refused, also among good items."""

    def wrong(good: Any) -> list[object]:
        return [[*good, None], [*good, 7], [[good[0]]], [None, *good]]

    _expect_refused_everywhere(store, fresh, wire, Items, wrong, "a list that holds something else")


@check("wire.object-type", rests_on=RESTS_ON)
def objects_are_objects(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """What is no object is refused in the place of any, and nothing is written."""

    def wrong(good: Any) -> list[object]:
        return [7, "x", True, list(good.items())]

    _expect_refused_everywhere(store, fresh, wire, Message, wrong, "what is no object")


@check("wire.batch-whole", rests_on=REFUSALS)
def a_batch_with_an_unreadable_item_writes_nothing(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """Of a batch with one item that cannot be read, wherever it stands, nothing is written."""
    run_id = fresh.run()
    before = store.get_run(run_id)
    good: dict[str, list[dict[str, Any]]] = {
        "metrics": [{"key": key, "value": 1.0, "timestamp": 7, "step": 1} for key in "abc"],
        "params": [{"key": key, "value": key} for key in "abc"],
        "tags": [{"key": key, "value": key} for key in "abc"],
    }

    for name, number, field, value in (
        ("metrics", 1, "step", 2**63),
        ("metrics", 2, "timestamp", 1.5),
        ("metrics", 0, "value", "abc"),
        ("params", 1, "value", 5),
        ("params", 2, "key", None),
        ("tags", 2, "value", ["x"]),
        ("tags", 0, "key", 7),
    ):
        batch = {kind: [dict(item) for item in items] for kind, items in good.items()}
        batch[name][number][field] = value
        expect_refused(wire.post("runs/log-batch", {"run_id": run_id, **batch}), what=f"{name}, {field} {value!r}")

    expect_equal(before, store.get_run(run_id), "the run")
