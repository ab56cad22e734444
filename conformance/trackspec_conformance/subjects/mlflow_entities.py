"""Translation between the contract's entities and MLflow's, field by field and without judging any of them.

What is no entity of the contract goes to the store as it is, and a field that an MLflow entity lacks comes back
as None: whatever a check then finds is the store's own doing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Any, TypeVar, cast

from mlflow import entities as mlflow
from mlflow.exceptions import MlflowException

import trackspec
from trackspec import ErrorCode, TrackspecError

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

# -- to MLflow --------------------------------------------------------------------------------------------------


def to_mlflow(value: Any) -> Any:
    """An argument as MLflow takes it: entities translated, also inside a list, tuple or iterator."""
    if translate := _TO_MLFLOW.get(type(value)):
        return translate(value)
    if type(value) is list:
        return [to_mlflow(item) for item in value]
    if type(value) is tuple:
        return tuple(to_mlflow(item) for item in value)
    if isinstance(value, Iterator):
        return (to_mlflow(item) for item in value)
    return value


def _dataset(value: trackspec.Dataset) -> Any:
    return mlflow.Dataset(value.name, value.digest, value.source_type, value.source, value.schema, value.profile)


def _dataset_input(value: trackspec.DatasetInput) -> Any:
    tags = list(value.tags) if isinstance(value.tags, tuple) else value.tags
    return mlflow.DatasetInput(to_mlflow(value.dataset), to_mlflow(tags))


_TO_MLFLOW: dict[type, Callable[[Any], Any]] = {
    trackspec.ExperimentTag: lambda tag: mlflow.ExperimentTag(tag.key, tag.value),
    trackspec.RunTag: lambda tag: mlflow.RunTag(tag.key, tag.value),
    trackspec.InputTag: lambda tag: mlflow.InputTag(tag.key, tag.value),
    trackspec.Param: lambda param: mlflow.Param(param.key, param.value),
    trackspec.Metric: lambda metric: mlflow.Metric(
        metric.key,
        metric.value,
        metric.timestamp,
        metric.step,
        dataset_name=metric.dataset_name,
        dataset_digest=metric.dataset_digest,
        run_id=metric.run_id,
    ),
    trackspec.Dataset: _dataset,
    trackspec.DatasetInput: _dataset_input,
    trackspec.RunStatus: lambda status: getattr(mlflow.RunStatus, status.name),
    trackspec.ViewType: lambda view: getattr(mlflow.ViewType, view.name),
}


@contextmanager
def lent(given: Sequence[Any]) -> Iterator[list[Any]]:
    """Arguments as MLflow takes them; a list that the call changes is changed likewise for the caller."""
    passed = [to_mlflow(argument) for argument in given]
    contents = [list(argument) if type(argument) is list else None for argument in passed]
    try:
        yield passed
    finally:
        for original, argument, before in zip(given, passed, contents, strict=True):
            if before is not None and list(map(id, before)) != list(map(id, argument)):
                known = dict(zip(map(id, before), original, strict=True))
                original[:] = [known.get(id(item), item) for item in argument]


# -- from MLflow ------------------------------------------------------------------------------------------------


def experiment(found: Any) -> Any:
    """An experiment; None stays None."""
    if found is None:
        return None
    return trackspec.Experiment(
        found.experiment_id,
        found.name,
        found.artifact_location,
        _member(trackspec.LifecycleStage, found.lifecycle_stage),
        found.creation_time,
        found.last_update_time,
        dict(found.tags),
    )


def run(found: Any) -> Any:
    """A run; None stays None."""
    if found is None:
        return None
    inputs = getattr(found, "inputs", None)
    return trackspec.Run(
        run_info(found.info),
        _run_data(found.data),
        trackspec.RunInputs(tuple(map(_read_dataset_input, inputs.dataset_inputs if inputs else ()))),
    )


def run_info(found: Any) -> Any:
    """What is known of a run; None stays None."""
    if found is None:
        return None
    return trackspec.RunInfo(
        found.run_id,
        found.run_name,
        found.experiment_id,
        found.user_id,
        _member(trackspec.RunStatus, found.status),
        found.start_time,
        found.end_time,
        _member(trackspec.LifecycleStage, found.lifecycle_stage),
        found.artifact_uri,
    )


def metric(found: Any) -> trackspec.Metric:
    """A metric point, with its run's id where the store gives it."""
    further = [getattr(found, name, None) for name in ("run_id", "dataset_name", "dataset_digest")]
    return trackspec.Metric(found.key, found.value, found.timestamp, found.step, *further)


def page(found: Iterable[Any], item: Callable[[Any], T]) -> trackspec.PagedList[T]:
    """A page; its token, which some MLflow stores give as bytes, as text."""
    token = getattr(found, "token", None)
    return trackspec.PagedList(
        map(item, found), token.decode("ascii") if isinstance(token, bytes) else cast("str | None", token)
    )


def _run_data(found: Any) -> trackspec.RunData:
    points = getattr(found, "_metric_objs", None)
    if points is None:
        # A store may return a data object of its own, which need not keep the points behind the values.
        latest = {key: trackspec.Metric(key, value, cast(int, None)) for key, value in found.metrics.items()}
    else:
        latest = {point.key: metric(point) for point in points}
    return trackspec.RunData(latest, dict(found.params), dict(found.tags))


def _read_dataset_input(found: Any) -> trackspec.DatasetInput:
    dataset = found.dataset
    return trackspec.DatasetInput(
        trackspec.Dataset(
            dataset.name, dataset.digest, dataset.source_type, dataset.source, dataset.schema, dataset.profile
        ),
        tuple(trackspec.InputTag(tag.key, tag.value) for tag in found.tags),
    )


def _member(kind: type[E], value: Any) -> E:
    """The member of this value, or the value itself where there is none."""
    return next((member for member in kind if member.value == value), value)


# -- errors -----------------------------------------------------------------------------------------------------


class ForeignCodeError(Exception):
    """An MLflow error whose code the contract does not have, such as BAD_REQUEST."""

    def __init__(self, message: str, error_code: str) -> None:
        super().__init__(message)
        self.message = message
        self.error_code = error_code


@contextmanager
def mlflow_errors() -> Iterator[None]:
    """Raise an MLflow error as the contract's with the same code; any other exception passes as it is.

    NotImplementedError is what MLflow's ``AbstractStore`` itself raises for an operation that a store lacks.
    """
    try:
        yield
    except MlflowException as error:
        raise _translated(error) from error
    except NotImplementedError as error:
        raise TrackspecError(str(error) or "Not implemented.", ErrorCode.NOT_IMPLEMENTED) from error


def _translated(error: MlflowException) -> Exception:
    # RestException replaces a code that MLflow does not know by INTERNAL_ERROR, but keeps the server's answer.
    answered = getattr(error, "json", None)
    code = str((answered.get("error_code") if isinstance(answered, dict) else None) or error.error_code)
    if code in ErrorCode.__members__:
        return TrackspecError(error.message, ErrorCode(code))
    return ForeignCodeError(error.message, code)
