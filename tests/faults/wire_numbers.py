"""Faults of the protocol: integers and doubles, both ways."""

from __future__ import annotations

import json
import math
import sys

from trackspec.errors import invalid
from trackspec.protocol.kinds import Double
from trackspec.protocol.model_server import ModelServer, Response

from . import fault
from .wire_servers import Json, OtherAnswers, OtherFields, changed, lenient_json
from .wire_types import OtherIntegers


@fault("wire.int64-forms")
class DigitsAreNoNumber(OtherIntegers):
    """An integer that comes as a string is refused."""

    def _integer(self, value: Json) -> Json:
        if isinstance(value, str):
            raise invalid("An integer is a number.")
        return value


@fault("wire.int64-forms")
class APointMakesAFraction(OtherIntegers):
    """A number that is written with a point is refused in the place of an integer."""

    def _integer(self, value: Json) -> Json:
        if isinstance(value, float):
            raise invalid("An integer has no point.")
        return value


@fault("wire.int64-exact")
class IntegersAreReadAsDoubles(OtherIntegers):
    """An integer is read through a double."""

    def _integer(self, value: Json) -> Json:
        return min(int(float(value)), 2**63 - 1) if type(value) is int else value


@fault("wire.int64-exact")
class IntegersAreAnsweredAsText(OtherAnswers):
    """A step is answered as a string."""

    def _told(self, name: str, value: Json) -> Json:
        return str(value) if name == "step" else value


@fault("wire.int64-exact")
class IntegersAreAnsweredAsDoubles(OtherAnswers):
    """An integer is answered through a double."""

    def _told(self, name: str, value: Json) -> Json:
        return int(float(value)) if type(value) is int else value


@fault("wire.int64-exact")
class TimesAreText(OtherAnswers):
    """The times of a run are answered as strings."""

    def _told(self, name: str, value: Json) -> Json:
        return str(value) if name in ("start_time", "end_time") and value is not None else value


@fault("wire.double-exact")
class DoublesAreRounded(OtherAnswers):
    """A double is answered with fifteen digits."""

    def _told(self, name: str, value: Json) -> Json:
        return float(f"{value:.15g}") if isinstance(value, float) else value


@fault("wire.double-exact")
class DoublesAreAnsweredAsText(OtherAnswers):
    """A finite double is answered as a string."""

    def _told(self, name: str, value: Json) -> Json:
        return repr(value) if isinstance(value, float) else value


@fault("wire.double-names-taken")
class NumbersHaveNoNames(OtherFields):
    """NaN and the infinities are refused."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        if self.endpoint == "log_metric" and isinstance(fields.get("value"), str):
            raise invalid("A value is a number.")
        return fields


@fault("wire.double-names-taken")
class InfinitiesHaveOneSign(OtherFields):
    """Negative infinity in a batch is taken for the positive one."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        return dict(changed(fields, lambda _, value: "Infinity" if value == "-Infinity" else value))


@fault("wire.double-names")
class NanIsAToken(ModelServer):
    """What is no JSON number is answered without quotes."""

    def json(self, status: int, fields: dict[str, Json]) -> Response:
        response = super().json(status, fields)
        plain = changed(fields, lambda name, value: Double.NAMES.get(value, value) if name == "value" else value)
        response.body = json.dumps(plain).encode()
        return response


@fault("wire.double-names")
class AnIntervalHasTokens(ModelServer):
    """What is no JSON number is answered without quotes by one endpoint."""

    def json(self, status: int, fields: dict[str, Json]) -> Response:
        response = super().json(status, fields)
        points = fields.get("metrics")
        if isinstance(points, list) and any("run_id" in point for point in points if isinstance(point, dict)):
            plain = changed(
                fields, lambda name, value: Double.NAMES.get(value, value) if name == "value" else value
            )
            response.body = json.dumps(plain).encode()
        return response


@fault("wire.double-names")
class NanIsNull(OtherAnswers):
    """NaN is answered as null."""

    def _told(self, name: str, value: Json) -> Json:
        return None if name == "value" and value == "NaN" else value


def _named(_: str, value: Json) -> Json:
    """A double that is no number of JSON, by its name."""
    return Double().write(value) if isinstance(value, float) else value


@fault("wire.double-tokens")
class TokensAreNumbers(ModelServer):
    """NaN and Infinity may come without quotes."""

    def read_body(self, body: bytes) -> dict[str, Json]:
        try:
            return super().read_body(json.dumps(changed(lenient_json(body), _named)).encode())
        except (ValueError, RecursionError):
            return super().read_body(body)


@fault("wire.double-tokens-exact")
class LargeNumbersAreCut(ModelServer):
    """A number beyond the range of doubles is stored as the greatest."""

    def read_body(self, body: bytes) -> dict[str, Json]:
        def cut(_: str, value: Json) -> Json:
            finite = isinstance(value, float) and math.isinf(value)
            return math.copysign(sys.float_info.max, value) if finite else value

        try:
            return super().read_body(json.dumps(changed(lenient_json(body), cut)).encode())
        except (ValueError, RecursionError):
            return super().read_body(body)


@fault("wire.double-tokens-exact")
class NanIsZero(ModelServer):
    """NaN without quotes is stored as 0."""

    def read_body(self, body: bytes) -> dict[str, Json]:
        return super().read_body(body.replace(b": NaN,", b": 0,"))
