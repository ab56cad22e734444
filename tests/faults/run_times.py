"""Faults of runs: times and the user."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from trackspec.entities import Run, RunInfo, RunStatus, RunTag
from trackspec.errors import invalid
from trackspec.memory_store import MemoryStore, RunRecord

from . import fault


class OtherCreateArguments(MemoryStore):
    """A store whose create_run changes its arguments before they are judged."""

    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: Sequence[RunTag] | None,
        run_name: str | None,
    ) -> Run:
        user_id, start_time = self._changed(user_id, start_time, tags)
        return super().create_run(experiment_id, user_id, start_time, tags, run_name)

    def _changed(
        self, user_id: str | None, start_time: int | None, tags: Sequence[RunTag] | None
    ) -> tuple[str | None, int | None]:
        raise NotImplementedError


@fault("run.start-time-kept")
class StartTimesAreDoubles(OtherCreateArguments):
    """A start time is kept as a double."""

    def _changed(
        self, user_id: str | None, start_time: int | None, tags: Sequence[RunTag] | None
    ) -> tuple[str | None, int | None]:
        fits = isinstance(start_time, int) and start_time < 2**63 - 1
        return user_id, int(float(start_time)) if fits else start_time


@fault("run.start-time-kept")
class StartTimesAreSeconds(OtherCreateArguments):
    """A start time is kept to the second."""

    def _changed(
        self, user_id: str | None, start_time: int | None, tags: Sequence[RunTag] | None
    ) -> tuple[str | None, int | None]:
        return user_id, start_time // 1000 * 1000 if isinstance(start_time, int) else start_time


@fault("run.start-time-kept")
class StartTimeZeroIsNow(OtherCreateArguments):
    """A start at the epoch counts as none."""

    def _changed(
        self, user_id: str | None, start_time: int | None, tags: Sequence[RunTag] | None
    ) -> tuple[str | None, int | None]:
        return user_id, start_time or None


@fault("run.start-time-now")
class NoStartTimeIsTheEpoch(OtherCreateArguments):
    """A run without a start time starts in 1970."""

    def _changed(
        self, user_id: str | None, start_time: int | None, tags: Sequence[RunTag] | None
    ) -> tuple[str | None, int | None]:
        return user_id, 0 if start_time is None else start_time


@fault("run.start-time-now")
class NoStartTimeIsNowInSeconds(OtherCreateArguments):
    """A run without a start time starts now, in seconds."""

    def _changed(
        self, user_id: str | None, start_time: int | None, tags: Sequence[RunTag] | None
    ) -> tuple[str | None, int | None]:
        return user_id, int(time.time()) if start_time is None else start_time


@fault("run.start-time-refused")
class StartTimesAreConverted(OtherCreateArguments):
    """A start time that is a float, a bool or a numeral is converted."""

    def _changed(
        self, user_id: str | None, start_time: int | None, tags: Sequence[RunTag] | None
    ) -> tuple[str | None, int | None]:
        with suppress(TypeError, ValueError):
            start_time = int(start_time)  # type: ignore[arg-type]
        return user_id, start_time


@fault("run.end-time-kept")
class EndTimesAreDoubles(MemoryStore):
    """An end time is kept as a double."""

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        rounded = None if end_time is None else int(float(end_time))
        return super()._update_run_info(run_id, status, rounded, run_name)


@fault("run.end-time-zero")
class EndTimeZeroIsNone(MemoryStore):
    """An end at the epoch counts as none given."""

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        return super()._update_run_info(run_id, status, end_time or None, run_name)


@fault("run.end-time-before-start")
class RunsEndAfterTheyStart(MemoryStore):
    """An end before the start is refused."""

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        if end_time is not None and end_time < self._run(run_id).info.start_time:
            raise invalid("The run ends before it starts.")
        return super()._update_run_info(run_id, status, end_time, run_name)


@fault("run.end-time-refused")
class EndTimesAreConverted(MemoryStore):
    """An end time that is a float, a bool or a numeral is converted."""

    def update_run_info(
        self,
        run_id: str,
        run_status: RunStatus | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
    ) -> RunInfo:
        with suppress(TypeError, ValueError):
            end_time = int(end_time)  # type: ignore[arg-type]
        return super().update_run_info(run_id, run_status, end_time, run_name)


@fault("run.times-before-1970")
class StartTimesBeginIn1970(OtherCreateArguments):
    """A negative start time becomes the epoch."""

    def _changed(
        self, user_id: str | None, start_time: int | None, tags: Sequence[RunTag] | None
    ) -> tuple[str | None, int | None]:
        return user_id, max(0, start_time) if isinstance(start_time, int) else start_time


@fault("run.user-kept")
class UserIdsAreTrimmed(OtherCreateArguments):
    """A user id loses the white space around it."""

    def _changed(
        self, user_id: str | None, start_time: int | None, tags: Sequence[RunTag] | None
    ) -> tuple[str | None, int | None]:
        return user_id.strip() if isinstance(user_id, str) else user_id, start_time


@fault("run.user-kept")
class UserIdsAreMeasuredInBytes(OtherCreateArguments):
    """A user id of more than 256 bytes is refused."""

    def _changed(
        self, user_id: str | None, start_time: int | None, tags: Sequence[RunTag] | None
    ) -> tuple[str | None, int | None]:
        if isinstance(user_id, str) and len(user_id.encode("utf-8", "replace")) > 256:
            raise invalid("The user id is too long.")
        return user_id, start_time


@fault("run.user-never-cut")
class LongUserIdsAreCut(OtherCreateArguments):
    """A user id is cut at 256 characters."""

    def _changed(
        self, user_id: str | None, start_time: int | None, tags: Sequence[RunTag] | None
    ) -> tuple[str | None, int | None]:
        return user_id[:256] if isinstance(user_id, str) else user_id, start_time


@fault("run.user-none")
class NobodyIsAnonymous(OtherCreateArguments):
    """A run without a user is given one."""

    def _changed(
        self, user_id: str | None, start_time: int | None, tags: Sequence[RunTag] | None
    ) -> tuple[str | None, int | None]:
        return "anonymous" if user_id is None else user_id, start_time


@fault("run.user-refused")
class UserIdsBecomeText(OtherCreateArguments):
    """A user id that is no text is turned into text."""

    def _changed(
        self, user_id: str | None, start_time: int | None, tags: Sequence[RunTag] | None
    ) -> tuple[str | None, int | None]:
        return None if user_id is None else str(user_id), start_time


@fault("run.user-tag-apart")
class TheUserTagSetsTheUser(OtherCreateArguments):
    """The tag mlflow.user at creation is the user id."""

    def _changed(
        self, user_id: str | None, start_time: int | None, tags: Sequence[RunTag] | None
    ) -> tuple[str | None, int | None]:
        named = [tag.value for tag in tags or () if tag.key == "mlflow.user"]
        return named[-1] if named else user_id, start_time


@fault("run.user-tag-apart")
class TheUserTagChangesTheUser(MemoryStore):
    """Setting the tag mlflow.user changes the user id."""

    def _put_tag(self, record: RunRecord, tag: RunTag) -> None:
        super()._put_tag(record, tag)
        if tag.key == "mlflow.user":
            record.info = replace(record.info, user_id=tag.value)
