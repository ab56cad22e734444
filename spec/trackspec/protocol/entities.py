"""The entities as messages.

What a store answers always carries the fields that are marked as required here; they are optional all the same
where other servers leave out what is empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trackspec import entities
from trackspec.entities import LifecycleStage, RunStatus
from trackspec.limits import INT64_MAX, INT64_MIN
from trackspec.protocol.kinds import Choice, Double, Int64, Items, Json, Kind, Text, Unsupported
from trackspec.protocol.message import Field, Message, Pairs

TEXT, INT64, DOUBLE = Text(), Int64(), Double()
STATUS = Choice(RunStatus)
STAGE = Choice(LifecycleStage, by_value=True)

KEY = Field("key", TEXT, required=True)
VALUE = Field("value", TEXT, default="")
RUN_ID = Field("run_id", TEXT, required=True, also=("run_uuid",))

EXPERIMENT_TAG = Message("ExperimentTag", entities.ExperimentTag, KEY, VALUE)
RUN_TAG = Message("RunTag", entities.RunTag, KEY, VALUE)
INPUT_TAG = Message("InputTag", entities.InputTag, KEY, VALUE)
PARAM = Message("Param", entities.Param, KEY, VALUE)

_POINT = (
    KEY,
    Field("value", DOUBLE, required=True),
    Field("timestamp", INT64, required=True),
    Field("step", INT64, default=0),
    Field("dataset_name", TEXT),
    Field("dataset_digest", TEXT),
)
METRIC = Message("Metric", entities.Metric, *_POINT, Field("run_id", TEXT), Field("model_id", Unsupported()))
LATEST_METRIC = Message("LatestMetric", dict, *_POINT)
"""Within a run, whose id it need not repeat: what is read of it is made a point when that is known."""

DATASET = Message(
    "Dataset",
    entities.Dataset,
    Field("name", TEXT, required=True),
    Field("digest", TEXT, required=True),
    Field("source_type", TEXT, required=True),
    Field("source", TEXT, required=True),
    Field("schema", TEXT),
    Field("profile", TEXT),
)


def _dataset_input(dataset: entities.Dataset, tags: Sequence[entities.InputTag]) -> entities.DatasetInput:
    return entities.DatasetInput(dataset, tuple(tags))


DATASET_INPUT = Message(
    "DatasetInput",
    _dataset_input,
    Field("dataset", DATASET, required=True),
    Field("tags", Items(INPUT_TAG), default=()),
)

EXPERIMENT = Message(
    "Experiment",
    entities.Experiment,
    Field("experiment_id", TEXT, required=True),
    Field("name", TEXT, required=True),
    Field("artifact_location", TEXT, default=""),
    Field("lifecycle_stage", STAGE, default=LifecycleStage.ACTIVE),
    Field("creation_time", INT64, default=0),
    Field("last_update_time", INT64, default=0),
    Field("tags", Pairs(), default=dict),
)

RUN_INFO = Message(
    "RunInfo",
    entities.RunInfo,
    Field("run_id", TEXT, required=True),
    Field("run_uuid", TEXT, required=True, attribute="run_id"),
    Field("run_name", TEXT, default=""),
    Field("experiment_id", TEXT, required=True),
    Field("user_id", TEXT, default=""),
    Field("status", STATUS, required=True),
    Field("start_time", INT64, default=0),
    Field("end_time", INT64),
    Field("lifecycle_stage", STAGE, default=LifecycleStage.ACTIVE),
    Field("artifact_uri", TEXT, default=""),
)


class _LatestMetrics(Kind):
    """The latest point of each metric, by key, written as a list."""

    points = Items(LATEST_METRIC)

    def write(self, value: Mapping[str, entities.Metric]) -> Json:
        return self.points.write(list(value.values()))

    def read(self, value: Json, field: str) -> dict[str, dict[str, Any]]:
        return {point["key"]: point for point in self.points.read(value, field)}

    def read_answer(self, value: Json, field: str) -> dict[str, dict[str, Any]]:
        points = value if _are_plain(value) else self.points.read_answer(value, field)
        return {point["key"]: point for point in points}

    def schema(self) -> dict[str, Any]:
        return self.points.schema()


_PLAIN = ("key", "value", "timestamp", "step")
"""The fields of a point that is of no dataset."""


def _are_plain(points: Json) -> bool:
    """Whether nothing of these points is missing, left over or amiss: the short way for what is usual."""
    if type(points) is not list:
        return False
    for point in points:
        if type(point) is not dict or len(point) != len(_PLAIN):
            return False
        key, value, timestamp, step = map(point.get, _PLAIN)
        if (
            type(key) is not str
            or type(value) is not float
            or value - value != 0.0
            or type(timestamp) is not int
            or type(step) is not int
            or not INT64_MIN <= timestamp <= INT64_MAX
            or not INT64_MIN <= step <= INT64_MAX
        ):
            return False
    return True


RUN_DATA = Message(
    "RunData",
    dict,
    Field("metrics", _LatestMetrics(), attribute="latest_metrics", default=dict),
    Field("params", Pairs(), default=dict),
    Field("tags", Pairs(), default=dict),
)


def _run_inputs(dataset_inputs: Sequence[entities.DatasetInput]) -> entities.RunInputs:
    return entities.RunInputs(tuple(dataset_inputs))


RUN_INPUTS = Message("RunInputs", _run_inputs, Field("dataset_inputs", Items(DATASET_INPUT), default=()))


def _run(info: entities.RunInfo, data: dict[str, Any] | None, inputs: entities.RunInputs | None) -> entities.Run:
    given = data or {"latest_metrics": {}, "params": {}, "tags": {}}
    latest = {key: entities.Metric(**point, run_id=info.run_id) for key, point in given["latest_metrics"].items()}
    return entities.Run(
        info, entities.RunData(latest, given["params"], given["tags"]), inputs or entities.RunInputs()
    )


RUN = Message(
    "Run",
    _run,
    Field("info", RUN_INFO, required=True),
    Field("data", RUN_DATA),
    Field("inputs", RUN_INPUTS),
)
