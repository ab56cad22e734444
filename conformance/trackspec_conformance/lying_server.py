"""A server that speaks the protocol of MLflow's artifact proxy, on the loopback interface, and lies.

It answers ``GET …/artifacts?path=FOLDER`` with a listing, and ``GET …/artifacts/PATH`` with a file. Scripts use it
too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from trackspec_conformance.loopback import PATIENCE, Handler, LoopbackServer

__all__ = ["PATIENCE", "Lies", "LyingServer", "lying_server"]

PREFIX = "/api/2.0/mlflow-artifacts/artifacts"
ROOT = "run"
"""The folder of the server that is a client's root."""


@dataclass(frozen=True)
class Lies:
    """What a server answers. A listing that is not given is empty, and so is a file.

    :ivar entries: the listing of the root: names as they are sent, and for each a size, or None for a folder.
    :ivar deeper: the listing of every other folder.
    :ivar listing: the body of every listing, in place of what the entries make.
    :ivar listing_status: its status.
    :ivar content: the body of every file.
    :ivar announced: the length of a file that is told, where that is not the body's.
    :ivar status: the status of a file.
    :ivar elsewhere: where every request for a file is redirected to.
    :ivar echo: whether every body is what the request said of who asks.
    :ivar untrusted: whether it speaks TLS, with a certificate that nobody vouches for.
    """

    entries: Mapping[str, int | None] = field(default_factory=dict)
    deeper: Mapping[str, int | None] = field(default_factory=dict)
    listing: bytes | None = None
    listing_status: int = 200
    content: bytes = b""
    announced: int | None = None
    status: int = 200
    elsewhere: str | None = None
    echo: bool = False
    untrusted: bool = False


class LyingServer(LoopbackServer):
    """A running server that lies.

    :ivar uri: the artifact URI that a client is opened with.
    """

    def __init__(self, lies: Lies) -> None:
        super().__init__(type("Liar", (_Liar,), {"lies": lies}), untrusted=lies.untrusted)
        self.uri = f"{self.origin}{PREFIX}/{ROOT}"


def lying_server(lies: Lies) -> str:
    """Start a server that runs as long as the process, and return the artifact URI of it."""
    return LyingServer(lies).uri


class _Liar(Handler):
    lies: Lies

    def respond(self) -> None:
        asked, lies = urlsplit(self.path), self.lies
        if lies.echo:
            told = {"error_code": "INTERNAL_ERROR", "message": self.headers.get("Authorization", "")}
            self.send(500, json.dumps(told).encode(), {"Content-Type": "application/json"})
        elif unquote(asked.path).rstrip("/") == PREFIX:
            self._list(parse_qs(asked.query).get("path", [""])[0])
        elif lies.elsewhere is not None:
            self.send(307, b"", {"Location": lies.elsewhere})
        else:
            announced = len(lies.content) if lies.announced is None else lies.announced
            self.send(lies.status, lies.content, {"Content-Length": str(announced)})

    def _list(self, folder: str) -> None:
        lies = self.lies
        entries = lies.entries if folder.strip("/") in ("", ROOT) else lies.deeper
        files: list[dict[str, Any]] = [
            {"path": name, "is_dir": size is None} | ({} if size is None else {"file_size": size})
            for name, size in entries.items()
        ]
        body = json.dumps({"files": files}).encode() if lies.listing is None else lies.listing
        self.send(lies.listing_status, body, {"Content-Type": "application/json"})
