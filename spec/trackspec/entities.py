"""What a tracking store keeps: experiments, runs and what is logged to them.

Entities are frozen values. Nothing is validated on construction: a store validates what it is given
(:mod:`trackspec.arguments`), so that every caller meets the same error at the same place.
Times are milliseconds since the Unix epoch, as ``int``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")

RUN_NAME_TAG = "mlflow.runName"
"""The tag that mirrors :attr:`RunInfo.run_name`."""


class LifecycleStage(str, Enum):
    """Whether a resource is in use or in the bin."""

    ACTIVE = "active"
    DELETED = "deleted"

    def __str__(self) -> str:
        return self.value


class RunStatus(str, Enum):
    """What became of a run."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"

    def __str__(self) -> str:
        return self.value


class ViewType(Enum):
    """Which lifecycle stages a search sees."""

    ACTIVE_ONLY = 1
    DELETED_ONLY = 2
    ALL = 3

    def shows(self, stage: LifecycleStage) -> bool:
        """Whether a resource of this stage is part of the view."""
        return self is ViewType.ALL or (self is ViewType.ACTIVE_ONLY) == (stage is LifecycleStage.ACTIVE)


class PagedList(list[T], Generic[T]):
    """One page of results.

    :ivar token: opaque text that fetches the next page, or None on the last one.
    """

    def __init__(self, items: Iterable[T] = (), token: str | None = None) -> None:
        super().__init__(items)
        self.token = token


@dataclass(frozen=True)
class ExperimentTag:
    """A key and a value on an experiment."""

    key: str
    value: str


@dataclass(frozen=True)
class Experiment:
    """A named collection of runs."""

    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: LifecycleStage
    creation_time: int
    last_update_time: int
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Param:
    """An input of a run; written once."""

    key: str
    value: str


@dataclass(frozen=True)
class Metric:
    """One point of a metric: a value at a time (ms) and a step.

    :ivar run_id: set on what a store returns, ignored on what it is given.
    :ivar dataset_name: the dataset that the point was measured on, with its digest; both or neither.
    """

    key: str
    value: float
    timestamp: int
    step: int = 0
    run_id: str | None = field(default=None, compare=False)
    dataset_name: str | None = None
    dataset_digest: str | None = None


@dataclass(frozen=True)
class RunTag:
    """A key and a value on a run."""

    key: str
    value: str


@dataclass(frozen=True)
class InputTag:
    """A key and a value on a run's use of a dataset."""

    key: str
    value: str


@dataclass(frozen=True)
class Dataset:
    """A dataset as a run saw it. Its identity within an experiment is the pair of name and digest."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None


@dataclass(frozen=True)
class DatasetInput:
    """A run's use of a dataset."""

    dataset: Dataset
    tags: tuple[InputTag, ...] = ()


@dataclass(frozen=True)
class RunInputs:
    """What a run read."""

    dataset_inputs: tuple[DatasetInput, ...] = ()


@dataclass(frozen=True)
class RunInfo:
    """What is known of a run beside what it logged."""

    run_id: str
    run_name: str
    experiment_id: str
    user_id: str
    status: RunStatus
    start_time: int
    end_time: int | None
    lifecycle_stage: LifecycleStage
    artifact_uri: str


@dataclass(frozen=True)
class RunData:
    """What a run logged.

    :ivar latest_metrics: for each metric key its latest point, by key.
    """

    latest_metrics: dict[str, Metric] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def metrics(self) -> dict[str, float]:
        """The latest value of each metric."""
        return {key: metric.value for key, metric in self.latest_metrics.items()}


@dataclass(frozen=True)
class Run:
    """One execution: what it is, what it logged, what it read."""

    info: RunInfo
    data: RunData = field(default_factory=RunData)
    inputs: RunInputs = field(default_factory=RunInputs)


@dataclass(frozen=True)
class FileInfo:
    """A file or folder in an artifact repository.

    :ivar path: relative to the repository's root, its segments parted by ``/``.
    :ivar file_size: in bytes; None for a folder.
    """

    path: str
    is_dir: bool
    file_size: int | None
