"""Faults of the chapter on experiments: creating them, their names, and looking them up."""

from __future__ import annotations

import posixpath
import re
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from trackspec.entities import Experiment, ExperimentTag, LifecycleStage
from trackspec.errors import ErrorCode, TrackspecError, invalid, missing
from trackspec.memory_store import DEFAULT_EXPERIMENT_ID, MemoryStore

from . import fault


@fault("experiment.create")
class BornDeleted(MemoryStore):
    """A new experiment is in the deleted stage."""

    def _create_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> str:
        experiment_id = super()._create_experiment(name, artifact_location, tags)
        self._change_experiment(experiment_id, lifecycle_stage=LifecycleStage.DELETED)
        return experiment_id


@fault("experiment.create")
class ReturnsTheName(MemoryStore):
    """Creating an experiment returns its name."""

    def _create_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> str:
        super()._create_experiment(name, artifact_location, tags)
        return name


@fault("experiment.create-tags")
class AHundredTags(MemoryStore):
    """A new experiment gets the first hundred of its tags."""

    def _create_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> str:
        return super()._create_experiment(name, artifact_location, dict(list(tags.items())[:100]))


@fault("experiment.create-without-tags")
class TagsAreNeeded(MemoryStore):
    """Creating an experiment without a list of tags is refused."""

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Sequence[ExperimentTag] | None = None
    ) -> str:
        if tags is None:
            raise invalid("tags must be a list.")
        return super().create_experiment(name, artifact_location, tags)


@fault("experiment.create-duplicate-tags")
class WrongDiagnosis(MemoryStore):
    """Two tags of one key are called an experiment that exists."""

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Sequence[ExperimentTag] | None = None
    ) -> str:
        if isinstance(tags, list) and all(isinstance(tag, ExperimentTag) for tag in tags):
            keys = [tag.key for tag in tags]
            if any(keys.count(key) > 1 for key in keys):
                raise TrackspecError("The experiment exists.", ErrorCode.RESOURCE_ALREADY_EXISTS)
        return super().create_experiment(name, artifact_location, tags)


@fault("experiment.create-duplicate-tags")
class FirstTagWins(MemoryStore):
    """Of two tags of one key the first one counts."""

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Sequence[ExperimentTag] | None = None
    ) -> str:
        in_order = list(reversed(tags)) if isinstance(tags, list) else tags
        return super().create_experiment(name, artifact_location, in_order)


@fault("experiment.create-refused-leaves-nothing")
class CreatesThenTags(MemoryStore):
    """An experiment is created before its tags are looked at."""

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Sequence[ExperimentTag] | None = None
    ) -> str:
        experiment_id = super().create_experiment(name, artifact_location, [])
        for tag in tags or ():
            self.set_experiment_tag(experiment_id, tag)
        return experiment_id


@fault("experiment.create-tags-refused")
class TakesPairsForTags(MemoryStore):
    """Pairs of a key and a value are taken for tags."""

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Sequence[ExperimentTag] | None = None
    ) -> str:
        if isinstance(tags, list):
            tags = [ExperimentTag(*tag) if isinstance(tag, tuple) else tag for tag in tags]
        return super().create_experiment(name, artifact_location, tags)


@fault("experiment.one-winner")
class LooksBeforeItLeaps(MemoryStore):
    """Between looking whether a name is free and taking it others may take it."""

    def _create_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> str:
        self._require_free_name(name)
        time.sleep(0.02)
        experiment_id = self._new_experiment_id()
        self._add_experiment(experiment_id, name, artifact_location, tags)
        return experiment_id


@fault("experiment.reopened")
class OpeningRestores(MemoryStore):
    """Opening the store makes its deleted experiments active."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        for experiment_id in self._state.experiments:
            self._change_experiment(experiment_id, lifecycle_stage=LifecycleStage.ACTIVE)


# -- names ------------------------------------------------------------------------------------------------------


@fault("experiment.name-taken")
class NamesAreShared(MemoryStore):
    """Several experiments may have one name."""

    def _require_free_name(self, name: str) -> None:
        return None


@fault("experiment.name-of-deleted-taken")
class DeletingFreesTheName(MemoryStore):
    """The name of a deleted experiment can be taken."""

    def _require_free_name(self, name: str) -> None:
        found = self._get_experiment_by_name(name)
        if found and found.lifecycle_stage is LifecycleStage.ACTIVE:
            super()._require_free_name(name)


class _NamesEqualIf(MemoryStore):
    """A backend that takes names for equal whose :meth:`_folded` forms are."""

    def _folded(self, name: str) -> str:
        raise NotImplementedError

    def _require_free_name(self, name: str) -> None:
        if self._folded(name) in {self._folded(item.name) for item in self._state.experiments.values()}:
            raise TrackspecError("The name is taken.", ErrorCode.RESOURCE_ALREADY_EXISTS)


@fault("experiment.names-exact")
class ReadsNumbersInNames(_NamesEqualIf):
    """Names that end in the same number are equal."""

    def _folded(self, name: str) -> str:
        return re.sub(r"0*(\d+)$", lambda number: str(int(number[1])), name)


@fault("experiment.names-exact", "experiment.name-case")
class NamesWithoutCase(_NamesEqualIf):
    """Names that differ only in case are equal."""

    def _folded(self, name: str) -> str:
        return name.casefold()


@fault("experiment.name-spaces")
class PadsNames(_NamesEqualIf):
    """Names that differ only in spaces at the end are equal."""

    def _folded(self, name: str) -> str:
        return name.rstrip(" ")


@fault("experiment.name-look-alikes")
class NormalisesNames(_NamesEqualIf):
    """Names of one normal form are equal."""

    def _folded(self, name: str) -> str:
        return unicodedata.normalize("NFC", name)


@fault("experiment.name-look-alikes")
class NamesWithoutAccents(_NamesEqualIf):
    """Names that differ only in accents are equal."""

    def _folded(self, name: str) -> str:
        return "".join(each for each in unicodedata.normalize("NFD", name) if not unicodedata.combining(each))


@fault("experiment.name-wildcards")
class LooksUpWithLike(MemoryStore):
    """A name is looked up as a pattern."""

    def _get_experiment_by_name(self, name: str) -> Experiment | None:
        pattern = re.escape(name).replace("%", ".*").replace("_", ".")
        names = [item.name for item in self._state.experiments.values() if re.fullmatch(pattern, item.name)]
        return super()._get_experiment_by_name(names[0]) if names else None


@fault("experiment.name-quotes")
class NoQuotesInNames(MemoryStore):
    """A name with a single quote is refused."""

    def _create_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> str:
        if "'" in name:
            raise invalid("An experiment name holds no quote.")
        return super()._create_experiment(name, artifact_location, tags)


@fault("experiment.name-is-no-filter")
class LooksUpWithAFilter(MemoryStore):
    """What follows a quote in a name that is looked up is taken for a further condition."""

    def _get_experiment_by_name(self, name: str) -> Experiment | None:
        before, quote, after = name.partition("' AND ")
        return super()._get_experiment_by_name(before if quote and after else name)


@fault("experiment.name-paths")
class ResolvesNames(MemoryStore):
    """A name is kept as the shortest path that it could mean."""

    def _create_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> str:
        kept = posixpath.normpath(name) if "/" in name else name
        return super()._create_experiment(kept, artifact_location, tags)


@fault("experiment.name-longest")
class CutsLongNames(MemoryStore):
    """A name is cut to 256 characters."""

    def _create_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> str:
        return super()._create_experiment(name[:256], artifact_location, tags)


@fault("experiment.name-over-long-refused")
class CutsOverLongNames(MemoryStore):
    """A name of more than 500 characters is cut."""

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Sequence[ExperimentTag] | None = None
    ) -> str:
        return super().create_experiment(name[:500] if isinstance(name, str) else name, artifact_location, tags)


@fault("experiment.name-empty-refused")
class NamesTheNameless(MemoryStore):
    """An experiment without a name gets one."""

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Sequence[ExperimentTag] | None = None
    ) -> str:
        return super().create_experiment("unnamed" if name == "" else name, artifact_location, tags)


@fault("experiment.name-type-refused")
class WritesNumbersAsNames(MemoryStore):
    """A number is taken for a name of its digits."""

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Sequence[ExperimentTag] | None = None
    ) -> str:
        return super().create_experiment(str(name) if isinstance(name, int) else name, artifact_location, tags)


# -- looking up -------------------------------------------------------------------------------------------------


@fault("experiment.by-name")
class NamesFindNoTags(MemoryStore):
    """An experiment that is found by name comes without its tags."""

    def _get_experiment_by_name(self, name: str) -> Experiment | None:
        found = super()._get_experiment_by_name(name)
        return found and replace(found, tags={})


@fault("experiment.by-name-none")
class UnknownNamesAreErrors(MemoryStore):
    """Looking up a name that nobody has is an error."""

    def get_experiment_by_name(self, experiment_name: str) -> Experiment | None:
        found = super().get_experiment_by_name(experiment_name)
        if found is None:
            raise missing("experiment", experiment_name)
        return found


@fault("experiment.by-name-deleted")
class NamesFindActiveOnly(MemoryStore):
    """A name does not find a deleted experiment."""

    def get_experiment_by_name(self, experiment_name: str) -> Experiment | None:
        found = super().get_experiment_by_name(experiment_name)
        return found if found and found.lifecycle_stage is LifecycleStage.ACTIVE else None


@fault("experiment.by-impossible-name")
class NoNameMeansDefault(MemoryStore):
    """The empty name finds the default experiment."""

    def get_experiment_by_name(self, experiment_name: str) -> Experiment | None:
        if experiment_name == "":
            return self._get_experiment(DEFAULT_EXPERIMENT_ID)
        return super().get_experiment_by_name(experiment_name)


@fault("experiment.by-name-type-refused")
class LooksUpAnything(MemoryStore):
    """Looking up what is no text finds nothing."""

    def get_experiment_by_name(self, experiment_name: str) -> Experiment | None:
        return super().get_experiment_by_name(experiment_name) if isinstance(experiment_name, str) else None
