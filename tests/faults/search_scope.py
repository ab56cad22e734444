"""Backends that search the wrong runs, or answer less than whole ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.faults import fault
from trackspec import ErrorCode, LifecycleStage, PagedList, Run, RunData, RunInputs, TrackspecError, ViewType
from trackspec.errors import invalid
from trackspec.memory_store import MemoryStore
from trackspec.search.query import RunQuery


@fault("search.runs-of-experiments")
class EveryExperimentIsSearched(MemoryStore):
    """The runs of all experiments are found."""

    def _search_runs(self, query: RunQuery) -> list[Run]:
        return super()._search_runs(replace(query, experiment_ids=tuple(self._state.experiments)))


@fault("search.runs-of-experiments")
class TheFirstExperimentIsSearched(MemoryStore):
    """Of several experiments, the first one is searched."""

    def _search_runs(self, query: RunQuery) -> list[Run]:
        return super()._search_runs(replace(query, experiment_ids=query.experiment_ids[:1]))


class _OtherRuns(MemoryStore):
    """Answers something else of each run."""

    def other(self, run: Run) -> Run:
        """What is answered."""
        return run

    def _search_runs(self, query: RunQuery) -> list[Run]:
        return [self.other(run) for run in super()._search_runs(query)]


@fault("search.whole-runs")
class RunsComeWithoutData(_OtherRuns):
    """A search answers the runs' infos only."""

    def other(self, run: Run) -> Run:
        return replace(run, data=RunData())


@fault("search.whole-runs")
class EmptyValuesAreLeftOut(_OtherRuns):
    """A search leaves out params that are empty."""

    def other(self, run: Run) -> Run:
        params = {key: value for key, value in run.data.params.items() if value}
        return replace(run, data=replace(run.data, params=params))


@fault("search.whole-runs")
class FirstPointsAreAnswered(_OtherRuns):
    """A search answers the point of each metric that was logged first."""

    def other(self, run: Run) -> Run:
        points = self._state.runs[run.info.run_id].points
        first = {key: min(of_key, key=lambda point: point.step) for key, of_key in points.items()}
        return replace(run, data=replace(run.data, latest_metrics=first))


@fault("search.whole-runs")
class EndsAreLeftOut(_OtherRuns):
    """A search does not say when a run ended."""

    def other(self, run: Run) -> Run:
        return replace(run, info=replace(run.info, end_time=None))


@fault("search.run-inputs")
class RunsComeWithoutInputs(_OtherRuns):
    """A search leaves out what a run read."""

    def other(self, run: Run) -> Run:
        return replace(run, inputs=RunInputs())


@fault("search.run-inputs")
class InputsComeWithoutTags(_OtherRuns):
    """A search leaves out the tags of what a run read."""

    def other(self, run: Run) -> Run:
        bare = tuple(replace(item, tags=()) for item in run.inputs.dataset_inputs)
        return replace(run, inputs=RunInputs(bare))


class _OtherExperimentIds(MemoryStore):
    """Reads other experiments than those that are given."""

    def other_ids(self, experiment_ids: Any) -> Any:
        """The experiments that are read; it may also raise."""
        return experiment_ids

    def search_runs(
        self, experiment_ids: Sequence[str], filter_string: str | None = None, *args: Any, **kwargs: Any
    ) -> PagedList[Run]:
        return super().search_runs(self.other_ids(experiment_ids), filter_string, *args, **kwargs)


@fault("search.experiment-ids-are-a-set")
class ExperimentsAreSearchedAsOftenAsGiven(MemoryStore):
    """An experiment that is given twice is searched twice."""

    def search_runs(
        self, experiment_ids: Sequence[str], filter_string: str | None = None, *args: Any, **kwargs: Any
    ) -> PagedList[Run]:
        found = super().search_runs(experiment_ids, filter_string, *args, **kwargs)
        if len(set(experiment_ids)) == len(experiment_ids):
            return found
        return PagedList([run for run in found for _ in range(experiment_ids.count(run.info.experiment_id))])


@fault("search.unknown-experiments")
class UnknownExperimentsAreErrors(_OtherExperimentIds):
    """An experiment that does not exist ends the search."""

    def other_ids(self, experiment_ids: Any) -> Any:
        for experiment_id in experiment_ids or ():
            if isinstance(experiment_id, str) and experiment_id.isdigit():
                self._experiment(experiment_id)
        return experiment_ids


@fault("search.unknown-experiments", "search.opaque-experiment-ids")
class OneUnknownExperimentHidesAll(_OtherExperimentIds):
    """If one experiment does not exist, nothing is found."""

    def other_ids(self, experiment_ids: Any) -> Any:
        known = isinstance(experiment_ids, list) and self._state.experiments.keys() >= set(experiment_ids)
        return experiment_ids if known or not isinstance(experiment_ids, list) else []


@fault("search.opaque-experiment-ids")
class IdsAreIntegers(_OtherExperimentIds):
    """An experiment id that is no integer is refused."""

    def other_ids(self, experiment_ids: Any) -> Any:
        if isinstance(experiment_ids, list) and not all(map(str.isdigit, experiment_ids)):
            raise invalid("An experiment id is an integer.")
        return experiment_ids


@fault("search.no-experiments")
class NoExperimentsAreAll(_OtherExperimentIds):
    """An empty list of experiments stands for all of them."""

    def other_ids(self, experiment_ids: Any) -> Any:
        return list(self._state.experiments) if experiment_ids == [] else experiment_ids


@fault("search.experiment-ids-type")
class ExperimentIdsAreIterated(_OtherExperimentIds):
    """The characters of a string are taken for ids, and None for an empty list."""

    def other_ids(self, experiment_ids: Any) -> Any:
        return list(experiment_ids) if isinstance(experiment_ids, str) else experiment_ids or []


class _OtherView(MemoryStore):
    """Sees other runs than the view type says."""

    def other_view(self, view_type: ViewType) -> ViewType:
        """The view that is taken instead."""
        return view_type

    def _search_runs(self, query: RunQuery) -> list[Run]:
        return super()._search_runs(replace(query, view_type=self.other_view(query.view_type)))


@fault("search.view-active", "search.view-deleted")
class EveryViewIsAll(_OtherView):
    """The view type is ignored, and all runs are found."""

    def other_view(self, view_type: ViewType) -> ViewType:
        return ViewType.ALL


@fault("search.view-active")
class DeletedRunsAreShownByDefault(MemoryStore):
    """The default of the view type is ALL."""

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        run_view_type: ViewType = ViewType.ALL,
        *args: Any,
        **kwargs: Any,
    ) -> PagedList[Run]:
        return super().search_runs(experiment_ids, filter_string, run_view_type, *args, **kwargs)


@fault("search.view-deleted", "search.view-of-deleted-experiment")
class DeletedRunsAreGone(_OtherView):
    """The view of deleted runs shows the active ones."""

    def other_view(self, view_type: ViewType) -> ViewType:
        return ViewType.ACTIVE_ONLY if view_type is ViewType.DELETED_ONLY else view_type


@fault("search.view-all")
class AllAreTheActive(_OtherView):
    """The view of all runs leaves out the deleted ones."""

    def other_view(self, view_type: ViewType) -> ViewType:
        return ViewType.ACTIVE_ONLY if view_type is ViewType.ALL else view_type


@fault("search.view-of-deleted-experiment")
class DeletedExperimentsAreNotSearched(MemoryStore):
    """Nothing is found in an experiment that is deleted."""

    def _search_runs(self, query: RunQuery) -> list[Run]:
        active = tuple(
            experiment_id
            for experiment_id in query.experiment_ids
            if experiment_id in self._state.experiments
            and self._state.experiments[experiment_id].lifecycle_stage is LifecycleStage.ACTIVE
        )
        return super()._search_runs(replace(query, experiment_ids=active))


@fault("search.view-type-refused")
class OtherViewsFindNothing(MemoryStore):
    """A view type that is none finds nothing."""

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        run_view_type: ViewType = ViewType.ACTIVE_ONLY,
        *args: Any,
        **kwargs: Any,
    ) -> PagedList[Run]:
        if not isinstance(run_view_type, ViewType):
            return PagedList()
        return super().search_runs(experiment_ids, filter_string, run_view_type, *args, **kwargs)


@fault("search.view-type-refused")
class OtherViewsBreakTheStore(MemoryStore):
    """A view type that is none ends in an internal error."""

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        run_view_type: ViewType = ViewType.ACTIVE_ONLY,
        *args: Any,
        **kwargs: Any,
    ) -> PagedList[Run]:
        if not isinstance(run_view_type, ViewType):
            raise TrackspecError("Unrecognized view type.", ErrorCode.INTERNAL_ERROR)
        return super().search_runs(experiment_ids, filter_string, run_view_type, *args, **kwargs)
