"""The REST store: what its calls send, and what they return. The conformance suite judges the whole contract."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

import trackspec
from tests.servers.scripted import Scripted, answer, scripted
from tests.servers.tracking import in_thread
from trackspec import (
    Dataset,
    DatasetInput,
    ErrorCode,
    ExperimentTag,
    InputTag,
    LifecycleStage,
    Metric,
    Param,
    RunStatus,
    RunTag,
    TrackingStore,
    TrackspecError,
    ViewType,
)
from trackspec.memory_store import MemoryStore
from trackspec_reference.tracking.rest_store import RestStore

pytestmark = pytest.mark.usefixtures("no_credentials")

RUN = {
    "info": {"run_id": "r1", "run_uuid": "r1", "experiment_id": "0", "status": "RUNNING"},
    "data": {},
}


def refusal(call: Any, *args: Any, **kwargs: Any) -> TrackspecError:
    """The error that a call raises."""
    with pytest.raises(TrackspecError) as raised:
        call(*args, **kwargs)
    return raised.value


@pytest.fixture(scope="module")
def kept() -> MemoryStore:
    """The store that the server keeps everything in."""
    return MemoryStore()


@pytest.fixture(scope="module")
def store(kept: MemoryStore) -> Iterator[TrackingStore]:
    """A store that reaches it through our server."""
    with in_thread(kept) as port, trackspec.open_store(f"http://127.0.0.1:{port}") as opened:
        yield opened


# -- what is returned --------------------------------------------------------------------------------------------


def test_experiments_come_and_go_as_they_are(store: TrackingStore, kept: MemoryStore) -> None:
    """Whatever is done to an experiment through the server, the store behind it has, and returns."""
    experiment_id = store.create_experiment("café/ 1", "s3://bucket/a%2F?b", [ExperimentTag("team", "ünï\n")])
    store.set_experiment_tag(experiment_id, ExperimentTag("gone", ""))
    store.delete_experiment_tag(experiment_id, "gone")
    store.rename_experiment(experiment_id, "renamed")
    store.delete_experiment(experiment_id)

    assert store.get_experiment(experiment_id) == kept.get_experiment(experiment_id)
    assert store.get_experiment_by_name("renamed") == kept.get_experiment_by_name("renamed")
    assert store.get_experiment_by_name("café/ 1") is None
    assert store.search_experiments(ViewType.DELETED_ONLY, filter_string="name = 'renamed'") == [
        kept.get_experiment(experiment_id)
    ]
    store.restore_experiment(experiment_id)
    assert store.get_experiment(experiment_id).lifecycle_stage is LifecycleStage.ACTIVE


def test_runs_come_and_go_as_they_are(store: TrackingStore, kept: MemoryStore) -> None:
    """Whatever is logged to a run through the server, the store behind it has, and returns."""
    run = store.create_run("0", "ada", 5, [RunTag("a", "b")], "first")
    run_id = run.info.run_id
    assert run == kept.get_run(run_id)
    store.log_metric(run_id, Metric("loss", math.nan, 1, -7))
    store.log_param(run_id, Param("lr", ""))
    store.set_tag(run_id, RunTag("gone", "x"))
    store.delete_tag(run_id, "gone")
    store.log_batch(run_id, [Metric("loss", -math.inf, 2, 2**63 - 1)], [Param("p", "v")], [RunTag("t", "v")])
    store.log_inputs(run_id, [DatasetInput(Dataset("d", "1", "s", "x", None, "p"), (InputTag("use", "train"),))])
    info = store.update_run_info(run_id, RunStatus.FINISHED, 0, "renamed")

    assert info == kept.get_run(run_id).info
    assert repr(store.get_run(run_id)) == repr(kept.get_run(run_id))  # NaN is not equal to itself
    assert store.search_runs(["0"], "params.p = 'v'", order_by=["metrics.loss DESC"])[0].info == info
    store.delete_run(run_id)
    assert store.get_run(run_id).info.lifecycle_stage is LifecycleStage.DELETED
    store.restore_run(run_id)
    assert store.get_run(run_id).info.lifecycle_stage is LifecycleStage.ACTIVE


def test_histories_come_whole_or_by_pages_with_their_run(store: TrackingStore) -> None:
    """Points carry the run that they belong to, as they do where they are stored."""
    run_id = store.create_run("0", None, None, None, None).info.run_id
    points = [Metric("loss", step / 2, step, step) for step in range(5)]
    store.log_batch(run_id, points, [], [])

    whole = store.get_metric_history(run_id, "loss")
    first = store.get_metric_history(run_id, "loss", max_results=3)
    second = store.get_metric_history(run_id, "loss", max_results=3, page_token=first.token)
    drawn = store.get_metric_history_bulk_interval([run_id], "loss", 10, 1, 3)

    assert whole == [*first, *second] == points
    assert (whole.token, second.token) == (None, None)
    assert drawn == points[1:4]
    assert {point.run_id for point in [*whole, *first, *second, *drawn]} == {run_id}


def test_the_artifact_root_is_that_of_the_store_behind(store: TrackingStore, kept: MemoryStore) -> None:
    """It is read and set through the server."""
    store.set_artifact_root("s3://bucket/root")

    assert store.get_artifact_root() == kept.get_artifact_root() == "s3://bucket/root"


def test_what_is_longer_than_a_page_is_followed_by_the_next(store: TrackingStore) -> None:
    """The server's page tokens come through and go back as they are."""
    experiment_id = store.create_experiment("paged")
    made = {store.create_run(experiment_id, None, None, None, None).info.run_id for _ in range(5)}

    first = store.search_runs([experiment_id], max_results=3)
    second = store.search_runs([experiment_id], max_results=3, page_token=first.token)

    assert (len(first), len(second), second.token) == (3, 2, None)
    assert {run.info.run_id for run in [*first, *second]} == made


def test_a_whole_history_is_whole_though_the_server_pages_it() -> None:
    """Without a size all points come, at whatever number of requests."""
    pages = [{"metrics": [{"key": "m", "value": 1, "timestamp": 1, "step": step}]} for step in range(3)]
    pages[0]["next_page_token"], pages[1]["next_page_token"] = "a", "b"
    with scripted(*(answer(json.dumps(page)) for page in pages)) as server, RestStore(server.url) as store:
        found = store.get_metric_history("r1", "m")

    assert [point.step for point in found] == [0, 1, 2]
    assert found.token is None
    assert "page_token=b" in server.received[-1].target


def test_a_history_without_end_is_refused() -> None:
    """A server that goes round in circles is not followed."""
    page = {"metrics": [{"key": "m", "value": 1, "timestamp": 1, "step": 0}], "next_page_token": "a"}
    with scripted(answer(json.dumps(page))) as server, RestStore(server.url) as store:
        error = refusal(store.get_metric_history, "r1", "m")

    assert error.error_code is ErrorCode.INTERNAL_ERROR


# -- what is sent ------------------------------------------------------------------------------------------------

GOOD: dict[str, Any] = {
    "name": "x",
    "new_name": "x",
    "experiment_name": "x",
    "experiment_id": "0",
    "run_id": "r1",
    "user_id": None,
    "start_time": None,
    "tags": [],
    "run_name": None,
    "key": "k",
    "metric_key": "k",
    "metric": Metric("m", 1.0, 1),
    "param": Param("p", "v"),
    "metrics": [],
    "params": [],
    "run_ids": ["r1"],
    "experiment_ids": ["0"],
    "max_results": 10,
    "artifact_root": "s3://bucket",
}


def parameters() -> list[tuple[str, str]]:
    """Every parameter of every call."""
    return [
        (name, parameter)
        for name in sorted(TrackingStore.__abstractmethods__)
        for parameter in list(inspect.signature(getattr(TrackingStore, name)).parameters)[1:]
    ]


@pytest.mark.parametrize(("name", "wrong"), parameters())
def test_a_wrong_argument_is_refused_as_a_store_refuses_it(silent: Scripted, name: str, wrong: str) -> None:
    """Each parameter is judged before anything is sent, with the words of a store that is at hand."""
    signature = inspect.signature(getattr(TrackingStore, name))
    tag = ExperimentTag("k", "v") if name == "set_experiment_tag" else RunTag("k", "v")
    given = {
        parameter: {**GOOD, "tag": tag}[parameter]
        for parameter in list(signature.parameters)[1:]
        if signature.parameters[parameter].default is inspect.Parameter.empty
    }
    bad = object()

    with RestStore(silent.url) as store:
        error = refusal(getattr(store, name), **{**given, wrong: bad})

    assert error.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert error.message == refusal(getattr(MemoryStore(), name), **{**given, wrong: bad}).message
    assert silent.received == []


@pytest.fixture(scope="module")
def silent() -> Iterator[Scripted]:
    """A server that nothing is to be sent to."""
    with scripted(answer()) as server:
        yield server


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("log_metric", ("r1", Metric("m", True, 1))),
        ("log_metric", ("r1", Metric("m", "0.5", 1))),
        ("log_metric", ("r1", Metric("m", 1.0, 2**63))),
        ("log_metric", ("r1", Metric("m", 1.0, 1, 1.5))),
        ("log_param", ("r1", Param("p", 5))),
        ("log_param", ("r1", RunTag("p", "v"))),
        ("log_param", ("r1", Param("../p", "v"))),
        ("log_param", ("r1", Param("p", "\ud800"))),
        ("set_tag", ("r1", RunTag("mlflow.runName", ""))),
        ("log_batch", ("r1", [], [Param("p", "1"), Param("p", "2")], [])),
        ("get_run", ("../r1",)),
        ("create_run", ("0", None, None, [RunTag("mlflow.runName", "a")], "b")),
        ("search_runs", (["\ud800"],)),
        ("search_runs", (["0"], None, ViewType.ALL, 0)),
    ],
)
def test_what_a_store_would_refuse_is_not_sent(silent: Scripted, name: str, arguments: tuple[Any, ...]) -> None:
    """No wrong value travels, to be taken for another one."""
    with RestStore(silent.url) as store:
        error = refusal(getattr(store, name), *arguments)

    assert error.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert silent.received == []


def test_other_numbers_travel_as_the_doubles_that_a_store_keeps() -> None:
    """What converts to a double is converted before it is sent."""
    with scripted(answer()) as server, RestStore(server.url) as store:
        store.log_metric("r1", Metric("m", Decimal("0.1"), 1))  # type: ignore[arg-type]

    assert json.loads(server.received[0].body)["value"] == 0.1


def test_a_request_says_what_it_has_to_and_no_more() -> None:
    """The header fields of a call, and one connection for all calls."""
    with scripted(answer()) as server, RestStore(f"{server.url}/below/") as store:
        for _ in range(5):
            store.set_tag("r1", RunTag("k", "v"))

    assert server.connections == 1
    request = server.received[-1]
    assert (request.method, request.target) == ("POST", "/below/api/2.0/mlflow/runs/set-tag")
    assert set(request.headers) == {
        "host",
        "user-agent",
        "accept",
        "accept-encoding",
        "content-type",
        "content-length",
    }


def test_what_is_created_carries_a_key_of_its_own() -> None:
    """Two creations have two keys."""
    with scripted(answer(json.dumps({"run": RUN}))) as server, RestStore(server.url) as store:
        store.create_run("0", None, None, None, None)
        store.create_run("0", None, None, None, None)

    first, second = (request.headers["idempotency-key"] for request in server.received)
    assert first != second


# -- keys of the caller ------------------------------------------------------------------------------------------

KNOWS_KEYS = "Idempotency-Key-Supported: true"


def test_a_key_is_sent_where_the_server_knows_keys() -> None:
    """The server is asked once whether it does."""
    version = answer(b"1.0", "200 OK", "text/plain", KNOWS_KEYS)
    created = answer(json.dumps({"run": RUN}), "200 OK", "application/json", KNOWS_KEYS)
    with scripted(version, created) as server, RestStore(server.url) as store:
        store.create_run("0", None, None, None, None, idempotency_key="mine")
        store.create_run("0", None, None, None, None, idempotency_key="other")

    assert [request.target for request in server.received] == [
        "/version",
        "/api/2.0/mlflow/runs/create",
        "/api/2.0/mlflow/runs/create",
    ]
    assert [request.headers.get("idempotency-key") for request in server.received] == [None, "mine", "other"]


def test_a_key_is_refused_where_the_server_knows_none() -> None:
    """A key that would be passed over makes nothing."""
    with scripted(answer(b"3.17.2", "200 OK", "text/plain")) as server, RestStore(server.url) as store:
        error = refusal(store.create_experiment, "x", idempotency_key="mine")

    assert error.error_code is ErrorCode.NOT_IMPLEMENTED
    assert [request.target for request in server.received] == ["/version"]


# -- what the server answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "told", "raised"),
    [
        ("404 Not Found", "RESOURCE_DOES_NOT_EXIST", ErrorCode.RESOURCE_DOES_NOT_EXIST),
        ("500 Internal Server Error", "INVALID_STATE", ErrorCode.INVALID_STATE),
        ("500 Internal Server Error", "DATA_LOSS", ErrorCode.DATA_LOSS),
        ("409 Conflict", "RESOURCE_CONFLICT", "RESOURCE_CONFLICT"),
        ("400 Bad Request", "BAD_REQUEST", "BAD_REQUEST"),
        ("418 Teapot", "Vendor.Specific-7", "Vendor.Specific-7"),
        ("429 Too Many Requests", "REQUEST_LIMIT_EXCEEDED", ErrorCode.TEMPORARILY_UNAVAILABLE),
        ("200 OK", "INTERNAL_ERROR", ErrorCode.INTERNAL_ERROR),
    ],
)
def test_the_code_of_the_server_reaches_the_caller(status: str, told: str, raised: object) -> None:
    """Also one that is not ours, and whatever the status."""
    body = json.dumps({"error_code": told, "message": "So it is."})
    with scripted(answer(body, status)) as server, RestStore(f"{server.url}?retries=0") as store:
        error = refusal(store.log_param, "r1", Param("p", "v"))

    assert (error.error_code, error.message) == (raised, "So it is.")


@pytest.mark.parametrize("body", [b'{"error_code": "ENDPOINT_NOT_FOUND", "message": "no"}', b"<html>no</html>"])
def test_a_server_without_the_extension_offers_no_artifact_root(body: bytes) -> None:
    """What MLflow's server does not have is an operation that the store lacks."""
    kind = "application/json" if body.startswith(b"{") else "text/html"
    with scripted(answer(body, "404 Not Found", kind)) as server, RestStore(server.url) as store:
        codes = {
            refusal(store.get_artifact_root).error_code,
            refusal(store.set_artifact_root, "s3://bucket").error_code,
        }

    assert codes == {ErrorCode.NOT_IMPLEMENTED}
