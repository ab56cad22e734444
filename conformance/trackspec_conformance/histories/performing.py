"""Making the calls that a history records, on a real store or repository."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trackspec import Metric, Param, Run, RunTag, TrackingStore, ViewType
from trackspec_conformance.expectations import error_code
from trackspec_conformance.histories.operation import End, Operation
from trackspec_conformance.histories.transferring import TRANSFERS

AT = 1_700_000_000_000
"""The timestamp of every point: its step tells them apart."""

REFUSALS = (
    "INVALID_PARAMETER_VALUE",
    "RESOURCE_DOES_NOT_EXIST",
    "RESOURCE_ALREADY_EXISTS",
    "INVALID_STATE",
)
"""The codes that say that a call has not happened. Any other error leaves that open."""


@dataclass(frozen=True)
class Order:
    """A call that a client is to make.

    :ivar subject: the run's id; the experiment's name for ``create`` and ``find``, its id for ``rename`` and
        ``run``, which are given the new name; the path for what :mod:`.transferring` does.
    :ivar experiment_id: where a search looks for the run.
    """

    kind: str
    subject: str
    given: Any = None
    experiment_id: str = ""


def perform(store: Any, order: Order, client: str) -> Operation:
    """Make the call, and record it."""
    invoked = time.monotonic()
    try:
        answer = _CALLS[order.kind](store, order)
        end = End.ANSWERED
    except Exception as error:
        answer = error_code(error) or type(error).__name__
        end = End.REFUSED if answer in REFUSALS else End.UNKNOWN
    ended = time.monotonic() if end is not End.UNKNOWN else float("inf")
    return Operation(client, order.subject, order.kind, order.given, end, answer, invoked, ended)


def _log(store: TrackingStore, order: Order) -> None:
    metrics = [Metric(key, value, AT, step) for key, step, value in order.given.get("points", ())]
    params = [Param(key, value) for key, value in order.given.get("params", {}).items()]
    tags = [RunTag(key, value) for key, value in order.given.get("tags", {}).items()]
    if len(metrics) + len(params) + len(tags) != 1:
        store.log_batch(order.subject, metrics, params, tags)
    elif metrics:
        store.log_metric(order.subject, metrics[0])
    elif params:
        store.log_param(order.subject, params[0])
    else:
        store.set_tag(order.subject, tags[0])


def _read(store: TrackingStore, order: Order) -> dict[str, Any]:
    return _seen(store.get_run(order.subject))


def _search(store: TrackingStore, order: Order) -> dict[str, Any]:
    found = store.search_runs([order.experiment_id], f"run_id = '{order.subject}'", ViewType.ACTIVE_ONLY)
    return _seen(found[0]) if found else {"stage": "deleted"}


def _seen(run: Run) -> dict[str, Any]:
    return {
        "params": dict(run.data.params),
        "tags": {key: value for key, value in run.data.tags.items() if not key.startswith("mlflow.")},
        "latest": {key: [point.step, point.value] for key, point in run.data.latest_metrics.items()},
        "stage": run.info.lifecycle_stage.value,
    }


def _history(store: TrackingStore, order: Order) -> dict[str, Any]:
    points = store.get_metric_history(order.subject, order.given)
    return {"points": {order.given: [[point.step, point.value] for point in points]}}


def _run(store: TrackingStore, order: Order) -> str:
    return store.create_run(order.subject, "", AT, [], order.given).info.run_id


def _find(store: TrackingStore, order: Order) -> str | None:
    found = store.get_experiment_by_name(order.subject)
    return found.experiment_id if found else None


_CALLS: dict[str, Callable[[Any, Order], Any]] = {
    **TRANSFERS,
    "log": _log,
    "untag": lambda store, order: store.delete_tag(order.subject, order.given),
    "delete": lambda store, order: store.delete_run(order.subject),
    "restore": lambda store, order: store.restore_run(order.subject),
    "read": _read,
    "search": _search,
    "history": _history,
    "create": lambda store, order: store.create_experiment(order.subject, None, []),
    "find": _find,
    "rename": lambda store, order: store.rename_experiment(order.subject, order.given),
    "run": _run,
}
