"""Faults of the chapter on experiments: tags."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace

from trackspec.entities import Experiment, ExperimentTag
from trackspec.errors import ErrorCode, TrackspecError, invalid, missing
from trackspec.memory_store import MemoryStore

from . import fault


@fault("experiment.tag-set")
class SettingATagDoesNothing(MemoryStore):
    """Setting a tag succeeds without effect."""

    def _set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        self._active_experiment(experiment_id)


@fault("experiment.tag-replace")
class TagsAreWrittenOnce(MemoryStore):
    """A tag that is set again keeps its first value."""

    def _set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        self._active_experiment(experiment_id).tags.setdefault(tag.key, tag.value)


@fault("experiment.tag-set-alone")
class SettingATagDropsOthers(MemoryStore):
    """An experiment has only the tag that was last set."""

    def _set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        self._active_experiment(experiment_id).tags.clear()
        super()._set_experiment_tag(experiment_id, tag)


@fault("experiment.tag-set-alone")
class TagsAreShared(MemoryStore):
    """A tag that is set is set on every experiment that has its key."""

    def _set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        super()._set_experiment_tag(experiment_id, tag)
        for experiment in self._state.experiments.values():
            if tag.key in experiment.tags:
                experiment.tags[tag.key] = tag.value


@fault("experiment.tag-delete")
class DeletingATagEmptiesIt(MemoryStore):
    """A deleted tag stays, with an empty value."""

    def _delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        super()._delete_experiment_tag(experiment_id, key)
        self._active_experiment(experiment_id).tags[key] = ""


@fault("experiment.tag-delete-alone")
class DeletesByPrefix(MemoryStore):
    """Deleting a tag deletes all tags whose keys begin with its key."""

    def _delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        super()._delete_experiment_tag(experiment_id, key)
        tags = self._active_experiment(experiment_id).tags
        for other in [other for other in tags if other.startswith(key)]:
            del tags[other]


@fault("experiment.tag-delete-missing")
class DeletingTheMissingSucceeds(MemoryStore):
    """Deleting a tag that is not there succeeds."""

    def _delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        if key in self._active_experiment(experiment_id).tags:
            super()._delete_experiment_tag(experiment_id, key)


@fault("experiment.tag-delete-prefix")
class DeletesFolders(MemoryStore):
    """Deleting what only begins a key deletes all that follows it."""

    def _delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        tags = self._active_experiment(experiment_id).tags
        inside = [other for other in tags if other.startswith(f"{key}/")]
        if key in tags or not inside:
            super()._delete_experiment_tag(experiment_id, key)
        else:
            for other in inside:
                del tags[other]


@fault("experiment.tag-delete-key-refused")
class DeletingMalformedKeysSucceeds(MemoryStore):
    """Deleting a malformed key resolves it as a path first."""

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        resolved = posixpath.normpath(key) if isinstance(key, str) and "/" in key else key
        super().delete_experiment_tag(experiment_id, "a/b" if resolved == "b" else resolved)


@fault("experiment.tag-delete-key-code")
class MalformedKeysAreMissing(MemoryStore):
    """A malformed key that is to be deleted is called missing."""

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        if isinstance(key, str) and key not in self.get_experiment(experiment_id).tags:
            raise missing("experiment tag", key)
        super().delete_experiment_tag(experiment_id, key)


@fault("experiment.tag-prefix-keys")
class KeysAreFiles(MemoryStore):
    """A key and another one that continues it after a slash do not coexist."""

    def _set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        for other in self._active_experiment(experiment_id).tags:
            if other.startswith(f"{tag.key}/") or tag.key.startswith(f"{other}/"):
                raise NotADirectoryError(tag.key)
        super()._set_experiment_tag(experiment_id, tag)


@fault("experiment.tag-key-case")
class KeysWithoutCase(MemoryStore):
    """Keys that differ only in case are one."""

    def _create_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> str:
        folded = {key.casefold(): key for key in tags}
        return super()._create_experiment(name, artifact_location, {key: tags[key] for key in folded.values()})


@fault("experiment.tag-key-characters")
class LatinKeys(MemoryStore):
    """A key with other than ASCII characters is refused."""

    def _create_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> str:
        if not all(map(str.isascii, tags)):
            raise invalid("A tag key holds ASCII characters only.")
        return super()._create_experiment(name, artifact_location, tags)


@fault("experiment.tag-key-longest")
class CutsLongKeys(MemoryStore):
    """A key is cut to 128 characters."""

    def _create_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> str:
        return super()._create_experiment(name, artifact_location, {key[:128]: tags[key] for key in tags})


class _TagsThrough(MemoryStore):
    """A backend that takes a tag that is set, whatever it is, as :meth:`_taken` says."""

    def _taken(self, tag: ExperimentTag) -> ExperimentTag:
        raise NotImplementedError

    def set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        super().set_experiment_tag(experiment_id, self._taken(tag))


def _is_text(tag: object) -> bool:
    return isinstance(tag, ExperimentTag) and isinstance(tag.key, str) and isinstance(tag.value, str)


@fault("experiment.tag-key-over-long-refused")
class CutsOverLongKeys(_TagsThrough):
    """A key of more than 250 characters is cut."""

    def _taken(self, tag: ExperimentTag) -> ExperimentTag:
        return replace(tag, key=tag.key[:250]) if _is_text(tag) else tag


@fault("experiment.tag-key-refused")
class ResolvesKeys(_TagsThrough):
    """A key with slashes is kept as the shortest path that it could mean."""

    def _taken(self, tag: ExperimentTag) -> ExperimentTag:
        return replace(tag, key=posixpath.normpath(tag.key)) if _is_text(tag) and "/" in tag.key else tag


@fault("experiment.tag-key-refused")
class RepairsKeys(_TagsThrough):
    """A percent sign in a key becomes an underscore."""

    def _taken(self, tag: ExperimentTag) -> ExperimentTag:
        return replace(tag, key=tag.key.replace("%", "_")) if _is_text(tag) else tag


@fault("experiment.tag-value-longest")
class ShortValuesOnly(MemoryStore):
    """A value of more than 5000 characters is refused."""

    def _set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        if len(tag.value) > 5000:
            raise invalid("A tag value must have at most 5000 characters.")
        super()._set_experiment_tag(experiment_id, tag)


@fault("experiment.tag-value-over-long-refused")
class CutsOverLongValues(_TagsThrough):
    """A value of more than 20,000 characters is cut."""

    def _taken(self, tag: ExperimentTag) -> ExperimentTag:
        return replace(tag, value=tag.value[:20_000]) if _is_text(tag) else tag


@fault("experiment.tag-value-type-refused")
class NoValueIsEmpty(_TagsThrough):
    """The value None is taken for the empty one."""

    def _taken(self, tag: ExperimentTag) -> ExperimentTag:
        return replace(tag, value="") if isinstance(tag, ExperimentTag) and tag.value is None else tag


@fault("experiment.tag-value-type-refused")
class WritesNumbersAsValues(MemoryStore):
    """A number is taken for a tag's value at creation."""

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Sequence[ExperimentTag] | None = None
    ) -> str:
        if isinstance(tags, list) and all(isinstance(tag, ExperimentTag) for tag in tags):
            tags = [replace(tag, value=str(tag.value)) if isinstance(tag.value, int) else tag for tag in tags]
        return super().create_experiment(name, artifact_location, tags)


@fault("experiment.tag-type-refused")
class TakesAPairForATag(_TagsThrough):
    """A pair of a key and a value is taken for a tag."""

    def _taken(self, tag: ExperimentTag) -> ExperimentTag:
        return ExperimentTag(*tag) if isinstance(tag, tuple) else tag


@fault("experiment.deleted-refuses-tags")
class TagsTheDeleted(MemoryStore):
    """A deleted experiment takes tags."""

    def _active_experiment(self, experiment_id: str) -> Experiment:
        return self._experiment(experiment_id)


@fault("experiment.deleted-refuses-tags")
class DeletedIsAState(MemoryStore):
    """Tagging a deleted experiment is refused with another code."""

    def _active_experiment(self, experiment_id: str) -> Experiment:
        try:
            return super()._active_experiment(experiment_id)
        except TrackspecError as error:
            if error.error_code is ErrorCode.INVALID_PARAMETER_VALUE:
                raise missing("active experiment", experiment_id) from error
            raise
