"""The runs of a file store, one by one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from trackspec import uris
from trackspec.entities import LifecycleStage, Run, RunInfo
from trackspec.errors import TrackspecError, invalid, missing
from trackspec_reference.tracking.file_layout.durability import Durability
from trackspec_reference.tracking.file_layout.experiments import Experiments
from trackspec_reference.tracking.file_layout.folded_log import Change, FoldedLog, damage
from trackspec_reference.tracking.file_layout.folding import Folded
from trackspec_reference.tracking.file_layout.kept_runs import Allowance
from trackspec_reference.tracking.file_layout.log_format import HEADER_SIZE, Body, Damaged, encode, header
from trackspec_reference.tracking.file_layout.recent import Recent
from trackspec_reference.tracking.file_layout.run_ids import new_run_id, parse_run_id
from trackspec_reference.tracking.file_layout.run_register import RunRegister
from trackspec_reference.tracking.file_layout.run_scan import RunScan
from trackspec_reference.tracking.file_layout.run_state import RunState

_KEPT_LOGS = 128
_KEPT_REGISTERS = 32
_PACKED_ALLOWANCE = 128 << 20
_UNPACKED_ALLOWANCE = 64 << 20
"""How many bytes searches may keep of what they read."""

_log = logging.getLogger(__name__)


class RunLog(FoldedLog[RunState]):
    """A run's log. As long as there is none, the run's record in the register stands for it."""

    def __init__(self, path: str, durability: Durability, run_id: str, register: RunRegister, offset: int) -> None:
        super().__init__(path, durability, f"run {run_id!r}", partial(RunState, run_id), stays_open=True)
        self._run_id = run_id
        self._register = register
        self._offset = offset
        self._unwritten: Folded[RunState] | None = None

    @property
    def run_id(self) -> str:
        """The run."""
        return self._run_id

    def _refreshed(self) -> Folded[RunState]:
        try:
            return super()._refreshed()
        except FileNotFoundError:
            if self._unwritten is None:
                unwritten = self._new()
                unwritten.state.apply(self._creation_record())
                self._unwritten = unwritten
            return self._unwritten

    def _open(self) -> int:
        try:
            return super()._open()
        except FileNotFoundError:
            with self._register.exclusive():  # of all who write to this run first, one creates its log
                if not Path(self.path).exists():
                    line = encode(self._creation_record())
                    self._durability.write_file(self.path, header(HEADER_SIZE + len(line)) + line)
            return super()._open()

    def _creation_record(self) -> Body:
        try:
            body = self._register.get(self._offset)
        except FileNotFoundError:
            body = None
        except Damaged:
            raise damage(self._subject) from None
        if body is None or body["run"]["id"] != self._run_id:
            raise missing("run", self._run_id)
        return body


class Runs:
    """Creates, finds and changes runs."""

    def __init__(self, experiments: Experiments, durability: Durability) -> None:
        self._experiments = experiments
        self._durability = durability
        self._logs: Recent[str, RunLog] = Recent(_KEPT_LOGS, self._hand_over)
        self._registers: Recent[str, RunRegister] = Recent(_KEPT_REGISTERS)
        self._scans: dict[str, RunScan] = {}
        self._scan_allowances = Allowance(_PACKED_ALLOWANCE), Allowance(_UNPACKED_ALLOWANCE)

    def create(
        self, experiment_id: str, user_id: str, start_time: int, tags: dict[str, str], key: str | None = None
    ) -> Run:
        """Create a run in an active experiment; one of the tags gives its name.

        :param key: the idempotency key that its record is to carry.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is no such experiment; INVALID_STATE if it is
            deleted.
        """
        location, epoch = self._experiments.home_of_new_run(experiment_id)

        def record_at(offset: int) -> Body:
            run_id = new_run_id(experiment_id, offset)
            created = {
                "id": run_id,
                "experiment_id": experiment_id,
                "user_id": user_id,
                "start_time": start_time,
                "artifact_uri": uris.join(location, run_id, "artifacts"),
                "epoch": epoch,
            }
            return {"run": created, "tags": tags} | ({} if key is None else {"key": key})

        try:
            body = self._register(experiment_id).add(record_at)
        except FileNotFoundError:
            raise damage(f"experiment {experiment_id!r}") from None
        state = RunState(body["run"]["id"])
        state.apply(body)
        return state.entity(LifecycleStage.ACTIVE)

    def place_of_next(self, experiment_id: str) -> int:
        """An offset such that the record of the next run stands there or behind; raises as :meth:`create`."""
        self._experiments.home_of_new_run(experiment_id)
        return self._register(experiment_id).mark

    def made_with(self, key: str, experiment_id: str, start: int) -> Run | None:
        """The run whose record carries an idempotency key, and stands at an offset or behind it."""
        for body, _ in self._register(experiment_id).scan(start):
            if body is not None and body.get("key") == key:
                return self.get(body["run"]["id"])
        return None

    def get(self, run_id: str) -> Run:
        """A run."""
        with self.current(run_id) as folded:
            return folded.state.entity(self.stage(folded.state))

    def info(self, run_id: str) -> RunInfo:
        """What is known of a run beside what it logged."""
        with self.current(run_id) as folded:
            return folded.state.info(self.stage(folded.state))

    def move(self, run_id: str, stage: LifecycleStage) -> None:
        """Move a run to a stage, if it is of another."""
        with self._log_of(run_id).changing() as change:
            epoch = self._home(change.state.experiment_id)[1]
            if self.stage(change.state) is stage:
                change.confirm()
            else:
                change.append({"stage": [stage.value, change.state.epoch if epoch is None else epoch]})

    @contextmanager
    def current(self, run_id: str) -> Iterator[Folded[RunState]]:
        """What a run's records add up to; the caller only reads it, and only within the context.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is no such run; DATA_LOSS if it is damaged.
        """
        with self._log_of(run_id).current() as folded:
            yield folded

    @contextmanager
    def changing(self, run_id: str) -> Iterator[Change[RunState]]:
        """Hold an active run against other writers.

        :raises TrackspecError: as :meth:`current`; INVALID_PARAMETER_VALUE if the run is deleted.
        """
        with self._log_of(run_id).changing() as change:
            if self.stage(change.state) is not LifecycleStage.ACTIVE:
                raise invalid(f"Run {run_id!r} is deleted.")
            yield change

    def path(self, run_id: str) -> str:
        """The file of a run's log."""
        return self._log_of(run_id).path

    def scan(self, experiment_id: str) -> RunScan:
        """What searches read of an experiment's runs."""
        scan = self._scans.get(experiment_id)
        if scan is None:
            path = self._experiments.path(experiment_id)
            scan = RunScan(path, self._register(experiment_id), *self._scan_allowances)
        return self._scans.setdefault(experiment_id, scan)

    def _hand_over(self, log: RunLog) -> None:
        """Let searches have what is known of a run, which costs less than to read it again."""
        packed = log.packed()
        parsed = parse_run_id(log.run_id)
        if packed is not None and parsed is not None:
            self.scan(parsed[0]).offer(log.run_id, packed)

    def _register(self, experiment_id: str) -> RunRegister:
        """An experiment's run register."""
        path = str(self._experiments.path(experiment_id) / "runs.log")
        return self._registers.get(experiment_id, lambda: RunRegister(path, self._durability))

    def stage(self, state: RunState) -> LifecycleStage:
        """The stage that a run is of, its experiment considered."""
        return self.stages(state.experiment_id)(state)

    def stages(self, experiment_id: str) -> Callable[[RunState], LifecycleStage]:
        """What tells the stages of an experiment's runs."""
        stage, epoch = self._home(experiment_id)

        def stage_of(state: RunState) -> LifecycleStage:
            return state.own_stage if stage is None or epoch == state.epoch else stage

        return stage_of

    def _home(self, experiment_id: str) -> tuple[LifecycleStage | None, int | None]:
        """An experiment's stage and epoch; None where it is damaged, which shall not hide its runs."""
        try:
            return self._experiments.stage(experiment_id)
        except TrackspecError as error:
            _log.warning("The runs of experiment %s are as they were left: %s", experiment_id, error.message)
            return None, None

    def _log_of(self, run_id: str) -> RunLog:
        return self._logs.get(run_id, partial(self._new_log, run_id))

    def _new_log(self, run_id: str) -> RunLog:
        parsed = parse_run_id(run_id)
        if parsed is None:
            raise missing("run", run_id)
        experiment_id, offset = parsed
        path = str(self._experiments.path(experiment_id) / "runs" / f"{run_id}.log")
        return RunLog(path, self._durability, run_id, self._register(experiment_id), offset)
