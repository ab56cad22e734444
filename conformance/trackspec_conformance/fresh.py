"""What a check of a tracking store arranges: experiments and runs of its own, under names that nobody else has."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from trackspec import Metric, Param, RunTag, TrackingStore
from trackspec_conformance.arrangement import Arrangement, Blocked
from trackspec_conformance.calls import Call, Made
from trackspec_conformance.expectations import IllTyped
from trackspec_conformance.histories.performing import Order
from trackspec_conformance.lying_tracking_server import LyingTrackingServer, Told


class Fresh(Arrangement[TrackingStore]):
    """Makes experiments and runs for one check."""

    interface = "tracking"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._servers: list[LyingTrackingServer] = []

    def experiment(self, hint: str = "x", *, artifact_location: str | None = None) -> str:
        """The id of a new experiment."""
        name = self.name(hint)
        with _resting_on("experiment.create"):
            return self._subject.create_experiment(name, artifact_location, [])

    def shared_experiment(self) -> str:
        """The id of an experiment whose runs no check counts, searches for or deletes."""
        if "experiment" not in self._workspace.shared:
            start = self.transcript.mark()
            self._workspace.shared["experiment"] = self.experiment("shared")
            self.transcript.rewind(start)
        experiment_id = self._workspace.shared["experiment"]
        creation = Call(
            "store.create_experiment(f'{ns}-shared', None, [])",
            "shared_experiment",
            "returned",
            Made("store", "create_experiment", (f"{self._workspace.namespace}-shared", None, [])),
            [(experiment_id, "")],
        )
        self.transcript.recall(creation, experiment_id)
        return experiment_id

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
            run_id = self._subject.create_run(experiment_id, user_id, start_time, [], run_name).info.run_id
        if metrics or params or tags:
            with _resting_on("batch.log"):
                self._subject.log_batch(run_id, list(metrics), list(params), list(tags))
        return run_id

    def unknown_experiment_id(self) -> str:
        """A well-formed experiment id that nobody has; all digits, since some stores count."""
        return str(self.random.randrange(4 * 10**17, 9 * 10**17))

    def unknown_run_id(self) -> str:
        """A well-formed run id that nobody has."""
        return uuid.UUID(int=self.random.getrandbits(128), version=4).hex

    def left_for_others(self) -> tuple[Order, object]:
        name = self.name("seen")
        return Order("find", name), self._subject.create_experiment(name, None, [])

    def server(self, told: Told) -> LyingTrackingServer:
        """A server that lies."""
        server = LyingTrackingServer(told)
        self._servers.append(server)
        self.transcript.made("lying_tracking_server", (told,), "server", server.uri)
        return server

    def client_of(self, server: LyingTrackingServer) -> TrackingStore:
        """The subject as a client of a server.

        :raises NotApplicable: if it is no client of one.
        """
        assert self._openings.at is not None
        return self._openings.at(server.uri)

    def client(self, told: Told) -> TrackingStore:
        """The subject as a client of a server that lies."""
        return self.client_of(self.server(told))

    def close(self) -> None:
        for server in self._servers:
            server.close()


@contextmanager
def _resting_on(requirement: str) -> Iterator[None]:
    try:
        yield
    except IllTyped:  # it names its own requirement
        raise
    except Exception as error:
        raise Blocked(requirement, error) from error
