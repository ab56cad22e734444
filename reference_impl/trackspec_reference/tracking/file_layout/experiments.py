"""The experiments of a file store."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from trackspec.entities import Experiment, LifecycleStage
from trackspec.errors import ErrorCode, TrackspecError, invalid, missing
from trackspec_reference.tracking.file_layout.experiment_names import ExperimentNames
from trackspec_reference.tracking.file_layout.experiment_state import ExperimentState
from trackspec_reference.tracking.file_layout.folded_log import Change, FoldedLog
from trackspec_reference.tracking.file_layout.log_format import HEADER_SIZE, encode, header
from trackspec_reference.tracking.file_layout.run_ids import is_experiment_id, new_experiment_id
from trackspec_reference.tracking.file_layout.store_directory import StoreDirectory

_log = logging.getLogger(__name__)


class Experiments:
    """Creates, finds and changes experiments."""

    def __init__(self, directory: StoreDirectory) -> None:
        self._directory = directory
        self._names = ExperimentNames(directory.names, directory.durability)
        self._logs: dict[str, FoldedLog[ExperimentState]] = {}
        self._adding = threading.Lock()

    def path(self, experiment_id: str) -> Path:
        """The directory of an experiment."""
        return self._directory.experiments / experiment_id

    # -- reading --------------------------------------------------------------------------------------------

    def get(self, experiment_id: str) -> Experiment:
        """An experiment.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is none; DATA_LOSS if it is damaged.
        """
        with self._state(experiment_id) as state:
            return state.entity()

    def exists(self, experiment_id: str) -> bool:
        """Whether there is an experiment of this id, damaged or not."""
        return is_experiment_id(experiment_id) and self._log_path(experiment_id).exists()

    def stage(self, experiment_id: str) -> tuple[LifecycleStage, int]:
        """An experiment's stage and epoch; raises as :meth:`get`."""
        with self._state(experiment_id) as state:
            return state.stage, state.epoch

    def home_of_new_run(self, experiment_id: str) -> tuple[str, int]:
        """The artifact location and the epoch of an active experiment.

        :raises TrackspecError: as :meth:`get`; INVALID_STATE if the experiment is deleted.
        """
        with self._state(experiment_id) as state:
            if state.stage is not LifecycleStage.ACTIVE:
                raise TrackspecError(f"Experiment {experiment_id!r} is deleted.", ErrorCode.INVALID_STATE)
            return state.artifact_location, state.epoch

    def named(self, name: str) -> Experiment | None:
        """The experiment of exactly this name; raises DATA_LOSS if it is damaged."""
        experiment_id = self._names.find(name)
        if experiment_id is None:
            return None
        if experiment_id:
            try:
                experiment = self.get(experiment_id)
            except TrackspecError as error:
                if error.error_code is not ErrorCode.RESOURCE_DOES_NOT_EXIST:
                    raise
            else:
                if experiment.name == name:
                    return experiment
        return next((experiment for experiment in self.all() if experiment.name == name), None)

    def all(self) -> Iterator[Experiment]:
        """Every experiment that is not damaged; the others are warned of."""
        with os.scandir(self._directory.experiments) as entries:
            ids = [entry.name for entry in entries if is_experiment_id(entry.name)]
        for experiment_id in ids:
            yield from self._readable(experiment_id)

    def _readable(self, experiment_id: str) -> Iterator[Experiment]:
        try:
            experiment = self.get(experiment_id)
        except TrackspecError as error:
            if error.error_code is ErrorCode.DATA_LOSS:
                _log.warning("A search leaves out experiment %s: %s", experiment_id, error.message)
        else:
            yield experiment

    @contextmanager
    def _state(self, experiment_id: str) -> Iterator[ExperimentState]:
        try:
            with self._log(experiment_id).current() as folded:
                yield folded.state
        except FileNotFoundError:
            raise missing("experiment", experiment_id) from None

    def _log(self, experiment_id: str) -> FoldedLog[ExperimentState]:
        known = self._logs.get(experiment_id)
        if known is not None:
            return known
        if not self.exists(experiment_id):
            raise missing("experiment", experiment_id)
        log = FoldedLog(
            str(self._log_path(experiment_id)),
            self._directory.durability,
            f"experiment {experiment_id!r}",
            partial(ExperimentState, experiment_id),
        )
        with self._adding:
            return self._logs.setdefault(experiment_id, log)

    # -- creating and changing ------------------------------------------------------------------------------

    def create(
        self,
        name: str,
        locate: Callable[[str], str],
        tags: dict[str, str],
        now: int,
        before: Callable[[str], None] | None = None,
    ) -> str:
        """Create an experiment, ``locate`` giving the artifact location for its id.

        :param before: is told the id before there is such an experiment.
        :raises TrackspecError: RESOURCE_ALREADY_EXISTS if another one has the name.
        """
        with self._directory.locked():
            self._require_free(name)
            experiment_id = self._new_id()
            if before is not None:
                before(experiment_id)
            self._add(experiment_id, name, locate(experiment_id), tags, now)
            return experiment_id

    def ensure(self, experiment_id: str, name: str, locate: Callable[[str], str], now: int) -> None:
        """Create an experiment of this very id, if there is none."""
        if self._log_path(experiment_id).exists():
            return
        with self._directory.locked():
            if not self._log_path(experiment_id).exists():
                self.path(experiment_id).mkdir(exist_ok=True)
                self._add(experiment_id, name, locate(experiment_id), {}, now)

    def _new_id(self) -> str:
        while True:
            experiment_id = new_experiment_id()
            try:
                self.path(experiment_id).mkdir()
            except FileExistsError:
                continue
            return experiment_id

    def _add(self, experiment_id: str, name: str, artifact_location: str, tags: dict[str, str], now: int) -> None:
        durability = self._directory.durability
        durability.make_directory(self.path(experiment_id) / "runs")
        for log in ("runs.log", "datasets.log"):
            durability.write_file(self.path(experiment_id) / log, header(HEADER_SIZE))
        durability.sync_directory(self._directory.experiments)
        self._names.reserve(name, experiment_id)
        created = {"id": experiment_id, "artifact_location": artifact_location, "creation_time": now}
        line = encode({"experiment": created, "name": name, "tags": tags})
        # Last, as this is what makes the experiment exist.
        durability.write_file(self._log_path(experiment_id), header(HEADER_SIZE + len(line)) + line)

    def rename(self, experiment_id: str, new_name: str, now: int) -> None:
        """Rename an active experiment; its present name is accepted.

        :raises TrackspecError: INVALID_STATE if it is deleted; RESOURCE_ALREADY_EXISTS if another one has the
            name.
        """
        with self._directory.locked(), self._changing(experiment_id) as change:
            if change.state.stage is not LifecycleStage.ACTIVE:
                raise TrackspecError(
                    f"Experiment {experiment_id!r} is deleted and cannot be renamed.", ErrorCode.INVALID_STATE
                )
            old_name = change.state.name
            if new_name == old_name:
                return
            self._require_free(new_name)
            self._names.reserve(new_name, experiment_id)
            change.append({"name": new_name, "time": now})
            self._names.release(old_name)

    def move(self, experiment_id: str, stage: LifecycleStage, now: int) -> None:
        """Move an experiment of the other stage to this one.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if it is of this stage.
        """
        with self._changing(experiment_id) as change:
            if change.state.stage is stage:
                raise TrackspecError(
                    f"Experiment {experiment_id!r} is {stage} already.", ErrorCode.RESOURCE_DOES_NOT_EXIST
                )
            change.append({"stage": stage.value, "time": now})

    def set_tag(self, experiment_id: str, key: str, value: str) -> None:
        """Set a tag of an active experiment.

        :raises TrackspecError: INVALID_PARAMETER_VALUE if it is deleted.
        """
        with self._changing(experiment_id) as change:
            self._require_active(change.state)
            change.append({"tags": {key: value}})

    def delete_tag(self, experiment_id: str, key: str) -> None:
        """Delete a tag of an active experiment.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is no such tag; INVALID_PARAMETER_VALUE if the
            experiment is deleted.
        """
        with self._changing(experiment_id) as change:
            self._require_active(change.state)
            if key not in change.state.tags:
                raise missing("experiment tag", key)
            change.append({"untag": key})

    @contextmanager
    def _changing(self, experiment_id: str) -> Iterator[Change[ExperimentState]]:
        with self._log(experiment_id).changing() as change:
            yield change

    def _require_active(self, state: ExperimentState) -> None:
        if state.stage is not LifecycleStage.ACTIVE:
            raise invalid(f"Experiment {state.experiment_id!r} is deleted.")

    def _require_free(self, name: str) -> None:
        if self.named(name) is not None:
            raise TrackspecError(f"An experiment named {name!r} exists.", ErrorCode.RESOURCE_ALREADY_EXISTS)

    def _log_path(self, experiment_id: str) -> Path:
        return self.path(experiment_id) / "experiment.log"
