"""Judging a server: raw requests, the plainest store over them, and failures told as curl commands."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.faults.metrics import InfinitiesAreClamped
from tests.faults.wire_access import ReadingIsFree
from tests.faults.wire_types import LargeIntegersAreZero
from trackspec import ErrorCode, Metric, Param, TrackingStore, TrackspecError
from trackspec.memory_store import MemoryStore
from trackspec.protocol.model_server import ModelServer, Request, Response, serving
from trackspec_conformance.calls import Call, Made
from trackspec_conformance.checks import checks_of
from trackspec_conformance.recording import Transcript, recorded
from trackspec_conformance.report.machine_readable import schema
from trackspec_conformance.subjects import SubjectError, open_subject
from trackspec_conformance.wire import Wire
from trackspec_conformance.wire.commands import curl_script
from trackspec_conformance.wire.store import WireStore

TRACKSPEC = str(Path(sys.executable).with_name("trackspec"))
HERE = Path(__file__).parent.parent
TOKEN = "not-to-be-shown"


def report_on(tmp_path: Path, locator: str, *arguments: str) -> tuple[dict[str, Any], str]:
    """The JSON report of a run, and what it printed."""
    file = tmp_path / "report.json"
    done = subprocess.run(
        [TRACKSPEC, "check", "tracking", locator, *arguments, "--json", str(file)],
        cwd=HERE,
        text=True,
        capture_output=True,
        check=False,
    )
    assert file.exists(), done.stderr
    report: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    jsonschema.validate(report, schema())
    return report, done.stdout


def ran(*command: str, **environment: str) -> str:
    """What a command prints, which succeeds."""
    done = subprocess.run(
        command,
        cwd=HERE,
        env=os.environ | environment,
        text=True,
        errors="replace",
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout


@pytest.fixture
def store() -> Iterator[TrackingStore]:
    """The plainest store over the model server."""
    with serving(ModelServer(MemoryStore())) as url, WireStore(Wire(url)) as opened:
        yield opened


# -- the whole suite over a server -------------------------------------------------------------------------------


def test_the_model_server_conforms(tmp_path: Path) -> None:
    """Through the plainest store, the model behind the model server keeps every profile that it claims."""
    with serving(ModelServer(MemoryStore("memory:whole"))) as url:
        report, _ = report_on(tmp_path, f"wire+{url}", "-n", "2")

    assert report["profiles"]["rest"]["claimed"]
    assert [
        name for name, profile in report["profiles"].items() if profile["claimed"] and not profile["conforms"]
    ] == []
    assert {item["outcome"] for item in report["requirements"]} <= {"pass", "not applicable", "not claimed"}


def test_a_server_without_the_extension_does_not_claim_the_configuration() -> None:
    """The profiles that a server claims are those that it can keep."""

    class WithoutRoot(ModelServer):
        def table(self) -> Any:
            return {path: row for path, row in super().table().items() if "trackspec" not in path}

    with serving(WithoutRoot(MemoryStore())) as url:
        claimed = open_subject(f"wire+{url}").profiles or frozenset()
    with serving(ModelServer(MemoryStore())) as url:
        whole = open_subject(f"wire+{url}").profiles or frozenset()

    assert whole - claimed == {"configuration"}
    assert "rest" in claimed


def test_a_store_in_this_process_is_no_server(tmp_path: Path) -> None:
    """The profile of the protocol is not claimed by default, and does not apply where it is asked for."""
    report, _ = report_on(tmp_path, "memory:", "--profile", "rest")

    assert open_subject("memory:").wire() is None
    assert {item["outcome"] for item in report["requirements"]} == {"not applicable", "not claimed"}


def test_every_check_of_the_protocol_makes_requests() -> None:
    """What judges the protocol, or who may enter, asks for the wire, and nothing else does."""
    for check in checks_of("tracking").values():
        of_the_protocol = all(id_.startswith(("wire.", "admission.")) for id_ in check.verifies)
        assert of_the_protocol == ("wire" in check.parameters), check.name


@pytest.mark.parametrize("port", ["closed", "silent"])
def test_a_server_that_does_not_answer_cannot_be_judged(port: str) -> None:
    """What does not answer, or answers something else than HTTP, is named in one line."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        if port == "silent":
            listening.listen()
            threading.Thread(target=lambda: listening.accept()[0].close(), daemon=True).start()  # noqa: PLW0108
        with pytest.raises(SubjectError, match=f"nothing answers at {url}"):
            open_subject(f"wire+{url}")


def test_missing_credentials_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that asks for credentials is judged with those of the environment, and not without."""
    with serving(ModelServer(MemoryStore(), TOKEN)) as url:
        with pytest.raises(SubjectError, match="MLFLOW_TRACKING_TOKEN"):
            open_subject(f"wire+{url}")
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", TOKEN)
        assert open_subject(f"wire+{url}").open().get_experiment("0").name == "Default"


# -- failures as commands ----------------------------------------------------------------------------------------


def failures(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries of the requirements that failed."""
    return [item for item in report["requirements"] if item["outcome"] == "fail"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_of_a_failure_repeat_it(tmp_path: Path) -> None:
    """What raw requests found is seen again by the curl commands, and by the Python script."""
    with serving(LargeIntegersAreZero(MemoryStore("memory:commands"))) as url:
        report, printed = report_on(tmp_path, f"wire+{url}", "-k", "wire.batch-whole")
        (failure,) = failures(report)
        by_curl = ran("bash", "-c", failure["curl"])
        by_python = ran(sys.executable, "-c", failure["script"])

    assert by_curl.count("HTTP/1.1 200 OK") >= 1
    assert by_python.startswith("200 application/json")
    assert f"URL='{url}'" in printed
    assert "curl -sS" in printed


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_calls_of_a_store_are_told_as_commands_too(tmp_path: Path) -> None:
    """What is wrong with the store behind a server is seen by curl, whose requests are those of the calls."""
    with serving(ModelServer(InfinitiesAreClamped("memory:clamped"))) as url:
        report, _ = report_on(tmp_path, f"wire+{url}", "-k", "metric.infinities")
        (failure,) = failures(report)
        answered = ran("bash", "-c", failure["curl"])

    assert '"value":1.7976931348623157e+308' in answered


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_commands_send_what_was_sent() -> None:
    """Bytes that are no text, long bodies, odd paths and headers arrive from curl as from the suite."""

    class Listening(ModelServer):
        def respond(self, request: Request) -> Response:
            heard.append(
                (request.method, request.path, request.query, request.body, request.headers["Content-Type"])
            )
            return super().respond(request)

    heard: list[tuple[str, ...]] = []
    transcript = Transcript("ts0123456789")
    with serving(Listening(MemoryStore())) as url:
        wire = Wire(url)
        recorder = recorded(wire, transcript, "wire", {})
        recorder.post("runs/log-parameter", '{"key": "é\xff\\0 \'quoted\' $HOME `x` %d"}', encoding="latin-1")
        recorder.post("runs/log-parameter", "[" * 100_000 + "é😀")
        recorder.post("runs/log-parameter", {"key": "it's", "value": "\n"}, content_type=None)
        recorder.post("//runs/../x", "", content_type="text/plain; charset=utf-8")
        recorder.get("experiments/get-by-name", {"experiment_name": "[a] {b} %zz é"})
        recorder.get("runs/get", "run_id=%zz&run_id=[1]")
        recorder.request("DELETE", "runs/get")
        recorder.request("HEAD", "runs/get", headers={"Origin": "null"})
        sent = list(heard)
        heard.clear()
        ran("bash", "-c", curl_script(transcript.calls, wire, transcript.namespace, "this", "that"))

    assert len(sent) == 8
    assert heard == sent


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_no_credential_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the report nor what is printed holds the token; the commands take it from the environment."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", TOKEN)
    with serving(ReadingIsFree(MemoryStore("memory:secret"), TOKEN)) as url:
        report, printed = report_on(tmp_path, f"wire+{url}", "-k", "wire.credentials-missing")
        (failure,) = failures(report)
        answered = ran("bash", "-c", failure["curl"], MLFLOW_TRACKING_TOKEN=TOKEN)

    assert TOKEN not in json.dumps(report) + printed
    assert '"Authorization: Bearer $MLFLOW_TRACKING_TOKEN"' in failure["curl"]
    assert "200 OK" in answered


def test_a_name_and_a_password_go_before_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials are taken from the environment as MLflow's clients do, and commands name the variables."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", TOKEN)
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "p:ä")
    wire = Wire.from_environment("http://ada:secret@127.0.0.1:1/prefix/")
    call = Call("wire.get()", "answer_1", "returned", Made("wire", "get", ("runs/get",)))

    commands = curl_script([call], wire, "", "this", "that")

    assert wire.authorization == "Basic YWRhOnA6w6Q="
    assert wire.url == "http://127.0.0.1:1/prefix"
    assert '-u "$MLFLOW_TRACKING_USERNAME:$MLFLOW_TRACKING_PASSWORD"' in commands
    assert "secret" not in commands


def test_a_netrc_file_says_who_asks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where no variable does, the entry of the host counts, as for clients; commands let curl read the file."""
    for name in ("TOKEN", "USERNAME", "PASSWORD"):
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name}", raising=False)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ada password hunter2\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    call = Call("wire.get()", "answer_1", "returned", Made("wire", "get", ("runs/get",)))

    wire = Wire.from_environment("http://127.0.0.1:1")
    commands = curl_script([call], wire, "", "this", "that")

    assert wire.authorization == "Basic YWRhOmh1bnRlcjI="
    assert '--netrc-file "${NETRC:-$HOME/.netrc}"' in commands
    assert "hunter2" not in commands
    assert Wire.from_environment("http://other.invalid:1").authorization is None


# -- the plainest store ------------------------------------------------------------------------------------------


def test_an_error_keeps_its_code(store: TrackingStore) -> None:
    """What the server refuses is raised with the server's code."""
    with pytest.raises(TrackspecError) as raised:
        store.get_run("nobody")

    assert raised.value.error_code is ErrorCode.RESOURCE_DOES_NOT_EXIST


@pytest.mark.parametrize("value", [5, None, b"x", ["x"]])
def test_what_no_json_stands_for_is_refused(store: TrackingStore, value: Any) -> None:
    """An argument of another type than the method takes is refused before it is sent."""
    run_id = store.create_run("0", "me", 1, [], None).info.run_id

    with pytest.raises(TrackspecError) as raised:
        store.log_param(run_id, Param("p", value))

    assert raised.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert store.get_run(run_id).data.params == {}


def test_a_server_that_is_gone_is_unavailable() -> None:
    """A call that nobody answers raises TEMPORARILY_UNAVAILABLE."""
    with serving(ModelServer(MemoryStore())) as url:
        store = WireStore(Wire(url))
        run_id = store.create_run("0", "me", 1, [], None).info.run_id
        store.close()

    with pytest.raises(TrackspecError) as raised:
        store.log_metric(run_id, Metric("m", 0.5, 7))

    assert raised.value.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
