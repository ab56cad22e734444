"""The official MLflow client logs, lists, reads and deletes artifacts through our server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("mlflow", reason="MLflow is not installed: it lives in an environment of its own")

os.environ["MLFLOW_DISABLE_TELEMETRY"] = os.environ["DO_NOT_TRACK"] = "true"  # it asks when it is imported

import mlflow
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from requests import HTTPError

from tests.mlflow_settings import SETTINGS
from tests.servers import free_port, wait_until_ready
from tests.servers.tracking import Client, in_process
from trackspec import ArtifactRepository, ErrorCode, TrackspecError


class Backend(NamedTuple):
    """A server that proxies artifacts, and where it keeps them."""

    uri: str
    kept: Path


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """The server of all these tests."""
    directory = tmp_path_factory.mktemp("served")
    kept = directory / "kept"
    with in_process(f"sqlite:///{directory}/store.db", "--artifacts-destination", f"file://{kept}") as server:
        yield Backend(f"http://127.0.0.1:{server.port}", kept)


@pytest.fixture
def run_id(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A run that is active, of an experiment without an artifact location."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", backend.uri)
    mlflow.set_tracking_uri(backend.uri)
    mlflow.set_experiment("artifacts")
    with mlflow.start_run() as run:
        yield run.info.run_id


def listed(run_id: str, path: str | None = None) -> list[tuple[str, bool, int | None]]:
    """What MLflow's client lists."""
    found = MlflowClient().list_artifacts(run_id, path)
    return [(item.path, item.is_dir, item.file_size) for item in found]


def test_what_is_logged_is_listed_and_read(run_id: str, backend: Backend, tmp_path: Path) -> None:
    """A file, a text, a dictionary and a folder, by calls of the fluent interface."""
    (tmp_path / "a.bin").write_bytes(bytes(range(256)))
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "deep" / "b c (ä).txt").write_bytes(b"deep")
    (tmp_path / "tree" / "empty").write_bytes(b"")

    mlflow.log_artifact(str(tmp_path / "a.bin"), "files")
    mlflow.log_artifacts(str(tmp_path / "tree"), "tree")
    mlflow.log_text("hello", "notes/hello.txt")
    mlflow.log_dict({"a": 1}, "config.json")

    uri = mlflow.get_artifact_uri()
    assert uri == f"mlflow-artifacts:/{mlflow.active_run().info.experiment_id}/{run_id}/artifacts"
    assert listed(run_id) == [
        ("config.json", False, 12),
        ("files", True, None),
        ("notes", True, None),
        ("tree", True, None),
    ]
    assert listed(run_id, "tree") == [("tree/deep", True, None), ("tree/empty", False, 0)]
    assert listed(run_id, "files/a.bin") == []
    assert listed(run_id, "nowhere") == []
    assert mlflow.artifacts.load_text(f"{uri}/notes/hello.txt") == "hello"
    copy = Path(download_artifacts(run_id=run_id, dst_path=str(tmp_path / "copy")))
    assert (copy / "files" / "a.bin").read_bytes() == bytes(range(256))
    assert (copy / "tree" / "deep" / "b c (ä).txt").read_bytes() == b"deep"
    assert (copy / "tree" / "empty").read_bytes() == b""
    assert list(backend.kept.rglob("hello.txt"))


def test_a_file_as_large_as_a_model_goes_both_ways(run_id: str, tmp_path: Path) -> None:
    """Larger than what the server holds at once, and than the largest body of other calls."""
    content = os.urandom(1 << 20) * 100 + b"end"
    (tmp_path / "model.pkl").write_bytes(content)

    mlflow.log_artifact(str(tmp_path / "model.pkl"), "model")

    assert listed(run_id, "model") == [("model/model.pkl", False, len(content))]
    copy = download_artifacts(run_id=run_id, artifact_path="model/model.pkl", dst_path=str(tmp_path / "copy"))
    assert Path(copy).read_bytes() == content


def test_multipart_uploads_are_declined_as_the_client_expects(
    run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A local folder takes no parts, and the client sends the file by one request instead."""
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", "1")
    (tmp_path / "parts.bin").write_bytes(b"x" * 100)

    mlflow.log_artifact(str(tmp_path / "parts.bin"), "parts")

    assert listed(run_id, "parts") == [("parts/parts.bin", False, 100)]


def test_files_and_folders_are_deleted(run_id: str) -> None:
    """By the repository that MLflow opens for the URI of the run."""
    mlflow.log_text("1", "gone/a.txt")
    mlflow.log_text("1", "stays.txt")
    repository = get_artifact_repository(mlflow.get_artifact_uri())

    repository.delete_artifacts("gone")
    repository.delete_artifacts("gone")

    assert listed(run_id) == [("stays.txt", False, 1)]
    repository.delete_artifacts()
    assert listed(run_id) == []


def test_what_is_missing_is_told_so(run_id: str) -> None:
    """With 404, and in the form of an error that MLflow reads."""
    repository = get_artifact_repository(mlflow.get_artifact_uri())

    with pytest.raises(HTTPError) as raised:
        repository._download_file("nowhere.txt", os.devnull)

    assert raised.value.response.status_code == 404
    assert raised.value.response.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"


def test_our_repositories_see_what_mlflow_logs(run_id: str, tmp_path: Path) -> None:
    """By the URI of the run, and by that of its artifacts."""
    mlflow.log_text("hello", "notes/hello.txt")
    for uri in (f"runs:/{run_id}/notes", f"{mlflow.get_artifact_uri()}/notes"):
        with ArtifactRepository.from_artifact_uri(uri) as repository:
            (found,) = repository.list_artifacts()
            copy = repository.download_artifacts("hello.txt")
            (tmp_path / "more.txt").write_text("more")
            repository.log_artifact(tmp_path / "more.txt", "more")

            assert (found.path, found.file_size) == ("hello.txt", 5)
            assert Path(copy).read_text() == "hello"
            assert ("notes/more/more.txt", False, 4) in listed(run_id, "notes/more")
            repository.delete_artifacts("more")


# -- our repositories over MLflow's server -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an ``mlflow server`` that proxies a folder."""
    directory, port = tmp_path_factory.mktemp("mlflow"), free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    command += [
        "--backend-store-uri",
        f"sqlite:///{directory}/store.db",
        "--artifacts-destination",
        f"{directory}/kept",
    ]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env={**os.environ, **SETTINGS}, start_new_session=True
        )
    try:
        wait_until_ready(lambda: Client(port).request("GET", "/health"), process, seconds=120)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("uri", ["{}/api/2.0/mlflow-artifacts/artifacts/a/root", "mlflow-artifacts:/another/root"])
def test_our_repositories_work_over_mlflows_server(
    mlflow_server: str, uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of every size, folders, what is missing, and deleting twice."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    tree = tmp_path / "tree"
    (tree / "deep").mkdir(parents=True)
    contents = {"a b (ä) 50%.txt": b"text", "deep/empty": b"", "deep/large": os.urandom(1 << 20) * 20}
    for path, content in contents.items():
        (tree / path).write_bytes(content)

    with ArtifactRepository.from_artifact_uri(uri.format(mlflow_server)) as repository:
        repository.log_artifacts(tree, "tree")
        repository.log_artifact(tree / "deep" / "large")

        listed = [(item.path, item.is_dir, item.file_size) for item in repository.list_artifacts("tree")]
        assert listed == [("tree/a b (ä) 50%.txt", False, 4), ("tree/deep", True, None)]
        assert repository.list_artifacts("nowhere") == []
        copy = Path(repository.download_artifacts("tree"))
        assert {path: (copy / path).read_bytes() for path in contents} == contents
        with pytest.raises(TrackspecError) as missing:
            repository.download_artifacts("tree/nothing")
        assert missing.value.error_code is ErrorCode.RESOURCE_DOES_NOT_EXIST
        repository.delete_artifacts("tree/deep")
        repository.delete_artifacts("tree/deep")
        assert [item.path for item in repository.list_artifacts("tree")] == ["tree/a b (ä) 50%.txt"]


def test_a_run_of_mlflows_server_leads_to_its_artifacts(
    mlflow_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is made by MLflow's client."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    client = MlflowClient(mlflow_server)
    run_id = client.create_run("0").info.run_id
    client.log_text(run_id, "hello", "notes/hello.txt")

    with ArtifactRepository.from_artifact_uri(f"runs:/{run_id}/notes") as repository:
        assert Path(repository.download_artifacts("hello.txt")).read_text() == "hello"
