"""Judges MLflow's own artifact repositories and writes the outcome down: part of ``make results``.

It runs where the servers of the tests are installed, and judges with an interpreter that has MLflow. The subjects
are MLflow's repositories of local folders, S3, Google Cloud Storage, Azure, FTP and SFTP, and of a running
``mlflow server``, by its URL and by ``mlflow-artifacts:``. What is written down leaves the rules of paths, hostile
names and hostile servers out: what they may show is first the business of those who make the software.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from tests.artifact_results_page import PROFILES, SUBJECTS, is_shown, page
from tests.servers import Unavailable, azurite, fake_gcs, free_port, ftp, seaweedfs, sshd, wait_until_ready
from tests.servers.file_servers import USER
from tests.servers.object_stores import Server, without_clouds
from tests.servers.tracking import Client
from tests.stable_report import stable
from trackspec.protocol.artifact_endpoints import ARTIFACTS

RESULTS = Path(__file__).parent.parent / "docs" / "results"
SEED = 1
SETTINGS = {
    "TRACKSPEC_TIME_BUDGET": "5",
    "TRACKSPEC_CALL_TIMEOUT": "60",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "50",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "PYTHONHASHSEED": str(SEED),
}
_COMMAND = "import sys; from trackspec_conformance.cli import main; main(sys.argv[1:])"
_VERSION = "import importlib.metadata as m; print(m.version('mlflow'))"
_STORES: Mapping[str, Server] = {"s3": seaweedfs.server, "gcs": fake_gcs.server, "azure": azurite.server}


class Opened(NamedTuple):
    """A subject that runs.

    :ivar uri: of its artifacts, as MLflow takes it.
    """

    uri: str
    environment: Mapping[str, str]


def main() -> None:
    """Judge the subjects, one after the other, write their reports, and draw the page up from all reports."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--mlflow-python", default=".venv-mlflow/bin/python", help="an interpreter that has MLflow"
    )
    parser.add_argument("--only", nargs="*", choices=SUBJECTS, default=[*SUBJECTS], help="judge these, or none")
    options = parser.parse_args()
    python = os.path.abspath(options.mlflow_python)
    version = subprocess.run(
        [python, "-c", _VERSION], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    files = {subject: RESULTS / f"mlflow-{version}-artifacts-{subject}.json" for subject in SUBJECTS}
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="trackspec-results-") as name:
        for subject in options.only:
            directory = Path(name, subject)
            directory.mkdir()
            try:
                with _running(subject, directory, python) as opened:
                    report = stable(_judged(opened, directory, python), directory)
                    del report["profiles"]  # their verdicts count what is left out
            except Unavailable as reason:
                print(f"{subject} is not judged: {reason}", flush=True)
                continue
            files[subject].write_text(_text(report), encoding="utf-8")
    reports = {
        subject: json.loads(file.read_text(encoding="utf-8")) for subject, file in files.items() if file.exists()
    }
    if reports:
        (RESULTS / f"mlflow-{version}-artifacts.md").write_text(page(version, reports), encoding="utf-8")


def _running(subject: str, directory: Path, python: str) -> AbstractContextManager[Opened]:
    quiet = {**without_clouds(os.environ), **SETTINGS}
    if subject == "local":
        return nullcontext(Opened(f"file:{directory}/kept", quiet))
    if subject in _STORES:
        return _stored(_STORES[subject])
    if subject == "ftp":
        return _ftp()
    if subject == "sftp":
        return _sftp()
    return _served(subject, directory, python, quiet)


@contextmanager
def _stored(server: Server) -> Iterator[Opened]:
    with server() as store:
        yield Opened(f"{store.root}/some/place", {**store.environment(), **SETTINGS})


@contextmanager
def _ftp() -> Iterator[Opened]:
    """A server whose user has no password: MLflow would want it in the URI."""
    with ftp.server(password="") as server:
        root = server.root.replace("://", f"://{USER}@")
        yield Opened(f"{root}/some/place", {**server.environment(), **SETTINGS})


@contextmanager
def _sftp() -> Iterator[Opened]:
    """pysftp, by which MLflow speaks SFTP, offers RSA keys, and looks a known host up without its port."""
    with sshd.server(key="rsa") as server:
        known_hosts = Path(server.settings["HOME"], ".ssh", "known_hosts")
        _, key = known_hosts.read_text().split(" ", maxsplit=1)
        known_hosts.write_text(f"127.0.0.1 {key}")
        yield Opened(f"{server.root}/some/place", {**server.environment(), **SETTINGS})


@contextmanager
def _served(subject: str, directory: Path, python: str, environment: Mapping[str, str]) -> Iterator[Opened]:
    """A running ``mlflow server`` that proxies a folder."""
    port = free_port()
    command = [python, "-m", "mlflow", "server", "--host=127.0.0.1", f"--port={port}", "--workers=1"]
    command += [
        f"--backend-store-uri=sqlite:///{directory}/server.db",
        f"--artifacts-destination={directory}/kept",
    ]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_until_ready(lambda: Client(port).request("GET", "/health"), process, seconds=180)
        url = f"http://127.0.0.1:{port}"
        uri = f"{url}{ARTIFACTS}/some/place" if subject == "http" else "mlflow-artifacts:/some/place"
        yield Opened(uri, {**environment, "MLFLOW_TRACKING_URI": url})
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _judged(opened: Opened, directory: Path, python: str) -> dict[str, Any]:
    """The report of one subject, without what is left out."""
    file, temporary = directory / "report.json", directory / "tmp"
    temporary.mkdir()
    print(f"judging mlflow+{opened.uri}", flush=True)
    chosen = [word for name in PROFILES for word in ("--profile", name)]
    ran = subprocess.run(
        [
            *(python, "-c", _COMMAND, "check", "artifacts", "--json", str(file), "--seed", str(SEED)),
            *(*chosen, f"mlflow+{opened.uri}"),
        ],
        cwd=directory,
        env={**opened.environment, "TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if ran.returncode not in (0, 1):
        raise SystemExit(ran.returncode)
    report: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return report | {"requirements": [item for item in report["requirements"] if is_shown(item["id"])]}


def _text(report: dict[str, Any]) -> str:
    """A report as JSON with a line for each requirement, so that a change of one shows as such."""
    requirements = ",\n  ".join(json.dumps(item, ensure_ascii=False) for item in report["requirements"])
    others = json.dumps(report | {"requirements": []}, indent=1, ensure_ascii=False)
    text = others.replace('"requirements": []', f'"requirements": [\n  {requirements}\n ]') + "\n"
    return re.sub(r"DIRECTORY/tmp(/\w+-[a-z0-9_-]{8,})+", "TEMPORARY", text)


if __name__ == "__main__":
    main()
