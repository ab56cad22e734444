"""Servers that faults of the protocol are made from: each changes what is read or what is answered."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from trackspec.protocol.endpoint import Endpoint
from trackspec.protocol.model_server import ModelServer, Request, Response

Json = Any


class OtherFields(ModelServer):
    """A server that changes the fields of a request before it reads them."""

    def fields(self, endpoint: Endpoint, request: Request) -> dict[str, Any]:
        self.endpoint = endpoint.name
        return super().fields(endpoint, request)

    def read_body(self, body: bytes) -> dict[str, Json]:
        return self._changed(super().read_body(body))

    def read_query(self, query: str) -> list[tuple[str, str]]:
        return list(self._changed(dict(super().read_query(query))).items()) if query else []

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        raise NotImplementedError


class OtherAnswers(ModelServer):
    """A server that changes what it answers."""

    def json(self, status: int, fields: dict[str, Json]) -> Response:
        return super().json(status, changed(fields, self._told))

    def _told(self, name: str, value: Json) -> Json:
        """What is answered in the field of this name."""
        raise NotImplementedError


def changed(value: Json, change: Callable[[str, Json], Json], name: str = "") -> Json:
    """A JSON value with each value in it changed, the inner ones first; one that becomes ``...`` is left out."""
    if isinstance(value, dict):
        value = {key: changed(item, change, key) for key, item in value.items()}
        value = {key: item for key, item in value.items() if item is not ...}
    elif isinstance(value, list):
        value = [item for item in (changed(item, change, name) for item in value) if item is not ...]
    return change(name, value)


def lenient_json(body: bytes) -> Json:
    """A body as a reader takes it that knows no harm."""
    return json.loads(body)
