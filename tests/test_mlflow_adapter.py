"""The adapter of MLflow's stores translates, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from trackspec import (
    Dataset,
    DatasetInput,
    ErrorCode,
    InputTag,
    LifecycleStage,
    Metric,
    Param,
    RunStatus,
    RunTag,
    TrackspecError,
    ViewType,
)
from trackspec_conformance.expectations import error_code
from trackspec_conformance.subjects import SubjectError, open_subject

pytest.importorskip("mlflow", reason="MLflow is not installed: it lives in an environment of its own")
import mlflow.entities
import mlflow.protos.databricks_pb2 as codes
from mlflow.exceptions import MlflowException, RestException
from mlflow.store.entities import PagedList

from trackspec_conformance.subjects.mlflow_store import MlflowTrackingStore


class Spy:
    """An MLflow store that notes what it is called with, and answers or raises what it is told to."""

    def __init__(self, answer: object = None) -> None:
        self.answer = answer
        self.calls: list[tuple[str, tuple, dict]] = []

    def __getattr__(self, method: str) -> Callable[..., object]:
        if method == "delete_tag":
            raise AttributeError(method)

        def call(*args: object, **kwargs: object) -> object:
            self.calls.append((method, args, kwargs))
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer(*args, **kwargs) if callable(self.answer) else self.answer

        return call


@pytest.mark.parametrize("bad", [None, 5, "abc", b"x", 1.5, object(), {"a": 1}])
def test_what_is_no_entity_reaches_the_store_as_it_is(bad: object) -> None:
    """A bad argument is the store's to judge."""
    spy = Spy()

    MlflowTrackingStore(spy).log_metric(bad, bad)

    assert spy.calls == [("log_metric", (bad, bad), {})]


def test_entities_are_translated_field_by_field_whatever_they_hold() -> None:
    """No field is judged on the way."""
    spy = Spy()
    dataset = DatasetInput(Dataset(None, "d", "t", "s"), (InputTag("k", 5),))

    MlflowTrackingStore(spy).log_batch(
        "r", [Metric("m", "x", None, 1.5)], (Param(5, None),), [None, RunTag("a", "b")]
    )
    MlflowTrackingStore(spy).log_inputs("r", [dataset])

    (_, (_, metrics, params, tags), _), (_, (_, inputs), _) = spy.calls
    assert metrics == [mlflow.entities.Metric("m", "x", None, 1.5)]
    assert type(params) is tuple
    assert (params[0].key, params[0].value) == (5, None)
    assert tags[0] is None
    assert dict(tags[1]) == {"key": "a", "value": "b"}
    assert inputs[0].dataset.name is None
    assert inputs[0].tags[0].value == 5


def test_a_generator_stays_one() -> None:
    """A lazy argument reaches the store as lazy as it came."""
    spy = Spy()

    MlflowTrackingStore(spy).log_batch("r", (point for point in [Metric("m", 1.0, 2, 3)]), [], [])

    metrics = spy.calls[0][1][1]
    assert iter(metrics) is metrics
    assert list(metrics) == [mlflow.entities.Metric("m", 1.0, 2, 3)]


def test_enums_become_mlflows_numbers_and_other_statuses_stay() -> None:
    """MLflow's enums are numbers; what is no enum is not made one."""
    spy = Spy()
    store = MlflowTrackingStore(spy)

    store.update_run_info("r", RunStatus.FINISHED)
    store.update_run_info("r", "FINISHED")
    spy.answer = []
    store.search_runs(["1"], run_view_type=ViewType.ALL)
    store.search_runs(["1"], run_view_type=3)

    assert [call[1][1] for call in spy.calls[:2]] == [mlflow.entities.RunStatus.FINISHED, "FINISHED"]
    assert [call[1][2] for call in spy.calls[2:]] == [mlflow.entities.ViewType.ALL, 3]


def test_what_is_left_out_is_left_to_the_stores_own_default() -> None:
    """The adapter has no defaults of its own."""
    spy = Spy([])
    store = MlflowTrackingStore(spy)

    store.search_experiments()
    store.search_experiments(max_results=None)
    store.get_metric_history("r", "m")

    assert "max_results" not in spy.calls[0][2]
    assert spy.calls[1][2]["max_results"] is None
    assert spy.calls[2] == ("get_metric_history", ("r", "m"), {})


def test_a_list_that_the_store_changes_is_changed_for_the_caller() -> None:
    """The translated copy does not hide that a store writes to its arguments."""
    spy = Spy(lambda *args: args[3].append("more"))
    tags = [RunTag("a", "b")]

    MlflowTrackingStore(spy).create_run("1", "u", 1, tags, None)

    assert tags == [RunTag("a", "b"), "more"]


def test_missing_fields_stay_missing() -> None:
    """What the store does not tell is not invented."""
    info = mlflow.entities.RunInfo("r", "1", "", "SOMETHING", 1, None, "active")
    spy = Spy(mlflow.entities.Run(info, mlflow.entities.RunData()))

    run = MlflowTrackingStore(spy).get_run("r")

    assert (run.info.run_name, run.info.end_time, run.info.status) == (None, None, "SOMETHING")
    assert run.info.lifecycle_stage is LifecycleStage.ACTIVE


def test_a_page_token_in_bytes_comes_as_text() -> None:
    """Two of MLflow's stores give bytes."""
    page = PagedList([], b"abc")

    assert MlflowTrackingStore(Spy(page)).search_runs([]).token == "abc"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MlflowException("no", codes.RESOURCE_DOES_NOT_EXIST), "RESOURCE_DOES_NOT_EXIST"),
        (MlflowException("no", codes.BAD_REQUEST), "BAD_REQUEST"),
        (RestException({"error_code": "OF_A_SERVER", "message": "no"}), "OF_A_SERVER"),
        (NotImplementedError("no"), "NOT_IMPLEMENTED"),
        (ValueError("no"), None),
    ],
)
def test_an_error_keeps_its_code(error: Exception, code: str | None) -> None:
    """Also one that the contract does not know; a bare Python error stays bare."""
    with pytest.raises(Exception, match="no") as caught:
        MlflowTrackingStore(Spy(error)).get_run("r")

    assert error_code(caught.value) == code
    assert isinstance(caught.value, ValueError) is (code is None)


def test_what_mlflow_does_not_offer_is_not_implemented() -> None:
    """What no MLflow store can do is refused as an optional operation is."""
    store = MlflowTrackingStore(Spy())

    for call in (
        store.get_artifact_root,
        lambda: store.set_artifact_root("s3://b"),
        lambda: store.delete_tag("r", "k"),
    ):
        with pytest.raises(TrackspecError) as caught:
            call()
        assert caught.value.error_code is ErrorCode.NOT_IMPLEMENTED


def test_a_file_store_opens_and_opens_again(tmp_path: Path) -> None:
    """The second object sees what the first one wrote."""
    subject = open_subject(f"mlflow+file:{tmp_path / 'runs'}")
    experiment_id = subject.open().create_experiment("e")

    again = subject.open()

    assert again.get_experiment(experiment_id).name == "e"
    assert "configuration" not in subject.profiles


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("nosuch://x", "no store of the installed MLflow claims the scheme 'nosuch'"),
        ("http://127.0.0.1:9", "nothing listens at http://127.0.0.1:9"),
        ("mysql+nodriver://u:secret@127.0.0.1:9/x", r"cannot use mysql\+nodriver://u:\*\*\*@127.0.0.1:9/x"),
        ("sqlite:////proc/none/x.db", "cannot use sqlite"),
        ("", "followed by a tracking URI"),
    ],
)
def test_what_cannot_be_opened_is_told_in_one_line(uri: str, reason: str) -> None:
    """Nothing takes minutes, and no password is shown."""
    with pytest.raises(SubjectError, match=reason) as caught:
        open_subject(f"mlflow+{uri}").open()

    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
