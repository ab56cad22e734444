"""What a check arranges: experiments and runs of its own, under names that nobody else has.

Arranging is not judging. Where an arrangement itself fails, the check is *blocked* by the requirement that says
it must work, which a check of its own judges: one root cause, not forty.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from trackspec import Metric, Param, RunTag, TrackingStore
from trackspec_conformance.expectations import IllTyped, NotApplicable, shown_error
from trackspec_conformance.recording import Transcript
from trackspec_conformance.scripts import Call


class Blocked(Exception):
    """An arrangement failed.

    :ivar requirement: the id of what must work and did not.
    """

    def __init__(self, requirement: str, error: BaseException) -> None:
        super().__init__(f"{requirement} does not hold: {shown_error(error)}")
        self.requirement = requirement


@dataclass
class Workspace:
    """What the checks of one process share: a namespace and an experiment for runs that no search looks for.

    :ivar namespace: text that is part of every name the suite makes, unique to this process.
    """

    namespace: str = field(default_factory=lambda: f"ts{uuid.uuid4().hex[:10]}")
    experiment_id: str | None = None


class Fresh:
    """Makes things for one check.

    :ivar random: seeded by the run's seed and the check's name.
    :ivar transcript: the calls so far.
    :ivar time_budget: seconds that the check's property or state machine may explore for.
    """

    def __init__(
        self,
        store: TrackingStore,
        workspace: Workspace,
        *,
        seed: int = 0,
        check_name: str = "",
        time_budget: float = 3.0,
        reopen: Callable[[], TrackingStore] | None = None,
        transcript: Transcript | None = None,
    ) -> None:
        self._store = store
        self._workspace = workspace
        self._reopen = reopen
        self._names = 0
        self.transcript = transcript or Transcript()
        self.seed = seed
        self.random = random.Random(f"{seed}/{check_name}")
        self.check_name = check_name
        self.time_budget = time_budget

    def name(self, hint: str = "x") -> str:
        """An experiment name that nobody has."""
        self._names += 1
        return f"{self._workspace.namespace}-{hint}-{uuid.uuid4().hex[:8]}-{self._names}"

    def experiment(self, hint: str = "x", *, artifact_location: str | None = None) -> str:
        """The id of a new experiment."""
        name = self.name(hint)
        with _resting_on("experiment.create"):
            return self._store.create_experiment(name, artifact_location, [])

    def shared_experiment(self) -> str:
        """The id of an experiment whose runs no check counts, searches for or deletes."""
        if self._workspace.experiment_id is None:
            start = self.transcript.mark()
            self._workspace.experiment_id = self.experiment("shared")
            self.transcript.rewind(start)
        creation = Call("store.create_experiment(f'{ns}-shared', None, [])", "shared_experiment", "returned")
        self.transcript.recall(creation, self._workspace.experiment_id)
        return self._workspace.experiment_id

    def run(
        self,
        experiment_id: str | None = None,
        *,
        start_time: int = 1_700_000_000_000,
        run_name: str | None = None,
        user_id: str = "tester",
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[RunTag] = (),
    ) -> str:
        """The id of a new run, in the shared experiment unless another is given, with this logged to it."""
        experiment_id = experiment_id or self.shared_experiment()
        with _resting_on("run.create"):
            run_id = self._store.create_run(experiment_id, user_id, start_time, [], run_name).info.run_id
        if metrics or params or tags:
            with _resting_on("batch.log"):
                self._store.log_batch(run_id, list(metrics), list(params), list(tags))
        return run_id

    def unknown_experiment_id(self) -> str:
        """A well-formed experiment id that nobody has; all digits, since some stores count."""
        return str(self.random.randrange(4 * 10**17, 9 * 10**17))

    def unknown_run_id(self) -> str:
        """A well-formed run id that nobody has."""
        return uuid.UUID(int=self.random.getrandbits(128), version=4).hex

    def reopened(self) -> TrackingStore:
        """Another store for the same subject, opened anew.

        :raises NotApplicable: if the subject lives and dies with one object.
        """
        if self._reopen is None:
            raise NotApplicable("the subject lives in one object and cannot be opened again")
        return self._reopen()

    def deadline(self) -> float:
        """When, on the monotonic clock, exploring ends."""
        return time.monotonic() + self.time_budget


@contextmanager
def _resting_on(requirement: str) -> Iterator[None]:
    try:
        yield
    except IllTyped:  # it names its own requirement
        raise
    except Exception as error:
        raise Blocked(requirement, error) from error
