"""Faults of the protocol: connections, and requests that are sent again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from trackspec.entities import LifecycleStage
from trackspec.errors import TrackspecError, missing
from trackspec.protocol.endpoint import Endpoint
from trackspec.protocol.model_server import Connection, ModelServer, Request, Response

from . import fault


@fault("wire.connection-usable")
class BodiesStayUnread(ModelServer):
    """The body of a request to an unknown path is not read, and is taken for the next request."""

    class connection(Connection):  # noqa: N801 - in the place of the model's
        """Reads only what it has a use for."""

        def read_body(self) -> bytes:
            return super().read_body() if self.path.partition("?")[0] in self.model.routes else b""


@fault("wire.connection-usable")
class BodiesOfStrangersStayUnread(ModelServer):
    """The body of a request without credentials is not read, and is taken for the next request."""

    class connection(Connection):  # noqa: N801 - in the place of the model's
        """Reads what comes from somebody."""

        def read_body(self) -> bytes:
            return super().read_body() if "Authorization" in self.headers else b""


@fault("wire.concurrent")
class TheLastRequestCounts(ModelServer):
    """Requests share one place for what they ask for."""

    def fields(self, endpoint: Endpoint, request: Request) -> dict[str, Any]:
        self.asked = super().fields(endpoint, request)
        time.sleep(0.02)
        return self.asked


@fault("wire.repeatable")
class ADeletedRunIsMissing(ModelServer):
    """A run is deleted once, and then does not exist."""

    def call(self, endpoint: Endpoint, fields: dict[str, Any]) -> Any:
        if endpoint.name == "delete_run":
            run = self.store.get_run(fields["run_id"])
            if run.info.lifecycle_stage is LifecycleStage.DELETED:
                raise missing("run", run.info.run_id)
        return super().call(endpoint, fields)


@fault("wire.repeatable")
class EachRequestLogsAnotherPoint(ModelServer):
    """The steps of points in a batch are counted by the server."""

    count = 0

    def call(self, endpoint: Endpoint, fields: dict[str, Any]) -> Any:
        if endpoint.name == "log_metric":
            self.count += 1
            fields["step"] = self.count
        return super().call(endpoint, fields)


@fault("wire.keys-announced")
class ErrorsAnnounceNoKeys(ModelServer):
    """Idempotency keys are announced on good answers only."""

    always: Mapping[str, str] = MappingProxyType({})

    def answer(self, request: Request) -> Response:
        response = super().answer(request)
        response.headers |= ModelServer.always
        return response


class KeysAreForgotten(ModelServer):
    """A server that announces keys and does not look at those of some call."""

    forgets = ""

    def call(self, endpoint: Endpoint, fields: dict[str, Any]) -> Any:
        if endpoint.name == self.forgets:
            fields.pop("idempotency_key", None)
        return super().call(endpoint, fields)


@fault("wire.key-run")
class EveryRunIsNew(KeysAreForgotten):
    """A key makes no difference to a run."""

    forgets = "create_run"


@fault("wire.key-run")
class OneKeyForAll(ModelServer):
    """Of a key, the first characters count."""

    def key(self, request: Request) -> str:
        return super().key(request)[:20]


@fault("wire.key-experiment")
class EveryExperimentIsNew(KeysAreForgotten):
    """A key makes no difference to an experiment."""

    forgets = "create_experiment"


@fault("wire.key-form")
class OddKeysAreNone(ModelServer):
    """A key that is malformed is passed over."""

    def call(self, endpoint: Endpoint, fields: dict[str, Any]) -> Any:
        try:
            return super().call(endpoint, dict(fields))
        except TrackspecError as error:
            if "key" not in error.message:
                raise
            return super().call(endpoint, {name: fields[name] for name in fields if name != "idempotency_key"})
