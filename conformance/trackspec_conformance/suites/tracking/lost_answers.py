"""The checks of the chapter on repeated calls: what is lost, cut, repeated or late between client and server."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from trackspec import Metric, Param, RunTag, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.losing_proxy import Fate, answers_of, until_answered

TIMEOUT = 120.0


@check("lost.create-run", rests_on=("repeat.create-run",), timeout=TIMEOUT)
def one_run_is_made(store: TrackingStore, fresh: Fresh) -> None:
    """A run that is created with a key until the call is answered is there once."""
    for fate in Fate:
        experiment_id, key = fresh.experiment(), fresh.name("key")
        with fresh.losing() as (proxy, client):
            proxy.doom("runs/create", fate, fate)

            run = until_answered(
                partial(client.create_run, experiment_id, "ada", 0, [], "lost", idempotency_key=key)
            )
            proxy.deliver()

        expect(proxy.suffered > 0, "a request of create_run to pass the proxy", "none")
        found = [item.info.run_id for item in store.search_runs([experiment_id])]
        expect_equal([run.info.run_id], found, f"the runs that there are where {fate.value}")


@check("lost.create-experiment", rests_on=("repeat.create-experiment",), timeout=TIMEOUT)
def one_experiment_is_made(store: TrackingStore, fresh: Fresh) -> None:
    """An experiment that is created with a key until the call is answered is there, and its id is the answer."""
    for fate in Fate:
        name, key = fresh.name("lost"), fresh.name("key")
        with fresh.losing() as (proxy, client):
            proxy.doom("experiments/create", fate, fate)

            made = until_answered(partial(client.create_experiment, name, idempotency_key=key))
            proxy.deliver()

        expect(proxy.suffered > 0, "a request of create_experiment to pass the proxy", "none")
        found = store.get_experiment_by_name(name)
        expect_equal(made, found and found.experiment_id, f"the experiment of the name where {fate.value}")


@check("lost.logged-once", rests_on=("history.whole", "batch.log"), timeout=TIMEOUT)
def points_are_stored_once(store: TrackingStore, fresh: Fresh) -> None:
    """Points that are logged until the call is answered are in the history once each."""
    for fate in Fate:
        run_id = fresh.run()
        with fresh.losing() as (proxy, client):
            proxy.doom("runs/log-metric", fate)
            proxy.doom("runs/log-batch", fate)

            for call in _logging(client, run_id):
                until_answered(call)
            proxy.deliver()

        expect(proxy.suffered > 0, "a request that logs to pass the proxy", "none")
        run = store.get_run(run_id)
        steps = [metric.step for metric in store.get_metric_history(run_id, "m")]
        expect_equal([0, 1, 2], steps, f"the steps of the metric where {fate.value}")
        expect_equal({"p": "1"}, run.data.params, "the params")
        expect_equal("1", run.data.tags.get("t"), "the tag")


def _logging(client: TrackingStore, run_id: str) -> list[Callable[[], None]]:
    points = [Metric("m", float("nan"), 7, 1), Metric("m", 2.0, 7, 2)]
    return [
        lambda: client.log_metric(run_id, Metric("m", 0.5, 7, 0)),
        lambda: client.log_batch(run_id, points, [Param("p", "1")], [RunTag("t", "1")]),
    ]


@check("lost.late-request", rests_on=("repeat.create-run", "repeat.other-key"), timeout=TIMEOUT)
def a_late_request_makes_nothing(store: TrackingStore, fresh: Fresh) -> None:
    """A request of a call that was made again, and followed by others, has no effect when it arrives."""
    experiment_id = fresh.experiment()
    keys = [fresh.name("key") for _ in range(3)]
    with fresh.losing() as (proxy, client):
        for number, key in enumerate(keys):
            proxy.doom("runs/create", Fate.REQUEST_LATE)
            until_answered(partial(client.create_run, experiment_id, "ada", number, [], None, idempotency_key=key))
        made = [run.info.run_id for run in store.search_runs([experiment_id])]

        proxy.deliver()

    expect(proxy.suffered == len(keys), "each request of create_run to pass the proxy", proxy.suffered)
    found = [run.info.run_id for run in store.search_runs([experiment_id])]
    expect(len(made) == len(keys), f"{len(keys)} runs before the late requests arrive", made)
    expect_equal(made, found, "the runs that there are afterwards")


@check("lost.acknowledged", rests_on=("param.log", "tag.set"), timeout=TIMEOUT)
def what_returns_has_happened(store: TrackingStore, fresh: Fresh) -> None:
    """A call that returns has had its effect, whichever of its requests and answers were lost."""
    for fate in (Fate.REQUEST_LOST, Fate.ANSWER_LOST, Fate.ANSWER_CUT):
        run_id = fresh.run()
        with fresh.losing() as (proxy, client):
            batch = [RunTag("batch", "1"), RunTag("b", "1")]
            calls: dict[str, tuple[str, Callable[[], object]]] = {
                "param": ("runs/log-parameter", partial(client.log_param, run_id, Param("param", "1"))),
                "tag": ("runs/set-tag", partial(client.set_tag, run_id, RunTag("tag", "1"))),
                "batch": ("runs/log-batch", partial(client.log_batch, run_id, [], [], batch)),
            }
            for path, _ in calls.values():
                proxy.doom(path, fate)
            returned = [what for what, (_, call) in calls.items() if answers_of(call)]
        expect(proxy.suffered > 0, "a request that logs to pass the proxy", "none")
        data = store.get_run(run_id).data
        lacking = [what for what in returned if what not in data.params and what not in data.tags]
        expect_equal([], lacking, f"what was acknowledged and is not there where {fate.value}")


@check("lost.no-other-answer", rests_on=("run.get-whole", "history.whole"), timeout=TIMEOUT)
def a_part_is_no_answer(store: TrackingStore, fresh: Fresh) -> None:
    """A read whose answer is lost or cut returns the whole answer, or fails."""
    experiment_id = fresh.experiment()
    run_id = fresh.run(
        experiment_id,
        metrics=[Metric("m", float(step), 7, step) for step in range(50)],
        params=[Param(f"p{number}", "v" * 50) for number in range(20)],
    )
    for fate in (Fate.ANSWER_LOST, Fate.ANSWER_CUT, Fate.REQUEST_LOST):
        for path, read in _READS.items():
            whole = read(store, run_id, experiment_id)
            with fresh.losing() as (proxy, client):
                proxy.doom(path, fate)
                answers = answers_of(partial(read, client, run_id, experiment_id))
            expect(proxy.suffered > 0, f"a request of {path} to pass the proxy", "none")
            for answer in answers:
                expect_equal(whole, answer, f"the answer of {path} where {fate.value}")


_READS: dict[str, Callable[[TrackingStore, str, str], Any]] = {
    "runs/get": lambda store, run_id, _: store.get_run(run_id),
    "runs/search": lambda store, _, experiment_id: list(store.search_runs([experiment_id])),
    "metrics/get-history": lambda store, run_id, _: list(store.get_metric_history(run_id, "m")),
}
