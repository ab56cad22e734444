"""Which run of an experiment was the first to record a dataset. Its fields then count for all later ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from trackspec.errors import TrackspecError
from trackspec_reference.tracking.file_layout.durability import Durability
from trackspec_reference.tracking.file_layout.experiments import Experiments
from trackspec_reference.tracking.file_layout.folded_log import Change, FoldedLog, damage
from trackspec_reference.tracking.file_layout.log_format import Body
from trackspec_reference.tracking.file_layout.recent import Recent
from trackspec_reference.tracking.file_layout.run_state import Input
from trackspec_reference.tracking.file_layout.runs import Runs

_KEPT_INDEXES = 32

Identity = tuple[str, str]
"""A dataset's name and digest."""


class DatasetIndex:
    """The first recorders, by dataset.

    An entry is written before the run's own record; it counts only if that run has the dataset indeed.

    :ivar recorders: run ids.
    """

    __slots__ = ("recorders",)

    def __init__(self) -> None:
        self.recorders: dict[Identity, str] = {}

    def apply(self, body: Body) -> None:
        """Take in one more record."""
        for name, digest, run_id in body["datasets"]:
            self.recorders[name, digest] = run_id

    def plain(self) -> Any:
        """The state as JSON-ready values."""
        return [[*identity, run_id] for identity, run_id in self.recorders.items()]

    def restore(self, plain: Any) -> None:
        """Become the state of which :meth:`plain` is given."""
        self.apply({"datasets": plain})


class Datasets:
    """Records which datasets runs read."""

    def __init__(self, experiments: Experiments, runs: Runs, durability: Durability) -> None:
        self._experiments = experiments
        self._runs = runs
        self._durability = durability
        self._indexes: Recent[str, FoldedLog[DatasetIndex]] = Recent(_KEPT_INDEXES)

    def record(self, run_id: str, inputs: Iterable[Input]) -> None:
        """Add inputs to an active run, all or none; those that it has are passed over."""
        with self._runs.current(run_id) as folded:
            experiment_id = folded.state.experiment_id
        with self._changing_index(experiment_id) as index, self._runs.changing(run_id) as run:
            known = {_identity(item) for item in run.state.inputs}
            added: list[Input] = []
            first: list[list[str]] = []
            for item in inputs:
                identity = _identity(item)
                if identity in known:
                    continue
                known.add(identity)
                recorded = self._recorded(identity, index.state.recorders.get(identity))
                if recorded is None:
                    first.append([*identity, run_id])
                    added.append(item)
                else:
                    added.append([*recorded[:-1], item[-1]])
            if first:
                index.append({"datasets": first})
            if added:
                run.append({"inputs": added})

    def _recorded(self, identity: Identity, run_id: str | None) -> Input | None:
        """A dataset as its first recorder has it."""
        if run_id is None:
            return None
        try:
            with self._runs.current(run_id) as folded:
                return next((item for item in folded.state.inputs if _identity(item) == identity), None)
        except TrackspecError:  # lost or damaged: who comes now is the first of those that are left
            return None

    @contextmanager
    def _changing_index(self, experiment_id: str) -> Iterator[Change[DatasetIndex]]:
        with self._indexes.get(experiment_id, partial(self._index, experiment_id)).changing() as change:
            yield change

    def _index(self, experiment_id: str) -> FoldedLog[DatasetIndex]:
        path = str(self._experiments.path(experiment_id) / "datasets.log")
        subject = f"the datasets of experiment {experiment_id!r}"
        return FoldedLog(path, self._durability, subject, DatasetIndex, absent=partial(damage, subject))


def _identity(item: Input) -> Identity:
    return item[0], item[1]
