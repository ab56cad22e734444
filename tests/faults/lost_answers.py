"""Faults of servers, and of clients, that a bad network shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trackspec.entities import Metric, Param, Run, RunTag
from trackspec.errors import TrackspecError
from trackspec.memory_store import MemoryStore
from trackspec.protocol.endpoint import KEY_HEADER
from trackspec.protocol.model_server import ModelServer, Request, Response
from trackspec.store import TrackingStore
from trackspec_conformance.wire.store import WireStore

from . import fault


class KeysPassedOver(ModelServer):
    """A server that does not hand the key of some endpoint on to its store."""

    PATH = ""

    def respond(self, request: Request) -> Response:
        if request.path.endswith(self.PATH):
            del request.headers[KEY_HEADER]
        return super().respond(request)


@fault("lost.create-run")
class KeysOfRunsArePassedOver(KeysPassedOver):
    """The key of a run that is created is not handed on."""

    PATH = "runs/create"


@fault("lost.create-experiment")
class KeysOfExperimentsArePassedOver(KeysPassedOver):
    """The key of an experiment that is created is not handed on."""

    PATH = "experiments/create"


@fault("lost.logged-once")
class PointsAreAppended(ModelServer):
    """A point that is there is stored once more."""

    def __init__(self, store: TrackingStore, *args: Any) -> None:
        super().__init__(_AppendingStore("memory:"), *args)


class _AppendingStore(MemoryStore):
    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        known = {key: list(points) for key, points in self._run(run_id).points.items()}
        super()._log_batch(run_id, metrics, params, tags)
        for key in {metric.key for metric in metrics}:
            added = [metric for metric in metrics if metric.key == key]
            self._run(run_id).points[key] = known.get(key, []) + added


@fault("lost.late-request")
class OnlyTheLastKeyCounts(ModelServer):
    """A key is forgotten when the next one comes."""

    def __init__(self, store: TrackingStore, *args: Any) -> None:
        super().__init__(_ForgetfulStore("memory:"), *args)


class _ForgetfulStore(MemoryStore):
    _last: tuple[str, Run] | None = None

    def create_run(self, *args: Any, idempotency_key: str | None = None, **kwargs: Any) -> Run:
        if self._last and self._last[0] == idempotency_key:
            return self._last[1]
        run = super().create_run(*args, **kwargs)
        if idempotency_key is not None:
            self._last = idempotency_key, run
        return run


def _swallowing(name: str) -> Any:
    def call(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            getattr(WireStore, name)(self, *args, **kwargs)
        except TrackspecError:
            return

    return call


@fault("lost.acknowledged")
class WritesAreSentAndForgotten(ModelServer):
    """The client does not tell that no answer came to a write."""

    CLIENT = type("Forgetting", (WireStore,), {name: _swallowing(name) for name in ("log_param", "set_tag")})  # type: ignore[misc]


class _Patching(WireStore):  # type: ignore[misc,valid-type]
    def get_metric_history(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().get_metric_history(*args, **kwargs)
        except TrackspecError:
            return []


@fault("lost.no-other-answer")
class CutAnswersAreEmpty(ModelServer):
    """The client takes an answer that it cannot read for an empty one."""

    CLIENT = _Patching
