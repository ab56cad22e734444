"""The checks of the chapter on concurrency: what many clients at once may count on."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import pairwise

from trackspec import TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.crowds import (
    CLIENTS,
    Crowd,
    any_calls,
    crowds,
    now,
    processes,
    require_ended,
    require_order,
    threads,
)
from trackspec_conformance.expectations import expect, expect_equal
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.histories.models import NameModel, RunModel
from trackspec_conformance.histories.operation import End, Operation
from trackspec_conformance.histories.performing import Order
from trackspec_conformance.searching import walk

ROUNDS = 3
TIMEOUT = 120.0


def _require_order(crowd: Crowd, fresh: Fresh) -> None:
    experiment_id = fresh.shared_experiment()
    for _ in range(ROUNDS):
        run_id = fresh.run(experiment_id)
        history = crowd.make([any_calls(fresh.random, client, run_id, experiment_id) for client in range(CLIENTS)])
        require_order(history, RunModel())


@check("concurrency.order", rests_on=("run.create", "run.get-whole"), timeout=TIMEOUT)
def an_order_explains_what_threads_see(store: TrackingStore, fresh: Fresh) -> None:
    """Whatever threads do to one run at once, some order of their calls explains every answer."""
    _require_order(threads(store, fresh), fresh)


@check("concurrency.order-processes", rests_on=("run.create", "run.get-whole"), timeout=TIMEOUT)
def an_order_explains_what_processes_see(store: TrackingStore, fresh: Fresh) -> None:
    """Whatever processes do to one run at once, some order of their calls explains every answer."""
    _require_order(processes(store, fresh), fresh)


@check("concurrency.points-kept", rests_on=("history.whole",), timeout=TIMEOUT)
def no_point_is_lost(store: TrackingStore, fresh: Fresh) -> None:
    """Of the points that clients log to one metric at once, every one is there that was acknowledged."""
    for crowd in crowds(store, fresh):
        run_id = fresh.run()
        orders = [
            [Order("log", run_id, {"points": [["m", 100 * client + number, 1.0]]}) for number in range(12)]
            for client in range(CLIENTS)
        ]

        history = crowd.make(orders)

        told = {item.given["points"][0][1] for item in history if item.end is End.ANSWERED}
        expect(len(told) > 0, f"points that {crowd.kind} were told are logged", history[0])
        stored = {metric.step for metric in store.get_metric_history(run_id, "m")}
        expect_equal([], sorted(told - stored), f"acknowledged steps of {crowd.kind} that are missing")


@check("concurrency.batches-whole", rests_on=("batch.log",), timeout=TIMEOUT)
def readers_see_whole_batches(store: TrackingStore, fresh: Fresh) -> None:
    """A reader never sees the tags of one batch beside those of another."""
    keys = [f"t{number}" for number in range(8)]
    for crowd in crowds(store, fresh):
        run_id = fresh.run()
        orders = [
            [
                order
                for number in range(12)
                for order in (
                    Order("log", run_id, {"tags": dict.fromkeys(keys, f"{client}-{number}")}),
                    Order("read", run_id),
                )
            ]
            for client in range(CLIENTS)
        ]

        history = crowd.make(orders)
        history.append(now(store, Order("read", run_id)))

        seen = [item.answer["tags"] for item in _answered(history, "read")]
        expect(bool(seen and seen[-1]), f"the batches of {crowd.kind} to be there", seen[-1:])
        torn = [tags for tags in seen if tags and (len(set(tags.values())) > 1 or len(tags) < len(keys))]
        expect(not torn, f"whole batches in each read of {crowd.kind}", torn[:1])


@check("concurrency.param-one-value", rests_on=("param.log",), timeout=TIMEOUT)
def one_client_gives_a_param_its_value(store: TrackingStore, fresh: Fresh) -> None:
    """Of clients that log different values for one param, one wins, and the others are told."""
    for crowd in crowds(store, fresh):
        run_id = fresh.run()
        orders = [
            [Order("log", run_id, {"params": {f"p{number}": f"{client}"}}) for number in range(8)]
            for client in range(CLIENTS)
        ]

        history = crowd.make(orders)

        require_ended(history, 8 * CLIENTS)
        stored = store.get_run(run_id).data.params
        for number in range(8):
            about = [item for item in history if f"p{number}" in item.given["params"]]
            _require_one_winner(about, "INVALID_PARAMETER_VALUE", crowd)
            (winner,) = _answered(about, "log")
            expect_equal(winner.given["params"][f"p{number}"], stored[f"p{number}"], "the winner's value")


@check("concurrency.own-writes", rests_on=("tag.set",), timeout=TIMEOUT)
def clients_read_what_they_have_written(store: TrackingStore, fresh: Fresh) -> None:
    """A client that alone writes a tag reads what it has just written, whatever the others do to the run."""
    for crowd in crowds(store, fresh):
        run_id = fresh.run()
        orders = [
            [
                order
                for number in range(10)
                for order in (
                    Order("log", run_id, {"tags": {f"of-{client}": str(number)}}),
                    Order("read", run_id, f"of-{client}"),
                )
            ]
            for client in range(CLIENTS)
        ]

        history = crowd.make(orders)

        require_ended(history, 20 * CLIENTS)
        for written, read in zip(history[::2], history[1::2], strict=True):
            if written.end is End.ANSWERED and read.end is End.ANSWERED:
                expected = written.given["tags"][read.given]
                got = read.answer["tags"].get(read.given)
                expect_equal(expected, got, f"the tag that the client among {crowd.kind} has just written")


@check("concurrency.never-back", rests_on=("history.whole",), timeout=TIMEOUT)
def a_history_never_shrinks(store: TrackingStore, fresh: Fresh) -> None:
    """A client that reads a growing history twice finds what it found, and maybe more."""
    for crowd in crowds(store, fresh):
        run_id = fresh.run()
        writers = [
            [Order("log", run_id, {"points": [["m", 100 * client + number, 1.0]]}) for number in range(15)]
            for client in range(2)
        ]
        readers = [[Order("history", run_id, "m")] * 15 for _ in range(CLIENTS - 2)]

        history = crowd.make([*writers, *readers])

        reads = [*_answered(history, "history"), now(store, Order("history", run_id, "m"))]
        for earlier, later in pairwise(reads):
            if earlier.client == later.client or later is reads[-1]:
                points = later.answer["points"]["m"]
                missed = [point for point in earlier.answer["points"]["m"] if point not in points]
                expect_equal([], missed, f"points that one of the {crowd.kind} saw, and missed in its next read")


@check("concurrency.deleted-refuses", rests_on=("run.delete", "run.deleted-refuses-params"), timeout=TIMEOUT)
def nothing_is_logged_after_a_deletion(store: TrackingStore, fresh: Fresh) -> None:
    """Once one client was told that a run is deleted, no other logs to it."""
    for crowd in crowds(store, fresh):
        run_id = fresh.run()
        writers, deleting = (
            [
                [Order("log", run_id, {"points": [["m", 100 * client + number, 1.0]]}) for number in range(count)]
                for client in range(first, last)
            ]
            for first, last, count in ((0, CLIENTS - 1, 15), (CLIENTS - 1, CLIENTS, 5))
        )
        deleting[0].append(Order("delete", run_id))

        history = crowd.make([*writers, *deleting])

        (deletion,) = [item for item in history if item.kind == "delete"]
        expect(deletion.end is End.ANSWERED, "the run to be deleted", deletion)
        later = [item for item in _answered(history, "log") if item.invoked > deletion.ended]
        expect(not later, f"no call of {crowd.kind} that began after the deletion to succeed", later[:1])
        told = {item.given["points"][0][1] for item in _answered(history, "log")}
        stored = {metric.step for metric in store.get_metric_history(run_id, "m")}
        expect_equal([], sorted(told - stored), "acknowledged steps that are missing")


@check("concurrency.name-one-winner", rests_on=("experiment.create",), timeout=TIMEOUT)
def one_client_gets_a_name(store: TrackingStore, fresh: Fresh) -> None:
    """Of clients that create experiments of one name, one gets it, and the others are told."""
    for crowd in crowds(store, fresh):
        names = [fresh.name("race") for _ in range(5)]

        history = crowd.make([[Order("create", name) for name in names]] * CLIENTS)

        require_ended(history, len(names) * CLIENTS)
        for name in names:
            about = [item for item in history if item.subject == name]
            _require_one_winner(about, "RESOURCE_ALREADY_EXISTS", crowd)
            require_order([*about, now(store, Order("find", name))], NameModel())


@check("concurrency.rename-one-winner", rests_on=("experiment.rename",), timeout=TIMEOUT)
def one_experiment_is_renamed(store: TrackingStore, fresh: Fresh) -> None:
    """Of experiments that are renamed to one name at once, one gets it, and the others keep theirs."""
    for crowd in crowds(store, fresh):
        names = [fresh.name("race") for _ in range(3)]
        ids = [[fresh.experiment() for _ in names] for _ in range(CLIENTS)]

        history = crowd.make(
            [[Order("rename", id_, name) for id_, name in zip(own, names, strict=True)] for own in ids]
        )

        require_ended(history, len(names) * CLIENTS)
        for name in names:
            about = [item for item in history if item.given == name]
            _require_one_winner(about, "RESOURCE_ALREADY_EXISTS", crowd)
            (winner,) = _answered(about, "rename")
            found = store.get_experiment_by_name(name)
            expect_equal(winner.subject, found and found.experiment_id, "the experiment that has the name")


@check("concurrency.ids-distinct", rests_on=("run.create",), timeout=TIMEOUT)
def runs_created_at_once_are_all_found(store: TrackingStore, fresh: Fresh) -> None:
    """Runs that clients create at once have ids of their own, and a search finds all of them."""
    for crowd in crowds(store, fresh):
        experiment_id = fresh.experiment()

        history = crowd.make([[Order("run", experiment_id)] * 8] * CLIENTS)

        require_ended(history, 8 * CLIENTS)
        created = [item.answer for item in _answered(history, "run")]
        found = [run.info.run_id for run in store.search_runs([experiment_id])]
        expect_equal(sorted(created), sorted(found), f"the ids of the runs that {crowd.kind} created")
        expect(len(set(created)) == 8 * CLIENTS, f"{8 * CLIENTS} different ids", sorted(created))


@check("concurrency.walk", rests_on=("page.sum",), timeout=TIMEOUT)
def a_walk_has_what_stays(store: TrackingStore, fresh: Fresh) -> None:
    """A walk through pages, while others create and delete, has each run that stays, once."""
    for crowd in crowds(store, fresh):
        experiment_id = fresh.experiment()
        runs = [fresh.run(experiment_id, start_time=number) for number in range(24)]
        staying, leaving = runs[::2], runs[1::2]
        changing = [
            [Order("run", experiment_id) for _ in leaving],
            [Order("delete", run_id) for run_id in leaving],
        ]

        pages: list[list[str]] = []
        history = _while_walking(store, crowd, changing, experiment_id, pages)

        require_ended(history, 2 * len(leaving))
        for seen in pages:
            expect_equal(
                sorted(staying), sorted(set(staying).intersection(seen)), "the runs that stay, among those walked"
            )
            expect(len(seen) == len(set(seen)), "each run once in a walk", seen)


def _while_walking(
    store: TrackingStore,
    crowd: Crowd,
    changing: Sequence[Sequence[Order]],
    experiment_id: str,
    pages: list[list[str]],
) -> list[Operation]:
    """Walk as often as there is time for while the clients make their calls."""
    history: list[Operation] = []
    others = threading.Thread(target=lambda: history.extend(crowd.make(changing)), daemon=True)
    others.start()
    while True:
        found = walk(
            lambda page_token: store.search_runs([experiment_id], max_results=5, page_token=page_token), most=20
        )
        pages.append([run.info.run_id for page in found for run in page])
        if not others.is_alive() or len(pages) >= 40:
            break
    others.join(30)
    return history


@check("concurrency.all-end", rests_on=("batch.log",), timeout=TIMEOUT)
def batches_in_opposite_order_end(store: TrackingStore, fresh: Fresh) -> None:
    """Batches that name the same keys in opposite order all end."""
    keys = [f"k{number}" for number in range(20)]
    for crowd in crowds(store, fresh):
        run_id = fresh.run()
        orders = []
        for client in range(CLIENTS):
            own = keys if client % 2 else keys[::-1]
            batch = {"tags": {key: str(client) for key in own}, "points": [[key, client, 1.0] for key in own]}
            orders.append([Order("log", run_id, batch)] * 6)

        history = crowd.make(orders)

        require_ended(history, 6 * CLIENTS)


@check("concurrency.no-conflict", rests_on=("batch.log",), timeout=TIMEOUT)
def different_things_do_not_conflict(store: TrackingStore, fresh: Fresh) -> None:
    """Clients that log different things to one run are all served."""
    for crowd in crowds(store, fresh):
        run_id = fresh.run()
        orders = [
            [
                Order(
                    "log",
                    run_id,
                    {
                        "tags": {f"t{client}-{number}": "1"},
                        "params": {f"p{client}-{number}": "1"},
                        "points": [[f"m{client}", number, 1.0]],
                    },
                )
                for number in range(8)
            ]
            for client in range(CLIENTS)
        ]

        history = crowd.make(orders)

        failed = [item for item in history if item.end is not End.ANSWERED]
        expect(not failed, f"no error for any of the {crowd.kind}", f"{len(failed)} failed, as {failed[:1]}")


def _answered(history: Sequence[Operation], kind: str) -> list[Operation]:
    return [item for item in history if item.kind == kind and item.end is End.ANSWERED]


def _require_one_winner(about: Sequence[Operation], code: str, crowd: Crowd) -> None:
    winners = [item for item in about if item.end is End.ANSWERED]
    expect(len(winners) == 1, f"one winner among the {crowd.kind}", [str(item) for item in about])
    others = {item.answer for item in about if item.end is End.REFUSED}
    expect(others == {code}, f"all others to be refused with {code}", sorted(others))
