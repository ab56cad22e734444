"""Faults of the protocol: what answers hold."""

from __future__ import annotations

from trackspec.protocol.model_server import ModelServer, Response

from . import fault
from .wire_servers import Json, OtherAnswers


@fault("wire.json")
class AnswersAreText(ModelServer):
    """A good answer is said to be plain text."""

    def json(self, status: int, fields: dict[str, Json]) -> Response:
        response = super().json(status, fields)
        if status == 200:
            response.headers["Content-Type"] = "text/plain"
        return response


@fault("wire.json")
class NothingIsAnsweredWithNothing(ModelServer):
    """An answer without fields has no body."""

    def json(self, status: int, fields: dict[str, Json]) -> Response:
        response = super().json(status, fields)
        return response if fields else Response(status, b"", response.headers)


@fault("wire.answer-fields")
class SearchesFindNoParams(ModelServer):
    """A run that a search finds is answered without its params."""

    def json(self, status: int, fields: dict[str, Json]) -> Response:
        for run in fields.get("runs", []):
            run["data"].pop("params", None)
        return super().json(status, fields)


@fault("wire.answer-fields")
class TimesAreSeconds(OtherAnswers):
    """A point's timestamp is answered in seconds."""

    def _told(self, name: str, value: Json) -> Json:
        return value // 1000 if name == "timestamp" else value


@fault("wire.answer-fields")
class ParamsAreAMapping(OtherAnswers):
    """Params are answered as an object of their keys."""

    def _told(self, name: str, value: Json) -> Json:
        paired = name == "params" and isinstance(value, list)
        return {item["key"]: item["value"] for item in value} if paired else value


@fault("wire.run-uuid")
class TheOlderNameIsMissing(OtherAnswers):
    """A run is answered with its run_id only."""

    def _told(self, name: str, value: Json) -> Json:
        return ... if name == "run_uuid" else value


@fault("wire.run-uuid")
class TheOlderNameIsAnotherId(OtherAnswers):
    """The run_uuid is written with hyphens."""

    def _told(self, name: str, value: Json) -> Json:
        return f"{value[:8]}-{value[8:]}" if name == "run_uuid" else value


@fault("wire.end-time-zero")
class ZeroIsNoTime(OtherAnswers):
    """An end time of 0 is left out."""

    def _told(self, name: str, value: Json) -> Json:
        return ... if name == "end_time" and value == 0 else value


@fault("wire.end-time-zero")
class NoTimeIsZero(ModelServer):
    """An end time that is not set is answered as 0."""

    def json(self, status: int, fields: dict[str, Json]) -> Response:
        if "run" in fields:
            fields["run"]["info"].setdefault("end_time", 0)
        return super().json(status, fields)


@fault("wire.empty-values")
class EmptyPairsAreLeftOut(OtherAnswers):
    """A param or tag whose value is empty is not answered."""

    def _told(self, name: str, value: Json) -> Json:
        return ... if isinstance(value, dict) and value.get("value") == "" else value


@fault("wire.empty-values")
class EmptyTagsOfExperimentsAreLeftOut(ModelServer):
    """A tag of an experiment whose value is empty is not answered."""

    def json(self, status: int, fields: dict[str, Json]) -> Response:
        experiment = fields.get("experiment")
        if isinstance(experiment, dict):
            experiment["tags"] = [tag for tag in experiment.get("tags") or [] if tag["value"]]
        return super().json(status, fields)


@fault("wire.empty-values")
class EmptyValuesAreLeftOut(OtherAnswers):
    """An empty value is left out of its pair."""

    def _told(self, name: str, value: Json) -> Json:
        return ... if name == "value" and value == "" else value


@fault("wire.last-page")
class ThereIsAlwaysANextPage(ModelServer):
    """The last page has a token."""

    def json(self, status: int, fields: dict[str, Json]) -> Response:
        if "runs" in fields:
            fields.setdefault("next_page_token", "the end")
        return super().json(status, fields)


@fault("wire.last-page")
class ThereIsNoNextPage(OtherAnswers):
    """No page has a token."""

    def _told(self, name: str, value: Json) -> Json:
        return ... if name == "next_page_token" else value
