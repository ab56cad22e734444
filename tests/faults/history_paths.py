"""Faulty backends for histories, intervals and inputs: wrong with one kind of data, or on one path only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from trackspec import DatasetInput, LifecycleStage, Metric, RunStatus
from trackspec.errors import invalid
from trackspec.memory_store import MemoryStore

from . import fault

# -- histories --------------------------------------------------------------------------------------------------


@fault("history.whole")
class HistoriesEndAtTwoThousand(MemoryStore):
    """A history ends after two thousand points."""

    def _get_metric_history(self, run_id: str, key: str, after: Metric | None, limit: int | None) -> list[Metric]:
        return super()._get_metric_history(run_id, key, after, limit)[:2000]


@fault("history.run-id")
class LaterPagesForgetTheirRun(MemoryStore):
    """The points of a page behind the first one carry no run id."""

    def _get_metric_history(self, run_id: str, key: str, after: Metric | None, limit: int | None) -> list[Metric]:
        points = super()._get_metric_history(run_id, key, after, limit)
        return points if after is None else [replace(point, run_id=None) for point in points]


@fault("history.deleted-run")
class HistoriesGoWithTheExperiment(MemoryStore):
    """The histories of a deleted experiment's runs are refused."""

    def _get_metric_history(self, run_id: str, key: str, after: Metric | None, limit: int | None) -> list[Metric]:
        experiment = self._experiment(self._run(run_id).info.experiment_id)
        if experiment.lifecycle_stage is LifecycleStage.DELETED:
            raise invalid("The experiment of this run is deleted.")
        return super()._get_metric_history(run_id, key, after, limit)


@fault("history.unknown-run")
class HistoriesFoldRunIds(MemoryStore):
    """A history is found by its run's id in any case."""

    def get_metric_history(self, run_id: Any, *others: Any, **options: Any) -> Any:
        return super().get_metric_history(
            run_id.lower() if isinstance(run_id, str) else run_id, *others, **options
        )


# -- intervals --------------------------------------------------------------------------------------------------


class _AltersIntervals(MemoryStore):
    def _altered(self, points: list[Metric]) -> list[Metric]:
        return points

    def _metric_interval(self, run_id: str, key: str, start_step: int, end_step: int) -> list[Metric]:
        return self._altered(super()._metric_interval(run_id, key, start_step, end_step))


@fault("interval.all-if-few")
class InfinitiesAreNotDrawn(_AltersIntervals):
    """Infinite values are left out of what is drawn."""

    def _altered(self, points: list[Metric]) -> list[Metric]:
        return [point for point in points if not math.isinf(point.value)]


@fault("interval.all-if-few")
class OnePointOfAStepIsDrawn(_AltersIntervals):
    """Of the points of a step the last one is drawn."""

    def _altered(self, points: list[Metric]) -> list[Metric]:
        return list({point.step: point for point in points}.values())


@fault("interval.at-most-max-results")
class ManyStepsAreDrawnWhole(MemoryStore):
    """Of a step that is drawn all points are, where more than twenty are asked for."""

    def get_metric_history_bulk_interval(
        self,
        run_ids: Sequence[str],
        metric_key: str,
        max_results: int,
        start_step: int | None = None,
        end_step: int | None = None,
    ) -> list[Metric]:
        drawn = super().get_metric_history_bulk_interval(run_ids, metric_key, max_results, start_step, end_step)
        steps = {(point.run_id, point.step) for point in drawn}
        if max_results <= 20:
            return drawn
        histories = [self._get_metric_history(run_id, metric_key, None, None) for run_id in dict.fromkeys(run_ids)]
        return [point for history in histories for point in history if (point.run_id, point.step) in steps]


@fault("interval.several-runs")
class TenRunsAreDrawnFrom(MemoryStore):
    """Of several runs the first ten give points."""

    def get_metric_history_bulk_interval(self, run_ids: Any, *others: Any, **options: Any) -> list[Metric]:
        some = run_ids[:10] if isinstance(run_ids, list) else run_ids
        return super().get_metric_history_bulk_interval(some, *others, **options)


@fault("interval.deleted-run")
class RunsOfDeletedExperimentsAreLeftOut(MemoryStore):
    """A run of a deleted experiment contributes no points."""

    def _metric_interval(self, run_id: str, key: str, start_step: int, end_step: int) -> list[Metric]:
        points = super()._metric_interval(run_id, key, start_step, end_step)
        experiment = self._experiment(self._run(run_id).info.experiment_id)
        return points if experiment.lifecycle_stage is LifecycleStage.ACTIVE else []


@fault("interval.unknown-run")
class TheFirstRunIsLookedUp(MemoryStore):
    """A run that does not exist is refused if it is the first of those asked for."""

    def get_metric_history_bulk_interval(self, run_ids: Any, *others: Any, **options: Any) -> list[Metric]:
        if isinstance(run_ids, list) and run_ids and run_ids[0] in self._state.runs:
            run_ids = [run_id for run_id in run_ids if run_id in self._state.runs or not isinstance(run_id, str)]
        return super().get_metric_history_bulk_interval(run_ids, *others, **options)


# -- inputs -----------------------------------------------------------------------------------------------------


class _AltersInputs(MemoryStore):
    def _altered(self, datasets: Sequence[DatasetInput]) -> Sequence[DatasetInput]:
        return datasets

    def _log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        super()._log_inputs(run_id, self._altered(datasets))


@fault("input.log")
class TenTagsAreKept(_AltersInputs):
    """Of an input's tags the first ten are kept."""

    def _altered(self, datasets: Sequence[DatasetInput]) -> Sequence[DatasetInput]:
        return [replace(used, tags=used.tags[:10]) for used in datasets]


@fault("input.optional-fields")
class AnEmptySchemaIsNone(_AltersInputs):
    """A dataset with an empty schema reads back without one."""

    def _altered(self, datasets: Sequence[DatasetInput]) -> Sequence[DatasetInput]:
        return [
            replace(used, dataset=replace(used.dataset, schema=used.dataset.schema or None)) for used in datasets
        ]


@fault("input.several")
class FiveHundredInputsAreRecorded(_AltersInputs):
    """Of one call, the first five hundred inputs are recorded."""

    def _altered(self, datasets: Sequence[DatasetInput]) -> Sequence[DatasetInput]:
        return datasets[:500]


@fault("input.finished-run")
class FailedRunsTakeNoInputs(MemoryStore):
    """A failed run refuses inputs."""

    def _log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        if self._run(run_id).info.status is RunStatus.FAILED:
            raise invalid("This run has failed.")
        super()._log_inputs(run_id, datasets)


@fault("entity.arguments-not-kept")
class TheCallersInputsAreKept(MemoryStore):
    """The inputs of a run are read from the caller's list each time."""

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput] | None = None) -> None:
        super().log_inputs(run_id, datasets)
        if datasets:
            self._state.runs[run_id].inputs = datasets  # type: ignore[assignment]
