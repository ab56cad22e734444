"""Faults of the protocol: fields that are there, missing, unknown or given twice."""

from __future__ import annotations

import json
import re
from typing import Any

from trackspec.errors import TrackspecError, invalid
from trackspec.protocol.endpoint import Endpoint
from trackspec.protocol.model_server import ModelServer, Request

from . import fault
from .wire_servers import Json, OtherFields, lenient_json


@fault("wire.required")
class ParamsWithoutAKeyAreUnnamed(OtherFields):
    """A param that has no key is given one."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        return {"key": "unnamed", **fields} if self.endpoint == "log_param" else fields


@fault("wire.required")
class PointsWithoutATimeAreOld(OtherFields):
    """A point in a batch that has no timestamp is logged at the time 0."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        for point in fields.get("metrics") or []:
            if isinstance(point, dict):
                point.setdefault("timestamp", 0)
        return fields


@fault("wire.defaults")
class SearchesShowEverything(OtherFields):
    """A search that names no view shows deleted runs too."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        return {"run_view_type": "ALL", **fields} if self.endpoint == "search_runs" else fields


@fault("wire.defaults")
class PagesMustBeSized(OtherFields):
    """A search of experiments must say how many."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        if self.endpoint == "search_experiments" and "max_results" not in fields:
            raise invalid("max_results is missing.")
        return fields


@fault("wire.null-absent")
class NullIsNoText(OtherFields):
    """A text that is null is refused."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        if None in fields.values():
            raise invalid("A field is null.")
        return fields


@fault("wire.null-absent")
class NullIsAName(OtherFields):
    """A key that is null is taken for the text that says so."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        return {**fields, "key": "null"} if fields.get("key", "") is None else fields


@fault("wire.unknown-field")
class UnknownFieldsArePassedOver(ModelServer):
    """A field that nobody knows is passed over, in a message within a request too."""

    def fields(self, endpoint: Endpoint, request: Request) -> dict[str, Any]:
        try:
            return super().fields(endpoint, request)
        except TrackspecError as error:
            if "There is no field" in error.message and request.method == "POST":
                return endpoint.request.attributes(self.read_body(request.body), lenient=True)
            raise


@fault("wire.unknown-field")
class QueriesMaySayMore(ModelServer):
    """A field of a query that nobody knows is passed over."""

    def query_fields(self, endpoint: Endpoint, query: str) -> dict[str, Any]:
        known = {name for item in endpoint.request.fields for name in (item.name, *item.also)}
        kept = [pair for pair in query.split("&") if pair.partition("=")[0] in known]
        return super().query_fields(endpoint, "&".join(kept))


@fault("wire.snake-case")
class CamelsAreTaken(OtherFields):
    """A field may be written in camel case."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        return {re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", name): fields[name] for name in fields}


@fault("wire.field-twice")
class TheLastFieldCounts(ModelServer):
    """Of a field that a body names twice, the last counts."""

    def read_body(self, body: bytes) -> dict[str, Json]:
        try:
            once = json.dumps(lenient_json(body)).encode()
        except (ValueError, RecursionError):
            once = body
        return super().read_body(once)


@fault("wire.field-twice")
class TheFirstTextOfAQueryCounts(ModelServer):
    """Of a single value that a query gives twice, the first counts."""

    def query_fields(self, endpoint: Endpoint, query: str) -> dict[str, Any]:
        pairs = query.split("&")
        if endpoint.name == "get_run":
            pairs = [pair for number, pair in enumerate(pairs) if number == 0 or not pair.startswith("run_id=")]
        return super().query_fields(endpoint, "&".join(pairs))


@fault("wire.run-uuid-taken")
class TheOlderNameIsForgotten(OtherFields):
    """A run is named by run_id only."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        if "run_uuid" in fields and "run_id" not in fields:
            raise invalid("run_id is missing.")
        return fields


@fault("wire.run-uuid-differs")
class TheNewerNameCounts(OtherFields):
    """Where run_id and run_uuid differ, run_id counts."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        return {name: value for name, value in fields.items() if name != "run_uuid" or "run_id" not in fields}
