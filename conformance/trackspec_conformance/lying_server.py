"""A server that speaks the protocol of MLflow's artifact proxy, on the loopback interface, and lies.

It answers ``GET …/artifacts?path=FOLDER`` with a listing, and ``GET …/artifacts/PATH`` with a file. Scripts use it
too.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

PREFIX = "/api/2.0/mlflow-artifacts/artifacts"
ROOT = "run"
"""The folder of the server that is a client's root."""

PATIENCE = 1000
"""Requests that are answered; those that follow are refused, so that a client that asks for ever ends."""


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
    """

    entries: Mapping[str, int | None] = field(default_factory=dict)
    deeper: Mapping[str, int | None] = field(default_factory=dict)
    listing: bytes | None = None
    listing_status: int = 200
    content: bytes = b""
    announced: int | None = None
    status: int = 200
    elsewhere: str | None = None


class LyingServer:
    """A running server.

    :ivar uri: the artifact URI that a client is opened with.
    :ivar requests: the headers of each request.
    """

    def __init__(self, lies: Lies) -> None:
        self.requests: list[dict[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(lies, self.requests))
        self._server.daemon_threads = True
        self.uri = f"http://127.0.0.1:{self._server.server_address[1]}{PREFIX}/{ROOT}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()


def lying_server(lies: Lies) -> str:
    """Start a server that runs as long as the process, and return the artifact URI of it."""
    return LyingServer(lies).uri


def _handler(lies: Lies, requests: list[dict[str, str]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(dict(self.headers.items()))
            asked = urlsplit(self.path)
            if len(requests) > PATIENCE:
                self._answer(429, b"{}")
            elif unquote(asked.path).rstrip("/") == PREFIX:
                self._list(parse_qs(asked.query).get("path", [""])[0])
            elif lies.elsewhere is not None:
                self._answer(307, b"", {"Location": lies.elsewhere})
            else:
                announced = len(lies.content) if lies.announced is None else lies.announced
                self._answer(lies.status, lies.content, {"Content-Length": str(announced)})

        def _list(self, folder: str) -> None:
            entries = lies.entries if folder.strip("/") in ("", ROOT) else lies.deeper
            files: list[dict[str, Any]] = [
                {"path": name, "is_dir": size is None} | ({} if size is None else {"file_size": size})
                for name, size in entries.items()
            ]
            body = json.dumps({"files": files}).encode() if lies.listing is None else lies.listing
            self._answer(lies.listing_status, body, {"Content-Type": "application/json"})

        def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
