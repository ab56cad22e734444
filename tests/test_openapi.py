"""The OpenAPI document tells what the server does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml

from tests.servers.tracking import in_thread
from trackspec import Experiment, TrackingStore
from trackspec.memory_store import MemoryStore
from trackspec.protocol import openapi
from trackspec.protocol.artifact_endpoints import ARTIFACT_ENDPOINTS
from trackspec.protocol.endpoints import ENDPOINTS
from trackspec_reference.server.serving import Settings

DOCUMENT = Path(__file__).parent.parent / "spec" / "openapi.yaml"

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "unsupported_method",
)


def test_the_document_says_in_yaml_what_it_says() -> None:
    """A reader of YAML finds the same values."""
    assert yaml.safe_load(openapi.yaml_text()) == openapi.document()


def test_each_call_is_an_operation() -> None:
    """No row of the table is missing, and nothing else but what is plain text is there."""
    operations = {
        (path, method): operation["operationId"]
        for path, methods in openapi.document()["paths"].items()
        for method, operation in methods.items()
    }
    rows = {(row.paths[0], method.lower()) for row in ENDPOINTS for method in row.methods}

    rows |= {(row.paths[0], row.method.lower()) for row in ARTIFACT_ENDPOINTS}
    assert set(operations) == rows | {("/health", "get"), ("/version", "get")}
    assert len(set(operations.values())) == len(operations)


def test_what_is_referred_to_is_there() -> None:
    """No reference leads nowhere, and every schema is referred to."""
    components = openapi.document()["components"]
    there = {f"{kind}/{name}" for kind in ("schemas", "responses") for name in components[kind]}

    assert set(re.findall(r'ref: "#/components/([^"]+)"', openapi.yaml_text())) == there


def examined(store: TrackingStore, *options: str) -> tuple[int, str]:
    """Let schemathesis call a server over a store; its exit status and what it printed."""
    program = Path(sys.executable).with_name("schemathesis")
    with in_thread(store, Settings(artifacts_destination="memory:examined")) as port:
        ended = subprocess.run(
            [
                *(str(program), "run", str(DOCUMENT), "--url", f"http://127.0.0.1:{port}"),
                *("--checks", ",".join(CHECKS), "--seed", "1", "--no-color", *options),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    return ended.returncode, ended.stdout


def test_whatever_is_called_the_answer_is_one_of_those_told() -> None:
    """No call, good or bad, ends in a 5xx or an answer that the document does not have.

    Uploads in parts are left out, which the repository that is served declines with 501.
    """
    declined = [row for row in ARTIFACT_ENDPOINTS if row.name.endswith("_multipart_upload")]
    status, printed = examined(MemoryStore(), "--max-examples", "8", "--exclude-path-regex", "/mpu/")

    assert status == 0, printed
    number = len(ENDPOINTS) + len(ARTIFACT_ENDPOINTS) - len(declined) + 3  # one takes two methods, two are plain
    assert re.search(rf"Tested: {number}\b", printed), printed


class Failing(MemoryStore):
    """A store that fails for a caller's mistake."""

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Count on ids being numbers."""
        return super().get_experiment(str(int(experiment_id)))


def test_a_server_error_is_noticed() -> None:
    """What looks for one finds it."""
    status, printed = examined(Failing(), "--max-examples", "8", "--include-operation-id", "get_experiment")

    assert status == 1
    assert "Server error" in printed
