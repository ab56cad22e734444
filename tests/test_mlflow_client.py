"""The official MLflow client works against our server, and what it logs reads back whole."""

from __future__ import annotations

import csv
import json
import math
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("mlflow", reason="MLflow is not installed: it lives in an environment of its own")

os.environ["MLFLOW_DISABLE_TELEMETRY"] = os.environ["DO_NOT_TRACK"] = "true"  # it asks when it is imported

import mlflow
import pandas as pd
from click.testing import CliRunner
from mlflow import MlflowClient
from mlflow.cli import cli
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException

from tests.mlflow_settings import SETTINGS
from tests.servers.tracking import in_process
from trackspec import LifecycleStage, RunStatus, TrackingStore, open_store


class Backend(NamedTuple):
    """A server in a process of its own, and the store that it serves, opened here as well."""

    uri: str
    store: TrackingStore


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """The server of all these tests."""
    directory = tmp_path_factory.mktemp("served")
    uri = f"sqlite:///{directory}/store.db"
    with (
        in_process(uri, "--artifact-root", f"file://{directory}/artifacts") as server,
        open_store(uri) as store,
    ):
        yield Backend(f"http://127.0.0.1:{server.port}", store)


@pytest.fixture
def store(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[TrackingStore]:
    """The store behind the server that MLflow is told of; the active experiment is named after the test."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    mlflow.set_tracking_uri(backend.uri)
    mlflow.set_experiment(request.node.name)
    yield backend.store
    while mlflow.active_run():
        mlflow.end_run()


def experiment_id(name: str) -> str:
    """The id of the experiment of a name."""
    found = mlflow.get_experiment_by_name(name)
    assert found is not None
    return str(found.experiment_id)


# -- the fluent interface ----------------------------------------------------------------------------------------


def test_a_run_of_the_fluent_interface_reads_back_whole(store: TrackingStore) -> None:
    """Params, metrics, tags, a description, a dataset: through MLflow and in the store."""
    frame = pd.DataFrame({"a": [1, 2], "b": [3.0, 4.0]})
    dataset = mlflow.data.from_pandas(frame, source="http://data.example/y.csv", name="ds", targets="b")

    with mlflow.start_run(run_name="outer", tags={"a": "b"}, description="what for") as active:
        mlflow.log_param("p", 1)
        mlflow.log_params({"x": 1.5, "empty": ""})
        mlflow.log_metric("m", 0.5, step=3, timestamp=10)
        mlflow.log_metrics({"m": 1.0, "n": 2.0}, step=1, timestamp=11)
        mlflow.log_metric("nan", math.nan)
        mlflow.log_metric("up", math.inf)
        mlflow.log_metric("down", -math.inf)
        mlflow.set_tag("t", "v")
        mlflow.set_tags({"u": "ü", "k": 3})
        mlflow.log_input(dataset, context="training", tags={"q": "r"})
        mlflow.log_metric("on", 4.0, dataset=dataset)
        mlflow.log_text("hello", "a.txt")

    read, kept = mlflow.get_run(active.info.run_id), store.get_run(active.info.run_id)
    assert read.data.params == kept.data.params == {"p": "1", "x": "1.5", "empty": ""}
    assert str(read.data.metrics) == str(kept.data.metrics)
    assert kept.data.metrics["m"] == 0.5
    assert math.isnan(kept.data.metrics["nan"])
    assert (kept.data.metrics["up"], kept.data.metrics["down"]) == (math.inf, -math.inf)
    assert read.data.tags == kept.data.tags
    assert {key: kept.data.tags[key] for key in ("a", "t", "u", "k", "mlflow.note.content")} == {
        "a": "b",
        "t": "v",
        "u": "ü",
        "k": "3",
        "mlflow.note.content": "what for",
    }
    assert (kept.info.run_name, kept.info.status) == ("outer", RunStatus.FINISHED)
    assert kept.info.end_time
    assert kept.info.end_time >= kept.info.start_time
    (given,) = kept.inputs.dataset_inputs
    assert (given.dataset.name, given.dataset.digest) == ("ds", dataset.digest)
    assert {tag.key: tag.value for tag in given.tags} == {"mlflow.data.context": "training", "q": "r"}
    assert read.inputs.dataset_inputs[0].dataset.schema == given.dataset.schema
    assert kept.data.latest_metrics["on"].dataset_digest == dataset.digest
    assert mlflow.artifacts.load_text(f"{active.info.artifact_uri}/a.txt") == "hello"


def test_runs_nest(store: TrackingStore) -> None:
    """A child is a run of its own that names its parent."""
    with mlflow.start_run() as parent:
        with mlflow.start_run(nested=True) as child:
            mlflow.log_metric("m", 1)
        mlflow.log_metric("m", 2)

    found = MlflowClient().get_parent_run(child.info.run_id)
    assert found is not None
    assert found.info.run_id == parent.info.run_id
    assert store.get_run(child.info.run_id).data.metrics == {"m": 1.0}
    assert store.get_run(parent.info.run_id).data.metrics == {"m": 2.0}


def test_a_run_that_fails_is_told_so(store: TrackingStore) -> None:
    """An exception in the middle of it ends it."""
    with pytest.raises(ZeroDivisionError), mlflow.start_run() as active:
        mlflow.log_metric("m", 1 / 0)

    assert store.get_run(active.info.run_id).info.status is RunStatus.FAILED


def test_a_run_is_resumed(store: TrackingStore) -> None:
    """Under its id, with what it had."""
    with mlflow.start_run() as first:
        mlflow.log_param("p", "1")
    with mlflow.start_run(run_id=first.info.run_id):
        mlflow.log_param("q", "2")

    assert store.get_run(first.info.run_id).data.params == {"p": "1", "q": "2"}


def test_what_is_logged_in_the_background_arrives(store: TrackingStore) -> None:
    """MLflow gathers it into batches."""
    with mlflow.start_run() as active:
        for step in range(50):
            mlflow.log_metric("m", step, step=step, synchronous=False)
        mlflow.log_params({"p": "1"}, synchronous=False)
        mlflow.flush_async_logging()

    assert [point.step for point in store.get_metric_history(active.info.run_id, "m")] == list(range(50))
    assert store.get_run(active.info.run_id).data.params == {"p": "1"}


def test_runs_are_searched_into_a_frame(store: TrackingStore, request: pytest.FixtureRequest) -> None:
    """By a filter and an order, as the store itself finds them."""
    for number in range(5):
        with mlflow.start_run(run_name=f"r{number}"):
            mlflow.log_metric("m", number)
            mlflow.log_param("even", number % 2 == 0)

    frame = mlflow.search_runs(filter_string="metrics.m > 0 AND params.even = 'True'", order_by=["metrics.m DESC"])
    everywhere = mlflow.search_runs(search_all_experiments=True, filter_string="attributes.run_name = 'r3'")

    ours = store.search_runs(
        [experiment_id(request.node.name)], "metrics.m > 0 AND params.even = 'True'", order_by=["metrics.m DESC"]
    )
    assert list(frame["run_id"]) == [run.info.run_id for run in ours]
    assert list(frame["metrics.m"]) == [4.0, 2.0]
    assert list(everywhere["metrics.m"]) == [3.0]


def test_an_experiment_is_deleted_and_restored(store: TrackingStore) -> None:
    """With its runs."""
    made = mlflow.create_experiment("in and out", tags={"a": "b"})
    with mlflow.start_run(experiment_id=made) as active:
        pass

    mlflow.delete_experiment(made)
    deleted = store.get_run(active.info.run_id).info.lifecycle_stage
    found = mlflow.get_experiment_by_name("in and out")
    MlflowClient().restore_experiment(made)

    assert deleted is LifecycleStage.DELETED
    assert found is not None
    assert (found.lifecycle_stage, found.tags) == ("deleted", {"a": "b"})
    assert mlflow.get_experiment(made).lifecycle_stage == "active"
    assert mlflow.get_experiment_by_name("nobody's") is None


# -- the client --------------------------------------------------------------------------------------------------


def test_each_call_of_the_client_does_what_it_says(store: TrackingStore, request: pytest.FixtureRequest) -> None:
    """Experiments and runs, from their creation to their end."""
    client = MlflowClient()
    made = client.create_experiment("client", tags={"a": "b"})
    client.rename_experiment(made, "client 2")
    client.set_experiment_tag(made, "k", "v")
    client.delete_experiment_tag(made, "a")
    experiment = store.get_experiment(made)
    run_id = client.create_run(made, start_time=5, tags={"x": "y"}, run_name="n").info.run_id
    client.log_metric(run_id, "m", 2.0, timestamp=7, step=1)
    client.log_metric(run_id, "m", 1.0, timestamp=7, step=0)
    client.log_param(run_id, "p", "1")
    client.log_batch(run_id, [Metric("b", 1.0, 1, 0)], [Param("c", "d")], [RunTag("gone", "1")])
    client.set_tag(run_id, "x", "z")
    client.delete_tag(run_id, "gone")
    client.log_inputs(run_id, [DatasetInput(Dataset("n", "d", "t", "s"), [InputTag("k", "v")])])
    client.update_run(run_id, name="n2")
    client.set_terminated(run_id, "KILLED", end_time=9)
    client.delete_run(run_id)
    deleted = store.get_run(run_id).info.lifecycle_stage
    client.restore_run(run_id)

    run = store.get_run(run_id)
    assert (experiment.name, experiment.tags) == ("client 2", {"k": "v"})
    assert deleted is LifecycleStage.DELETED
    assert run.data.params == {"p": "1", "c": "d"}
    assert run.data.metrics == {"m": 2.0, "b": 1.0}
    assert run.data.tags["x"] == "z"
    assert "gone" not in run.data.tags
    assert (run.info.run_name, run.info.status) == ("n2", RunStatus.KILLED)
    assert (run.info.start_time, run.info.end_time) == (5, 9)
    assert run.inputs.dataset_inputs[0].dataset.name == "n"
    assert [(point.step, point.value) for point in client.get_metric_history(run_id, "m")] == [(0, 1.0), (1, 2.0)]
    assert client.get_run(run_id).to_dictionary()["data"]["params"] == run.data.params


def test_searches_of_the_client_are_paged(store: TrackingStore, request: pytest.FixtureRequest) -> None:
    """Its tokens fetch the next page."""
    client, here = MlflowClient(), experiment_id(request.node.name)
    made = [client.create_run(here, start_time=number).info.run_id for number in range(1, 6)]
    for name in ("paged 1", "paged 2", "paged 3"):
        client.create_experiment(name)

    first = client.search_runs([here], max_results=3)
    second = client.search_runs([here], max_results=3, page_token=first.token)
    names = client.search_experiments(ViewType.ALL, filter_string="name LIKE 'paged%'", max_results=2)
    rest = client.search_experiments(
        ViewType.ALL, filter_string="name LIKE 'paged%'", max_results=2, page_token=names.token
    )

    assert [run.info.run_id for run in [*first, *second]] == made[::-1]
    assert sorted(experiment.name for experiment in [*names, *rest]) == ["paged 1", "paged 2", "paged 3"]
    assert not second.token


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda client, run: client.get_run("f" * 32), "RESOURCE_DOES_NOT_EXIST"),
        (lambda client, run: client.create_experiment("Default"), "RESOURCE_ALREADY_EXISTS"),
        (lambda client, run: client.log_param(run, "p", "2"), "INVALID_PARAMETER_VALUE"),
        (lambda client, run: client.delete_tag(run, "none"), "RESOURCE_DOES_NOT_EXIST"),
        (lambda client, run: client.search_runs(["0"], "nonsense ="), "INVALID_PARAMETER_VALUE"),
    ],
)
def test_our_error_codes_reach_its_callers(store: TrackingStore, call: Any, code: str) -> None:
    """A refusal is an exception with the server's code, and is not tried again."""
    client = MlflowClient()
    run_id = client.create_run("0").info.run_id
    client.log_param(run_id, "p", "1")

    with pytest.raises(MlflowException) as refused:
        call(client, run_id)

    assert refused.value.error_code == code


# -- the commands ------------------------------------------------------------------------------------------------


def run_command(*arguments: str) -> str:
    """What a command of MLflow prints."""
    ended = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert ended.exit_code == 0, ended.output
    return ended.output


def test_its_commands_for_experiments_work(store: TrackingStore, tmp_path: Path) -> None:
    """``mlflow experiments``, each of those that are no trace's."""
    run_command("experiments", "create", "--experiment-name", "by command")
    made = experiment_id("by command")
    run_command("experiments", "rename", "--experiment-id", made, "--new-name", "by command 2")
    with mlflow.start_run(experiment_id=made):
        mlflow.log_metric("m", 1.5)
    listed = run_command("experiments", "search")
    got = json.loads(run_command("experiments", "get", "--experiment-id", made, "--output", "json"))
    run_command("experiments", "csv", "--experiment-id", made, "--filename", str(tmp_path / "runs.csv"))
    run_command("experiments", "delete", "--experiment-id", made)
    deleted = store.get_experiment(made).lifecycle_stage
    run_command("experiments", "restore", "--experiment-id", made)

    assert "by command 2" in listed
    assert got["name"] == "by command 2"
    with (tmp_path / "runs.csv").open() as file:
        assert [row["metrics.m"] for row in csv.DictReader(file)] == ["1.5"]
    assert deleted is LifecycleStage.DELETED
    assert store.get_experiment(made).lifecycle_stage is LifecycleStage.ACTIVE


def test_its_commands_for_runs_work(store: TrackingStore, request: pytest.FixtureRequest) -> None:
    """``mlflow runs``, each of those that are no trace's."""
    here = experiment_id(request.node.name)
    run_command("runs", "create", "--experiment-id", here, "--run-name", "named", "--tags", "a=b")
    (run,) = store.search_runs([here])
    listed = run_command("runs", "list", "--experiment-id", here)
    described = json.loads(run_command("runs", "describe", "--run-id", run.info.run_id))
    run_command("runs", "delete", "--run-id", run.info.run_id)
    deleted = store.get_run(run.info.run_id).info.lifecycle_stage
    run_command("runs", "restore", "--run-id", run.info.run_id)

    assert run.info.run_id in listed
    assert described["info"]["run_name"] == "named"
    assert described["data"]["tags"]["a"] == "b"
    assert deleted is LifecycleStage.DELETED
    assert store.get_run(run.info.run_id).info.lifecycle_stage is LifecycleStage.ACTIVE


# -- a training --------------------------------------------------------------------------------------------------

TRAINING = textwrap.dedent(
    """\
    import mlflow
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, train_test_split

    mlflow.set_experiment("irises")
    mlflow.sklearn.autolog(log_models=False)
    X, y = load_iris(return_X_y=True, as_frame=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    with mlflow.start_run(run_name="plain"):
        LogisticRegression(C=0.5, max_iter=200).fit(X_train, y_train).score(X_test, y_test)
    with mlflow.start_run(run_name="searched"):
        GridSearchCV(LogisticRegression(max_iter=200), {"C": [0.1, 1.0, 10.0]}, cv=2).fit(X_train, y_train)
    """
)


def test_a_training_with_autologging_reads_back_whole(backend: Backend, tmp_path: Path) -> None:
    """A script that knows nothing of us, in a process of its own."""
    script = tmp_path / "train.py"
    script.write_text(TRAINING)

    ended = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, **SETTINGS, "MLFLOW_TRACKING_URI": backend.uri},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert "error during sklearn autologging" not in ended.stderr
    experiment = backend.store.get_experiment_by_name("irises")
    assert experiment is not None
    runs = {run.info.run_name: run for run in backend.store.search_runs([experiment.experiment_id])}
    plain, searched = runs.pop("plain"), runs.pop("searched")
    children = list(runs.values())
    assert {run.info.status for run in (plain, searched, *children)} == {RunStatus.FINISHED}
    assert plain.data.params.items() >= {"C": "0.5", "max_iter": "200", "fit_intercept": "True"}.items()
    assert plain.data.metrics.keys() >= {"training_score", "training_log_loss", "LogisticRegression_score_X_test"}
    assert 0.8 < plain.data.metrics["training_score"] <= 1
    assert plain.data.latest_metrics["training_score"].dataset_name == "dataset"
    assert plain.data.tags["estimator_name"] == "LogisticRegression"
    assert [{tag.value for tag in given.tags} for given in plain.inputs.dataset_inputs] == [{"train"}]
    assert searched.data.params["best_C"] in ("0.1", "1.0", "10.0")
    assert sorted(run.data.params["C"] for run in children) == ["0.1", "1.0", "10.0"]
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {searched.info.run_id}
