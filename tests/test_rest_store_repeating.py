"""What the REST store sends again, and what it does not: a call that was served is not made to happen twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.servers import free_port
from tests.servers.scripted import Scripted, answer, dropped, relayed, scripted
from tests.servers.tracking import in_thread
from trackspec import ErrorCode, ExperimentTag, LifecycleStage, Metric, Param, RunTag, TrackspecError
from trackspec.memory_store import MemoryStore
from trackspec.protocol.endpoints import BY_NAME
from trackspec_reference.tracking.rest import repeating
from trackspec_reference.tracking.rest_store import RestStore

pytestmark = pytest.mark.usefixtures("no_credentials")

RUN = {"info": {"run_id": "r1", "run_uuid": "r1", "experiment_id": "0", "status": "RUNNING"}}
KNOWS_KEYS = "Idempotency-Key-Supported: true"
GOOD = answer()
MADE = answer(json.dumps({"run": RUN}))
MADE_WITH_KEY = answer(json.dumps({"run": RUN}), "200 OK", "application/json", KNOWS_KEYS)
BUSY = answer('{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "later"}', "503 Service Unavailable")
GONE = answer('{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such"}', "404 Not Found")


def busy(status: str, *headers: str) -> bytes:
    """An answer of something that stands before a server."""
    return answer("<html>", status, "text/html", *headers)


def create_run(store: RestStore) -> Any:
    """Make a run."""
    return store.create_run("0", None, None, None, None)


def refusal(store_uri: str, call: Callable[[RestStore], Any]) -> TrackspecError:
    """The error that a call of a new store raises."""
    with RestStore(store_uri) as store, pytest.raises(TrackspecError) as raised:
        call(store)
    return raised.value


REPEATABLE: dict[str, Callable[[RestStore], Any]] = {
    "log_metric": lambda store: store.log_metric("r1", Metric("m", 1.0, 1)),
    "log_param": lambda store: store.log_param("r1", Param("p", "v")),
    "set_tag": lambda store: store.set_tag("r1", RunTag("k", "v")),
    "log_batch": lambda store: store.log_batch("r1", [], [], []),
    "log_inputs": lambda store: store.log_inputs("r1", []),
    "rename_experiment": lambda store: store.rename_experiment("0", "x"),
    "set_experiment_tag": lambda store: store.set_experiment_tag("0", ExperimentTag("k", "v")),
    "delete_run": lambda store: store.delete_run("r1"),
    "restore_run": lambda store: store.restore_run("r1"),
    "set_artifact_root": lambda store: store.set_artifact_root("s3://b"),
    "search_runs": lambda store: store.search_runs(["0"]),
    "get_metric_history": lambda store: store.get_metric_history("r1", "m"),
}


@pytest.mark.parametrize("trouble", [dropped, BUSY, busy("502 Bad Gateway"), busy("429 Too Many Requests")])
@pytest.mark.parametrize("name", REPEATABLE)
def test_what_may_be_repeated_is(name: str, trouble: Any) -> None:
    """A lost answer, and one of a busy server, is asked for again, in the same words."""
    with scripted(trouble, GOOD) as server, RestStore(server.url) as store:
        REPEATABLE[name](store)

    first, second = server.received
    assert first == second


def test_a_create_is_not_repeated_at_a_server_that_has_not_announced_keys() -> None:
    """The run may have been made; the error says that this is not known."""
    with scripted(dropped, MADE) as server:
        error = refusal(server.url, create_run)

    assert error.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
    assert "not known" in error.message
    assert len(server.received) == 1


@pytest.mark.parametrize("status", ["502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"])
def test_a_create_that_may_have_been_served_is_not_repeated(status: str) -> None:
    """What stands before a server does not know what the server does."""
    with scripted(busy(status), MADE) as server:
        error = refusal(server.url, create_run)

    assert error.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
    assert len(server.received) == 1


def test_a_create_that_came_too_soon_is_repeated() -> None:
    """A refusal for too many requests says that nothing was done."""
    with scripted(busy("429 Too Many Requests", "Retry-After: 0"), MADE) as server, RestStore(server.url) as store:
        create_run(store)

    first, second = server.received
    assert first == second


@pytest.mark.parametrize("trouble", [dropped, BUSY, busy("504 Gateway Timeout")])
def test_a_create_is_repeated_with_its_key_where_keys_are_known(trouble: Any) -> None:
    """The server has announced them on an earlier answer."""
    with scripted(MADE_WITH_KEY, trouble, MADE_WITH_KEY) as server, RestStore(server.url) as store:
        create_run(store)
        create_run(store)

    _, first, second = server.received
    assert first == second
    assert first.headers["idempotency-key"]


def test_a_server_that_announces_keys_no_more_is_believed() -> None:
    """An older one may have taken its place."""
    with scripted(MADE_WITH_KEY, GOOD, dropped, MADE) as server, RestStore(server.url) as store:
        create_run(store)
        store.set_tag("r1", RunTag("k", "v"))
        with pytest.raises(TrackspecError):
            create_run(store)

    assert len(server.received) == 3


def test_an_error_of_the_server_is_not_asked_for_again() -> None:
    """A failure, and a caller's mistake, is final."""
    for status in ("500 Internal Server Error", "400 Bad Request", "404 Not Found", "409 Conflict", "501 No"):
        told = answer('{"error_code": "SOMETHING", "message": "so"}', status)
        with scripted(told) as server:
            error = refusal(server.url, REPEATABLE["set_tag"])
        assert error.error_code == "SOMETHING"
        assert len(server.received) == 1


# -- calls that are refused once they have happened --------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["delete_experiment", "restore_experiment", "delete_experiment_tag", "delete_tag"]
)
def test_a_repeated_call_that_finds_its_effect_has_succeeded(name: str) -> None:
    """The server has served the call, and refuses it the second time; the store looks for the effect."""
    kept = MemoryStore()
    experiment_id = kept.create_experiment("x", None, [ExperimentTag("k", "v")])
    run_id = kept.create_run(experiment_id, None, None, [RunTag("k", "v")], None).info.run_id
    if name == "restore_experiment":
        kept.delete_experiment(experiment_id)
    arguments = {"delete_tag": (run_id, "k"), "delete_experiment_tag": (experiment_id, "k")}
    with (
        in_thread(kept) as port,
        scripted(relayed(port, losing=BY_NAME[name].path)) as server,
        RestStore(server.url) as store,
    ):
        getattr(store, name)(*arguments.get(name, (experiment_id,)))

    assert [request.target.rpartition("/")[2] for request in server.received[:2]] == [
        BY_NAME[name].path.rpartition("/")[2]
    ] * 2
    assert "k" not in kept.get_run(run_id).data.tags or name != "delete_tag"
    assert (kept.get_experiment(experiment_id).lifecycle_stage is LifecycleStage.DELETED) == (
        name == "delete_experiment"
    )


@pytest.mark.parametrize(
    "name", ["delete_experiment", "restore_experiment", "delete_experiment_tag", "delete_tag"]
)
def test_a_repeated_call_whose_effect_is_not_there_has_failed(name: str) -> None:
    """Where nothing of that name exists, the repetition's refusal is the answer."""
    arguments = ("9", "k") if "tag" in name else ("9",)
    with scripted(dropped, GONE) as server:
        error = refusal(server.url, lambda store: getattr(store, name)(*arguments))

    assert error.error_code is ErrorCode.RESOURCE_DOES_NOT_EXIST
    assert len(server.received) == 3  # the call, the call again, the look for its effect


def test_a_refusal_at_the_first_time_is_believed() -> None:
    """No effect is looked for where no answer was lost."""
    with scripted(GONE) as server:
        error = refusal(server.url, lambda store: store.delete_tag("r1", "k"))

    assert error.error_code is ErrorCode.RESOURCE_DOES_NOT_EXIST
    assert len(server.received) == 1


# -- how often, and when -----------------------------------------------------------------------------------------


def test_a_request_that_was_never_sent_is_repeated_whatever_it_asks_for() -> None:
    """Where nothing listens yet, the store comes back; also with what must not be served twice."""
    port = free_port()
    servers: list[Scripted] = []

    def start() -> None:
        servers.append(Scripted(MADE, port=port))

    starting = threading.Timer(0.5, start)
    starting.start()
    with RestStore(f"http://127.0.0.1:{port}?retries=20") as store:
        create_run(store)
    starting.join()
    servers[0].close()

    assert len(servers[0].received) == 1


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_a_request_is_repeated_as_often_as_the_uri_says(retries: int) -> None:
    """And no more often."""
    with scripted(BUSY) as server:
        error = refusal(f"{server.url}?retries={retries}", lambda store: store.get_run("r1"))

    assert error.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
    assert len(server.received) == 1 + retries


def test_the_environment_says_how_often_where_the_uri_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the variable that MLflow's clients read."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")

    with scripted(BUSY) as server, RestStore(server.url) as store, pytest.raises(TrackspecError):
        store.get_run("r1")

    assert len(server.received) == 3


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that would have been made."""
    made: list[float] = []
    monkeypatch.setattr(repeating, "sleep", made.append)
    return made


def test_pauses_grow_and_differ(pauses: list[float]) -> None:
    """The first repetition comes at once, the later ones at growing intervals that are not all the same."""
    with scripted(BUSY) as server:
        for _ in range(2):
            with RestStore(f"{server.url}?retries=7") as store, pytest.raises(TrackspecError):
                store.get_run("r1")

    first, second = pauses[:7], pauses[7:]
    assert first[0] == second[0] == 0
    assert first[1:] == sorted(first[1:])
    assert first[6] > 10
    assert first != second


@pytest.mark.parametrize("later", ["7", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_the_server_says_when_to_come_back(pauses: list[float], later: str) -> None:
    """A time that is within the patience of the store is waited for; for a longer one the call is given up."""
    waiting = busy("503 Service Unavailable", f"Retry-After: {later}")
    with scripted(waiting, answer(json.dumps({"run": RUN}))) as server, RestStore(server.url) as store:
        if later == "7":
            store.get_run("r1")
        else:
            with pytest.raises(TrackspecError):
                store.get_run("r1")

    assert pauses == ([7.0] if later == "7" else [])


@pytest.mark.parametrize("nonsense", ["soon", "-5", "1e99", ""])
def test_a_time_that_makes_no_sense_is_passed_over(pauses: list[float], nonsense: str) -> None:
    """The store comes back when it would have come by itself."""
    waiting = busy("503 Service Unavailable", f"Retry-After: {nonsense}")
    with scripted(waiting, answer(json.dumps({"run": RUN}))) as server, RestStore(server.url) as store:
        store.get_run("r1")

    assert pauses == [0]


def test_a_call_ends_with_its_total_time_however_many_tries_are_left() -> None:
    """Repetitions are no way around the time-out."""
    with scripted(BUSY) as server:
        refusal(f"{server.url}?retries=20&total_timeout=1", lambda store: store.get_run("r1"))

    assert 1 < len(server.received) < 21
