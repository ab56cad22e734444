"""The checks of the chapter on durability: what is left when the power is lost, and when the storage fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from trackspec import Metric, Param, RunTag, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.crowds import imports, now, require_order
from trackspec_conformance.expectations import (
    NotApplicable,
    error_code,
    expect,
    expect_equal,
    shown_error,
)
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.histories.clients import ClientError, Process
from trackspec_conformance.histories.models import RunModel
from trackspec_conformance.histories.operation import End, Operation
from trackspec_conformance.histories.performing import Order
from trackspec_conformance.killing import PATIENCE, let_write
from trackspec_conformance.power.failing_storage import FailingStorage, failing_storage
from trackspec_conformance.power.tree import Loss
from trackspec_conformance.suites.tracking.durability import TIMEOUT, batches, require_answers, single_writes

CODES = ("TEMPORARILY_UNAVAILABLE", "INTERNAL_ERROR")


@dataclass
class Left:
    """What is left after the power was lost.

    :ivar history: the calls on the run that the process has made, the last of them maybe without an answer.
    :ivar store: the store, opened anew.
    """

    experiment_id: str
    name: str
    run_id: str
    history: list[Operation]
    store: TrackingStore


def _losses(store: TrackingStore, fresh: Fresh, orders_on: Sequence[Order], *, rounds: int = 1) -> Iterator[Left]:
    """For each kind of loss, what is left of a store on which a process was making these calls, on a run."""
    for loss in Loss:
        for _ in range(rounds):
            with _lost(store, fresh, orders_on, loss) as left:
                yield left


@contextmanager
def _lost(store: TrackingStore, fresh: Fresh, orders_on: Sequence[Order], loss: Loss) -> Iterator[Left]:
    placed, name = fresh.placing(), fresh.name("power")
    with failing_storage() as storage:
        try:
            writer = Process(placed(storage.directory), "writer", imports(store))
        except ClientError as error:
            raise NotApplicable(f"another process cannot open the subject there: {error}") from error
        with writer:
            experiment_id = _answer(writer, Order("create", name))
            run_id = _answer(writer, Order("run", experiment_id, "before"))
            orders = [
                Order(order.kind, experiment_id if order.kind == "run" else run_id, order.given)
                for order in orders_on
            ]
            let_write(writer, orders, fresh.random)
            writer.kill()
            history = writer.history()
        storage.lose_power(loss, fresh.random.randrange(2**32))
        again = fresh.opened_in(storage.directory)
        try:
            yield Left(experiment_id, name, run_id, history, again)
        finally:
            again.close()


def _answer(writer: Process, order: Order) -> Any:
    writer.begin([order])
    writer.wait(PATIENCE)
    (made,) = writer.history()
    expect(made.end is End.ANSWERED, "the call to be answered", str(made))
    return made.answer


@check("power.acknowledged", rests_on=("history.whole",), timeout=TIMEOUT)
def what_was_acknowledged_is_on_the_device(store: TrackingStore, fresh: Fresh) -> None:
    """Points, params and tags that were acknowledged are there after the power was lost."""
    for left in _losses(store, fresh, single_writes()):
        reads = [now(left.store, Order("read", left.run_id)), now(left.store, Order("history", left.run_id, "m"))]
        require_answers(reads)
        require_order([*left.history, *reads], RunModel())


@check("power.created", rests_on=("experiment.by-name",), timeout=TIMEOUT)
def what_was_created_is_on_the_device(store: TrackingStore, fresh: Fresh) -> None:
    """An experiment and the runs whose creation was acknowledged are there after the power was lost."""
    for left in _losses(store, fresh, [Order("run", "", f"run {number}") for number in range(12)]):
        found = left.store.get_experiment_by_name(left.name)
        expect_equal(left.experiment_id, found and found.experiment_id, "the experiment of the name")
        told = {left.run_id, *(item.answer for item in left.history if item.end is End.ANSWERED)}
        listed = {run.info.run_id for run in left.store.search_runs([left.experiment_id])}
        expect_equal([], sorted(told - listed), "acknowledged runs that are missing")
        for run_id in told:
            expect_equal(run_id, left.store.get_run(run_id).info.run_id, "the run's id")


@check("power.batch-whole", rests_on=("batch.log",), timeout=TIMEOUT)
def a_batch_is_on_the_device_or_not(store: TrackingStore, fresh: Fresh) -> None:
    """Of the batch that a process was writing when the power was lost, all is there or nothing."""
    for left in _losses(store, fresh, batches(), rounds=2):
        reads = [now(left.store, Order("read", left.run_id)), now(left.store, Order("history", left.run_id, "m0"))]
        require_answers(reads)
        require_order([*left.history, *reads], RunModel())


@check("power.overwritten", rests_on=("tag.replace",), timeout=TIMEOUT)
def a_tag_has_its_old_or_its_new_value_on_the_device(store: TrackingStore, fresh: Fresh) -> None:
    """A tag that was being overwritten when the power was lost has the value of before or the new one."""
    orders = [Order("log", "", {"tags": {"t": f"{number}-".ljust(4500, "x")}}) for number in range(20)]
    for left in _losses(store, fresh, orders, rounds=2):
        found = left.store.get_run(left.run_id).data.tags.get("t")
        written = [item.given["tags"]["t"] for item in left.history]
        permitted = written[-2:] if left.history[-1].end is End.UNKNOWN else written[-1:]
        expect(found in permitted, f"the tag to be {[text[:8] for text in permitted]}, of 4500 characters", found)


@check("power.usable", rests_on=("tag.set", "run.create"), timeout=TIMEOUT)
def a_store_takes_writes_when_the_power_is_back(store: TrackingStore, fresh: Fresh) -> None:
    """The run that was being written to when the power was lost takes writes, and so does its experiment."""
    for left in _losses(store, fresh, batches()):
        left.store.set_tag(left.run_id, RunTag("after", "1"))
        run_id = left.store.create_run(left.experiment_id, "", 0, [], None).info.run_id
        expect_equal(
            "1", left.store.get_run(left.run_id).data.tags.get("after"), "the tag that was set afterwards"
        )
        expect_equal(run_id, left.store.get_run(run_id).info.run_id, "the run that was created afterwards")


# -- I/O errors --------------------------------------------------------------------------------------------------


@dataclass
class Failing:
    """A store on a storage that is about to fail, with something logged to a run."""

    store: TrackingStore
    storage: FailingStorage
    run_id: str

    def writes(self) -> dict[str, Callable[[], object]]:
        """Calls that write, of each kind."""
        return {
            "set_tag": lambda: self.store.set_tag(self.run_id, RunTag("t", "new")),
            "log_param": lambda: self.store.log_param(self.run_id, Param("q", "1")),
            "log_metric": lambda: self.store.log_metric(self.run_id, Metric("m", 9.0, 0, 9)),
            "create_experiment": lambda: self.store.create_experiment("made while it fails"),
        }


@contextmanager
def _about_to_fail(fresh: Fresh) -> Iterator[Failing]:
    fresh.placing()
    with failing_storage() as storage:
        store = fresh.opened_in(storage.directory)
        try:
            run_id = store.create_run(store.create_experiment(fresh.name()), "", 0, [], None).info.run_id
            store.log_batch(run_id, [Metric("m", 1.0, 0, 1)], [Param("p", "v")], [RunTag("t", "old")])
            yield Failing(store, storage, run_id)
        finally:
            storage.fail("nothing")
            store.close()


def _require_failures(failing: Failing, what: str) -> None:
    failing.storage.fail(what)
    for name, call in failing.writes().items():
        error = _error(call)
        expect(error is not None, f"{name} to fail, since every {what} does", "it returned")
        assert error is not None
        expect(error_code(error) in CODES, f"{name} to fail with {' or '.join(CODES)}", shown_error(error))


def _error(call: Callable[[], object]) -> Exception | None:
    try:
        call()
    except Exception as error:
        return error
    return None


@check("durability.error-told", rests_on=("tag.replace",))
def a_failed_write_is_told(fresh: Fresh) -> None:
    """A call whose writes fail with an I/O error fails."""
    with _about_to_fail(fresh) as failing:
        _require_failures(failing, "write")


@check("power.error-told", rests_on=("tag.replace",))
def a_failed_sync_is_told(fresh: Fresh) -> None:
    """A call that cannot be synced, with an I/O error, fails."""
    with _about_to_fail(fresh) as failing:
        _require_failures(failing, "fsync")


@check("durability.error-keeps", rests_on=("tag.replace", "history.whole"))
def nothing_is_destroyed_by_a_failure(fresh: Fresh) -> None:
    """What was acknowledged before the storage failed is there when it works again."""
    with _about_to_fail(fresh) as failing:
        failing.storage.fail("write")
        for call in failing.writes().values():
            _error(call)
        failing.storage.fail("nothing")
        again = fresh.opened_in(failing.storage.directory)

        run = again.get_run(failing.run_id)
        steps = [metric.step for metric in again.get_metric_history(failing.run_id, "m")]

        again.close()
    expect_equal("v", run.data.params.get("p"), "the param")
    expect(run.data.tags.get("t") in ("old", "new"), "the tag to be old, or new", run.data.tags.get("t"))
    expect(1 in steps, "the point at step 1", steps)
