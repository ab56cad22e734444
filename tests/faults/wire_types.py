"""Faults of the protocol: values of the wrong type that are taken, dropped or replaced."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from trackspec.errors import TrackspecError
from trackspec.limits import INT64_MAX, INT64_MIN
from trackspec.protocol.endpoint import Endpoint
from trackspec.protocol.endpoints import BY_NAME
from trackspec.protocol.entities import METRIC, PARAM, RUN_TAG
from trackspec.protocol.model_server import ModelServer, Request

from . import fault
from .wire_servers import Json, OtherFields, changed

_INTEGERS = ("step", "timestamp", "start_time", "end_time", "max_results", "start_step", "end_step")


class OtherIntegers(OtherFields):
    """A server that reads some integers in its own way."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        return dict(changed(fields, self._at))

    def _at(self, name: str, value: Json) -> Json:
        return self._integer(value) if name in _INTEGERS else value

    def _integer(self, value: Json) -> Json:
        raise NotImplementedError


@fault("wire.text-type")
class NumbersAreText(OtherFields):
    """A number in the place of a param's value is stored as its digits."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        number = self.endpoint == "log_param" and type(fields.get("value")) is int
        return {**fields, "value": str(fields["value"])} if number else fields


@fault("wire.text-type")
class ATagOfNoTextIsEmpty(OtherFields):
    """A tag in a batch whose value is no text is stored with the empty one."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        for tag in fields.get("tags") or []:
            if isinstance(tag, dict) and not isinstance(tag.get("value"), str):
                tag.pop("value", None)
        return fields


@fault("wire.text-type")
class AListOfOneIsItsItem(OtherFields):
    """A list in the place of a run's id is taken for what it holds."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        run_id = fields.get("run_id")
        return {**fields, "run_id": run_id[0]} if isinstance(run_id, list) and run_id else fields


@fault("wire.int64-type")
class FractionsAreCutOff(OtherIntegers):
    """A fraction is taken for the integer below."""

    def _integer(self, value: Json) -> Json:
        return int(value) if isinstance(value, float) and abs(value) < 1e9 else value


@fault("wire.int64-type")
class UnreadableIntegersAreZero(OtherIntegers):
    """What is no integer is taken for 0."""

    def _integer(self, value: Json) -> Json:
        try:
            return value if float(value).is_integer() else 0
        except (TypeError, ValueError):
            return 0


@fault("wire.int64-type")
class TruthIsOne(OtherIntegers):
    """A truth value is taken for 0 or 1."""

    def _integer(self, value: Json) -> Json:
        return int(value) if isinstance(value, bool) else value


@fault("wire.int64-range")
class LargeIntegersAreZero(OtherIntegers):
    """An integer beyond 64 bits is taken for 0."""

    def _integer(self, value: Json) -> Json:
        return 0 if type(value) is int and not INT64_MIN <= value <= INT64_MAX else value


@fault("wire.int64-range")
class IntegersWrapAround(OtherIntegers):
    """Of an integer, the lower 64 bits count."""

    def _integer(self, value: Json) -> Json:
        return (value + 2**63) % 2**64 - 2**63 if type(value) is int else value


@fault("wire.double-type")
class UnreadableValuesAreZero(OtherFields):
    """A metric's value that names no number is stored as 0."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        wrong = self.endpoint == "log_metric" and fields.get("value") == "abc"
        return {**fields, "value": 0.0} if wrong else fields


@fault("wire.double-type")
class TrueIsANumber(OtherFields):
    """A truth value in a batch is stored as a number."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        for point in fields.get("metrics") or []:
            if isinstance(point, dict) and isinstance(point.get("value"), bool):
                point["value"] = float(point["value"])
        return fields


@fault("wire.enum-name")
class UnknownStatusesAreDropped(OtherFields):
    """A status that nobody knows is left out, and the other fields are changed."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        unknown = fields.get("status") == "NOPE"
        return {name: value for name, value in fields.items() if name != "status" or not unknown}


@fault("wire.enum-name")
class NamesHaveNoCase(OtherFields):
    """A view type may be written in small letters."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        view = fields.get("run_view_type")
        return {**fields, "run_view_type": view.upper()} if isinstance(view, str) else fields


@fault("wire.list-type")
class WhatIsNoListIsDropped(OtherFields):
    """What stands in the place of a run's first tags and is no list is left out."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        wrong = self.endpoint == "create_run" and not isinstance(fields.get("tags", []), list)
        return {name: value for name, value in fields.items() if name != "tags" or not wrong}


@fault("wire.list-type")
class OneIsAList(OtherFields):
    """An object in the place of a list is taken for a list of one."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        params = fields.get("params")
        return {**fields, "params": [params]} if isinstance(params, dict) else fields


@fault("wire.list-items")
class NullItemsAreDropped(OtherFields):
    """A null in a list is passed over."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        return {
            name: [item for item in value if item is not None] if isinstance(value, list) else value
            for name, value in fields.items()
        }


@fault("wire.list-items")
class AListEndsAtItsFirstBadItem(OtherFields):
    """Of a list that holds something else, the items before it are taken."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        return {name: self._good(value) for name, value in fields.items()}

    def _good(self, value: Json) -> Json:
        if not isinstance(value, list) or not value or not isinstance(value[0], dict):
            return value
        wrong = [number for number, item in enumerate(value) if not isinstance(item, dict)]
        return value[: min(wrong, default=len(value))]


@fault("wire.object-type")
class DatasetsThatAreNoneAreDropped(OtherFields):
    """An input whose dataset is no object is passed over."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        inputs = fields.get("datasets")
        if not isinstance(inputs, list) or not all(isinstance(item, dict) for item in inputs):
            return fields
        return {**fields, "datasets": [item for item in inputs if isinstance(item.get("dataset", {}), dict)]}


@fault("wire.batch-whole")
class ABatchIsWrittenUntilItBreaks(ModelServer):
    """Of a batch with an item that cannot be read, those lists are written that stand before it."""

    def fields(self, endpoint: Endpoint, request: Request) -> dict[str, Any]:
        try:
            return super().fields(endpoint, request)
        except TrackspecError:
            if endpoint.name == "log_batch":
                self._write_what_can_be_read(self.read_body(request.body))
            raise

    def _write_what_can_be_read(self, batch: dict[str, Json]) -> None:
        for name, message in (("metrics", METRIC), ("params", PARAM), ("tags", RUN_TAG)):
            with suppress(TrackspecError, TypeError, KeyError):
                items = {name: [message.read(item, name) for item in batch[name]]}
                BY_NAME["log_batch"].call(
                    self.store, {"run_id": batch["run_id"], "metrics": [], "params": [], "tags": [], **items}
                )


@fault("wire.batch-whole")
class UnreadableItemsAreDropped(ModelServer):
    """Of a batch, the params that cannot be read are passed over."""

    def read_body(self, body: bytes) -> dict[str, Json]:
        fields = super().read_body(body)
        if isinstance(fields.get("params"), list):
            fields["params"] = [item for item in fields["params"] if _is_param(item)]
        return fields


def _is_param(item: Json) -> bool:
    try:
        PARAM.read(item, "params")
    except TrackspecError:
        return False
    return True
