"""One side of a benchmark of artifacts in a process of its own: reads the names of operations, answers rates.

``python artifacts_worker.py SIDE SERVICE URI FILES``, SIDE being ours, mlflow or raw, and FILES the folder with
what is uploaded: ``large/file`` and ``many/``. A rate is in megabytes a second for the large file, and otherwise
in files.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

sys.path.insert(0, str(Path(__file__).parent))

from artifacts_raw import CLIENTS

MEGABYTE = 1e6


class Repository(Protocol):
    """What is timed: the calls that our repositories, MLflow's, and the raw clients have."""

    def log_artifact(self, local_file: str, artifact_path: str) -> object: ...
    def log_artifacts(self, local_dir: str, artifact_path: str) -> object: ...
    def list_artifacts(self, path: str) -> Any: ...
    def download_artifacts(self, artifact_path: str, dst_path: str) -> object: ...


def opened(side: str, service: str, uri: str) -> Repository:
    """The repository of a side."""
    if side == "ours":
        from trackspec import ArtifactRepository  # noqa: PLC0415 - the raw side is to pay nothing for it

        return ArtifactRepository.from_artifact_uri(uri)
    if side == "mlflow":
        from mlflow.store.artifact import artifact_repository_registry as registry  # noqa: PLC0415 - likewise

        found: Repository = registry.get_artifact_repository(uri)
        return found
    return CLIENTS[service](uri)


class Operations:
    """The operations on one repository.

    :param files: the folder with what is uploaded.
    """

    def __init__(self, repository: Repository, files: Path) -> None:
        self._repository = repository
        self._large, self._many = files / "large" / "file", files / "many"
        self._size = self._large.stat().st_size
        self._count = sum(len(names) for _, _, names in os.walk(self._many))
        self._rounds = itertools.count()
        self._folder = ""

    def upload_large(self) -> float:
        """One large file, which replaces the one before."""
        return self._size / MEGABYTE / timed(lambda: self._repository.log_artifact(str(self._large), "large"))

    def download_large(self) -> float:
        """The same file."""
        return self._size / MEGABYTE / self._downloaded("large/file")

    def upload_many(self) -> float:
        """A folder of many small files, to a path of its own."""
        self._folder = f"many-{next(self._rounds)}"
        return self._count / timed(lambda: self._repository.log_artifacts(str(self._many), self._folder))

    def list_many(self) -> float:
        """Every folder of these."""
        found: list[str] = []
        seconds = timed(lambda: self._list(self._folder, found))
        assert len(found) == self._count, (len(found), self._count)
        return self._count / seconds

    def download_many(self) -> float:
        """All of these."""
        return self._count / self._downloaded(self._folder)

    def list_crowd(self) -> float:
        """One folder of very many files, which is there already."""
        found: list[Any] = []
        seconds = timed(lambda: found.extend(self._repository.list_artifacts("crowd")))
        return len(found) / seconds

    def memory(self) -> float:
        """The megabytes that this process took at most."""
        return peak_memory("self")

    def _list(self, folder: str, found: list[str]) -> None:
        for item in self._repository.list_artifacts(folder):
            if item.is_dir:
                self._list(item.path, found)
            else:
                found.append(item.path)

    def _downloaded(self, path: str) -> float:
        folder = tempfile.mkdtemp(prefix="trackspec-bench-")
        try:
            return timed(lambda: self._repository.download_artifacts(path, folder))
        finally:
            shutil.rmtree(folder)


def peak_memory(process: int | str) -> float:
    """The megabytes that a process has taken at most, since it runs this program."""
    # What getrusage tells of a process begins with what that one took which it was forked off.
    (line,) = (line for line in Path(f"/proc/{process}/status").read_text().splitlines() if "VmHWM" in line)
    return int(line.split()[1]) * 1024 / MEGABYTE


def timed(call: Callable[[], object]) -> float:
    """How many seconds a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def main() -> None:
    """Answer each line of standard input, an operation's name, by a rate."""
    side, service, uri, files = sys.argv[1:]
    operations = Operations(opened(side, service, uri), Path(files))
    for line in sys.stdin:
        print(json.dumps(getattr(operations, json.loads(line))()), flush=True)


if __name__ == "__main__":
    main()
