"""Faults of the model chapter: wrong only after a certain sequence of calls."""

from __future__ import annotations

from trackspec.entities import LifecycleStage, Metric, RunStatus
from trackspec.memory_store import MemoryStore, RunRecord

from . import fault


@fault("model.agreement")
class RestoringARunFinishesIt(MemoryStore):
    """A run that is restored changes its status."""

    def _set_run_stage(self, run_id: str, stage: LifecycleStage) -> None:
        was = self._get_run(run_id).info.lifecycle_stage
        super()._set_run_stage(run_id, stage)
        if stage is LifecycleStage.ACTIVE and was is not stage:
            self._update_run_info(run_id, RunStatus.FAILED, None, None)


@fault("model.agreement")
class AThirdPointIsLost(MemoryStore):
    """A metric that has two points keeps no third."""

    def _add_point(self, record: RunRecord, metric: Metric) -> None:
        if len(record.points.get(metric.key, [])) < 2:
            super()._add_point(record, metric)
