"""Faults of runs: updating them, and the status."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from trackspec.entities import LifecycleStage, Metric, Param, RunInfo, RunStatus, RunTag
from trackspec.errors import ErrorCode, TrackspecError, invalid
from trackspec.memory_store import MemoryStore

from . import fault


@fault("run.update")
class StatusesAreNotUpdated(MemoryStore):
    """An update drops the status."""

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        return super()._update_run_info(run_id, None, end_time, run_name)


@fault("run.update")
class EndTimesAreNotUpdated(MemoryStore):
    """An update drops the end time."""

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        return super()._update_run_info(run_id, status, None, run_name)


@fault("run.update")
class NamesAreNotUpdated(MemoryStore):
    """An update drops the name."""

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        return super()._update_run_info(run_id, status, end_time, None)


@fault("run.update-answer")
class UpdatesAnswerWhatWas(MemoryStore):
    """An update answers the info from before it."""

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        before = self._get_run(run_id).info
        super()._update_run_info(run_id, status, end_time, run_name)
        return before


@fault("run.update-answer")
class UpdatesAnswerWhatWasGiven(MemoryStore):
    """An update answers no end time where none was given."""

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        return replace(super()._update_run_info(run_id, status, end_time, run_name), end_time=end_time)


@fault("run.update-none-keeps")
class NoStatusMeansRunning(MemoryStore):
    """An update without a status sets the run running."""

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        return super()._update_run_info(run_id, status or RunStatus.RUNNING, end_time, run_name)


@fault("run.update-none-keeps")
class NoEndTimeErasesIt(MemoryStore):
    """An update without an end time erases it."""

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        super()._update_run_info(run_id, status, end_time, run_name)
        record = self._run(run_id)
        record.info = replace(record.info, end_time=end_time)
        return record.info


@fault("run.update-alone")
class UpdatesDropTags(MemoryStore):
    """An update leaves no tag but the name's."""

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        info = super()._update_run_info(run_id, status, end_time, run_name)
        self._run(run_id).tags = {"mlflow.runName": info.run_name}
        return info


@fault("run.update-alone")
class UpdatesForgetTheUser(MemoryStore):
    """An update erases the user id."""

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        super()._update_run_info(run_id, status, end_time, run_name)
        record = self._run(run_id)
        record.info = replace(record.info, user_id="")
        return record.info


@fault("run.update-unknown")
class UnknownRunsAreUpdated(MemoryStore):
    """An update of a run that does not exist makes one up."""

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        if run_id in self._state.runs:
            return super()._update_run_info(run_id, status, end_time, run_name)
        stage = LifecycleStage.ACTIVE
        return RunInfo(run_id, run_name or "", "0", "", status or RunStatus.RUNNING, 0, end_time, stage, "")


@fault("run.update-refused-changes-nothing")
class UpdatesAreMadeFieldByField(MemoryStore):
    """A field is written before the next one is judged."""

    def update_run_info(
        self,
        run_id: str,
        run_status: RunStatus | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
    ) -> RunInfo:
        super().update_run_info(run_id, run_name=run_name)
        super().update_run_info(run_id, end_time=end_time)
        return super().update_run_info(run_id, run_status)


@fault("run.status-kept")
class KilledRunsHaveFailed(MemoryStore):
    """A killed run is read as failed."""

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        kept = RunStatus.FAILED if status is RunStatus.KILLED else status
        return super()._update_run_info(run_id, kept, end_time, run_name)


@fault("run.status-any-direction")
class EndedRunsStayEnded(MemoryStore):
    """A run that has an end time keeps its status."""

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        ended = self._run(run_id).info.end_time is not None
        return super()._update_run_info(run_id, None if ended else status, end_time, run_name)


@fault("run.status-running-keeps-end")
class RunningErasesTheEnd(MemoryStore):
    """A run that is set running again loses its end time."""

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        super()._update_run_info(run_id, status, end_time, run_name)
        record = self._run(run_id)
        if status is RunStatus.RUNNING:
            record.info = replace(record.info, end_time=end_time)
        return record.info


@fault("run.status-refused")
class UnknownStatusesAreIgnored(MemoryStore):
    """What is no status changes nothing and is reported done."""

    def update_run_info(
        self,
        run_id: str,
        run_status: RunStatus | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
    ) -> RunInfo:
        known = run_status if isinstance(run_status, RunStatus) else None
        return super().update_run_info(run_id, known, end_time, run_name)


@fault("run.status-refused")
class UnknownStatusesAreTheStoresFault(MemoryStore):
    """What is no status is answered as a failure of the store."""

    def update_run_info(
        self,
        run_id: str,
        run_status: RunStatus | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
    ) -> RunInfo:
        if run_status is not None and not isinstance(run_status, RunStatus):
            raise TrackspecError("Unknown status.", ErrorCode.INTERNAL_ERROR)
        return super().update_run_info(run_id, run_status, end_time, run_name)


@fault("run.status-text-refused")
class StatusesMayBeText(MemoryStore):
    """The name of a status is taken for it."""

    def update_run_info(
        self,
        run_id: str,
        run_status: RunStatus | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
    ) -> RunInfo:
        with suppress(ValueError):
            run_status = RunStatus(run_status)
        return super().update_run_info(run_id, run_status, end_time, run_name)


@fault("run.finished-writable")
class FinishedRunsAreSealed(MemoryStore):
    """A finished run refuses what is logged to it."""

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        if self._run(run_id).info.status is RunStatus.FINISHED:
            raise invalid("The run is finished.")
        super()._log_batch(run_id, metrics, params, tags)
