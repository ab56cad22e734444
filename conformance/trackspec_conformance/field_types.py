"""The types of the fields of what a tracking store answers: what no check should have to look at again.

An answer with a field of another type blocks the check that got it, by the requirement that says so: one root
cause, not forty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from numbers import Real
from typing import Any

from trackspec import (
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    LifecycleStage,
    Metric,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
)
from trackspec_conformance.expectations import IllTyped, shown

Finding = tuple[str, str, Any]
"""Which field has another type, the type that it should have, and its value."""

_SAID_BY = {
    "search_runs": "search.whole-runs",
    "search_experiments": "search-experiments.whole",
    "get_metric_history": "history.values-exact",
    "get_metric_history_bulk_interval": "interval.all-if-few",
    "get_experiment": "entity.experiment-fields",
    "get_experiment_by_name": "entity.experiment-fields",
}
"""The requirement on the fields of a method's answer; of any other method it is ``entity.run-fields``."""


def require_field_types(method: str, answer: Any) -> None:
    """Require that each field of each entity in an answer has its type.

    Subclasses are as good; a bool is no integer.

    :raises IllTyped: if one has not.
    """
    for name, wanted, value in _findings(answer):
        raise IllTyped(_SAID_BY.get(method, "entity.run-fields"), f"{name}: {wanted}", shown(value))


def _findings(entity: Any) -> Iterator[Finding]:
    if isinstance(entity, (list, tuple)):
        for item in entity:
            yield from _findings(item)
    elif fields := _FIELDS.get(type(entity)):
        for name, (wanted, fits) in fields.items():
            value = getattr(entity, name)
            if not fits(value):
                yield f"{type(entity).__name__}.{name}", wanted, value
            elif isinstance(value, Mapping):
                yield from _findings(list(value.values()))
            else:
                yield from _findings(value)


Type = tuple[str, Callable[[Any], bool]]


def _one(kind: type) -> Type:
    article = "an" if kind.__name__[0] in "AEIOU" else "a"
    return f"{article} {kind.__name__}", lambda value: isinstance(value, kind)


def _or_none(wanted: Type) -> Type:
    return f"{wanted[0]} or None", lambda value: value is None or wanted[1](value)


def _each(kind: type) -> Type:
    return (
        f"a sequence of {kind.__name__} entities",
        lambda value: isinstance(value, (list, tuple)) and all(isinstance(item, kind) for item in value),
    )


def _by_key(wanted: str, kind: type) -> Type:
    return (
        wanted,
        lambda value: (
            isinstance(value, Mapping)
            and all(isinstance(key, str) and isinstance(item, kind) for key, item in value.items())
        ),
    )


_STRING: Type = "a string", lambda value: isinstance(value, str)
_INTEGER: Type = "an integer", lambda value: isinstance(value, int) and not isinstance(value, bool)
_NUMBER: Type = "a number", lambda value: isinstance(value, Real) and not isinstance(value, bool)
_STRINGS = _by_key("strings by string", str)

_FIELDS: Mapping[type, Mapping[str, Type]] = {
    Experiment: {
        "experiment_id": _STRING,
        "name": _STRING,
        "artifact_location": _STRING,
        "lifecycle_stage": _one(LifecycleStage),
        "creation_time": _INTEGER,
        "last_update_time": _INTEGER,
        "tags": _STRINGS,
    },
    Run: {"info": _one(RunInfo), "data": _one(RunData), "inputs": _one(RunInputs)},
    RunInfo: {
        "run_id": _STRING,
        "run_name": _STRING,
        "experiment_id": _STRING,
        "user_id": _STRING,
        "status": _one(RunStatus),
        "start_time": _INTEGER,
        "end_time": _or_none(_INTEGER),
        "lifecycle_stage": _one(LifecycleStage),
        "artifact_uri": _STRING,
    },
    RunData: {"latest_metrics": _by_key("metrics by string", Metric), "params": _STRINGS, "tags": _STRINGS},
    Metric: {"key": _STRING, "value": _NUMBER, "timestamp": _INTEGER, "step": _INTEGER},
    RunInputs: {"dataset_inputs": _each(DatasetInput)},
    DatasetInput: {"dataset": _one(Dataset), "tags": _each(InputTag)},
    Dataset: {
        "name": _STRING,
        "digest": _STRING,
        "source_type": _STRING,
        "source": _STRING,
        "schema": _or_none(_STRING),
        "profile": _or_none(_STRING),
    },
    InputTag: {"key": _STRING, "value": _STRING},
}
