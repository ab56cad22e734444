"""Judges MLflow's own tracking stores and writes the outcome down: ``make results``.

It runs in an environment with MLflow and the ``conformance`` extra. Four subjects are judged: MLflow's file
store, its SQL store over SQLite, and its client against a running ``mlflow server`` over each of the two. The
reports, and a page that is drawn up from them, land in ``docs/results``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.results_page import SUBJECTS, page, timed_requirements
from tests.stable_report import stable

RESULTS = Path(__file__).parent.parent / "docs" / "results"
SEED = 1
PATIENCE = {"TRACKSPEC_TIME_BUDGET": "60", "TRACKSPEC_CALL_TIMEOUT": "120", "MLFLOW_HTTP_REQUEST_TIMEOUT": "100"}
"""Seconds for exploring and waiting: enough on a busy machine too, so that each run finds the same."""
STARTING = 180.0
"""Seconds that a server may take to answer."""

_COMMAND = "import sys; from trackspec_conformance.cli import main; main(sys.argv[1:])"


def main() -> None:
    """Judge the subjects, one after the other, write their reports, and draw the page up from all reports."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=SUBJECTS, default=[*SUBJECTS], help="judge these, or none")
    options = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="trackspec-results-") as name:
        directory = Path(name)
        for subject, locator in _subjects(directory):
            if subject in options.only:
                with locator as uri:
                    report = stable(_judged(uri, directory), directory, timed_requirements())
                _file(subject).write_text(_text(report), encoding="utf-8")
    if all(_file(subject).exists() for subject in SUBJECTS):
        reports = {subject: json.loads(_file(subject).read_text(encoding="utf-8")) for subject in SUBJECTS}
        written = RESULTS / f"mlflow-{version('mlflow')}.md"
        written.write_text(page(version("mlflow"), reports), encoding="utf-8")


def _file(subject: str) -> Path:
    return RESULTS / f"mlflow-{version('mlflow')}-{subject}.json"


def _subjects(directory: Path) -> Iterator[tuple[str, contextlib.AbstractContextManager[str]]]:
    """The subjects by name, each with what starts it and gives its URI."""
    yield "file", contextlib.nullcontext(f"file:{directory / 'file'}")
    yield "sqlite", contextlib.nullcontext(f"sqlite:///{directory / 'sqlite.db'}")
    yield "rest-sqlite", _server(directory / "rest-sqlite", "sqlite:///{}/server.db")
    yield "rest-file", _server(directory / "rest-file", "file:{}/store")


@contextlib.contextmanager
def _server(directory: Path, backend: str) -> Iterator[str]:
    """A running ``mlflow server`` with one worker process; gives its URI."""
    directory.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    uri = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--host=127.0.0.1", f"--port={port}", "--workers=1"]
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(
            [*command, f"--backend-store-uri={backend.format(directory)}"],
            cwd=directory,
            env=os.environ | {"MLFLOW_ALLOW_FILE_STORE": "true", "PYTHONHASHSEED": str(SEED)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _await(server, uri, directory / "log")
            yield uri
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()


def _await(server: subprocess.Popen[bytes], uri: str, log: Path) -> None:
    deadline = time.monotonic() + STARTING
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(f"{uri}/health"):
            return
        time.sleep(0.5)
    raise SystemExit(f"the server does not answer:\n{log.read_text(errors='replace')[-2000:]}")


def _judged(uri: str, directory: Path) -> dict[str, Any]:
    """The report of one subject."""
    file = directory / "report.json"
    file.unlink(missing_ok=True)
    print(f"judging mlflow+{uri}", flush=True)
    options = ["check", "tracking", "--json", str(file), "--seed", str(SEED)]
    ran = subprocess.run(
        [sys.executable, "-c", _COMMAND, *options, f"mlflow+{uri}"],
        cwd=directory,
        env=os.environ | PATIENCE | {"PYTHONHASHSEED": str(SEED)},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if ran.returncode not in (0, 1):
        raise SystemExit(ran.returncode)
    report: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return report


def _text(report: dict[str, Any]) -> str:
    """A report as JSON with a line for each requirement, so that a change of one shows as such."""
    requirements = ",\n  ".join(json.dumps(item, ensure_ascii=False) for item in report["requirements"])
    others = json.dumps(report | {"requirements": []}, indent=1, ensure_ascii=False)
    return others.replace('"requirements": []', f'"requirements": [\n  {requirements}\n ]') + "\n"


if __name__ == "__main__":
    main()
