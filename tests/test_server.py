"""The server answers the calls of the endpoint table as the store itself does."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from tests.servers.tracking import JSON, Client, in_thread
from trackspec import (
    Dataset,
    DatasetInput,
    ErrorCode,
    ExperimentTag,
    InputTag,
    Metric,
    Param,
    Run,
    RunStatus,
    RunTag,
    TrackspecError,
    ViewType,
    __version__,
)
from trackspec.errors import no_keys
from trackspec.memory_store import MemoryStore
from trackspec.protocol.endpoints import BY_NAME, ENDPOINTS


@pytest.fixture
def store() -> MemoryStore:
    """What is served."""
    return MemoryStore()


@pytest.fixture
def client(store: MemoryStore) -> Iterator[Client]:
    """A client of a server over that store."""
    with in_thread(store) as port:
        yield Client(port)


@pytest.fixture(scope="module")
def shared() -> Iterator[Client]:
    """A client for what leaves nothing behind."""
    with in_thread(MemoryStore()) as port:
        yield Client(port)


def test_every_endpoint_makes_the_call_that_it_names(store: MemoryStore, client: Client) -> None:
    """A story that touches each row of the table ends as it does on the store."""
    told = set()

    def call(name: str, /, **arguments: object) -> object:
        told.add(name)
        return client.returned(name, **arguments)

    dataset = DatasetInput(Dataset("d", "digest", "local", "/d"), (InputTag("context", "train"),))
    call("set_artifact_root", artifact_root="s3://bucket/root")
    experiment = call("create_experiment", name="e", tags=[ExperimentTag("a", "b")])
    call("set_experiment_tag", experiment_id=experiment, tag=ExperimentTag("c", ""))
    call("delete_experiment_tag", experiment_id=experiment, key="a")
    call("rename_experiment", experiment_id=experiment, new_name="é 1")
    call("delete_experiment", experiment_id=experiment)
    call("restore_experiment", experiment_id=experiment)
    run = call(
        "create_run",
        experiment_id=experiment,
        user_id="u",
        start_time=5,
        tags=[RunTag("k", "v"), RunTag("gone", "")],
        run_name="r",
    )
    run_id = run.info.run_id
    call("log_param", run_id=run_id, param=Param("p", ""))
    call("log_metric", run_id=run_id, metric=Metric("m", math.nan, 1, -(2**63)))
    call("log_metric", run_id=run_id, metric=Metric("m", -math.inf, 2**63 - 1, 7))
    call("log_batch", run_id=run_id, metrics=[Metric("m", 1, 1, 3)], params=[Param("q", "z")], tags=[])
    call("set_tag", run_id=run_id, tag=RunTag("k", "v2"))
    call("delete_tag", run_id=run_id, key="gone")
    call("log_inputs", run_id=run_id, datasets=[dataset])
    info = call("update_run_info", run_id=run_id, run_status=RunStatus.FINISHED, end_time=0, run_name="r2")
    call("delete_run", run_id=run_id)
    call("restore_run", run_id=run_id)

    assert info == store.get_run(run_id).info
    assert call("get_artifact_root") == store.get_artifact_root() == "s3://bucket/root"
    assert call("get_experiment", experiment_id=experiment) == store.get_experiment(experiment)
    assert call("get_experiment_by_name", experiment_name="é 1") == store.get_experiment(experiment)
    assert call("search_experiments", view_type=ViewType.ALL) == store.search_experiments(ViewType.ALL)
    assert str(call("get_run", run_id=run_id)) == str(store.get_run(run_id))  # NaN differs from itself
    assert call("search_runs", experiment_ids=[experiment]) == store.search_runs([experiment])
    assert str(call("get_metric_history", run_id=run_id, metric_key="m")) == str(
        store.get_metric_history(run_id, "m")
    )
    assert str(call("get_metric_history_bulk_interval", run_ids=[run_id], metric_key="m", max_results=2)) == str(
        store.get_metric_history_bulk_interval([run_id], "m", 2)
    )
    assert told == set(BY_NAME)


def test_the_same_is_served_where_browsers_look_for_it(client: Client) -> None:
    """Each path of a row leads to the same call."""
    found = {client.request("GET", f"{path}?experiment_id=0").body for path in BY_NAME["get_experiment"].paths}

    assert len(BY_NAME["get_experiment"].paths) == 2
    assert len(found) == 1
    assert b'"Default"' in found.pop()


def test_a_search_by_query_is_a_search_by_body(client: Client) -> None:
    """What takes both methods answers both alike."""
    client.returned("create_experiment", name="other")
    path = BY_NAME["search_experiments"].paths[0]

    by_query = client.request("GET", f"{path}?max_results=1&order_by=name+DESC&order_by=experiment_id")
    by_body = client.post(path, {"max_results": 1, "order_by": ["name DESC", "experiment_id"]})

    assert by_query.json["experiments"][0]["name"] == "other"
    assert by_query.json["next_page_token"]
    assert by_query.json["experiments"] == by_body.json["experiments"]


def test_pages_follow_each_other(client: Client) -> None:
    """The token of one page fetches the next."""
    made = [client.returned("create_experiment", name=f"e{number}") for number in range(3)]

    found, token = [], None
    while True:
        page = client.returned("search_experiments", max_results=2, page_token=token)
        found += [experiment.experiment_id for experiment in page]
        token = page.token
        if token is None:
            break

    assert sorted(found) == sorted(["0", *made])


@pytest.mark.parametrize("code", [ErrorCode.INTERNAL_ERROR, ErrorCode.DATA_LOSS])
def test_what_is_wrong_with_the_store_is_in_the_log(
    store: MemoryStore,
    client: Client,
    code: ErrorCode,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With its cause, which the caller is not told."""

    def fail(run_id: str) -> None:
        raise TrackspecError("It failed.", code) from OSError("disk on fire")

    monkeypatch.setattr(store, "delete_run", fail)

    answer = client.call("delete_run", run_id="r")

    assert answer.json["message"] == "It failed."
    assert "disk on fire" in caplog.text


@pytest.mark.parametrize("code", list(ErrorCode))
def test_each_error_code_travels_with_its_status(
    store: MemoryStore, client: Client, code: ErrorCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the store raises is what the caller reads."""

    def refuse(run_id: str) -> None:
        raise TrackspecError("Why not.", code)

    monkeypatch.setattr(store, "delete_run", refuse)

    answer = client.call("delete_run", run_id="r")

    assert answer.status == code.http_status
    assert answer.json == {"error_code": code.value, "message": "Why not."}
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Retry-After"] == ("1" if code is ErrorCode.TEMPORARILY_UNAVAILABLE else None)


def test_a_code_that_another_server_has_travels_too(
    store: MemoryStore, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that is itself behind a server may raise codes that we do not have."""

    def refuse(run_id: str) -> None:
        raise TrackspecError("Too many.", "REQUEST_LIMIT_EXCEEDED")

    monkeypatch.setattr(store, "delete_run", refuse)

    answer = client.call("delete_run", run_id="r")

    assert (answer.status, answer.json["error_code"]) == (500, "REQUEST_LIMIT_EXCEEDED")


def test_a_failure_of_the_store_tells_the_log_everything_and_the_caller_nothing(
    store: MemoryStore, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception that is no TrackspecError is INTERNAL_ERROR, found in the log by the request's id."""

    def fail(run_id: str) -> None:
        raise RuntimeError("password=secret /etc/path SELECT 1")

    monkeypatch.setattr(store, "get_run", fail)

    answer = client.call("get_run", run_id="r")

    assert (answer.status, answer.json["error_code"]) == (500, "INTERNAL_ERROR")
    assert "secret" not in answer.body.decode()
    (request_id,) = [word.strip(".") for word in answer.json["message"].split() if len(word) == 17]
    assert request_id in caplog.text
    assert "password=secret" in caplog.text
    assert client.request("GET", "/health").status == 200


def test_a_missing_experiment_name_is_an_error_on_the_wire(client: Client) -> None:
    """Where the store returns None, the answer is RESOURCE_DOES_NOT_EXIST."""
    answer = client.call("get_experiment_by_name", experiment_name="nobody")

    assert (answer.status, answer.json["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_a_create_with_a_key_is_made_once(store: MemoryStore, client: Client) -> None:
    """The server says that it knows keys, and answers the repetition like the first call."""
    path, key = BY_NAME["create_run"].paths[0], {**JSON, "Idempotency-Key": "key"}

    answers = [client.request("POST", path, b'{"experiment_id": "0"}', key) for _ in range(2)]
    without = client.call("create_run", experiment_id="0")
    experiments = [
        client.request("POST", BY_NAME["create_experiment"].paths[0], b'{"name": "once"}', key) for _ in range(2)
    ]

    assert answers[0].json == answers[1].json
    assert without.json["run"]["info"]["run_id"] != answers[0].json["run"]["info"]["run_id"]
    assert experiments[0].json == experiments[1].json
    assert len(store.search_runs(["0"])) == 2
    assert {answer.headers["Idempotency-Key-Supported"] for answer in (*answers, without)} == {"true"}
    assert client.request("GET", "/nowhere").headers["Idempotency-Key-Supported"] == "true"


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "é"])
def test_a_malformed_key_is_refused(store: MemoryStore, client: Client, key: str) -> None:
    """It is not taken for none."""
    headers = {**JSON, "Idempotency-Key": key}

    answer = client.request("POST", BY_NAME["create_run"].paths[0], b'{"experiment_id": "0"}', headers)

    assert (answer.status, answer.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert store.search_runs(["0"]) == []


class Keyless(MemoryStore):
    """A store that does not know keys."""

    def _create_run_once(self, *arguments: object) -> Run:
        raise no_keys()


def test_a_server_over_a_store_without_keys_does_not_claim_them() -> None:
    """It passes them over, as a server does that has never heard of them."""
    store = Keyless()
    with in_thread(store) as port:
        path, key = BY_NAME["create_run"].paths[0], {**JSON, "Idempotency-Key": "key"}
        answers = [Client(port).request("POST", path, b'{"experiment_id": "0"}', key) for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 200]
    assert len(store.search_runs(["0"])) == 2
    assert "Idempotency-Key-Supported" not in answers[0].headers


def test_health_and_version_answer_in_plain_text(client: Client) -> None:
    """A load balancer and MLflow's clients ask for these."""
    health, version = client.request("GET", "/health"), client.request("GET", "/version")

    assert (health.status, health.body) == (200, b"OK")
    assert (version.status, version.body) == (200, __version__.encode())
    assert client.request("HEAD", "/health").status == 200


@pytest.mark.parametrize("path", ["/", "/api", "/api/2.0/mlflow/runs", "/api/2.0/preview/mlflow/runs/get", "/*"])
def test_an_unknown_path_is_not_found(shared: Client, path: str) -> None:
    """Also an unknown path answers in the one shape."""
    answer = shared.request("GET", path)

    assert (answer.status, answer.json["error_code"]) == (404, "ENDPOINT_NOT_FOUND")


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "GET", "POST"])
@pytest.mark.parametrize("path", sorted({path for endpoint in ENDPOINTS for path in endpoint.paths}))
def test_a_method_that_a_path_does_not_take_is_refused(shared: Client, path: str, method: str) -> None:
    """The answer is 405, and tells which are taken."""
    taken = {method for endpoint in ENDPOINTS if path in endpoint.paths for method in endpoint.methods}

    answer = shared.request(method, path, headers=JSON)

    if method in taken:
        assert answer.status != 405
    else:
        assert answer.status == 405
        assert set(answer.headers["Allow"].split(", ")) == taken
        assert method == "HEAD" or answer.json["error_code"] == "ENDPOINT_NOT_FOUND"


def test_one_connection_serves_many_requests(client: Client) -> None:
    """Good and bad ones, in turn."""
    for _ in range(20):
        assert client.request("GET", "/health").status == 200
        assert client.post("/nowhere", {}).status == 404
        assert client.post(BY_NAME["delete_run"].paths[0], []).status == 400
