"""The REST store works with MLflow's own server: what it writes reads back, there and here."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

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
    open_store,
)

pytest.importorskip("mlflow", reason="MLflow is not installed: it lives in an environment of its own")
pytest.importorskip("requests", reason="requests is not installed: pip install 'trackspec[rest]'")

sys.path.insert(0, str(Path(__file__).parent))

import results


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackingStore]:
    """A store behind ``mlflow server`` over SQLite."""
    directory = tmp_path_factory.mktemp("mlflow") / "server"
    with results._server(directory, "sqlite:///{}/server.db") as uri, open_store(uri) as opened:
        yield opened


@pytest.fixture
def experiment_id(store: TrackingStore, request: pytest.FixtureRequest) -> str:
    """An experiment of its own for the test."""
    return store.create_experiment(request.node.name, "s3://bucket/it", [ExperimentTag("team", "ünï")])


def refusal(call: object, *args: object, **kwargs: object) -> TrackspecError:
    """The error that a call raises."""
    with pytest.raises(TrackspecError) as raised:
        call(*args, **kwargs)  # type: ignore[operator]
    return raised.value


def test_an_experiment_comes_and_goes(store: TrackingStore, experiment_id: str) -> None:
    """It is made, found, tagged, renamed, deleted and restored."""
    made = store.get_experiment(experiment_id)
    assert (made.artifact_location, made.tags) == ("s3://bucket/it", {"team": "ünï"})
    assert store.get_experiment_by_name(made.name) == made
    assert store.get_experiment_by_name("nobody") is None

    store.set_experiment_tag(experiment_id, ExperimentTag("more", "x"))
    store.delete_experiment_tag(experiment_id, "team")
    store.rename_experiment(experiment_id, "renamed")
    store.delete_experiment(experiment_id)

    found = store.get_experiment(experiment_id)
    assert (found.name, found.lifecycle_stage, found.tags) == ("renamed", LifecycleStage.DELETED, {"more": "x"})
    assert [one.experiment_id for one in store.search_experiments(ViewType.DELETED_ONLY)] == [experiment_id]
    store.restore_experiment(experiment_id)
    assert store.get_experiment(experiment_id).lifecycle_stage is LifecycleStage.ACTIVE


def test_a_run_reads_back_whole(store: TrackingStore, experiment_id: str) -> None:
    """Params, metrics, tags, inputs, and what is known of the run itself."""
    run_id = store.create_run(experiment_id, "ada", 5, [RunTag("a/b", "c")], "first").info.run_id
    store.log_param(run_id, Param("lr", ""))
    store.log_metric(run_id, Metric("loss", 0.1, 7, -3))
    store.log_metric(run_id, Metric("nan", math.nan, 7, 2**60))
    store.set_tag(run_id, RunTag("t", "v"))
    store.delete_tag(run_id, "a/b")
    store.log_batch(run_id, [Metric("loss", 0.2, 8, 4)], [Param("p", "é")], [RunTag("u", "w")])
    store.log_inputs(run_id, [DatasetInput(Dataset("d", "1", "s3", "x", None, "p"), (InputTag("use", "train"),))])
    info = store.update_run_info(run_id, RunStatus.FINISHED, 9, "renamed")

    run = store.get_run(run_id)
    assert run.info == info
    assert (info.run_name, info.status, info.start_time, info.end_time) == ("renamed", RunStatus.FINISHED, 5, 9)
    assert run.data.params == {"lr": "", "p": "é"}
    assert {key: run.data.tags[key] for key in ("t", "u")} == {"t": "v", "u": "w"}
    assert "a/b" not in run.data.tags
    assert run.data.metrics["loss"] == 0.2
    assert math.isnan(run.data.metrics["nan"])
    assert run.data.latest_metrics["nan"].step == 2**60
    assert [(item.dataset.name, item.tags) for item in run.inputs.dataset_inputs] == [
        ("d", (InputTag("use", "train"),))
    ]
    assert [point.value for point in store.get_metric_history(run_id, "loss")] == [0.1, 0.2]
    assert [point.step for point in store.get_metric_history_bulk_interval([run_id], "loss", 5)] == [-3, 4]


def test_a_run_without_a_start_begins_now(store: TrackingStore, experiment_id: str) -> None:
    """The server by itself would have it begin in 1970."""
    made = store.get_experiment(experiment_id).creation_time

    assert store.create_run(experiment_id, None, None, None, None).info.start_time >= made - 1000


def test_runs_are_searched_by_pages(store: TrackingStore, experiment_id: str) -> None:
    """The server's tokens lead from page to page."""
    made = {store.create_run(experiment_id, None, None, [], None).info.run_id for _ in range(5)}
    found, token = set(), None
    for _ in range(3):
        page = store.search_runs([experiment_id], "attributes.status = 'RUNNING'", max_results=2, page_token=token)
        found |= {run.info.run_id for run in page}
        token = page.token

    assert (found, token) == (made, None)


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("get_run", ("nobody",), ErrorCode.RESOURCE_DOES_NOT_EXIST),
        ("get_experiment", ("987654",), ErrorCode.RESOURCE_DOES_NOT_EXIST),
        ("create_experiment", ("Default",), ErrorCode.RESOURCE_ALREADY_EXISTS),
        ("search_runs", (["0"], "no filter at all"), ErrorCode.INVALID_PARAMETER_VALUE),
        ("get_artifact_root", (), ErrorCode.NOT_IMPLEMENTED),
        ("set_artifact_root", ("s3://bucket",), ErrorCode.NOT_IMPLEMENTED),
    ],
)
def test_the_codes_of_the_server_arrive(
    store: TrackingStore, name: str, arguments: tuple[object, ...], code: ErrorCode
) -> None:
    """And what the server does not have is not offered."""
    assert refusal(getattr(store, name), *arguments).error_code is code


def test_a_code_that_is_none_of_ours_arrives_as_it_is(store: TrackingStore, experiment_id: str) -> None:
    """MLflow's server has more codes than this specification."""
    error = refusal(store.rename_experiment, experiment_id, "Default")

    assert error.error_code == "BAD_REQUEST"


def test_keys_are_refused_since_the_server_passes_them_over(store: TrackingStore, experiment_id: str) -> None:
    """No run is made that the key would not find again."""
    error = refusal(store.create_run, experiment_id, None, None, None, None, idempotency_key="mine")

    assert error.error_code is ErrorCode.NOT_IMPLEMENTED
    assert store.search_runs([experiment_id]) == []


def test_many_threads_log_at_once(store: TrackingStore, experiment_id: str) -> None:
    """Over one store object."""
    run_id = store.create_run(experiment_id, None, None, None, None).info.run_id

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda step: store.log_metric(run_id, Metric("m", step, step, step)), range(40)))

    assert len(store.get_metric_history(run_id, "m")) == 40
