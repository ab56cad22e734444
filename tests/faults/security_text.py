"""Faults of security: text that is taken for a place, and records that are run."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from trackspec.entities import Experiment, ExperimentTag, Metric, Param, Run, RunTag
from trackspec.errors import TrackspecError, invalid, missing
from trackspec.memory_store import MemoryStore

from . import fault
from .kept_in_a_file import KeptSafely, placed

HERE = "tests.faults.security_text"
SMALL = 65_536


@fault("confined.ids")
class RunsAreFilesToRead(KeptSafely):
    """An id is the name of a file beside the store's own, and what it holds is told."""

    PLACED = placed(f"{HERE}:RunsAreFilesToRead")

    def get_run(self, run_id: str) -> Run:
        with contextlib.suppress(OSError, ValueError):
            raise missing("run", (self._file.parent / run_id).read_bytes().decode("latin-1")[:SMALL])
        return super().get_run(run_id)


@fault("confined.ids")
class DeletedRunsAreMarked(KeptSafely):
    """A run that is deleted gets a mark beside the file that its id names."""

    PLACED = placed(f"{HERE}:DeletedRunsAreMarked")

    def delete_run(self, run_id: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            Path(f"{self._file.parent / run_id}.deleted").touch()
        super().delete_run(run_id)


@fault("confined.keys")
class MetricsAreFiles(KeptSafely):
    """A metric is also written to a file that its key names, before the key is judged."""

    PLACED = placed(f"{HERE}:MetricsAreFiles")

    def log_metric(self, run_id: str, metric: Metric) -> None:
        with contextlib.suppress(OSError, ValueError):
            (self._file.parent / metric.key).write_text(str(metric.value))
        super().log_metric(run_id, metric)


@fault("confined.keys")
class TokensAreFiles(KeptSafely):
    """A page token is the name of a file, whose content is told where it is no token."""

    PLACED = placed(f"{HERE}:TokensAreFiles")

    def search_runs(self, *args: Any, **kwargs: Any) -> Any:
        token = kwargs.get("page_token") or ""
        with contextlib.suppress(OSError, ValueError):
            raise invalid((self._file.parent / token).read_bytes().decode("latin-1")[:SMALL])
        return super().search_runs(*args, **kwargs)


@fault("confined.values")
class LocationsAreVisited(MemoryStore):
    """Whether a location is there is looked at when it is given."""

    def create_experiment(
        self,
        name: str,
        artifact_location: str | None = None,
        tags: Sequence[ExperimentTag] | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> str:
        with contextlib.suppress(Exception), urlopen(artifact_location or "", timeout=1):
            pass
        return super().create_experiment(name, artifact_location, tags, idempotency_key=idempotency_key)


@fault("confined.values")
class FoldersAreMadeAtOnce(MemoryStore):
    """The folder of a location is made when a run is created."""

    def _create_run(self, *args: Any) -> Run:
        run = super()._create_run(*args)
        place = run.info.artifact_uri.removeprefix("file://")
        if place.startswith(tempfile.gettempdir()):
            os.makedirs(place)
        return run


@fault("confined.values")
class CommandsAreExpanded(MemoryStore):
    """The value of a param is expanded by a shell."""

    def log_param(self, run_id: str, param: Param) -> None:
        if param.value.startswith(("$(", "`")):
            os.system(f"true {param.value}")
        super().log_param(run_id, param)


@fault("confined.records", "confined.records-end")
class RecordsAreObjects(KeptSafely):
    """The file of the state is unpickled, whatever it holds."""

    PLACED = placed(f"{HERE}:RecordsAreObjects")


@fault("confined.records-end")
class UnreadableRecordsAreErrorsOfPython(KeptSafely):
    """A file that holds something else raises what its reader raises."""

    PLACED = placed(f"{HERE}:UnreadableRecordsAreErrorsOfPython")

    def _load(self) -> None:
        if self._file.exists() and not self._file.read_bytes().startswith(pickle.dumps({})[:2]):
            raise ValueError("no state")
        super()._load()


class Passwords(MemoryStore):
    """A store that judges no password."""

    def create_experiment(
        self,
        name: str,
        artifact_location: str | None = None,
        tags: Sequence[ExperimentTag] | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> str:
        try:
            return super().create_experiment(name, artifact_location, tags, idempotency_key=idempotency_key)
        except TrackspecError:
            if "@" not in (artifact_location or ""):
                raise
            return self._with_password(name, str(artifact_location))

    def _with_password(self, name: str, location: str) -> str:
        return super().create_experiment(name, "s3://bucket/path")


@fault("secret.location-password")
class PasswordsAreKept(Passwords):
    """A location with a password is kept."""

    def get_experiment(self, experiment_id: str) -> Experiment:
        return super().get_experiment(experiment_id)


@fault("secret.location-password")
class RootsHavePasswords(MemoryStore):
    """An artifact root with a password is set, without the password."""

    def set_artifact_root(self, artifact_root: str) -> None:
        scheme, _, rest = str(artifact_root).partition("://")
        super().set_artifact_root(f"{scheme}://{rest.rpartition('@')[2]}" if "@" in rest else artifact_root)


@fault("secret.not-repeated")
class RefusalsRepeatPasswords(Passwords):
    """The error that refuses a location tells it."""

    def _with_password(self, name: str, location: str) -> str:
        raise invalid(f"{location} is no location.")


@fault("secret.not-repeated")
class TheLogRepeatsPasswords(Passwords):
    """The log tells which location was refused."""

    def _with_password(self, name: str, location: str) -> str:
        logging.getLogger("store").info("Refused %s.", location)
        raise invalid("This is no location.")


@fault("secret.temporary-private")
class ScratchFilesAreForEverybody(MemoryStore):
    """A batch is noted in a temporary file, which anybody may read."""

    def log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        Path(tempfile.gettempdir(), f"batch-{run_id}").write_text(str(len(metrics)))
        super().log_batch(run_id, metrics, params, tags)
