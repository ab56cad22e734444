"""Faults of the tags of runs."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from trackspec.entities import RUN_NAME_TAG, Metric, Param, RunTag
from trackspec.errors import ErrorCode, TrackspecError, invalid, missing
from trackspec.memory_store import MemoryStore, RunRecord

from . import fault


class OtherValues(MemoryStore):
    """A store that keeps other values of tags than it is given, or refuses some."""

    def _put_tag(self, record: RunRecord, tag: RunTag) -> None:
        super()._put_tag(record, tag if tag.key == RUN_NAME_TAG else RunTag(tag.key, self._kept(tag.value)))

    def _kept(self, value: str) -> str:
        raise NotImplementedError


class ChangedBeforeJudged(MemoryStore):
    """A store that changes the values of tags before it judges them."""

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        super().set_tag(run_id, replace(tag, value=self._changed(tag.value)))

    def log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        if isinstance(tags, (list, tuple)):
            tags = [replace(tag, value=self._changed(tag.value)) for tag in tags]
        super().log_batch(run_id, metrics, params, tags)

    def _changed(self, value: object) -> str:
        raise NotImplementedError


@fault("tag.set")
class TheThirdTagIsLost(MemoryStore):
    """A run keeps two tags beside its name's."""

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        tags = self.get_run(run_id).data.tags
        if len(tags) < 3 or tag.key in tags:
            super().set_tag(run_id, tag)


@fault("tag.replace")
class TheFirstValueStays(MemoryStore):
    """A tag that exists keeps its value."""

    def _put_tag(self, record: RunRecord, tag: RunTag) -> None:
        if tag.key not in record.tags:
            super()._put_tag(record, tag)


@fault("tag.replace")
class TagsGrow(MemoryStore):
    """A new value is appended to the one before it."""

    def _put_tag(self, record: RunRecord, tag: RunTag) -> None:
        super()._put_tag(record, RunTag(tag.key, record.tags.get(tag.key, "") + tag.value))


@fault("tag.replace")
class TagsAreReplacedTogether(MemoryStore):
    """Replacing a tag empties the others."""

    def _put_tag(self, record: RunRecord, tag: RunTag) -> None:
        if tag.key in record.tags and tag.key != RUN_NAME_TAG:
            record.tags = {RUN_NAME_TAG: record.info.run_name}
        super()._put_tag(record, tag)


@fault("tag.value-exact")
class LineBreaksInTagsAreFolded(OtherValues):
    """A carriage return is taken for a line feed."""

    def _kept(self, value: str) -> str:
        return value.replace("\r\n", "\n").replace("\r", "\n")


@fault("tag.value-exact")
class TagsAreTrimmed(OtherValues):
    """A value loses the white space around it."""

    def _kept(self, value: str) -> str:
        return value.strip()


@fault("tag.value-exact")
class TagsAreNormalised(OtherValues):
    """A value is kept in Unicode's decomposed form."""

    def _kept(self, value: str) -> str:
        return unicodedata.normalize("NFD", value)


@fault("tag.value-exact")
class TagsStayInTheBasicPlane(OtherValues):
    """A character beyond the basic plane becomes a question mark."""

    def _kept(self, value: str) -> str:
        return "".join(character if character <= "\uffff" else "?" for character in value)


@fault("tag.empty-value")
class EmptyTagsAreDeleted(MemoryStore):
    """Setting the empty value deletes the tag."""

    def _put_tag(self, record: RunRecord, tag: RunTag) -> None:
        super()._put_tag(record, tag)
        if not tag.value:
            del record.tags[tag.key]


@fault("tag.empty-value")
class EmptyTagsReplaceNothing(MemoryStore):
    """Setting the empty value leaves the one there is."""

    def _put_tag(self, record: RunRecord, tag: RunTag) -> None:
        super()._put_tag(record, RunTag(tag.key, tag.value or record.tags.get(tag.key, "")))


@fault("tag.longest-value")
class TagsAreMeasuredInUtf16(OtherValues):
    """A value of more than 8000 UTF-16 units is refused."""

    def _kept(self, value: str) -> str:
        if len(value.encode("utf-16-le")) > 16_000:
            raise invalid("The value is too long.")
        return value


@fault("tag.longest-value")
class TagsAreCutAt5000(OtherValues):
    """A value is cut at 5000 characters."""

    def _kept(self, value: str) -> str:
        return value[:5000]


@fault("tag.over-long-refused")
class LongTagsAreCut(MemoryStore):
    """set_tag cuts a value at 8000 characters."""

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        value = tag.value
        super().set_tag(run_id, RunTag(tag.key, value[:8000] if isinstance(value, str) else value))


@fault("tag.over-long-refused")
class LongTagsAreKeptByBatches(MemoryStore):
    """log_batch does not look at the length of values."""

    def log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        if isinstance(tags, list) and any(isinstance(tag.value, str) and len(tag.value) > 8000 for tag in tags):
            self._log_batch(run_id, metrics, params, tags)
        else:
            super().log_batch(run_id, metrics, params, tags)


@fault("tag.refused-keeps-value")
class RefusedValuesEmptyTheTag(MemoryStore):
    """A tag is emptied before its new value is judged."""

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        try:
            super().set_tag(run_id, tag)
        except TrackspecError:
            if run_id in self._state.runs and tag.key in self._run(run_id).tags:
                self._run(run_id).tags[tag.key] = ""
            raise


@fault("tag.value-type-refused")
class NoTagIsTheEmptyOne(ChangedBeforeJudged):
    """None is taken for the empty value."""

    def _changed(self, value: object) -> str:
        return "" if value is None else value  # type: ignore[return-value]


@fault("tag.value-type-refused")
class NumbersInTagsBecomeText(ChangedBeforeJudged):
    """A number is turned into text."""

    def _changed(self, value: object) -> str:
        return str(value) if isinstance(value, (int, float)) else value  # type: ignore[return-value]


@fault("tag.surrogates-refused")
class SurrogatesInTagsAreReplaced(ChangedBeforeJudged):
    """A lone surrogate becomes a question mark."""

    def _changed(self, value: object) -> str:
        return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value  # type: ignore[return-value]


@fault("tag.prefix-keys")
class TagsAreFiles(MemoryStore):
    """There is no tag below another one."""

    def _put_tag(self, record: RunRecord, tag: RunTag) -> None:
        if any(tag.key.startswith(f"{known}/") for known in record.tags):
            raise NotADirectoryError(tag.key)
        super()._put_tag(record, tag)


@fault("tag.prefix-keys")
class TagsAreFolders(MemoryStore):
    """A tag above others replaces them."""

    def _put_tag(self, record: RunRecord, tag: RunTag) -> None:
        super()._put_tag(record, tag)
        for key in [key for key in record.tags if key.startswith(f"{tag.key}/")]:
            del record.tags[key]


@fault("tag.system-tags")
class SystemTagsAreReserved(MemoryStore):
    """Tags under mlflow. are refused, but for the name's."""

    def _put_tag(self, record: RunRecord, tag: RunTag) -> None:
        if tag.key.startswith("mlflow.") and tag.key != RUN_NAME_TAG:
            raise invalid("The tag is the system's.")
        super()._put_tag(record, tag)


@fault("tag.system-tags")
class SystemTagsAreNotDeleted(MemoryStore):
    """Tags under mlflow. are not deleted, but for the name's."""

    def _delete_tag(self, run_id: str, key: str) -> None:
        if key.startswith("mlflow.") and key != RUN_NAME_TAG:
            raise invalid("The tag is the system's.")
        super()._delete_tag(run_id, key)


@fault("tag.set-unknown-run")
class UnknownRunsTakeTags(MemoryStore):
    """A tag for a run that does not exist is reported set."""

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        if not isinstance(run_id, str) or "/" in run_id or run_id in self._state.runs:
            super().set_tag(run_id, tag)


@fault("tag.set-concurrently")
class TagsAreInsertedOnce(MemoryStore):
    """A tag that appears between the look and the insert is answered as a failure."""

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        seen = tag.key in self.get_run(run_id).data.tags
        time.sleep(0.002)
        with self._state.lock:
            if not seen and tag.key in self._run(run_id).tags:
                raise TrackspecError("The tag exists.", ErrorCode.INTERNAL_ERROR)
            super().set_tag(run_id, tag)


@fault("tag.delete")
class DeletedTagsStay(MemoryStore):
    """delete_tag is reported done and leaves the tag."""

    def _delete_tag(self, run_id: str, key: str) -> None:
        tags = self._active_run(run_id).tags
        if key not in tags:
            raise missing("tag", key)


@fault("tag.delete")
class DeletedTagsAreEmpty(MemoryStore):
    """delete_tag leaves the tag with the empty value."""

    def _delete_tag(self, run_id: str, key: str) -> None:
        super()._delete_tag(run_id, key)
        self._run(run_id).tags[key] = ""


@fault("tag.delete-alone")
class DeletingATagTakesItsCaseVariants(MemoryStore):
    """Deleting a tag deletes those whose keys differ in case."""

    def _delete_tag(self, run_id: str, key: str) -> None:
        super()._delete_tag(run_id, key)
        tags = self._run(run_id).tags
        for other in [other for other in tags if other.casefold() == key.casefold()]:
            del tags[other]


@fault("tag.delete-alone")
class DeletingATagTakesItsContinuations(MemoryStore):
    """Deleting a tag deletes those below it."""

    def _delete_tag(self, run_id: str, key: str) -> None:
        super()._delete_tag(run_id, key)
        tags = self._run(run_id).tags
        for other in [other for other in tags if other.startswith(f"{key}/")]:
            del tags[other]


@fault("tag.delete-alone")
class DeletingATagTakesThatOfOtherRuns(MemoryStore):
    """Deleting a tag deletes it from every run."""

    def _delete_tag(self, run_id: str, key: str) -> None:
        super()._delete_tag(run_id, key)
        for record in self._state.runs.values():
            record.tags.pop(key, None)


@fault("tag.delete-missing")
class MissingTagsAreDeleted(MemoryStore):
    """Deleting a tag that does not exist is reported done."""

    def _delete_tag(self, run_id: str, key: str) -> None:
        if key in self._active_run(run_id).tags:
            super()._delete_tag(run_id, key)


@fault("tag.delete-missing")
class TagsAreDeletedInAnyCase(MemoryStore):
    """Deleting a tag whose key differs in case is reported done."""

    def _delete_tag(self, run_id: str, key: str) -> None:
        if key.casefold() not in map(str.casefold, self._active_run(run_id).tags):
            super()._delete_tag(run_id, key)
        self._active_run(run_id).tags.pop(key, None)


@fault("tag.delete-prefix")
class DeletingAPrefixFails(MemoryStore):
    """Deleting the part of a key before a slash raises a bare IsADirectoryError."""

    def _delete_tag(self, run_id: str, key: str) -> None:
        if any(other.startswith(f"{key}/") for other in self._active_run(run_id).tags):
            raise IsADirectoryError(key)
        super()._delete_tag(run_id, key)


@fault("tag.delete-prefix")
class DeletingAPrefixDeletesTheFolder(MemoryStore):
    """Deleting the part of a key before a slash deletes what is below it."""

    def _delete_tag(self, run_id: str, key: str) -> None:
        tags = self._active_run(run_id).tags
        below = [other for other in tags if other.startswith(f"{key}/")]
        for other in below:
            del tags[other]
        if key in tags or not below:
            super()._delete_tag(run_id, key)


@fault("tag.set-after-delete")
class DeletedTagsAreBuried(MemoryStore):
    """A tag that was deleted is not set again."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._buried: set[tuple[str, str]] = set()

    def _delete_tag(self, run_id: str, key: str) -> None:
        super()._delete_tag(run_id, key)
        self._buried.add((run_id, key))

    def _put_tag(self, record: RunRecord, tag: RunTag) -> None:
        if (record.info.run_id, tag.key) not in self._buried:
            super()._put_tag(record, tag)


@fault("tag.delete-key-refused")
class DeletedKeysAreResolved(MemoryStore):
    """A key is resolved as a path before its tag is deleted."""

    def delete_tag(self, run_id: str, key: str) -> None:
        super().delete_tag(run_id, key.rpartition("../")[2] if isinstance(key, str) else key)


@fault("tag.delete-key-refused")
class DeletedKeysArePatterns(MemoryStore):
    """A percent sign deletes every tag but the name's."""

    def delete_tag(self, run_id: str, key: str) -> None:
        if key == "%":
            tags = self._active_run(run_id).tags
            self._run(run_id).tags = {RUN_NAME_TAG: tags[RUN_NAME_TAG]}
        else:
            super().delete_tag(run_id, key)


@fault("tag.delete-key-code")
class MalformedTagKeysAreMissing(MemoryStore):
    """delete_tag answers a malformed key like one that the run does not have."""

    def delete_tag(self, run_id: str, key: str) -> None:
        try:
            super().delete_tag(run_id, key)
        except TrackspecError:
            raise missing("tag", str(key)) from None


@fault("tag.delete-unknown-run")
class UnknownRunsLoseTags(MemoryStore):
    """Deleting a tag of a run that does not exist is reported done."""

    def delete_tag(self, run_id: str, key: str) -> None:
        if not isinstance(run_id, str) or "/" in run_id or run_id in self._state.runs:
            super().delete_tag(run_id, key)
