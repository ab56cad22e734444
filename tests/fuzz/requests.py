"""Surface: the requests of the REST protocol, by the application that serves them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.surface import Found, Surface
from trackspec import TrackspecError, open_store
from trackspec.errors import ErrorCode
from trackspec.protocol.endpoint import Endpoint
from trackspec.protocol.endpoints import ENDPOINTS
from trackspec_reference.server.application import Application

_DOORS = tuple((method, endpoint) for endpoint in ENDPOINTS for method in endpoint.methods)
_NAMES = (
    *sorted({field.name for endpoint in ENDPOINTS for field in endpoint.request.fields}),
    *["dataset", "digest", "source", "source_type", "run_uuid"],
    *("\ud800", ""),
)
_WORDS = """
    RUN 0 ../outside/canary /etc/hostname %2e%2e%2foutside NaN Infinity 1e400 FINISHED ALL s3://b/x file:///x
    W10= é 1.5
"""
_TEXTS = (*_WORDS.split(), "params.a = 'b'", "metrics.a DESC", "", "\0", "\ud800", "x" * 300, "9" * 40)


_GOOD = {"run_id": "RUN", "experiment_id": "0", "metric_key": "m", "run_ids": ["RUN"], "experiment_ids": ["0"]}


def _for(method: str, endpoint: Endpoint) -> SearchStrategy[bytes]:
    """What an endpoint may get: fields of its own, often good ones, others, and what is no JSON or no query."""
    own = {field.name: _values(field.name) for field in endpoint.request.fields}
    required = {field.name: own[field.name] for field in endpoint.request.fields if field.required}
    optional = {name: values for name, values in own.items() if name not in required}
    fields = st.fixed_dictionaries(required, optional=optional) | st.dictionaries(
        _names(), _anything(), max_size=8
    )
    if method == "GET":
        written = fields.map(lambda found: urlencode(found, doseq=True, errors="replace").encode())
        pieces = st.sampled_from((b"&", b"=", b"%", b"%ff", b"+", b"run_id=RUN", b"\0")) | st.binary(max_size=4)
        return written | st.lists(pieces, max_size=8).map(b"".join)
    written = fields.map(json.dumps).map(str.encode)
    cut = st.builds(lambda body, end, more: body[:end] + more, written, st.integers(0, 80), st.binary(max_size=6))
    nested = st.builds(
        lambda opening, times: opening * times, st.sampled_from((b"[", b'{"a":')), st.integers(1, 5000)
    )
    return written | cut | nested


def _values(name: str) -> SearchStrategy[Any]:
    good = st.just(_GOOD[name]) if name in _GOOD else st.sampled_from(_TEXTS) | st.integers(0, 9)
    return good | good | _anything()


def _names() -> SearchStrategy[str]:
    return st.sampled_from(_NAMES)


def _anything() -> SearchStrategy[Any]:
    scalars = (
        st.sampled_from(_TEXTS) | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
    )
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_names(), inner, max_size=5),
        max_leaves=12,
    )


class Requests(Surface):
    """Bodies and queries; the first byte is the endpoint, the rest is what it gets."""

    name = "requests"
    seeds: ClassVar[tuple[bytes, ...]] = tuple(
        bytes([number])
        + (b'{"run_id": "RUN", "key": "k", "value": "1"}' if method == "POST" else b"run_id=RUN&metric_key=m")
        for number, (method, _) in enumerate(_DOORS)
    )

    def open(self) -> None:
        self._store = open_store(f"file:{self.inside}/store")
        self._run_id = self._store.create_run("0", "u", 1, [], "r").info.run_id
        self._application = Application(self._store)
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        self._application.close()
        self._loop.close()
        self._store.close()

    def inputs(self) -> SearchStrategy[bytes]:
        return st.one_of(*(_for(*door).map(bytes([number]).__add__) for number, door in enumerate(_DOORS)))

    def take(self, data: bytes) -> object:
        method, endpoint = _DOORS[(data[:1] or b"\0")[0] % len(_DOORS)]
        rest = data[1:].replace(b"RUN", self._run_id.encode())
        scope = {
            "type": "http",
            "method": method,
            "path": endpoint.paths[0],
            "raw_path": endpoint.paths[0].encode(),
            "query_string": rest if method == "GET" else b"",
            "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")],
            "server": ("127.0.0.1", 80),
        }
        status, body = self._loop.run_until_complete(self._answered(scope, b"" if method == "GET" else rest))
        if status >= 500:
            raise Found("5xx", f"{method} {endpoint.path} answers {status}: {body[:200]!r}")
        if not isinstance(json.loads(body), dict):
            raise Found("crash", f"{method} {endpoint.path} answers no object: {body[:200]!r}")
        if status >= 400:
            raise TrackspecError(body.decode(), ErrorCode.INVALID_PARAMETER_VALUE)
        return body

    async def _answered(self, scope: dict[str, Any], body: bytes) -> tuple[int, bytes]:
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        await self._application(scope, receive, send)
        return sent[0]["status"], sent[1]["body"]
