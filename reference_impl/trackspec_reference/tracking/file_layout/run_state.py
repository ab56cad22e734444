"""What a run's records add up to."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from trackspec.entities import (
    RUN_NAME_TAG,
    Dataset,
    DatasetInput,
    InputTag,
    LifecycleStage,
    Metric,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
)
from trackspec_reference.tracking.file_layout.log_format import Body

Point = list[Any]
"""A metric's point in a record: key, value, timestamp, step. NaN and the infinities are spelled as strings."""

Input = list[Any]
"""A dataset input in a record: name, digest, source type, source, schema, profile, pairs of tag key and value."""


_STATUSES = {status.value: status for status in RunStatus}
_STAGES = {stage.value: stage for stage in LifecycleStage}


class RunState:
    """A run, as it lies in its log, which is refused if it is another run's.

    :ivar stage: the stage that the run was last moved to.
    :ivar epoch: the experiment's epoch then; of another epoch, the experiment's stage is the run's.
    :ivar latest: the latest point of each metric: value, timestamp, step.
    """

    __slots__ = (
        "artifact_uri",
        "end_time",
        "epoch",
        "experiment_id",
        "inputs",
        "latest",
        "params",
        "run_id",
        "run_name",
        "stage",
        "start_time",
        "status",
        "tags",
        "user_id",
    )

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.experiment_id = ""
        self.user_id = ""
        self.run_name = ""
        self.status = RunStatus.RUNNING.value
        self.start_time = 0
        self.end_time: int | None = None
        self.artifact_uri = ""
        self.stage = LifecycleStage.ACTIVE.value
        self.epoch = 0
        self.params: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.latest: dict[str, tuple[float | str, int, int]] = {}
        self.inputs: list[Input] = []

    # -- records --------------------------------------------------------------------------------------------

    def apply(self, body: Body) -> None:
        """Take in one more record."""
        for kind, value in body.items():
            if kind == "metrics":
                self._log(value)
            elif kind == "params":
                self.params.update(value)
            elif kind == "tags":
                self.tags.update(value)
                self.run_name = value.get(RUN_NAME_TAG, self.run_name)
            elif kind == "untag":
                del self.tags[value]
            elif kind == "status":
                self.status = value
            elif kind == "end_time":
                self.end_time = value
            elif kind == "stage":
                self.stage, self.epoch = value
            elif kind == "inputs":
                self.inputs.extend(value)
            elif kind == "run":
                self._create(**value)
            elif kind != "key":
                raise ValueError(kind)

    def _create(
        self,
        id: str,  # noqa: A002 - the name in the record
        experiment_id: str,
        user_id: str,
        start_time: int,
        artifact_uri: str,
        epoch: int,
    ) -> None:
        self._require_own(id)
        self.experiment_id = experiment_id
        self.user_id = user_id
        self.start_time = start_time
        self.artifact_uri = artifact_uri
        self.epoch = epoch

    def _require_own(self, run_id: str) -> None:
        if run_id != self.run_id:
            raise ValueError(run_id)

    def _log(self, points: Iterable[Point]) -> None:
        latest = self.latest
        for key, value, timestamp, step in points:
            known = latest.get(key)
            if (
                known is None
                or step > known[2]
                or (step == known[2] and _order(value, timestamp) > _order(known[0], known[1]))
            ):
                latest[key] = value, timestamp, step

    def plain(self) -> Any:
        """The state as JSON-ready values."""
        return [
            self.run_id,
            self.experiment_id,
            self.user_id,
            self.run_name,
            self.status,
            self.start_time,
            self.end_time,
            self.artifact_uri,
            self.stage,
            self.epoch,
            self.params,
            self.tags,
            self.latest,
            self.inputs,
        ]

    def restore(self, plain: Any) -> None:
        """Become the state of which :meth:`plain` is given."""
        (
            run_id,
            self.experiment_id,
            self.user_id,
            self.run_name,
            self.status,
            self.start_time,
            self.end_time,
            self.artifact_uri,
            self.stage,
            self.epoch,
            self.params,
            self.tags,
            self.latest,
            self.inputs,
        ) = plain
        self._require_own(run_id)

    # -- entities -------------------------------------------------------------------------------------------

    @property
    def own_stage(self) -> LifecycleStage:
        """The stage that the run was last moved to."""
        return _STAGES[self.stage]

    def info(self, stage: LifecycleStage) -> RunInfo:
        """What is known of the run beside what it logged."""
        return RunInfo(
            self.run_id,
            self.run_name,
            self.experiment_id,
            self.user_id,
            _STATUSES[self.status],
            self.start_time,
            self.end_time,
            stage,
            self.artifact_uri,
        )

    def entity(self, stage: LifecycleStage) -> Run:
        """The whole run."""
        latest = {
            key: Metric(key, float(value), timestamp, step, self.run_id)
            for key, (value, timestamp, step) in self.latest.items()
        }
        return Run(
            self.info(stage),
            RunData(latest, dict(self.params), dict(self.tags)),
            RunInputs(tuple(map(_dataset_input, self.inputs))),
        )


def point_of(metric: Metric) -> Point:
    """A metric as a point in a record."""
    value = metric.value
    return [metric.key, value if value - value == 0.0 else str(value), metric.timestamp, metric.step]


def input_of(given: DatasetInput) -> Input:
    """A dataset input as it stands in a record."""
    dataset = given.dataset
    return [
        dataset.name,
        dataset.digest,
        dataset.source_type,
        dataset.source,
        dataset.schema,
        dataset.profile,
        [[tag.key, tag.value] for tag in given.tags],
    ]


def _dataset_input(item: Input) -> DatasetInput:
    *fields, tags = item
    return DatasetInput(Dataset(*fields), tuple(InputTag(key, value) for key, value in tags))


def _order(value: float | str, timestamp: int) -> tuple[int, int, float]:
    number = float(value)
    return (timestamp, 0, 0.0) if math.isnan(number) else (timestamp, 1, number)
