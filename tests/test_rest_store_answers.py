"""The REST store takes no answer for what it is not. The answers are made up, and no server is asked."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
import responses
from urllib3.response import HTTPResponse

from trackspec import ErrorCode, ExperimentTag, Metric, Param, RunTag, TrackspecError
from trackspec.protocol.endpoints import BY_NAME
from trackspec_reference.tracking.rest import transport
from trackspec_reference.tracking.rest_store import RestStore

pytestmark = pytest.mark.usefixtures("no_credentials")

HOST = "http://tracking.example:5000"

INFO = {"run_id": "r1", "run_uuid": "r1", "experiment_id": "0", "status": "RUNNING"}
RUN = {"info": INFO, "data": {"params": [{"key": "p", "value": "v"}]}}
EXPERIMENT = {"experiment_id": "0", "name": "x", "artifact_location": "s3://b", "lifecycle_stage": "active"}
POINT = {"key": "m", "value": 1.0, "timestamp": 1, "step": 0}

CALLS: dict[str, tuple[Any, ...]] = {
    "create_experiment": ("x",),
    "get_experiment": ("0",),
    "get_experiment_by_name": ("x",),
    "delete_experiment": ("0",),
    "restore_experiment": ("0",),
    "rename_experiment": ("0", "y"),
    "set_experiment_tag": ("0", ExperimentTag("k", "v")),
    "delete_experiment_tag": ("0", "k"),
    "search_experiments": (),
    "create_run": ("0", None, None, None, None),
    "get_run": ("r1",),
    "update_run_info": ("r1",),
    "delete_run": ("r1",),
    "restore_run": ("r1",),
    "log_metric": ("r1", Metric("m", 1.0, 1)),
    "log_param": ("r1", Param("p", "v")),
    "set_tag": ("r1", RunTag("k", "v")),
    "delete_tag": ("r1", "k"),
    "log_batch": ("r1", [], [], []),
    "log_inputs": ("r1", []),
    "get_metric_history": ("r1", "m"),
    "get_metric_history_bulk_interval": (["r1"], "m", 5),
    "search_runs": (["0"],),
    "get_artifact_root": (),
    "set_artifact_root": ("s3://b",),
}


@pytest.fixture
def answers() -> Iterator[responses.RequestsMock]:
    """What the host answers."""
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def store() -> RestStore:
    """A store of the host, which asks once."""
    return RestStore(f"{HOST}?retries=0")


def answered(answers: responses.RequestsMock, name: str, body: Any, status: int = 200, **more: Any) -> None:
    """Answer a call so."""
    endpoint = BY_NAME[name]
    content = body if isinstance(body, (bytes, str)) else json.dumps(body)
    more.setdefault("content_type", "application/json")
    answers.add(endpoint.methods[0], HOST + endpoint.paths[0], content, status=status, **more)


def refusal(store: RestStore, name: str) -> TrackspecError:
    """The error that a call raises."""
    with pytest.raises(TrackspecError) as raised:
        getattr(store, name)(*CALLS[name])
    return raised.value


def test_every_call_has_its_turn() -> None:
    """No call is left out below."""
    assert set(CALLS) == set(BY_NAME)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("body", "more"),
    [
        (b"<html>Welcome</html>", {"content_type": "text/html"}),
        (b"<html>Welcome</html>", {}),
        (b'{"run": {}}', {"content_type": "text/plain"}),
        (b"{}", {"content_type": None}),
        (b"", {}),
        (b"null", {}),
        (b"[]", {}),
        (b'"{}"', {}),
        (b"{", {}),
        (b"{}{}", {}),
        (b'{"a": NaN}', {}),
        (b'{"a": "\xff"}', {}),
        (b'{"a": ' + b"[" * 100_000, {}),
        (b'{"a": ' + b"9" * 10_000 + b"}", {}),
        (b"{}", {"status": 201}),
        (b"{}", {"status": 203}),
        (b"", {"status": 204}),
        (b"{}", {"status": 206}),
        (b"{}", {"status": 304}),
        (b"{}", {"status": 418}),
        (b'{"error_code": null}', {}),
        (b'{"error_code": 5, "message": "x"}', {}),
        (b"\x1f\x8b", {"headers": {"Content-Encoding": "gzip"}}),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_answer_is_never_a_success(
    answers: responses.RequestsMock, store: RestStore, name: str, body: bytes, more: dict[str, Any]
) -> None:
    """A call, also one that returns nothing, succeeds by a JSON object and status 200 and by nothing else."""
    answered(answers, name, body, **more)

    assert refusal(store, name).error_code is ErrorCode.INTERNAL_ERROR


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("create_experiment", {}),
        ("create_experiment", {"experiment_id": 5}),
        ("create_experiment", {"experiment_id": None}),
        ("get_experiment", {"experiment": {**EXPERIMENT, "experiment_id": "1"}}),
        ("get_experiment", {"experiment": {**EXPERIMENT, "lifecycle_stage": "gone"}}),
        ("get_experiment", {"experiment": {**EXPERIMENT, "creation_time": "soon"}}),
        ("get_experiment", {"experiment": {**EXPERIMENT, "tags": {"k": "v"}}}),
        ("get_experiment", {"experiment": {"experiment_id": "0"}}),
        ("get_experiment", {"experiment": [EXPERIMENT]}),
        ("get_experiment_by_name", {"experiment": {**EXPERIMENT, "name": "X"}}),
        ("get_experiment_by_name", {}),
        ("create_run", {"run": {**RUN, "info": {**INFO, "experiment_id": "1"}}}),
        ("create_run", {"run": {"data": {}}}),
        ("create_run", {}),
        ("get_run", {"run": {**RUN, "info": {**INFO, "run_id": "r2", "run_uuid": "r2"}}}),
        ("get_run", {"run": {**RUN, "info": {**INFO, "run_uuid": "r2"}}}),
        ("get_run", {"run": {**RUN, "info": {**INFO, "status": "DONE"}}}),
        ("get_run", {"run": {**RUN, "info": {**INFO, "start_time": 1.5}}}),
        ("get_run", {"run": {**RUN, "info": {**INFO, "end_time": 2**63}}}),
        ("get_run", {"run": {**RUN, "data": {"params": [{"value": "v"}]}}}),
        ("get_run", {"run": {**RUN, "data": {"params": [{"key": "p", "value": 5}]}}}),
        ("get_run", {"run": {**RUN, "data": {"params": [None]}}}),
        ("get_run", {"run": {**RUN, "data": {"metrics": [{**POINT, "value": "high"}]}}}),
        ("get_run", {"run": {**RUN, "data": []}}),
        (
            "get_run",
            json.dumps({"run": {**RUN, "data": {"metrics": [{**POINT, "value": 7}]}}}).replace("7", "1e999"),
        ),
        ("update_run_info", {"run_info": {**INFO, "run_id": "r2", "run_uuid": "r2"}}),
        ("update_run_info", {}),
        ("get_metric_history", {"metrics": [{**POINT, "key": "other"}]}),
        ("get_metric_history", {"metrics": [{**POINT, "run_id": "r2"}]}),
        ("get_metric_history", {"metrics": POINT}),
        ("get_metric_history", {"metrics": [], "next_page_token": 5}),
        ("get_metric_history_bulk_interval", {"metrics": [{**POINT, "run_id": "r2"}]}),
        ("get_metric_history_bulk_interval", {"metrics": [POINT]}),
        ("search_runs", {"runs": [{**RUN, "info": {**INFO, "experiment_id": "1"}}]}),
        ("search_runs", {"runs": "none"}),
        ("search_experiments", {"experiments": [5]}),
        ("get_artifact_root", {"artifact_root": 5}),
        ("get_artifact_root", {}),
    ],
)
def test_an_answer_to_something_else_is_refused(
    answers: responses.RequestsMock, store: RestStore, name: str, body: Any
) -> None:
    """Wrong types, missing fields, unknown names, and other runs than the one that was asked for."""
    answered(answers, name, body)

    assert refusal(store, name).error_code is ErrorCode.INTERNAL_ERROR


def test_fields_that_a_newer_server_has_are_passed_over(answers: responses.RequestsMock, store: RestStore) -> None:
    """What this protocol does not know of a run changes nothing."""
    newer = {"info": {**INFO, "workspace": "w"}, "data": {"traces": [1]}, "outputs": {"models": []}}
    answered(answers, "get_run", {"run": newer, "trailer": True})

    assert store.get_run("r1").info.run_id == "r1"


LATEST = {"key": "m", "value": 0.5, "timestamp": 5, "step": 2}


@pytest.mark.parametrize(
    "changed",
    [
        *({"key": wrong} for wrong in (None, 5)),
        *({"value": wrong} for wrong in (None, True, "high", [])),
        *({"timestamp": wrong} for wrong in (None, True, 1.5, "now", 2**63, -(2**63) - 1)),
        *({"step": wrong} for wrong in (True, 1.5, "first", 2**63, -(2**63) - 1)),
        {"dataset_name": 5},
    ],
    ids=str,
)
def test_a_point_of_a_run_that_is_none_is_refused(
    answers: responses.RequestsMock, store: RestStore, changed: dict[str, Any]
) -> None:
    """However much of it is as usual."""
    answered(answers, "get_run", {"run": {**RUN, "data": {"metrics": [LATEST, {**LATEST, **changed}]}}})

    assert refusal(store, "get_run").error_code is ErrorCode.INTERNAL_ERROR


@pytest.mark.parametrize(
    ("changed", "read"),
    [
        ({}, {}),
        ({"step": None}, {"step": 0}),
        ({"value": 1}, {"value": 1.0}),
        ({"value": "-Infinity"}, {"value": -math.inf}),
        ({"timestamp": "7", "step": 3.0}, {"timestamp": 7, "step": 3}),
        ({"timestamp": 2**63 - 1, "step": -(2**63)}, {"timestamp": 2**63 - 1, "step": -(2**63)}),
        ({"dataset_name": "d", "dataset_digest": "x"}, {"dataset_name": "d", "dataset_digest": "x"}),
        ({"dataset_name": None, "newer": {}}, {}),
    ],
    ids=str,
)
def test_a_point_of_a_run_is_read_in_every_form(
    answers: responses.RequestsMock, store: RestStore, changed: dict[str, Any], read: dict[str, Any]
) -> None:
    """With what servers leave out, add, and write as texts."""
    answered(answers, "get_run", {"run": {**RUN, "data": {"metrics": [{**LATEST, **changed}]}}})

    point = store.get_run("r1").data.latest_metrics["m"]

    assert point == Metric(**{**LATEST, **read})
    assert type(point.value) is float
    assert point.run_id == "r1"


def test_what_is_left_out_is_empty(answers: responses.RequestsMock, store: RestStore) -> None:
    """A page without a list has no items."""
    answered(answers, "search_runs", {})

    page = store.search_runs(["0"])

    assert (page, page.token) == ([], None)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, ErrorCode.INVALID_PARAMETER_VALUE),
        (401, ErrorCode.UNAUTHENTICATED),
        (403, ErrorCode.PERMISSION_DENIED),
        (404, ErrorCode.ENDPOINT_NOT_FOUND),
        (405, ErrorCode.ENDPOINT_NOT_FOUND),
        (409, ErrorCode.INTERNAL_ERROR),
        (413, ErrorCode.INVALID_PARAMETER_VALUE),
        (429, ErrorCode.TEMPORARILY_UNAVAILABLE),
        (431, ErrorCode.INVALID_PARAMETER_VALUE),
        (500, ErrorCode.INTERNAL_ERROR),
        (501, ErrorCode.NOT_IMPLEMENTED),
        (502, ErrorCode.TEMPORARILY_UNAVAILABLE),
        (503, ErrorCode.TEMPORARILY_UNAVAILABLE),
        (504, ErrorCode.TEMPORARILY_UNAVAILABLE),
        (599, ErrorCode.INTERNAL_ERROR),
    ],
)
@pytest.mark.parametrize("body", ["<html>Oh no</html>", "{}", '{"error_code": {"a": 1}, "message": ["b"]}', ""])
def test_an_error_that_does_not_say_its_code_is_known_by_its_status(
    answers: responses.RequestsMock, store: RestStore, status: int, code: ErrorCode, body: str
) -> None:
    """What stands before a server, and says so in HTML, is understood all the same."""
    kind = "application/json" if body.startswith("{") else "text/html"
    answered(answers, "log_param", body, status, content_type=kind)

    assert refusal(store, "log_param").error_code is code


def test_the_text_of_an_error_is_clean_and_bounded(answers: responses.RequestsMock, store: RestStore) -> None:
    """A message of a server cannot steer a terminal, nor fill a log."""
    told = {"error_code": "INVALID_STATE", "message": "\x1b[2Jgone\r\n" + "x" * 100_000}
    answered(answers, "log_param", told, 409)

    message = refusal(store, "log_param").message

    assert message.isprintable()
    assert len(message) <= 2000


@pytest.mark.parametrize(
    "location", ["http://elsewhere.example/api", "/login", "//x", "http://[", "", "javascript:1"]
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("name", ["get_run", "log_param"])
def test_no_redirection_is_followed(
    answers: responses.RequestsMock, store: RestStore, name: str, status: int, location: str
) -> None:
    """One request is made, and the caller is told."""
    answered(answers, name, "", status, headers={"Location": location})

    assert refusal(store, name).error_code is ErrorCode.INTERNAL_ERROR
    assert len(answers.calls) == 1


def test_where_a_redirection_leads_is_told_without_what_it_carries(
    answers: responses.RequestsMock, store: RestStore
) -> None:
    """The host is named, since the URI may have to be mended; the rest may hold secrets."""
    answered(answers, "get_run", "", 302, headers={"Location": "https://u:hunter2@new.example:8443/p?t=hunter2"})

    message = refusal(store, "get_run").message

    assert "https://new.example:8443" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "not announced"])
def test_a_giant_answer_is_not_read_whole(
    answers: responses.RequestsMock, store: RestStore, monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    """An answer beyond the bound is an error, whether its length is announced or not."""
    monkeypatch.setattr(transport, "MAX_ANSWER", 100)
    body = json.dumps({"run": RUN, "more": "x" * 200})
    answered(answers, "get_run", body, auto_calculate_content_length=announced)

    error = refusal(store, "get_run")

    assert error.error_code is ErrorCode.INTERNAL_ERROR
    assert "larger" in error.message


def test_an_answer_that_fits_is_read_whole(
    answers: responses.RequestsMock, store: RestStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound counts bytes, and the last one that fits is taken."""
    body = json.dumps({"run": RUN})
    monkeypatch.setattr(transport, "MAX_ANSWER", len(body))
    answered(answers, "get_run", body)

    assert store.get_run("r1").data.params == {"p": "v"}


def test_whatever_breaks_while_an_answer_is_read_is_an_error_of_ours(
    answers: responses.RequestsMock, store: RestStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No exception of the libraries reaches the caller."""

    def broken(self: HTTPResponse, *args: Any, **kwargs: Any) -> bytes:
        raise OSError("the disk of somebody else")

    monkeypatch.setattr(HTTPResponse, "read", broken)
    answered(answers, "get_run", {"run": RUN})

    error = refusal(store, "get_run")

    assert error.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
    assert "disk" not in str(error)
