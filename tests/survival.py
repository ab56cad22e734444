"""Counts what stores lose when they are killed, crowded and not heard: ``make survival`` writes it down.

Our stores and MLflow's have the same rounds, of ``trackspec soak``. Each has a file of its own in
``docs/results``, and the page there is drawn up from all files.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.results import RESULTS
from tests.servers import Unavailable, mariadb, postgresql
from tests.servers.databases import fresh_database
from tests.servers.tracking import command
from trackspec_conformance.interfaces import TRACKING
from trackspec_conformance.started_server import PORT
from trackspec_conformance.surviving.soaking import OTHERWISE

SEED = 1
OPERATIONS_OF_A_ROUND = 48
SLOWER = 10
"""MLflow's server takes so many times longer to start again, and is killed so many times less often."""
MLFLOWS = "mlflow-"
SUBJECTS = {
    "sqlite": "`SqlAlchemyStore`, SQLite",
    "file": "`FileStore`",
    "postgresql": "`SqlAlchemyStore`, PostgreSQL",
    "mariadb": "`SqlAlchemyStore`, MariaDB",
    "server": "`trackspec serve`, 2 workers, SQLite",
    "mlflow-sqlite": "MLflow's `SqlAlchemyStore`, SQLite",
    "mlflow-file": "MLflow's `FileStore`",
    "mlflow-server": "`mlflow server`, 1 worker, SQLite",
}
ENVIRONMENT = {"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}

_PAGE = """\
# What stores survive

`make survival` writes this page, and the counts in JSON beside it. A *kill* ends a process in the middle of its
writes, at a moment that a seed chooses; what it was told is written is looked for afterwards. *Creators* are eight
clients that create an experiment of one name at once. *Operations* are calls of four clients on one run at once,
threads or processes; some order of them must explain all answers. Of a *lost answer* the caller knows nothing, and
makes the call again, with an idempotency key where there are any: before a server, a proxy loses, cuts, repeats or
delays what passes; without one, the call is made twice. Where a server is killed, all its processes are, with the
client, and it is started again. `--only`, `--kills`, `--creators`, `--operations` and `--lost-answers` make fewer
rounds, on some of the stores; each row says how many were made.

| | {heads} |
| --- | {rules} |
{rows}

Process death is not a loss of power: the operating system goes on, and writes what it was given.
"""
_COLUMNS = (
    "kills",
    "acknowledged writes lost",
    "runs unreadable or not found",
    "batches torn",
    "rounds of creators",
    "with one winner",
    "operations",
    "anomalies",
    "lost answers",
    "duplicates",
    "refused when made again",
    "rounds that failed otherwise",
)


def main() -> None:
    """Soak the subjects, one after the other, and draw the page up from all that there are files of."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=SUBJECTS, default=[*SUBJECTS], help="soak these, or none")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--creators", type=int, default=200)
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--lost-answers", type=int, default=1000)
    parser.add_argument("--mlflow-python", default=".venv-mlflow/bin/python", help="one that has MLflow")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the directory to write to")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for subject in options.only:
        with tempfile.TemporaryDirectory(prefix="trackspec-survival-") as name:
            try:
                with _opened(subject, Path(name), options.mlflow_python) as uri:
                    found = _soaked(subject, uri, Path(name), options)
            except Unavailable as reason:
                print(f"{subject}: {reason}", file=sys.stderr)
                continue
        _file(options.out, subject).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    counts = {
        subject: json.loads(_file(options.out, subject).read_text(encoding="utf-8"))
        for subject in SUBJECTS
        if _file(options.out, subject).exists()
    }
    (options.out / "survival.md").write_text(page(counts), encoding="utf-8")


def _file(directory: Path, subject: str) -> Path:
    return directory / f"survival-{subject}.json"


@contextlib.contextmanager
def _opened(subject: str, directory: Path, mlflow_python: str) -> Iterator[str]:
    """What the subject is opened by, while it can be; a server is started, killed and started again by the soak.

    :raises Unavailable: if a server cannot be had.
    """
    with contextlib.ExitStack() as stack:
        if subject.startswith(MLFLOWS) and not Path(mlflow_python).exists():
            raise Unavailable(f"there is no {mlflow_python}")
        if subject in ("postgresql", "mariadb"):
            server = stack.enter_context((postgresql if subject == "postgresql" else mariadb).server())
            yield stack.enter_context(fresh_database(server))
        elif subject.endswith("server"):
            yield ("mlflow+" if subject.startswith(MLFLOWS) else "") + TRACKING.served
        else:
            prefix = "mlflow+" if subject.startswith(MLFLOWS) else ""
            form = "sqlite:///{}/store.db" if subject.endswith("sqlite") else "file:{}/store"
            yield prefix + form.format(directory)


def _server_command(subject: str, directory: Path, mlflow_python: str) -> str:
    store = f"sqlite:///{directory}/store.db"
    if not subject.startswith(MLFLOWS):
        return shlex.join([*command(store, "--workers=2"), f"--port={PORT}"])
    serving = [str(Path(mlflow_python).absolute()), "-m", "mlflow", "server", "--host=127.0.0.1", "--workers=1"]
    return shlex.join([*serving, f"--port={PORT}", f"--backend-store-uri={store}"])


def _soaked(subject: str, uri: str, directory: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The counts of a subject by scenario, without what was told of any one anomaly."""
    print(f"soaking {subject}", file=sys.stderr, flush=True)
    counts = {
        "kills": options.kills,
        "creators": options.creators,
        "crowds": math.ceil(options.operations / OPERATIONS_OF_A_ROUND),
        "lost-answers": options.lost_answers,
    }
    if subject == "mlflow-server":
        counts["kills"] = options.kills // SLOWER
    python = options.mlflow_python if subject.startswith(MLFLOWS) else sys.executable
    file = directory / "soak.json"
    rounds = [f"--rounds={scenario}={count}" for scenario, count in counts.items() if count]
    if subject.endswith("server"):
        rounds += ["--server-command", _server_command(subject, directory, options.mlflow_python)]
    main_of = "import sys; from trackspec_conformance.cli import main; main(sys.argv[1:])"
    ran = subprocess.run(
        [Path(python).absolute(), "-c", main_of, "soak", uri, *rounds, f"--seed={SEED}", f"--json={file}"],
        cwd=directory,
        env=os.environ | ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if ran.returncode not in (0, 1):
        raise SystemExit(f"{subject} could not be soaked: {ran.stderr[-500:]}")
    found = json.loads(file.read_text(encoding="utf-8"))["scenarios"]
    kept = ("rounds", "operations", "faults", "anomalies")
    return {scenario: {name: tally[name] for name in kept} for scenario, tally in found.items()}


def page(counts: Mapping[str, Mapping[str, Any]]) -> str:
    """The page as Markdown."""
    return _PAGE.format(
        heads=" | ".join(_COLUMNS),
        rules=" | ".join("---:" for _ in _COLUMNS),
        rows="\n".join(
            f"| {SUBJECTS[subject]} | " + " | ".join(map(_shown, _row(found))) + " |"
            for subject, found in counts.items()
        ),
    )


def _shown(number: int | None) -> str:
    return "·" if number is None else f"{number:,}"


def _row(found: Mapping[str, Any]) -> list[int | None]:
    kills, creators, crowds, lost = (
        found.get(scenario, {}) for scenario in ("kills", "creators", "crowds", "lost-answers")
    )
    return [
        kills.get("faults"),
        _count(kills, "acknowledged write lost"),
        _count(kills, "run unreadable", "run not found", "search fails"),
        _count(kills, "batch torn"),
        creators.get("rounds"),
        _less(creators.get("rounds"), _count(creators, "")),
        crowds.get("operations"),
        _less(_count(crowds, ""), _count(crowds, OTHERWISE)),
        lost.get("faults"),
        _count(lost, " has made "),
        _count(lost, " refused when "),
        sum(_count(tally, OTHERWISE) or 0 for tally in found.values()),
    ]


def _count(tally: Mapping[str, Any], *words: str) -> int | None:
    """How many anomalies there were whose name has one of the words; None where nothing was tried."""
    if not tally:
        return None
    return sum(number for kind, number in tally["anomalies"].items() if any(word in kind for word in words))


def _less(number: int | None, other: int | None) -> int | None:
    return None if number is None or other is None else number - other


if __name__ == "__main__":
    main()
