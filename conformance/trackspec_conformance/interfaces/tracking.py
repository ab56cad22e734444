"""Tracking stores as the suite knows them."""

from __future__ import annotations

from typing import Any

from trackspec import (
    Dataset,
    DatasetInput,
    ErrorCode,
    Experiment,
    Metric,
    Run,
    RunInfo,
    TrackingStore,
)
from trackspec_conformance.answers import Many, one
from trackspec_conformance.expectations import NotApplicable, expect_equal, refused
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.interfaces.interface import Interface, Refusal
from trackspec_conformance.started_server import PORT


def log_inputs(store: TrackingStore, fresh: Fresh) -> None:
    """Logging inputs is refused with NOT_IMPLEMENTED, and the run has none afterwards."""
    run_id = fresh.run()

    with refused(ErrorCode.NOT_IMPLEMENTED):
        store.log_inputs(run_id, [DatasetInput(Dataset("d", "1", "local", "here"))])

    expect_equal((), store.get_run(run_id).inputs.dataset_inputs, "the run's inputs")


def get_metric_history_bulk_interval(store: TrackingStore, fresh: Fresh) -> None:
    """Reading a bulk interval is refused with NOT_IMPLEMENTED."""
    run_id = fresh.run()

    with refused(ErrorCode.NOT_IMPLEMENTED):
        store.get_metric_history_bulk_interval([run_id], "m", 10)


def set_artifact_root(store: TrackingStore) -> None:
    """Setting the artifact root is refused with NOT_IMPLEMENTED, and leaves it as it was."""
    root = store.get_artifact_root()

    with refused(ErrorCode.NOT_IMPLEMENTED):
        store.set_artifact_root("file:///elsewhere")

    expect_equal(root, store.get_artifact_root(), "the artifact root")


def _read(store: TrackingStore, name: str) -> object:
    return store.get_experiment_by_name(name)


def open_at(store: Any, uri: str) -> Any:
    """A client of the same class at an ``http:`` URI.

    :raises NotApplicable: if this store has another kind of URI.
    """
    mine = getattr(store, "store_uri", None)
    if not isinstance(mine, str) or not mine.startswith(("http:", "https:")):
        raise NotApplicable("the subject is no client of a server: it has no http: URI")
    opened = getattr(store, "opened_at", type(store))
    return opened(uri)


TRACKING = Interface(
    name="tracking",
    noun="a tracking store",
    parameter="store",
    arrangement=Fresh,
    shapes={
        "search_experiments": Many(Experiment, paged=True),
        "search_runs": Many(Run, paged=True),
        "get_metric_history": Many(Metric, paged=True),
        "get_metric_history_bulk_interval": Many(Metric),
        "create_experiment": one(str),
        "get_experiment": one(Experiment),
        "get_experiment_by_name": one(Experiment, type(None)),
        "create_run": one(Run),
        "get_run": one(Run),
        "update_run_info": one(RunInfo),
        "get_artifact_root": one(str),
    },
    refusals=(
        Refusal("log_inputs", ("input.", "search.dataset-", "search.run-inputs"), log_inputs),
        Refusal("get_metric_history_bulk_interval", ("interval.",), get_metric_history_bulk_interval),
        Refusal("set_artifact_root", ("config.set-",), set_artifact_root),
    ),
    probe=_read,
    open_at=open_at,
    served=f"http://127.0.0.1:{PORT}",
    temporary="sqlite:///DIRECTORY/trackspec.db",
    subjects={
        "file:PATH, sqlite:///PATH, ...": "a store that trackspec opens by its URI",
        "http://HOST, https://HOST": "a server, through the store that trackspec opens for it",
        "wire+http://HOST": "a server, through the suite's own plainest client",
        "mlflow+URI": "whatever the installed MLflow opens for the URI, plugins included",
        "module:factory": "a Python callable that returns a store",
        "(none)": "a temporary SQLite store of the reference implementation",
    },
)
