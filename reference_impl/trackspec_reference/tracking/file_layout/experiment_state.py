"""What an experiment's records add up to."""

from __future__ import annotations

from typing import Any

from trackspec.entities import Experiment, LifecycleStage
from trackspec_reference.tracking.file_layout.log_format import Body


class ExperimentState:
    """An experiment, as it lies in its log, which is refused if it is another one's.

    :ivar epoch: how often the experiment was deleted or restored. A run's own stage counts as long as the epoch is
        the one in which the run was given it, so that deleting and restoring touch no run.
    """

    __slots__ = (
        "artifact_location",
        "creation_time",
        "epoch",
        "experiment_id",
        "last_update_time",
        "name",
        "stage",
        "tags",
    )

    def __init__(self, experiment_id: str) -> None:
        self.experiment_id = experiment_id
        self.name = ""
        self.artifact_location = ""
        self.stage = LifecycleStage.ACTIVE
        self.epoch = 0
        self.creation_time = 0
        self.last_update_time = 0
        self.tags: dict[str, str] = {}

    def apply(self, body: Body) -> None:
        """Take in one more record."""
        for kind, value in body.items():
            if kind == "tags":
                self.tags.update(value)
            elif kind == "untag":
                del self.tags[value]
            elif kind == "name":
                self.name = value
            elif kind == "stage":
                self.stage = LifecycleStage(value)
                self.epoch += 1
            elif kind == "time":
                self.last_update_time = max(self.last_update_time, value)
            elif kind == "experiment":
                self._require_own(value["id"])
                self.artifact_location = value["artifact_location"]
                self.creation_time = self.last_update_time = value["creation_time"]
            else:
                raise ValueError(kind)

    def _require_own(self, experiment_id: str) -> None:
        if experiment_id != self.experiment_id:
            raise ValueError(experiment_id)

    def plain(self) -> Any:
        """The state as JSON-ready values."""
        return [
            self.experiment_id,
            self.name,
            self.artifact_location,
            self.stage.value,
            self.epoch,
            self.creation_time,
            self.last_update_time,
            self.tags,
        ]

    def restore(self, plain: Any) -> None:
        """Become the state of which :meth:`plain` is given."""
        (
            experiment_id,
            self.name,
            self.artifact_location,
            stage,
            self.epoch,
            self.creation_time,
            self.last_update_time,
            self.tags,
        ) = plain
        self._require_own(experiment_id)
        self.stage = LifecycleStage(stage)

    def entity(self) -> Experiment:
        """The experiment."""
        return Experiment(
            self.experiment_id,
            self.name,
            self.artifact_location,
            self.stage,
            self.creation_time,
            self.last_update_time,
            dict(self.tags),
        )
