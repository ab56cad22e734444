"""A tracking server on the loopback interface that gives one answer, whatever it is asked. Scripts use it too."""

from __future__ import annotations

import json
from dataclasses import dataclass

from trackspec_conformance.loopback import Handler, LoopbackServer

__all__ = ["LyingTrackingServer", "Told", "lying_tracking_server"]


@dataclass(frozen=True)
class Told:
    """What a server answers to every request.

    :ivar announced: the length that is told, where that is not the body's.
    :ivar elsewhere: where every request is redirected to.
    :ivar echo: whether the body is an error that tells what the request said of who asks.
    :ivar untrusted: whether it speaks TLS, with a certificate that nobody vouches for.
    """

    body: str = "{}"
    status: int = 200
    content_type: str = "application/json"
    announced: int | None = None
    elsewhere: str | None = None
    echo: bool = False
    untrusted: bool = False


class LyingTrackingServer(LoopbackServer):
    """A running server.

    :ivar uri: the URI that a store is opened with.
    """

    def __init__(self, told: Told) -> None:
        super().__init__(type("Liar", (_Liar,), {"told": told}), untrusted=told.untrusted)
        self.uri = self.origin


def lying_tracking_server(told: Told) -> str:
    """Start a server that runs as long as the process, and return the URI of it."""
    return LyingTrackingServer(told).uri


class _Liar(Handler):
    told: Told

    def respond(self) -> None:
        told = self.told
        body, headers = told.body.encode(), {"Content-Type": told.content_type}
        if told.echo:
            message = self.headers.get("Authorization", "")
            body = json.dumps({"error_code": "INTERNAL_ERROR", "message": message}).encode()
        if told.elsewhere is not None:
            headers["Location"] = told.elsewhere + self.path
        headers["Content-Length"] = str(len(body) if told.announced is None else told.announced)
        self.send(told.status, body, headers)
