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
import re
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

from results_page import page

SEED = 1
STARTING = 180.0
"""Seconds that a server may take to answer."""

_COMMAND = "import sys; from trackspec_conformance.cli import main; main(sys.argv[1:])"


def main() -> None:
    """Judge all subjects, one after the other, and write the reports and the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent.parent / "docs" / "results")
    parser.add_argument("--only", action="append", help="judge this subject only, and write no page; repeatable")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    reports = {}
    with tempfile.TemporaryDirectory(prefix="trackspec-results-") as name:
        directory = Path(name)
        for subject, locator in _subjects(directory):
            if options.only and subject not in options.only:
                continue
            with locator as uri:
                reports[subject] = _trimmed(_judged(uri, directory), directory)
            file = options.output / f"mlflow-{version('mlflow')}-{subject}.json"
            file.write_text(json.dumps(reports[subject], indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if not options.only:
        written = options.output / f"mlflow-{version('mlflow')}.md"
        written.write_text(page(version("mlflow"), reports), encoding="utf-8")


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
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "--host=127.0.0.1", f"--port={port}", "--backend-store-uri", backend.format(directory)],
            cwd=directory,
            env=os.environ | {"MLFLOW_ALLOW_FILE_STORE": "true"},
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
        check=False,
    )
    if ran.returncode not in (0, 1):
        raise SystemExit(ran.returncode)
    report: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return report


def _trimmed(report: dict[str, Any], directory: Path) -> dict[str, Any]:
    """A report without what differs from run to run."""
    report.pop("seconds")
    for requirement in report["requirements"]:
        for calls in ("script", "curl"):
            requirement.pop(calls)
    text = json.dumps(report, ensure_ascii=False).replace(str(directory), "DIRECTORY")
    for changing, stays in (
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"port=\d+", "port=PORT"),
        (r"\bts[0-9a-f]{10}\b", "NAMESPACE"),
        (r"\b[0-9a-f]{32}\b", "ID"),
        (r"\b[0-9a-f]{8}-(?=\d+\b)", "N-"),
        (r"\b\d{18}\b", "ID"),
        (r"\b1[789]\d{11}\b", "TIME"),
        (r"\b[a-z]+-[a-z]+-\d{1,3}\b", "NAME"),
        (r"\bat 0x[0-9a-f]+", "at ADDRESS"),
    ):
        text = re.sub(changing, stays, text)
    trimmed: dict[str, Any] = json.loads(text)
    return trimmed


if __name__ == "__main__":
    main()
