"""What is done to a tracking store in one round, and what must hold afterwards."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from trackspec import Metric, Param, RunTag, TrackingStore
from trackspec_conformance.crowds import CLIENTS, any_calls, now, some_crowd
from trackspec_conformance.expectations import NotApplicable, error_code, shown_error
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.histories.explaining import parts_seen
from trackspec_conformance.histories.models import RunModel
from trackspec_conformance.histories.operation import End, Operation
from trackspec_conformance.histories.performing import AT, Order
from trackspec_conformance.killing import killed_together, writers_of_a_kill
from trackspec_conformance.losing_proxy import Fate, LosingProxy, until_answered
from trackspec_conformance.surviving.found import Found, Scenario, unexplained
from trackspec_conformance.surviving.transfers import TRANSFER_SCENARIOS
from trackspec_conformance.wire.client import tls_context

CREATORS = 8
WRITES = 40


# -- kills -------------------------------------------------------------------------------------------------------


def kill(store: TrackingStore, fresh: Fresh) -> Found:
    """Processes that write to a run each, and create others, are killed; everything acknowledged is looked for."""
    places = [
        (experiment_id := fresh.experiment(), fresh.run(experiment_id)) for _ in range(writers_of_a_kill(fresh))
    ]
    orders = [list(_writes(fresh.random, run_id, experiment_id)) for experiment_id, run_id in places]
    histories = killed_together(store, fresh, orders)
    again = fresh.reopened()
    try:
        anomalies = [
            anomaly
            for history, (experiment_id, run_id) in zip(histories, places, strict=True)
            for anomaly in _after_a_kill(again, history, run_id, experiment_id)
        ]
        return Found(sum(map(len, histories)), len(histories), anomalies)
    finally:
        again.close()


def _writes(chance: random.Random, run_id: str, experiment_id: str) -> Iterator[Order]:
    """Writes of every kind, each of something that no other writes, but for some tags."""
    for number in range(WRITES):
        kind = chance.choice(["point", "param", "tag", "batch", "batch", "run"])
        if kind == "run":
            yield Order("run", experiment_id, f"run {number}")
            continue
        given: dict[str, Any] = {}
        if kind in ("point", "batch"):
            keys = ["m", *(f"m{key}" for key in range(20))] if kind == "batch" else ["m"]
            given["points"] = [[key, number, float(number)] for key in keys]
        if kind in ("param", "batch"):
            given["params"] = {f"p{number}-{key}": "v" * 100 for key in range(5 if kind == "batch" else 1)}
        if kind in ("tag", "batch"):
            given["tags"] = {f"t{key}": f"{number}".ljust(300, "x") for key in range(10 if kind == "batch" else 1)}
        yield Order("log", run_id, given)


def _after_a_kill(
    again: TrackingStore, history: Sequence[Operation], run_id: str, experiment_id: str
) -> Iterator[tuple[str, str, int]]:
    told = [item for item in history if item.end is End.ANSWERED]
    under_way = [item for item in history if item.end is End.UNKNOWN and item.kind == "log"]
    try:
        listed = {run.info.run_id for run in again.search_runs([experiment_id])}
    except Exception as error:
        yield "search fails", shown_error(error), 1
    else:
        missing = [item.answer for item in told if item.kind == "run" and item.answer not in listed]
        if missing:
            yield "acknowledged write lost", f"of runs that were created: {missing}", len(missing)
        if run_id not in listed:
            yield "run not found by a search", run_id, 1
    keys = sorted({point[0] for item in history if item.kind == "log" for point in item.given.get("points", ())})
    try:
        found = now(again, Order("read", run_id)).answer
        reads = {key: now(again, Order("history", run_id, key)).answer["points"][key] for key in keys}
        answer: dict[str, Any] = {**found, "points": reads}
    except (TypeError, ValueError) as error:  # the answer is no dictionary: it is what the read failed with
        yield "run unreadable", shown_error(error), 1
        return
    lost = _lost([item for item in told if item.kind == "log"], under_way, answer)
    if lost:
        yield "acknowledged write lost", ", ".join(lost[:5]), len(lost)
    for item in under_way:
        parts = list(parts_seen(item, answer).values())
        if True in parts and False in parts:
            yield "batch torn", f"{parts.count(True)} of {len(parts)} parts are there", 1


def _lost(told: Sequence[Operation], under_way: Sequence[Operation], answer: dict[str, Any]) -> list[str]:
    """What was acknowledged and is not there, by name."""
    tags: dict[str, set[str]] = {}
    lost = []
    for item in told:
        for key, value in item.given.get("tags", {}).items():
            tags[key] = {value}
        lost += [f"param {key}" for key in item.given.get("params", {}) if key not in answer["params"]]
        lost += [
            f"point {key}/{step}"
            for key, step, value in item.given.get("points", ())
            if [step, value] not in answer["points"][key]
        ]
    for item in under_way:
        for key, value in item.given.get("tags", {}).items():
            tags.setdefault(key, set()).add(value)
    never = {key for item in under_way for key in item.given.get("tags", {})}
    written = {key for item in told for key in item.given.get("tags", {})}
    return lost + [
        f"tag {key}"
        for key, permitted in tags.items()
        if answer["tags"].get(key) not in permitted and (key in written or key not in never)
    ]


# -- crowds ------------------------------------------------------------------------------------------------------


def crowd(store: TrackingStore, fresh: Fresh) -> Found:
    """Clients make calls of all kinds on one run at once; some order of them explains every answer."""
    experiment_id = fresh.experiment()
    run_id = fresh.run(experiment_id)
    clients = some_crowd(store, fresh)
    history = clients.make([any_calls(fresh.random, client, run_id, experiment_id) for client in range(CLIENTS)])
    return Found(len(history), 0, unexplained(history, RunModel()))


def create(store: TrackingStore, fresh: Fresh) -> Found:
    """Clients create experiments of one name at once; one wins, and the name leads to its experiment."""
    name = fresh.name("race")
    clients = some_crowd(store, fresh, CREATORS)
    history = clients.make([[Order("create", name)]] * CREATORS)
    winners = [item.answer for item in history if item.end is End.ANSWERED]
    anomalies = []
    if len(winners) != 1:
        kind = "no winner" if not winners else "several winners"
        anomalies.append((kind, f"{len(winners)} of {CREATORS} {clients.kind} won", 1))
    elif now(store, Order("find", name)).answer != winners[0]:
        anomalies.append(("the name leads elsewhere", str(now(store, Order("find", name))), 1))
    return Found(len(history), 0, anomalies)


# -- lost answers ------------------------------------------------------------------------------------------------


def lose(store: TrackingStore, fresh: Fresh) -> Found:
    """An answer is lost, and the call made again, with its key where the subject knows keys."""
    client, proxy = fresh.kept("client that loses answers", partial(_client, store, fresh))
    knows_keys = fresh.kept("whether keys are known", partial(_knows_keys, client, fresh))
    key = {"idempotency_key": fresh.name("key")} if knows_keys else {}
    what = fresh.random.choice(sorted(_LOSING))
    path, arrange, judge = _LOSING[what]
    call, place = arrange(client, fresh, key)
    if proxy is None:
        call()
    else:
        proxy.doom(path, fresh.random.choice(list(Fate)))
    try:
        answer = until_answered(call)
        if proxy is not None:
            proxy.deliver()
            proxy.spare()
        copies = judge(store, place)
    except Exception as error:
        return Found(2, 1, [(f"{what} refused when it is made again", shown_error(error), 1)])
    if copies != 1:
        return Found(2, 1, [(f"{what} has made {copies}", f"{place}: {answer}", abs(copies - 1))])
    return Found(2, 1, [])


def _client(store: TrackingStore, fresh: Fresh) -> tuple[TrackingStore, LosingProxy | None]:
    try:
        url, open_at = fresh.reached()
    except NotApplicable:
        return store, None
    proxy = fresh.keep(LosingProxy(url, tls_context()))
    return open_at(proxy.url), proxy


def _knows_keys(client: TrackingStore, fresh: Fresh) -> bool:
    try:
        client.create_experiment(fresh.name("keys"), idempotency_key=fresh.name("key"))
    except Exception as error:
        if error_code(error) == "NOT_IMPLEMENTED" or isinstance(error, TypeError):
            return False
        raise
    return True


def _create_run(client: TrackingStore, fresh: Fresh, key: dict[str, str]) -> tuple[Callable[[], Any], str]:
    experiment_id = fresh.experiment()
    return partial(client.create_run, experiment_id, "ada", AT, [], None, **key), experiment_id


def _create_experiment(client: TrackingStore, fresh: Fresh, key: dict[str, str]) -> tuple[Callable[[], Any], str]:
    name = fresh.name("lost")
    return partial(client.create_experiment, name, None, [], **key), name


def _log_metric(client: TrackingStore, fresh: Fresh, _: dict[str, str]) -> tuple[Callable[[], Any], str]:
    run_id = fresh.run(fresh.experiment())
    return partial(client.log_metric, run_id, Metric("m", 1.0, AT, 1)), run_id


def _log_batch(client: TrackingStore, fresh: Fresh, _: dict[str, str]) -> tuple[Callable[[], Any], str]:
    run_id = fresh.run(fresh.experiment())
    logged = ([Metric("m", 1.0, AT, 1)], [Param("p", "1")], [RunTag("t", "1")])
    return partial(client.log_batch, run_id, *logged), run_id


def _points(store: TrackingStore, run_id: str) -> int:
    return len(store.get_metric_history(run_id, "m"))


def _runs(store: TrackingStore, experiment_id: str) -> int:
    return len(store.search_runs([experiment_id]))


def _experiments(store: TrackingStore, name: str) -> int:
    return len(store.search_experiments(filter_string=f"name = '{name}'"))


_LOSING: dict[
    str, tuple[str, Callable[..., tuple[Callable[[], Any], str]], Callable[[TrackingStore, str], int]]
] = {
    "create_run": ("runs/create", _create_run, _runs),
    "create_experiment": ("experiments/create", _create_experiment, _experiments),
    "log_metric": ("runs/log-metric", _log_metric, _points),
    "log_batch": ("runs/log-batch", _log_batch, _points),
}

SCENARIOS: dict[str, dict[str, Scenario]] = {
    "tracking": {"kills": kill, "crowds": crowd, "creators": create, "lost-answers": lose},
    "artifacts": TRANSFER_SCENARIOS,
}
"""What rounds are made of, for each interface."""
