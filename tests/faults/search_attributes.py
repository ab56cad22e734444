"""Backends that compare attributes and datasets wrongly."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from tests.faults import fault
from tests.faults.searching import SearchingStore
from trackspec import Run, TrackspecError
from trackspec.errors import ErrorCode, invalid
from trackspec.search.evaluate import holds, run_matches
from trackspec.search.syntax import Comparator, Comparison, Entity, Filter, Identifier

RUN_NAME_TAG = "mlflow.runName"

# -- attributes -------------------------------------------------------------------------------------------------


class _OtherAttribute(SearchingStore):
    """Has a defect in one attribute."""

    key: str

    def attribute_holds(self, clause: Comparison, value: Any, run: Run) -> bool:
        """Whether a clause on the attribute holds."""
        return holds(clause, value)

    def clause_holds(self, clause: Comparison, run: Run) -> bool:
        if clause.identifier.entity is Entity.ATTRIBUTE and clause.identifier.key == self.key:
            return self.attribute_holds(clause, getattr(run.info, self.key), run)
        return super().clause_holds(clause, run)


@fault("search.run-id")
class RunIdsHaveNoPatterns(_OtherAttribute):
    """No pattern fits a run id."""

    key = "run_id"

    def attribute_holds(self, clause: Comparison, value: Any, run: Run) -> bool:
        return clause.comparator is not Comparator.LIKE and holds(clause, value)


@fault("search.run-id-in")
class NotInIsIn(_OtherAttribute):
    """NOT IN finds what is listed."""

    key = "run_id"

    def attribute_holds(self, clause: Comparison, value: Any, run: Run) -> bool:
        if clause.comparator is Comparator.NOT_IN:
            clause = replace(clause, comparator=Comparator.IN)
        return holds(clause, value)


@fault("search.run-id-in")
class TheFirstOfAListCounts(_OtherAttribute):
    """Of a list, only the first id is looked up."""

    key = "run_id"

    def attribute_holds(self, clause: Comparison, value: Any, run: Run) -> bool:
        if isinstance(clause.value, tuple):
            clause = replace(clause, value=clause.value[:1])
        return holds(clause, value)


@fault("search.long-in-list")
class FiveHundredIdsAreLookedUp(_OtherAttribute):
    """Of a list, the first five hundred ids are looked up."""

    key = "run_id"

    def attribute_holds(self, clause: Comparison, value: Any, run: Run) -> bool:
        if isinstance(clause.value, tuple):
            clause = replace(clause, value=clause.value[:500])
        return holds(clause, value)


@fault("search.run-name")
class NamesAreReadFromTheTag(_OtherAttribute):
    """A filter on the run's name reads the tag that mirrors it."""

    key = "run_name"

    def attribute_holds(self, clause: Comparison, value: Any, run: Run) -> bool:
        return holds(clause, run.data.tags.get(RUN_NAME_TAG))


@fault("search.user-id")
class UsersAreFolded(_OtherAttribute):
    """Users whose ids differ in case are one."""

    key = "user_id"

    def attribute_holds(self, clause: Comparison, value: Any, run: Run) -> bool:
        return value.lower() == clause.value if clause.comparator is Comparator.EQ else holds(clause, value)


@fault("search.status")
class StatusesAreInSmallLetters(_OtherAttribute):
    """A status is compared in small letters."""

    key = "status"

    def attribute_holds(self, clause: Comparison, value: Any, run: Run) -> bool:
        return holds(clause, value.value.lower())


@fault("search.status")
class OnlyRunningAndFinishedAreTold(_OtherAttribute):
    """A failed run passes for a finished one."""

    key = "status"

    def attribute_holds(self, clause: Comparison, value: Any, run: Run) -> bool:
        return holds(clause, "FINISHED" if value.value == "FAILED" else value.value)


@fault("search.artifact-uri")
class ArtifactUrisEndInASlash(_OtherAttribute):
    """A URI is compared with a slash behind it."""

    key = "artifact_uri"

    def attribute_holds(self, clause: Comparison, value: Any, run: Run) -> bool:
        return holds(clause, f"{value}/")


@fault("search.times")
class StartsAreSecondTimes(_OtherAttribute):
    """Start times are compared in whole thousands of seconds."""

    key = "start_time"

    def attribute_holds(self, clause: Comparison, value: Any, run: Run) -> bool:
        return holds(clause, value // 1_000_000 * 1_000_000)


@fault("search.times")
class EndsAreStarts(_OtherAttribute):
    """A filter on the end time reads the start time."""

    key = "end_time"

    def attribute_holds(self, clause: Comparison, value: Any, run: Run) -> bool:
        return holds(clause, run.info.start_time)


@fault("search.times-are-exact")
class TimesAreDoubles(_OtherAttribute):
    """Times are compared as doubles."""

    key = "start_time"

    def attribute_holds(self, clause: Comparison, value: Any, run: Run) -> bool:
        return holds(replace(clause, value=float(clause.value)), float(value))  # type: ignore[arg-type]


@fault("search.time-fraction")
class FractionsAreCutOff(_OtherAttribute):
    """A number with a fraction is cut to an integer before it meets a time."""

    key = "start_time"

    def attribute_holds(self, clause: Comparison, value: Any, run: Run) -> bool:
        if isinstance(clause.value, float) and math.isfinite(clause.value):
            clause = replace(clause, value=int(clause.value))
        return holds(clause, value)


@fault("search.time-out-of-range")
class LargeNumbersBreakTheStore(_OtherAttribute):
    """A number beyond 64 bits ends in an internal error."""

    key = "start_time"

    def attribute_holds(self, clause: Comparison, value: Any, run: Run) -> bool:
        if isinstance(clause.value, float) and math.isinf(clause.value):
            raise TrackspecError("The integer is too large.", ErrorCode.INTERNAL_ERROR)
        return holds(clause, value)


@fault("search.time-out-of-range")
class LargeNumbersWrapAround(_OtherAttribute):
    """A number beyond 64 bits has its sign turned."""

    key = "start_time"

    def attribute_holds(self, clause: Comparison, value: Any, run: Run) -> bool:
        if isinstance(clause.value, float) and math.isinf(clause.value):
            clause = replace(clause, value=-clause.value)
        return holds(clause, value)


# -- datasets ---------------------------------------------------------------------------------------------------


@fault("search.dataset-name")
class DatasetNamesAreFolded(SearchingStore):
    """Datasets whose names differ in case are one."""

    def clause_holds(self, clause: Comparison, run: Run) -> bool:
        if clause.identifier == Identifier(Entity.DATASET, "name") and clause.comparator is Comparator.EQ:
            clause = replace(clause, comparator=Comparator.ILIKE)
        return super().clause_holds(clause, run)


@fault("search.dataset-digest")
class DigestsHaveNoLists(SearchingStore):
    """IN on a digest is refused."""

    def clause_holds(self, clause: Comparison, run: Run) -> bool:
        if clause.identifier.key == "digest" and clause.comparator is Comparator.IN:
            raise invalid("A digest takes no list.")
        return super().clause_holds(clause, run)


@fault("search.dataset-context")
class ContextsAreAllTraining(SearchingStore):
    """An input without a context counts as training data."""

    def clause_holds(self, clause: Comparison, run: Run) -> bool:
        untagged = any(not item.tags for item in run.inputs.dataset_inputs)
        if clause.identifier == Identifier(Entity.DATASET, "context") and untagged:
            return holds(clause, "train")
        return super().clause_holds(clause, run)


@fault("search.dataset-any-input")
class TheFirstInputIsSeen(SearchingStore):
    """Of a run's inputs, only the first one is looked at."""

    def clause_holds(self, clause: Comparison, run: Run) -> bool:
        first = replace(run.inputs, dataset_inputs=run.inputs.dataset_inputs[:1])
        return super().clause_holds(clause, replace(run, inputs=first))


@fault("search.dataset-any-input")
class OneInputFulfilsAll(SearchingStore):
    """All clauses on datasets must hold for the same input."""

    def matches(self, run: Run, clauses: Filter) -> bool:
        on_datasets = tuple(clause for clause in clauses if clause.identifier.entity is Entity.DATASET)
        if not on_datasets:
            return super().matches(run, clauses)
        alone = (replace(run.inputs, dataset_inputs=(item,)) for item in run.inputs.dataset_inputs)
        return any(run_matches(replace(run, inputs=inputs), clauses) for inputs in alone)


@fault("search.dataset-any-input")
class RunsWithoutInputsAreUnequal(SearchingStore):
    """``LIKE '%'`` on a dataset holds for a run that read none."""

    def clause_holds(self, clause: Comparison, run: Run) -> bool:
        if clause.identifier.entity is Entity.DATASET and not run.inputs.dataset_inputs:
            return clause.comparator is Comparator.LIKE and clause.value == "%"
        return super().clause_holds(clause, run)


@fault("search.dataset-any-input")
class UnequalToEveryInput(SearchingStore):
    """``!=`` on a dataset holds where it holds for every input."""

    def clause_holds(self, clause: Comparison, run: Run) -> bool:
        if clause.identifier.entity is Entity.DATASET and clause.comparator is Comparator.NE:
            return not run_matches(run, (replace(clause, comparator=Comparator.EQ),))
        return super().clause_holds(clause, run)
