"""One process that serves a store on a socket, until a signal ends it."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType

import uvicorn

from trackspec.artifact_repository import ArtifactRepository
from trackspec.store import TrackingStore
from trackspec_reference.server.application import Application
from trackspec_reference.server.authentication import Credentials
from trackspec_reference.server.connection import Connection
from trackspec_reference.server.limits import Limits
from trackspec_reference.server.origins import Hosts, Origins

LOG = logging.getLogger("trackspec.server")

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Settings:
    """How a store is served. It can be handed to another process."""

    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    credentials: Credentials | None = None
    public_health: bool = False
    limits: Limits = field(default_factory=Limits)
    artifacts_destination: str | None = None

    def artifacts(self) -> ArtifactRepository | None:
        """The repository whose files the server hands on, opened; None for none."""
        if self.artifacts_destination is None:
            return None
        return ArtifactRepository.from_artifact_uri(self.artifacts_destination)

    def application(self, store: TrackingStore, artifacts: ArtifactRepository | None = None) -> Application:
        """The application that serves a store so, and a repository."""
        return Application(
            store,
            artifacts=artifacts,
            limits=self.limits,
            credentials=self.credentials,
            hosts=Hosts(self.allowed_hosts),
            origins=Origins(self.allowed_origins),
            public_health=self.public_health,
        )


class Server(uvicorn.Server):
    """Serves an application on a listening socket.

    :param once_more: what a second signal does, where it is not to be passed over.
    """

    def __init__(
        self, application: Application, limits: Limits, once_more: Callable[[int], None] | None = None
    ) -> None:
        protocol = type("Connection", (Connection,), {"application": application, "limits": limits})
        super().__init__(
            uvicorn.Config(
                application,
                http=protocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                log_level="error",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=limits.idle_time,
                timeout_graceful_shutdown=limits.stop_time,
            )
        )
        self._application = application
        self._once_more = once_more

    def stop(self) -> None:
        """Take no more connections and requests, and end when what is in hand is answered. For any thread."""
        self.should_exit = True

    def serve_until_stopped(self, listening: socket.socket) -> bool:
        """Serve, and return when stopped: whether every call in hand has ended."""
        self.run(sockets=[listening])
        self._application.close()
        return self._application.in_hand == 0

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at a signal. Nobody else gets it, so that a server which was stopped has ended well."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's form
        if self.should_exit and self._once_more:
            self._once_more(sig)
        self.stop()


def serve(
    store: TrackingStore, artifacts: ArtifactRepository | None, listening: socket.socket, settings: Settings
) -> int:
    """Serve in this process until a signal; return the exit status. A second signal ends the process at once."""
    server = Server(settings.application(store, artifacts), settings.limits, once_more=end_at_once)
    keep_what_is_there()
    if not server.serve_until_stopped(listening):
        print("trackspec: stopped with calls in hand, which were not acknowledged", file=sys.stderr, flush=True)
        os._exit(1)  # their threads would be waited for
    store.close()
    if artifacts:
        artifacts.close()
    return 0


def keep_what_is_there() -> None:
    """Leave the modules and the open store out of garbage collections, which took as long as a large answer."""
    gc.collect()
    gc.freeze()


def end_at_once(number: int) -> None:
    """End this process the way a signal does that nobody handles."""
    os._exit(128 + number)
