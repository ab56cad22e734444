"""Counts what is lost of stores and artifacts that are killed, crowded and not heard: ``make survival``.

Ours and MLflow's have the same rounds, of ``trackspec soak``, several soaks at once. Each has a file of its own in
``docs/results``, and the page there is drawn up from all files.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.results import RESULTS
from tests.servers import Unavailable, mariadb, postgresql, seaweedfs
from tests.servers.databases import fresh_database
from tests.servers.tracking import command
from trackspec_conformance.interfaces import INTERFACES
from trackspec_conformance.killing import WITH_A_SERVER
from trackspec_conformance.started_server import PORT
from trackspec_conformance.surviving.soaking import OTHERWISE

SEED = 1
"""Of the first of the soaks that share the rounds of a subject; the others have the next ones."""
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
    "artifacts-file": "`LocalArtifactRepository`",
    "artifacts-s3": "`S3ArtifactRepository`, SeaweedFS",
    "artifacts-server": "`trackspec serve`, 2 workers, a folder",
}
ARTIFACTS = "artifacts-"
FEWER = 10
"""Artifacts have so many times fewer operations of crowds than runs."""
ENVIRONMENT = {"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}

_PAGE = """\
# What stores and repositories survive

`make survival` writes this page, and the counts in JSON beside it. A *kill* ends a process in the middle of its
writes, at a moment that a seed chooses; what it was told is written is looked for afterwards. Where a server is
killed, all its processes are, with {clients} clients, each of which counts, and it is started again.
*Operations* are calls of four clients at once, threads or processes; some order of them must explain all
answers. A *lost answer* is one of which the caller knows nothing, and makes the call again. `--only`,
`--kills`, `--creators`, `--operations` and `--lost-answers` make fewer rounds, on some of the subjects; each
row says how many were made. `--jobs` says how many soaks share them, each on a store of its own.

## Tracking stores

*Creators* are eight clients that create an experiment of one name at once. Calls are made again with an
idempotency key where there are any: before a server, a proxy loses, cuts, repeats or delays what passes;
without one, the call is made twice.

{stores}

## Artifact repositories

Who is killed logs small and large files, some of them over another one. *Writers* are eight clients that log to
one new folder at once. Uploads and downloads pass a proxy, where there is a network for one; a file that is not
whole afterwards is torn.

{repositories}

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
_COLUMNS_OF_ARTIFACTS = (
    "kills",
    "acknowledged files lost",
    "files torn or unreadable",
    "parts listed",
    "rounds of writers",
    "files lost or refused",
    "operations",
    "anomalies",
    "lost answers",
    "files torn, or calls that failed",
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
    parser.add_argument("--jobs", type=int, default=4, help="soaks at once, which share the rounds (4)")
    parser.add_argument("--mlflow-python", default=".venv-mlflow/bin/python", help="one that has MLflow")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the directory to write to")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for subject in options.only:
        started = time.monotonic()
        try:
            found = _counted(subject, options)
        except Unavailable as reason:
            print(f"{subject}: {reason}", file=sys.stderr)
            continue
        print(f"soaked {subject} in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        _file(options.out, subject).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    counts = {
        subject: json.loads(_file(options.out, subject).read_text(encoding="utf-8"))
        for subject in SUBJECTS
        if _file(options.out, subject).exists()
    }
    (options.out / "survival.md").write_text(page(counts), encoding="utf-8")


def _file(directory: Path, subject: str) -> Path:
    return directory / f"survival-{subject}.json"


def _counted(subject: str, options: argparse.Namespace) -> dict[str, Any]:
    """The counts of all soaks of a subject.

    :raises Unavailable: if a server cannot be had.
    """
    if subject.startswith(MLFLOWS) and not Path(options.mlflow_python).exists():
        raise Unavailable(f"there is no {options.mlflow_python}")
    with _services(subject) as service, ThreadPoolExecutor(options.jobs) as pool:
        soaks = [pool.submit(_soaked, subject, service, job, options) for job in range(options.jobs)]
        return _together([soak.result() for soak in soaks])


@contextlib.contextmanager
def _services(subject: str) -> Iterator[Any]:
    """What the soaks of a subject share: the URI of a database server, an object store, or nothing."""
    if subject in ("postgresql", "mariadb"):
        with (postgresql if subject == "postgresql" else mariadb).server() as uri:
            yield uri
    elif subject == "artifacts-s3":
        with seaweedfs.server() as store:
            yield store
    else:
        yield None


@contextlib.contextmanager
def _opened(subject: str, service: Any, directory: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """What a soak opens, and the environment for it; a server is started, and killed, by the soak itself."""
    prefix = "mlflow+" if subject.startswith(MLFLOWS) else ""
    environment = os.environ | ENVIRONMENT
    if subject in ("postgresql", "mariadb"):
        with fresh_database(service) as uri:
            yield uri, environment
    elif subject == "artifacts-s3":
        yield f"{service.root}/{directory.name}", service.environment()
    elif subject.endswith("server"):
        yield prefix + INTERFACES[_interface(subject)].served, environment
    else:
        form = "sqlite:///{}/store.db" if subject.endswith("sqlite") else "file:{}/kept"
        yield prefix + form.format(directory), environment


def _interface(subject: str) -> str:
    return "artifacts" if subject.startswith(ARTIFACTS) else "tracking"


def _server_command(subject: str, directory: Path, mlflow_python: str) -> str:
    store = f"sqlite:///{directory}/store.db"
    if not subject.startswith(MLFLOWS):
        kept = [f"--artifacts-destination=file://{directory}/kept"] if subject.startswith(ARTIFACTS) else []
        return shlex.join([*command(store, "--workers=2", *kept), f"--port={PORT}"])
    serving = [str(Path(mlflow_python).absolute()), "-m", "mlflow", "server", "--host=127.0.0.1", "--workers=1"]
    return shlex.join([*serving, f"--port={PORT}", f"--backend-store-uri={store}"])


def _soaked(subject: str, service: Any, job: int, options: argparse.Namespace) -> dict[str, Any]:
    """The counts of one soak by scenario, without what was told of any one anomaly."""
    rounds = {scenario: _share(count, job, options.jobs) for scenario, count in _rounds(subject, options).items()}
    chosen = [f"--rounds={scenario}={count}" for scenario, count in rounds.items() if count]
    if not chosen:
        return {}
    python = options.mlflow_python if subject.startswith(MLFLOWS) else sys.executable
    with tempfile.TemporaryDirectory(prefix="trackspec-survival-") as name:
        directory, file = Path(name), Path(name, "soak.json")
        chosen += [f"--interface={_interface(subject)}", f"--seed={SEED + job}", f"--json={file}"]
        if subject.endswith("server"):
            chosen += ["--server-command", _server_command(subject, directory, options.mlflow_python)]
        main_of = "import sys; from trackspec_conformance.cli import main; main(sys.argv[1:])"
        with _opened(subject, service, directory) as (uri, environment):
            ran = subprocess.run(
                [Path(python).absolute(), "-c", main_of, "soak", uri, *chosen],
                cwd=directory,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        if ran.returncode not in (0, 1):
            raise SystemExit(f"{subject} could not be soaked: {ran.stderr[-500:]}")
        return dict(json.loads(file.read_text(encoding="utf-8"))["scenarios"])


def _rounds(subject: str, options: argparse.Namespace) -> dict[str, int]:
    """How many rounds of each scenario make up the counts that are asked for."""
    kills = -(-options.kills // WITH_A_SERVER) if subject.endswith("server") else options.kills
    operations = options.operations // (FEWER if subject.startswith(ARTIFACTS) else 1)
    return {
        "kills": kills // SLOWER if subject == "mlflow-server" else kills,
        "writers" if subject.startswith(ARTIFACTS) else "creators": options.creators,
        "crowds": -(-operations // OPERATIONS_OF_A_ROUND),
        "lost-answers": 0 if subject == "artifacts-file" else options.lost_answers,
    }


def _share(count: int, job: int, jobs: int) -> int:
    """How many of so many rounds are a job's."""
    return count // jobs + (job < count % jobs)


def _together(soaks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The counts of several soaks as those of one."""
    found: dict[str, Any] = {}
    for scenario, tally in (item for soak in soaks for item in soak.items()):
        total = found.setdefault(scenario, {"rounds": 0, "operations": 0, "faults": 0, "anomalies": {}})
        for name in ("rounds", "operations", "faults"):
            total[name] += tally[name]
        total["anomalies"] = dict(sorted((Counter(total["anomalies"]) + Counter(tally["anomalies"])).items()))
    return found


def page(counts: Mapping[str, Mapping[str, Any]]) -> str:
    """The page as Markdown."""
    stores = {SUBJECTS[name]: _row(found) for name, found in counts.items() if _interface(name) == "tracking"}
    repositories = {
        SUBJECTS[name]: _row_of_artifacts(found) for name, found in counts.items() if name.startswith(ARTIFACTS)
    }
    return _PAGE.format(
        clients=WITH_A_SERVER,
        stores=_table(_COLUMNS, stores),
        repositories=_table(_COLUMNS_OF_ARTIFACTS, repositories),
    )


def _table(columns: Sequence[str], rows: Mapping[str, Sequence[int | None]]) -> str:
    heads = [f"| | {' | '.join(columns)} |", f"| --- | {' | '.join('---:' for _ in columns)} |"]
    return "\n".join([*heads, *(f"| {name} | {' | '.join(map(_shown, row))} |" for name, row in rows.items())])


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


def _row_of_artifacts(found: Mapping[str, Any]) -> list[int | None]:
    kills, writers, crowds, lost = (
        found.get(scenario, {}) for scenario in ("kills", "writers", "crowds", "lost-answers")
    )
    return [
        kills.get("faults"),
        _count(kills, "acknowledged file lost"),
        _count(kills, "file torn", "file unreadable", "listing fails"),
        _count(kills, "part of an upload listed"),
        writers.get("rounds"),
        _count(writers, "acknowledged file lost", "upload fails"),
        crowds.get("operations"),
        _less(_count(crowds, ""), _count(crowds, OTHERWISE)),
        lost.get("faults"),
        _count(lost, " is not whole ", " fails where "),
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
