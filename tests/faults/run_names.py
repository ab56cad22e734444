"""Faults of runs: names and the tag that mirrors them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from trackspec.entities import RUN_NAME_TAG, Metric, Param, Run, RunInfo, RunStatus, RunTag
from trackspec.errors import ErrorCode, TrackspecError, invalid
from trackspec.memory_store import MemoryStore, RunRecord

from . import fault


class OtherName(MemoryStore):
    """A store that changes a name before it is judged, at creation and later."""

    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: Sequence[RunTag] | None,
        run_name: str | None,
    ) -> Run:
        return super().create_run(experiment_id, user_id, start_time, tags, self._changed(run_name))

    def update_run_info(
        self,
        run_id: str,
        run_status: RunStatus | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
    ) -> RunInfo:
        return super().update_run_info(run_id, run_status, end_time, self._changed(run_name))

    def _changed(self, name: str | None) -> str | None:
        raise NotImplementedError


class OtherCreation(MemoryStore):
    """A store that creates a run and looks at its name again."""

    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: Sequence[RunTag] | None,
        run_name: str | None,
    ) -> Run:
        tagged = next((tag.value for tag in tags or () if tag.key == RUN_NAME_TAG), None)
        run = super().create_run(experiment_id, user_id, start_time, tags, run_name)
        record = self._state.runs[run.info.run_id]
        self._rename(record, run_name, tagged)
        return self._entity(record)

    def _rename(self, record: RunRecord, given: str | None, tagged: str | None) -> None:
        raise NotImplementedError


@fault("run.name-kept")
class NamesAreTrimmed(OtherName):
    """A name loses the white space around it."""

    def _changed(self, name: str | None) -> str | None:
        return name.strip() if isinstance(name, str) else name


@fault("run.name-mirrored")
class GivenNamesAreNotMirrored(OtherCreation):
    """A run that is created with a name has no tag that says so."""

    def _rename(self, record: RunRecord, given: str | None, tagged: str | None) -> None:
        if given and not tagged:
            del record.tags[RUN_NAME_TAG]


@fault("run.name-from-tag")
class TheTagNamesNoRun(OtherCreation):
    """A run that is created with the name's tag has a generated name."""

    def _rename(self, record: RunRecord, given: str | None, tagged: str | None) -> None:
        if tagged and not given:
            record.info = replace(record.info, run_name="amber-owl-1")


@fault("run.name-with-equal-tag")
class NameAndTagExcludeEachOther(OtherCreation):
    """A name and its tag are refused together, though they agree."""

    def _rename(self, record: RunRecord, given: str | None, tagged: str | None) -> None:
        if given and tagged:
            raise invalid("The run's name is given twice.")


@fault("run.name-with-other-tag-refused")
class TheNameBeatsTheTag(MemoryStore):
    """Of a name and a tag that differ, the name is taken."""

    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: Sequence[RunTag] | None,
        run_name: str | None,
    ) -> Run:
        if run_name:
            tags = [tag for tag in tags or () if tag.key != RUN_NAME_TAG]
        return super().create_run(experiment_id, user_id, start_time, tags, run_name)


@fault("run.name-generated")
class NamelessRunsStayNameless(OtherCreation):
    """A run that is given no name has the empty one."""

    def _rename(self, record: RunRecord, given: str | None, tagged: str | None) -> None:
        if given is None and not tagged:
            self._set_run_name(record, "")


@fault("run.name-generated")
class TheEmptyNameIsKept(OtherCreation):
    """A run that is given the empty name has it."""

    def _rename(self, record: RunRecord, given: str | None, tagged: str | None) -> None:
        if given == "":
            self._set_run_name(record, "")


@fault("run.name-generated-mirrored")
class GeneratedNamesAreNotMirrored(OtherCreation):
    """A generated name has no tag that says it."""

    def _rename(self, record: RunRecord, given: str | None, tagged: str | None) -> None:
        if not given and not tagged:
            del record.tags[RUN_NAME_TAG]


@fault("run.name-empty-tag")
class TheEmptyTagIsKept(OtherCreation):
    """The empty name tag at creation empties the tag, not the name."""

    def _rename(self, record: RunRecord, given: str | None, tagged: str | None) -> None:
        if tagged == "":
            record.tags[RUN_NAME_TAG] = ""


@fault("run.names-shared")
class NamesAreUniqueAtCreation(MemoryStore):
    """A run is not created with a name that another run of the experiment has."""

    def _create_run(
        self, experiment_id: str, user_id: str, start_time: int, tags: dict[str, str], run_name: str
    ) -> Run:
        if any(
            (record.info.experiment_id, record.info.run_name) == (experiment_id, run_name)
            for record in self._state.runs.values()
        ):
            raise TrackspecError("The name is taken.", ErrorCode.RESOURCE_ALREADY_EXISTS)
        return super()._create_run(experiment_id, user_id, start_time, tags, run_name)


@fault("run.names-shared")
class NamesAreUniqueLater(MemoryStore):
    """A run does not take the name that another one has."""

    def _set_run_name(self, record: RunRecord, run_name: str) -> None:
        if any(other.info.run_name == run_name for other in self._state.runs.values() if other is not record):
            raise TrackspecError("The name is taken.", ErrorCode.RESOURCE_ALREADY_EXISTS)
        super()._set_run_name(record, run_name)


@fault("run.rename-mirrored")
class RenamingLeavesTheTag(MemoryStore):
    """An update changes the name and leaves its tag."""

    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        tag = self._active_run(run_id).tags.get(RUN_NAME_TAG, "")
        info = super()._update_run_info(run_id, status, end_time, run_name)
        self._run(run_id).tags[RUN_NAME_TAG] = tag
        return info


@fault("run.rename-empty")
class TheEmptyNameErases(MemoryStore):
    """An update with the empty name erases the name."""

    def update_run_info(
        self,
        run_id: str,
        run_status: RunStatus | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
    ) -> RunInfo:
        info = super().update_run_info(run_id, run_status, end_time, run_name)
        return self._update_run_info(run_id, None, None, "") if run_name == "" else info


@fault("run.tag-renames")
class SettingTheTagRenamesNothing(MemoryStore):
    """set_tag of the name's tag leaves the name."""

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        super().set_tag(run_id, tag)
        if tag.key == RUN_NAME_TAG:
            record = self._run(run_id)
            record.info = replace(record.info, run_name="left")


@fault("run.batch-tag-renames")
class ABatchRenamesNothing(MemoryStore):
    """log_batch with the name's tag leaves the name."""

    def log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        super().log_batch(run_id, metrics, params, tags)
        if any(tag.key == RUN_NAME_TAG for tag in tags):
            record = self._run(run_id)
            record.info = replace(record.info, run_name="left")


@fault("run.name-tag-emptied")
class TheTagIsEmptiedAlone(MemoryStore):
    """Setting the name's tag empty empties the tag and leaves the name."""

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        if (tag.key, tag.value) == (RUN_NAME_TAG, ""):
            self._active_run(run_id).tags[RUN_NAME_TAG] = ""
        else:
            super().set_tag(run_id, tag)


@fault("run.name-tag-emptied")
class ABatchEmptiesTheName(MemoryStore):
    """A batch with the name's tag empty empties tag and name."""

    def log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        if RunTag(RUN_NAME_TAG, "") in tags:
            self._set_run_name(self._active_run(run_id), "")
        else:
            super().log_batch(run_id, metrics, params, tags)


@fault("run.name-tag-deleted")
class DeletingTheTagErasesTheName(MemoryStore):
    """The name goes with its tag."""

    def _delete_tag(self, run_id: str, key: str) -> None:
        super()._delete_tag(run_id, key)
        if key == RUN_NAME_TAG:
            record = self._run(run_id)
            record.info = replace(record.info, run_name="")


@fault("run.name-length")
class NamesAreMeasuredInBytes(OtherName):
    """A name of more than 250 bytes is refused."""

    def _changed(self, name: str | None) -> str | None:
        if isinstance(name, str) and len(name.encode("utf-8", "replace")) > 250:
            raise invalid("The name is too long.")
        return name


@fault("run.name-never-cut")
class NamesAreCutAtCreation(MemoryStore):
    """A name is cut at 250 characters when a run is created."""

    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: Sequence[RunTag] | None,
        run_name: str | None,
    ) -> Run:
        cut = run_name[:250] if isinstance(run_name, str) else run_name
        return super().create_run(experiment_id, user_id, start_time, tags, cut)


@fault("run.name-never-cut")
class NamesAreCutLater(MemoryStore):
    """A name is cut at 8000 characters when a run is renamed."""

    def update_run_info(
        self,
        run_id: str,
        run_status: RunStatus | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
    ) -> RunInfo:
        cut = run_name[:8000] if isinstance(run_name, str) else run_name
        return super().update_run_info(run_id, run_status, end_time, cut)


@fault("run.name-refused")
class NamesBecomeText(OtherName):
    """A name that is no text is turned into text."""

    def _changed(self, name: str | None) -> str | None:
        return None if name is None else str(name)


@fault("run.surrogates-refused")
class SurrogatesInNamesAreReplaced(OtherName):
    """A lone surrogate in a name becomes a question mark."""

    def _changed(self, name: str | None) -> str | None:
        return name.encode("utf-8", "replace").decode() if isinstance(name, str) else name


@fault("run.surrogates-refused")
class SurrogatesInUserIdsAreReplaced(MemoryStore):
    """A lone surrogate in a user id becomes a question mark."""

    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: Sequence[RunTag] | None,
        run_name: str | None,
    ) -> Run:
        if isinstance(user_id, str):
            user_id = user_id.encode("utf-8", "replace").decode()
        return super().create_run(experiment_id, user_id, start_time, tags, run_name)
