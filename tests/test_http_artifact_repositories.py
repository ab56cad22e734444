"""Artifacts behind a server, by its URL, by the tracking URI, by a run."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.servers import free_port
from tests.servers.tracking import in_thread
from trackspec import ArtifactRepository, ErrorCode, FileInfo, TrackspecError
from trackspec.memory_store import MemoryStore
from trackspec.protocol.artifact_endpoints import ARTIFACTS
from trackspec_reference.artifacts.http import HttpArtifactRepository
from trackspec_reference.artifacts.mlflow_artifacts import MlflowArtifactsRepository
from trackspec_reference.artifacts.runs import RunsArtifactRepository
from trackspec_reference.server.authentication import Credentials
from trackspec_reference.server.serving import Settings

PASSWORD = "a long password"
INVALID = ErrorCode.INVALID_PARAMETER_VALUE


@pytest.fixture(autouse=True)
def patience(no_cloud: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without credentials, and clients that give up soon."""
    monkeypatch.setenv("NETRC", "/dev/null")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The folder that is served."""
    return tmp_path / "kept"


@pytest.fixture
def store() -> MemoryStore:
    """The store of the same server."""
    return MemoryStore()


@pytest.fixture
def url(kept: Path, store: MemoryStore) -> Iterator[str]:
    """The URL of a server over both."""
    with in_thread(store, Settings(artifacts_destination=f"file://{kept}")) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A local file."""
    (tmp_path / "a.txt").write_bytes(b"content")
    return tmp_path / "a.txt"


def code_of(uri: str) -> ErrorCode | str:
    """Why a repository cannot be opened by a URI."""
    with pytest.raises(TrackspecError) as refused:
        ArtifactRepository.from_artifact_uri(uri)
    return refused.value.error_code


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("{url}/api/2.0/mlflow-artifacts/artifacts/some/root", HttpArtifactRepository),
        ("mlflow-artifacts:/some/root", MlflowArtifactsRepository),
        ("mlflow-artifacts:/api/2.0/mlflow-artifacts/artifacts/some/root", MlflowArtifactsRepository),
        ("mlflow-artifacts://{host}/some/root", MlflowArtifactsRepository),
    ],
)
def test_each_uri_leads_to_the_folder(
    url: str, kept: Path, file: Path, monkeypatch: pytest.MonkeyPatch, uri: str, kind: type[ArtifactRepository]
) -> None:
    """Of the server that it names, or that of the tracking URI."""
    named = "{host}" in uri
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}" if named else url)

    with ArtifactRepository.from_artifact_uri(uri.format(url=url, host=url[7:])) as repository:
        repository.log_artifact(file, "deep")

        assert type(repository) is kind
        assert repository.list_artifacts("deep") == [FileInfo("deep/a.txt", False, 7)]
        assert Path(repository.download_artifacts("deep/a.txt")).read_bytes() == b"content"
    assert (kept / "some" / "root" / "deep" / "a.txt").exists()


@pytest.mark.parametrize(
    "uri",
    [
        "http://host/elsewhere",
        "http://user@host/api/2.0/mlflow-artifacts/artifacts/a",
        "http://host/api/2.0/mlflow-artifacts/artifacts/%2e%2e/a",
        "mlflow-artifacts:/a/%252e%252e",
        "mlflow-artifacts://5000/a",
        "runs:abc/a",
        "runs:/",
        "runs://host/abc",
        "runs:/abc/%2e%2e/x",
    ],
)
def test_what_names_no_such_place_is_refused(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is asked."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")

    assert code_of(uri) is INVALID


@pytest.mark.parametrize("tracking_uri", ["", "sqlite:///runs.db"])
def test_a_tracking_uri_that_is_no_server_is_told(monkeypatch: pytest.MonkeyPatch, tracking_uri: str) -> None:
    """The error names the variable."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_uri)

    with pytest.raises(TrackspecError, match="MLFLOW_TRACKING_URI") as refused:
        ArtifactRepository.from_artifact_uri("mlflow-artifacts:/a")

    assert refused.value.error_code is INVALID


def test_a_run_leads_to_its_artifacts(
    url: str, store: MemoryStore, kept: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever they are: behind the server, and in a folder with a space and a percent sign in its name."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
    for location in ("mlflow-artifacts:/of-runs", f"file://{kept}/elsewhere"):
        experiment = store.create_experiment(location, location, [])
        run = store.create_run(experiment, None, None, [], None).info
        with ArtifactRepository.from_artifact_uri(f"runs:/{run.run_id}") as whole:
            whole.log_artifact(file, "a%20b c")
        with ArtifactRepository.from_artifact_uri(f"runs:/{run.run_id}/a%2520b%20c") as repository:
            repository.log_artifact(file, "deep")

            assert type(repository) is RunsArtifactRepository
            assert repository.list_artifacts() == [FileInfo("a.txt", False, 7), FileInfo("deep", True, None)]
            assert Path(repository.download_artifacts("deep/a.txt")).read_bytes() == b"content"
            repository.delete_artifacts()
            assert repository.list_artifacts() == []


def test_a_run_that_is_not_there_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is a tracking URI that is not set."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
    assert code_of("runs:/nobody/a") is ErrorCode.RESOURCE_DOES_NOT_EXIST

    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert code_of("runs:/nobody/a") is INVALID


def test_credentials_come_from_the_environment(
    kept: Path, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without them, or with wrong ones, the error names what to set, and holds none of them."""
    settings = Settings(
        artifacts_destination=f"file://{kept}", credentials=Credentials.parse(f"basic ada:{PASSWORD}")
    )
    with in_thread(MemoryStore(), settings) as port:
        uri = f"http://127.0.0.1:{port}{ARTIFACTS}/root"
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
        for password in ("another password", PASSWORD):
            monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)
            with ArtifactRepository.from_artifact_uri(uri) as repository:
                assert password not in repr(vars(repository))
                if password == PASSWORD:
                    repository.log_artifact(file)
                    assert len(repository.list_artifacts()) == 1
                    continue
                for call in (
                    lambda: repository.log_artifact(file),
                    repository.list_artifacts,
                    lambda: repository.download_artifacts("a.txt"),
                    lambda: repository.delete_artifacts("a.txt"),
                ):
                    with pytest.raises(TrackspecError, match="MLFLOW_TRACKING_USERNAME") as refused:
                        call()
                    assert refused.value.error_code is ErrorCode.UNAUTHENTICATED
                    assert password not in str(refused.value)


def test_a_server_that_is_not_there_is_told(file: Path) -> None:
    """Within a bounded time."""
    with (
        ArtifactRepository.from_artifact_uri(f"http://127.0.0.1:{free_port()}{ARTIFACTS}/a") as repository,
        pytest.raises(TrackspecError, match="nothing listens there") as raised,
    ):
        repository.log_artifact(file)

    assert raised.value.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE


@pytest.mark.parametrize("scheme", ["http", "mlflow-artifacts"])
def test_the_tracking_servers_credentials_are_for_it_alone(
    kept: Path, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scheme: str
) -> None:
    """A server that somebody else has named gets what the netrc file has for it, or nothing."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    settings = Settings(
        artifacts_destination=f"file://{kept}", credentials=Credentials.parse(f"basic ada:{PASSWORD}")
    )
    with in_thread(MemoryStore(), settings) as port:
        uri = f"{scheme}://127.0.0.1:{port}{ARTIFACTS}/root"
        with (
            ArtifactRepository.from_artifact_uri(uri) as stranger,
            pytest.raises(TrackspecError, match="netrc") as refused,
        ):
            stranger.log_artifact(file)
        (tmp_path / "netrc").write_text(f'machine 127.0.0.1 login ada password "{PASSWORD}"\n')
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        with ArtifactRepository.from_artifact_uri(uri) as known:
            known.log_artifact(file)

    assert refused.value.error_code is ErrorCode.UNAUTHENTICATED
    assert (kept / "root" / "a.txt").exists()


class Redirecting(BaseHTTPRequestHandler):
    """Sends every request on to another host, and notes what it is told."""

    asked: list[tuple[str, str | None]] = []  # noqa: RUF012
    there = ""

    def __getattr__(self, name: str) -> Callable[[], None]:
        """What the library calls for a method: the same for each."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked.append((self.command, self.headers.get("Authorization")))
        self.send_response(307 if self.there else 200)
        self.send_header("Location", f"{self.there}{self.path}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_no_credential_goes_to_another_host(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is followed, by any call."""
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), type("There", (Redirecting,), {"asked": []})) as there,
        ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Redirecting,), {"asked": []})) as here,
    ):
        here.RequestHandlerClass.there = f"http://localhost:{there.server_address[1]}"  # type: ignore[attr-defined]
        for server in (here, there):
            Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        with ArtifactRepository.from_artifact_uri(
            f"http://127.0.0.1:{here.server_address[1]}{ARTIFACTS}/root"
        ) as repository:
            for call in (repository.log_artifact, repository.list_artifacts, repository.delete_artifacts):
                with pytest.raises(TrackspecError, match="redirection"):
                    call(str(file) if call == repository.log_artifact else "a")
        here.shutdown()
        there.shutdown()

    basic = f"Basic {base64.b64encode(f'ada:{PASSWORD}'.encode()).decode()}"
    assert {authorization for _, authorization in here.RequestHandlerClass.asked} == {basic}  # type: ignore[attr-defined]
    assert there.RequestHandlerClass.asked == []  # type: ignore[attr-defined]


class Breaking(BaseHTTPRequestHandler):
    """Has one file, and breaks the connection off after so many bytes of it; notes which bytes are asked for."""

    CONTENT = bytes(range(256)) * 20
    MOST = 2000
    asked: list[str | None] = []  # noqa: RUF012
    versions = ['"1"']  # noqa: RUF012

    def do_GET(self) -> None:
        """Answer a listing, or some of the file."""
        if "?" in self.path:
            body = b'{"files": [{"path": "a.bin", "is_dir": false, "file_size": %d}]}' % len(self.CONTENT)
            self._answer(200, body, len(body), {"Content-Type": "application/json"})
            return
        self.asked.append(self.headers.get("Range"))
        version = self.versions[min(len(self.asked), len(self.versions)) - 1]
        start = 0
        if self.headers.get("If-Range") == version:
            start = int(self.headers["Range"][6:-1])
        rest = self.CONTENT[start:]
        told = {"ETag": version, "Content-Range": f"bytes {start}-{len(self.CONTENT) - 1}/{len(self.CONTENT)}"}
        self._answer(206 if start else 200, rest[: self.MOST], len(rest), told)

    def _answer(self, status: int, body: bytes, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(length), "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("versions", "ranges"),
    [
        (['"1"'], [None, "bytes=2000-", "bytes=4000-"]),
        (['"1"', '"2"'], [None, "bytes=2000-", "bytes=2000-", "bytes=4000-"]),
    ],
)
def test_a_download_goes_on_where_its_connection_was_lost(
    monkeypatch: pytest.MonkeyPatch, versions: list[str], ranges: list[str | None]
) -> None:
    """If the file is the same; if it was replaced, it begins anew."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "5")
    asked: list[str | None] = []
    handler = type("Handler", (Breaking,), {"asked": asked, "versions": versions})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        with ArtifactRepository.from_artifact_uri(
            f"http://127.0.0.1:{server.server_address[1]}{ARTIFACTS}/root"
        ) as repository:
            copy = repository.download_artifacts("a.bin")
        server.shutdown()

    assert Path(copy).read_bytes() == Breaking.CONTENT
    assert asked == ranges


def test_a_local_file_that_becomes_shorter_is_told(url: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, and nothing of it is kept."""
    size = os.fstat
    monkeypatch.setattr(
        "trackspec_reference.tracking.rest.repeating.os.fstat",
        lambda descriptor: os.stat_result((0, 0, 0, 0, 0, 0, size(descriptor).st_size + 1, 0, 0, 0)),
    )
    with ArtifactRepository.from_artifact_uri(f"{url}{ARTIFACTS}/root") as repository:
        with pytest.raises(TrackspecError, match="shorter"):
            repository.log_artifact(file)
        monkeypatch.undo()

        assert repository.list_artifacts() == []
