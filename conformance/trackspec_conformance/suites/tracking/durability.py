"""The checks of the chapter on durability: what is left when a process is killed in the middle of its writes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from trackspec import RunTag, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.crowds import now, require_order
from trackspec_conformance.expectations import Unexpected, expect, expect_equal
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.histories.models import RunModel
from trackspec_conformance.histories.operation import End, Operation
from trackspec_conformance.histories.performing import Order
from trackspec_conformance.killing import PATIENCE, killed, opened_process

TIMEOUT = 120.0


def _round_numbers(fresh: Fresh) -> range:
    """So many rounds as take seconds: a server takes its time to start again."""
    return range(2 if fresh.started_server else 6)


def _rounds(
    store: TrackingStore, fresh: Fresh, orders_on: Sequence[Order]
) -> Iterator[tuple[str, list[Operation], TrackingStore]]:
    """For each round a run, the history of the process that was killed writing to it, and the store reopened."""
    for _ in _round_numbers(fresh):
        run_id = fresh.run()
        orders = [Order(order.kind, run_id, order.given) for order in orders_on]
        history = killed(store, fresh, orders)
        yield run_id, history, fresh.reopened()


def single_writes() -> list[Order]:
    """Calls that log one thing each."""
    return [
        order
        for number in range(25)
        for order in (
            Order("log", "", {"points": [["m", number, float(number)]]}),
            Order("log", "", {"params": {f"p{number}": "v" * 200}}),
            Order("log", "", {"tags": {f"t{number}": f"{number}"}}),
        )
    ]


def batches() -> list[Order]:
    """Batches of everything, which overwrite the tags of those before."""
    return [
        Order(
            "log",
            "",
            {
                "points": [[f"m{key}", number, 1.0] for key in range(40)],
                "params": {f"p{number}-{key}": "v" * 100 for key in range(10)},
                "tags": {f"t{key}": f"{number}" for key in range(20)},
            },
        )
        for number in range(25)
    ]


@check("durability.acknowledged", rests_on=("run.reopened", "history.whole"), timeout=TIMEOUT)
def what_was_acknowledged_is_there(store: TrackingStore, fresh: Fresh) -> None:
    """Points, params and tags that a killed process was told are logged are found by whoever opens the store."""
    for run_id, history, again in _rounds(store, fresh, single_writes()):
        reads = [now(again, Order("read", run_id)), now(again, Order("history", run_id, "m"))]
        require_answers(reads)
        require_order([*history, *reads], RunModel())


@check("durability.batch-whole", rests_on=("run.reopened", "batch.log"), timeout=TIMEOUT)
def a_batch_is_there_or_not(store: TrackingStore, fresh: Fresh) -> None:
    """Of the batch that a process was writing when it was killed, all is there or nothing."""
    for run_id, history, again in _rounds(store, fresh, batches()):
        reads = [now(again, Order("read", run_id)), now(again, Order("history", run_id, "m0"))]
        require_answers(reads)
        require_order([*history, *reads], RunModel())


@check("durability.overwritten", rests_on=("run.reopened", "tag.replace"), timeout=TIMEOUT)
def a_tag_has_its_old_or_its_new_value(store: TrackingStore, fresh: Fresh) -> None:
    """A tag that was being overwritten has the value of before or the new one."""
    orders = [Order("log", "", {"tags": {"t": f"{number}-".ljust(3000, "x")}}) for number in range(40)]
    for run_id, history, again in _rounds(store, fresh, orders):
        found = again.get_run(run_id).data.tags.get("t")
        written = [item.given["tags"]["t"] for item in history]
        permitted = written[-2:] if history[-1].end is End.UNKNOWN else written[-1:]
        expect(found in permitted, f"the tag to be {[text[:8] for text in permitted]}, of 3000 characters", found)


@check("durability.readable", rests_on=("run.reopened",), timeout=TIMEOUT)
def every_run_is_readable(store: TrackingStore, fresh: Fresh) -> None:
    """A run that a killed process has written to can be read, and a search finds it beside the others."""
    experiment_id = fresh.experiment()
    orders = [Order("log", "", {"tags": {"t": str(number)}}) for number in range(4)]
    orders += [Order("delete", ""), Order("restore", "")] * 14
    runs = []
    for _ in _round_numbers(fresh):
        runs.append(fresh.run(experiment_id))
        killed(store, fresh, [Order(order.kind, runs[-1], order.given) for order in orders])
        again = fresh.reopened()
        again.restore_run(runs[-1])
        found = [run.info.run_id for run in again.search_runs([experiment_id])]
        expect_equal(sorted(runs), sorted(found), "the runs that a search finds")


@check("durability.create-whole", rests_on=("run.reopened",), timeout=TIMEOUT)
def a_created_run_is_there_whole(store: TrackingStore, fresh: Fresh) -> None:
    """Every run that was acknowledged is there, and one more at most, and each of them can be read."""
    for _ in _round_numbers(fresh):
        experiment_id = fresh.experiment()
        history = killed(store, fresh, [Order("run", experiment_id, f"run {number}") for number in range(30)])
        again = fresh.reopened()
        told = [item.answer for item in history if item.end is End.ANSWERED]
        found = {run.info.run_id: run for run in again.search_runs([experiment_id])}
        expect_equal([], sorted(set(told) - found.keys()), "acknowledged runs that are missing")
        expect(len(found) <= len(told) + 1, f"{len(told)} or {len(told) + 1} runs", f"{len(found)} runs")
        for run_id, run in found.items():
            expect_equal(run, again.get_run(run_id), "the run that get_run reads")
            expect(run.info.run_name.startswith("run "), "the name that the run was created with", run.info)


@check("durability.name-not-lost", rests_on=("experiment.reopened",), timeout=TIMEOUT)
def a_name_leads_to_an_experiment_or_is_free(store: TrackingStore, fresh: Fresh) -> None:
    """The name of an experiment that was being created leads to it, or can be given."""
    for _ in _round_numbers(fresh):
        names = [fresh.name("killed") for _ in range(20)]
        history = killed(store, fresh, [Order("create", name) for name in names])
        again = fresh.reopened()
        for item in history:
            made = now(again, Order("create", item.subject))
            found = now(again, Order("find", item.subject))
            expect(found.end is End.ANSWERED and bool(found.answer), "an experiment of the name", str(found))
            if item.end is End.ANSWERED:
                expect_equal(item.answer, found.answer, "the experiment's id")
                expect_equal("RESOURCE_ALREADY_EXISTS", made.answer, "the refusal of a second one")
            elif made.end is End.ANSWERED:
                expect_equal(made.answer, found.answer, "the experiment's id")
            else:
                expect_equal("RESOURCE_ALREADY_EXISTS", made.answer, "the refusal of a second one")


@check("durability.usable", rests_on=("run.reopened",), timeout=TIMEOUT)
def no_lock_is_left_behind(store: TrackingStore, fresh: Fresh) -> None:
    """The run that a killed process was writing to takes writes, and so does its experiment."""
    for run_id, _, again in _rounds(store, fresh, batches()):
        for each in (again,) if fresh.started_server else (store, again):
            started = time.monotonic()
            each.set_tag(run_id, RunTag("after", "1"))
            each.create_run(fresh.shared_experiment(), "", 0, [], None)
            expect(time.monotonic() - started < PATIENCE, f"writes to end within {PATIENCE:.0f} s", "longer")
        expect_equal("1", again.get_run(run_id).data.tags.get("after"), "the tag that was set afterwards")


@check("durability.others-go-on", rests_on=("run.reopened",), timeout=TIMEOUT)
def other_processes_go_on(store: TrackingStore, fresh: Fresh) -> None:
    """A process that writes while another one is killed has no error, and loses nothing."""
    for _ in range(3):
        run_id, own = fresh.run(), fresh.run()
        orders = [Order("log", own, {"points": [["m", number, 1.0]]}) for number in range(40)]
        with opened_process(store, fresh, "witness") as witness:
            witness.begin(orders)
            killed(store, fresh, [Order("log", run_id, order.given) for order in batches()], witness=witness)
            history = witness.history()
        failed = [str(item) for item in history if item.end is not End.ANSWERED]
        expect(not failed and len(history) == len(orders), "every call of the other process answered", failed[:1])
        stored = {metric.step for metric in fresh.reopened().get_metric_history(own, "m")}
        expect_equal(set(range(40)), stored, "the steps that the other process has logged")


def require_answers(reads: Sequence[Operation]) -> None:
    """Require that every read was answered."""
    for read in reads:
        if read.end is not End.ANSWERED:
            raise Unexpected("the run to be readable", str(read))
