"""Backends that are wrong about dataset inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.faults import fault
from trackspec import Dataset, DatasetInput, ErrorCode, InputTag, RunStatus, TrackspecError, limits
from trackspec.errors import invalid
from trackspec.memory_store import MemoryStore

Inputs = Sequence[DatasetInput]


class AlteringStore(MemoryStore):
    """Changes each dataset input before it judges it."""

    def altered(self, used: Any) -> Any:
        """The dataset input that is logged instead."""
        return used

    def log_inputs(self, run_id: str, datasets: Inputs | None = None) -> None:
        if isinstance(datasets, list):
            datasets = [self._altered(item) for item in datasets]
        super().log_inputs(run_id, datasets)

    def _altered(self, item: Any) -> Any:
        whole = (
            isinstance(item, DatasetInput) and isinstance(item.dataset, Dataset) and isinstance(item.tags, tuple)
        )
        return self.altered(item) if whole else item


# -- what is recorded -------------------------------------------------------------------------------------------


@fault("input.log")
class InputTagsAreDropped(AlteringStore):
    """The tags of an input are not kept."""

    def altered(self, used: Any) -> Any:
        return replace(used, tags=())


@fault("input.log")
class ProfilesAreDropped(AlteringStore):
    """The profile of a dataset is not kept."""

    def altered(self, used: Any) -> Any:
        return replace(used, dataset=replace(used.dataset, profile=None))


@fault("input.optional-fields")
class NoSchemaIsAnEmptySchema(AlteringStore):
    """A dataset without schema reads back with an empty one."""

    def altered(self, used: Any) -> Any:
        none = used.dataset.schema is None
        return replace(used, dataset=replace(used.dataset, schema="")) if none else used


@fault("input.no-tags")
class InputsAreJoinedWithTheirTags(MemoryStore):
    """An input without tags is not recorded."""

    def _log_inputs(self, run_id: str, datasets: Inputs) -> None:
        super()._log_inputs(run_id, [used for used in datasets if used.tags])


@fault("input.several")
class AHundredInputsAreRecorded(MemoryStore):
    """Of one call, the first hundred inputs are recorded."""

    def _log_inputs(self, run_id: str, datasets: Inputs) -> None:
        super()._log_inputs(run_id, datasets[:100])


@fault("input.added")
class InputsReplaceTheFormer(MemoryStore):
    """The inputs of a call take the place of those that were there."""

    def _log_inputs(self, run_id: str, datasets: Inputs) -> None:
        if datasets:
            self._active_run(run_id).inputs.clear()
        super()._log_inputs(run_id, datasets)


@fault("input.one-run-only")
class InputsBelongToTheExperiment(MemoryStore):
    """An input is recorded on every run of the experiment."""

    def _log_inputs(self, run_id: str, datasets: Inputs) -> None:
        experiment_id = self._active_run(run_id).info.experiment_id
        for record in self._state.runs.values():
            if record.info.experiment_id == experiment_id:
                super()._log_inputs(record.info.run_id, datasets)


@fault("input.none-or-empty")
class NoneIsRefused(MemoryStore):
    """None is no list of datasets."""

    def log_inputs(self, run_id: str, datasets: Inputs | None = None) -> None:
        if datasets is None:
            raise invalid("datasets must be a list.")
        super().log_inputs(run_id, datasets)


@fault("input.none-or-empty")
class AnEmptyListClearsTheInputs(MemoryStore):
    """An empty list drops the inputs that the run had."""

    def _log_inputs(self, run_id: str, datasets: Inputs) -> None:
        super()._log_inputs(run_id, datasets)
        if not datasets:
            self._run(run_id).inputs.clear()


@fault("input.repeatable")
class KnownInputsAreRefused(MemoryStore):
    """A dataset that the run has cannot be logged to it again."""

    def _log_inputs(self, run_id: str, datasets: Inputs) -> None:
        known = [used.dataset for used in self._active_run(run_id).inputs]
        if any(used.dataset in known for used in datasets):
            raise TrackspecError("The run has the dataset already.", ErrorCode.RESOURCE_ALREADY_EXISTS)
        super()._log_inputs(run_id, datasets)


@fault("input.finished-run")
class FinishedRunsTakeNoInputs(MemoryStore):
    """A run that is FINISHED refuses inputs."""

    def _log_inputs(self, run_id: str, datasets: Inputs) -> None:
        if self._active_run(run_id).info.status is RunStatus.FINISHED:
            raise invalid("The run is finished.")
        super()._log_inputs(run_id, datasets)


@fault("input.unknown-run")
class InputsOfUnknownRunsAreIgnored(MemoryStore):
    """Inputs for a run that does not exist are accepted and go nowhere."""

    def _log_inputs(self, run_id: str, datasets: Inputs) -> None:
        if run_id in self._state.runs:
            super()._log_inputs(run_id, datasets)


@fault("input.deleted-run-refused")
class DeletedRunsTakeInputs(MemoryStore):
    """A deleted run takes inputs like any other."""

    def _log_inputs(self, run_id: str, datasets: Inputs) -> None:
        self._run(run_id).inputs.extend(datasets)


# -- which dataset it is ----------------------------------------------------------------------------------------


@fault("input.identity-is-the-pair")
class NameAndDigestAreJoined(MemoryStore):
    """Datasets are the same if name and digest are equal when joined."""

    def _dataset_identity(self, experiment_id: str, dataset: Dataset) -> tuple[str, str, str]:
        return experiment_id, dataset.name + dataset.digest, ""


@fault("input.identity-is-the-pair")
class DatasetsAreCaseFolded(MemoryStore):
    """Datasets are the same if their names differ only in case."""

    def _dataset_identity(self, experiment_id: str, dataset: Dataset) -> tuple[str, str, str]:
        return experiment_id, dataset.name.casefold(), dataset.digest


@fault("input.same-name")
class ANameIsADataset(MemoryStore):
    """Datasets are the same if their names are."""

    def _dataset_identity(self, experiment_id: str, dataset: Dataset) -> tuple[str, str, str]:
        return experiment_id, dataset.name, ""


@fault("input.same-digest")
class ADigestIsADataset(MemoryStore):
    """Datasets are the same if their digests are."""

    def _dataset_identity(self, experiment_id: str, dataset: Dataset) -> tuple[str, str, str]:
        return experiment_id, "", dataset.digest


@fault("input.first-description")
class ADescriptionIsADataset(MemoryStore):
    """Datasets of another source are other datasets."""

    def _dataset_identity(self, experiment_id: str, dataset: Dataset) -> tuple[str, str, str]:
        return experiment_id, dataset.name, dataset.digest + "\0" + dataset.source


@fault("input.first-description")
class TheLastDescriptionStays(MemoryStore):
    """Whoever logs a dataset describes it anew."""

    def _log_inputs(self, run_id: str, datasets: Inputs) -> None:
        for used in datasets:
            identity = (used.dataset.name, used.dataset.digest)
            for record in self._state.runs.values():
                record.inputs = [
                    replace(known, dataset=used.dataset)
                    if (known.dataset.name, known.dataset.digest) == identity
                    else known
                    for known in record.inputs
                ]
            self._state.datasets[(self._run(run_id).info.experiment_id, *identity)] = used.dataset
        super()._log_inputs(run_id, datasets)


@fault("input.experiments-apart")
class DatasetsBelongToNoExperiment(MemoryStore):
    """A dataset has one description in all experiments."""

    def _dataset_identity(self, experiment_id: str, dataset: Dataset) -> tuple[str, str, str]:
        return "", dataset.name, dataset.digest


@fault("input.once-per-run", "input.repeatable")
class EachUseIsRecorded(MemoryStore):
    """A dataset that is logged twice is twice among the run's inputs."""

    def _log_inputs(self, run_id: str, datasets: Inputs) -> None:
        self._active_run(run_id).inputs.extend(datasets)


@fault("input.first-tags")
class TheLastTagsStay(MemoryStore):
    """A dataset that is logged again takes the new tags."""

    def _log_inputs(self, run_id: str, datasets: Inputs) -> None:
        super()._log_inputs(run_id, datasets)
        record = self._run(run_id)
        tags = {used.dataset: used.tags for used in datasets}
        record.inputs = [replace(known, tags=tags.get(known.dataset, known.tags)) for known in record.inputs]


@fault("input.tags-per-run")
class TagsBelongToTheDataset(MemoryStore):
    """The tags of a dataset's first use show on all of its uses."""

    def _log_inputs(self, run_id: str, datasets: Inputs) -> None:
        first: dict[Dataset, tuple[InputTag, ...]] = {}
        for record in self._state.runs.values():
            for used in record.inputs:
                first.setdefault(used.dataset, used.tags)
        super()._log_inputs(run_id, [replace(used, tags=first.get(used.dataset, used.tags)) for used in datasets])


# -- all or nothing ---------------------------------------------------------------------------------------------


@fault("input.all-or-nothing")
class InputsAreLoggedOneByOne(MemoryStore):
    """The inputs of a call are recorded up to the first one that is refused."""

    def log_inputs(self, run_id: str, datasets: Inputs | None = None) -> None:
        for used in datasets or []:
            super().log_inputs(run_id, [used])


@fault("input.all-or-nothing")
class RefusedCallsDescribeDatasets(MemoryStore):
    """The datasets of a refused call are kept, though on no run."""

    def log_inputs(self, run_id: str, datasets: Inputs | None = None) -> None:
        try:
            super().log_inputs(run_id, datasets)
        except TrackspecError:
            for used in datasets or []:
                identity = self._dataset_identity(self._run(run_id).info.experiment_id, used.dataset)
                self._state.datasets.setdefault(identity, used.dataset)
            raise


@fault("input.repeated-tag")
class TheFirstOfTwoTagsStays(AlteringStore):
    """Of two tags of one key on an input the first is kept."""

    def altered(self, used: Any) -> Any:
        return replace(used, tags=tuple({tag.key: tag for tag in reversed(used.tags)}.values()))


@fault("input.repeated-tag")
class RepeatedTagsAreInternalErrors(AlteringStore):
    """An input with two tags of one key is answered with INTERNAL_ERROR."""

    def altered(self, used: Any) -> Any:
        if len({tag.key for tag in used.tags}) < len(used.tags):
            raise TrackspecError("A tag is given twice.", ErrorCode.INTERNAL_ERROR)
        return used


@fault("input.not-a-list-refused")
class OneInputIsAList(MemoryStore):
    """A dataset input alone is taken for a list of it."""

    def log_inputs(self, run_id: str, datasets: Inputs | None = None) -> None:
        super().log_inputs(run_id, [datasets] if isinstance(datasets, DatasetInput) else datasets)


@fault("input.foreign-parts-refused")
class NoneIsNoTags(MemoryStore):
    """An input whose tags are None is recorded without tags."""

    def log_inputs(self, run_id: str, datasets: Inputs | None = None) -> None:
        if isinstance(datasets, list):
            datasets = [replace(used, tags=()) if used.tags is None else used for used in datasets]
        super().log_inputs(run_id, datasets)


# -- texts and their limits -------------------------------------------------------------------------------------


@fault("input.texts-exact")
class SourcesAreTrimmed(AlteringStore):
    """White space around a source is dropped."""

    def altered(self, used: Any) -> Any:
        return replace(used, dataset=replace(used.dataset, source=used.dataset.source.strip()))


@fault("input.texts-exact")
class LineEndsInTagsAreFolded(AlteringStore):
    """The line ends of tag values are made one."""

    def altered(self, used: Any) -> Any:
        folded = (replace(tag, value=tag.value.replace("\r\n", "\n")) for tag in used.tags)
        return replace(used, tags=tuple(folded))


@fault("input.texts-up-to-limit")
class LengthsAreCountedInBytes(AlteringStore):
    """A schema has as many bytes as it should have characters."""

    def altered(self, used: Any) -> Any:
        if len((used.dataset.schema or "").encode()) > limits.MAX_DATASET_SCHEMA_LENGTH:
            raise invalid("The schema is too long.")
        return used


class CuttingStore(AlteringStore):
    """Cuts a text of a dataset at its limit instead of refusing it."""

    field: str
    length: int

    def altered(self, used: Any) -> Any:
        text = getattr(used.dataset, self.field)
        if not isinstance(text, str):
            return used
        return replace(used, dataset=replace(used.dataset, **{self.field: text[: self.length]}))


@fault("input.over-long-name-refused")
class NamesAreCut(CuttingStore):
    """A name over the limit is cut."""

    field, length = "name", limits.MAX_DATASET_NAME_LENGTH


@fault("input.over-long-digest-refused")
class DigestsAreCut(CuttingStore):
    """A digest over the limit is cut."""

    field, length = "digest", limits.MAX_DATASET_DIGEST_LENGTH


@fault("input.over-long-source-refused")
class SourcesAreCut(CuttingStore):
    """A source over the limit is cut."""

    field, length = "source", limits.MAX_DATASET_SOURCE_LENGTH


@fault("input.over-long-schema-refused")
class SchemasAreCut(CuttingStore):
    """A schema over the limit is cut."""

    field, length = "schema", limits.MAX_DATASET_SCHEMA_LENGTH


@fault("input.over-long-profile-refused")
class ProfilesAreCut(CuttingStore):
    """A profile over the limit is cut."""

    field, length = "profile", limits.MAX_DATASET_PROFILE_LENGTH


class DefaultingStore(AlteringStore):
    """Puts an empty text in the place of None."""

    fields: tuple[str, ...]

    def altered(self, used: Any) -> Any:
        absent = {field: "unknown" for field in self.fields if getattr(used.dataset, field) is None}
        return replace(used, dataset=replace(used.dataset, **absent))


@fault("input.none-as-text-refused")
class NoNameIsUnknown(DefaultingStore):
    """A dataset whose name is None is called unknown."""

    fields = ("name",)


@fault("input.none-as-text-refused")
class NoSourceTypeIsUnknown(DefaultingStore):
    """A source type of None is called unknown."""

    fields = ("source_type",)


@fault("input.empty-identity-refused")
class DatasetsMayBeNameless(AlteringStore):
    """A dataset with an empty name is called unknown."""

    def altered(self, used: Any) -> Any:
        return replace(used, dataset=replace(used.dataset, name=used.dataset.name or "unknown"))


@fault("input.over-long-tag-key-refused")
class TagKeysAreCut(AlteringStore):
    """A tag key over the limit is cut."""

    def altered(self, used: Any) -> Any:
        if not all(isinstance(tag.key, str) for tag in used.tags):
            return used
        cut = (replace(tag, key=tag.key[: limits.MAX_INPUT_TAG_KEY_LENGTH]) for tag in used.tags)
        return replace(used, tags=tuple(cut))


@fault("input.over-long-tag-value-refused")
class TagValuesAreCut(AlteringStore):
    """A tag value over the limit is cut."""

    def altered(self, used: Any) -> Any:
        if not all(isinstance(tag.value, str) for tag in used.tags):
            return used
        cut = (replace(tag, value=tag.value[: limits.MAX_INPUT_TAG_VALUE_LENGTH]) for tag in used.tags)
        return replace(used, tags=tuple(cut))


@fault("input.none-as-text-refused")
class NoTagValueIsEmpty(AlteringStore):
    """A tag value of None becomes empty."""

    def altered(self, used: Any) -> Any:
        filled = (replace(tag, value="") if tag.value is None else tag for tag in used.tags)
        return replace(used, tags=tuple(filled))


@fault("input.text-types-refused")
class NumbersBecomeTexts(AlteringStore):
    """A number in the place of a text is written as text."""

    def altered(self, used: Any) -> Any:
        fields = ("name", "digest", "source_type", "source", "schema", "profile")
        numbers = {field: getattr(used.dataset, field) for field in fields}
        texts = {field: str(number) for field, number in numbers.items() if isinstance(number, int)}
        return replace(used, dataset=replace(used.dataset, **texts))


@fault("input.lone-surrogate-refused")
class LoneSurrogatesAreReplaced(AlteringStore):
    """A lone surrogate in a source becomes a question mark."""

    def altered(self, used: Any) -> Any:
        source = used.dataset.source
        if isinstance(source, str):
            source = source.encode("utf-8", "replace").decode()
        return replace(used, dataset=replace(used.dataset, source=source))
