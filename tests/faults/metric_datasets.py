"""Faults of the chapter on metrics: points that name a dataset."""

from __future__ import annotations

from dataclasses import replace

from tests.faults import fault
from trackspec.entities import Metric, Run
from trackspec.errors import ErrorCode, TrackspecError
from trackspec.memory_store import MemoryStore, RunRecord


@fault("metric.dataset-kept")
class DatasetsAreDropped(MemoryStore):
    """A point's dataset is accepted and forgotten."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        super()._add_point(record, replace(metric, dataset_name=None, dataset_digest=None))


@fault("metric.dataset-alters-nothing")
class DatasetsTakeThePlaceOfTheStep(MemoryStore):
    """A point that names a dataset is stored with step 0."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        super()._add_point(record, replace(metric, step=0) if metric.dataset_name else metric)


@fault("metric.dataset-name-exact")
class SpacesSplitTheName(MemoryStore):
    """A run that has a point whose dataset's name holds a space cannot be read."""

    def _entity(self, record: RunRecord) -> Run:
        if any(" " in (point.dataset_name or "") for points in record.points.values() for point in points):
            raise TrackspecError("A line has too many fields.", ErrorCode.INTERNAL_ERROR)
        return super()._entity(record)


@fault("metric.dataset-over-long-refused")
class LongDatasetsAreCut(MemoryStore):
    """A dataset's name and digest are cut to their limits."""

    def log_metric(self, run_id: str, metric: Metric) -> None:
        name, digest = metric.dataset_name, metric.dataset_digest
        super().log_metric(
            run_id, replace(metric, dataset_name=name and name[:500], dataset_digest=digest and digest[:36])
        )


@fault("metric.dataset-of-a-repeated-point")
class TheLastDatasetStays(MemoryStore):
    """A point that is logged again takes on the dataset of the later call."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        same = (metric.step, metric.timestamp, metric.value)
        points = record.points.get(metric.key, [])
        points[:] = [point for point in points if (point.step, point.timestamp, point.value) != same]
        super()._add_point(record, metric)
