"""Validation of what callers pass in: the one place where an argument is judged, before any write.

Each function returns the value as a store is to keep it, or raises INVALID_PARAMETER_VALUE.
"""

from __future__ import annotations

import numbers
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from trackspec import limits, uris
from trackspec.entities import (
    RUN_NAME_TAG,
    Dataset,
    DatasetInput,
    ExperimentTag,
    InputTag,
    Metric,
    Param,
    RunStatus,
    RunTag,
    ViewType,
)
from trackspec.errors import invalid

T = TypeVar("T")

_EXPERIMENT_ID = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{limits.MAX_EXPERIMENT_ID_LENGTH - 1}}}")
_RUN_ID = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{limits.MAX_RUN_ID_LENGTH - 1}}}")
_IDEMPOTENCY_KEY = re.compile(rf"[!-~]{{1,{limits.MAX_IDEMPOTENCY_KEY_LENGTH}}}")
_KEY = re.compile(r"[/\w.\- :]+")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def text(value: object, what: str, max_length: int, *, min_length: int = 0) -> str:
    """A string of ``min_length`` to ``max_length`` characters that every encoding and database can hold."""
    if not isinstance(value, str):
        raise invalid(f"{what} must be a string, not {type(value).__name__}.")
    if not min_length <= len(value) <= max_length:
        raise invalid(f"{what} must have {min_length} to {max_length} characters; it has {len(value)}.")
    if (not value.isascii() or "\x00" in value) and (found := _UNSTORABLE.search(value)):
        raise invalid(f"{what} holds U+{ord(found.group()):04X}, which is not a storable character.")
    return value


def experiment_id(value: object) -> str:
    """A well-formed experiment id: an ASCII letter or digit, then letters, digits, ``_`` or ``-``."""
    if not isinstance(value, str) or not _EXPERIMENT_ID.fullmatch(value):
        raise invalid(f"Malformed experiment id {_shown(value)}.")
    return value


def run_id(value: object) -> str:
    """A well-formed run id: an ASCII letter or digit, then letters, digits, ``_`` or ``-``."""
    if not isinstance(value, str) or not _RUN_ID.fullmatch(value):
        raise invalid(f"Malformed run id {_shown(value)}.")
    return value


def experiment_name(value: object) -> str:
    """An experiment's name."""
    return text(value, "An experiment name", limits.MAX_EXPERIMENT_NAME_LENGTH, min_length=1)


def artifact_location(value: object) -> str | None:
    """An experiment's artifact location as a URI; None and the empty string mean: from the artifact root."""
    if value is None or value == "":
        return None
    return _place(text(value, "An artifact location", limits.MAX_ARTIFACT_LOCATION_LENGTH))


def artifact_root(value: object) -> str:
    """A store's artifact root as a URI."""
    return _place(text(value, "An artifact root", limits.MAX_ARTIFACT_LOCATION_LENGTH, min_length=1))


def _place(location: str) -> str:
    if uris.has_password(location):
        raise invalid("An artifact location holds no password, which everybody would read.")
    return uris.absolute(location)


def user_id(value: object) -> str:
    """A user id; None means the empty one."""
    return "" if value is None else text(value, "A user id", limits.MAX_USER_ID_LENGTH)


def run_name(value: object) -> str | None:
    """A run's name; None and the empty string mean: none given."""
    if value is None or value == "":
        return None
    return text(value, "A run name", limits.MAX_RUN_TAG_VALUE_LENGTH)


def idempotency_key(value: object) -> str | None:
    """The key of a call that may be made again; None means: none given."""
    if value is not None and not (isinstance(value, str) and _IDEMPOTENCY_KEY.fullmatch(value)):
        longest = limits.MAX_IDEMPOTENCY_KEY_LENGTH
        raise invalid(f"An idempotency key has 1 to {longest} visible ASCII characters, unlike {_shown(value)}.")
    return value


def key(value: object, what: str) -> str:
    """The key of a param, metric or tag."""
    if not isinstance(value, str):
        raise invalid(f"{what} must be a string, not {type(value).__name__}.")
    if not 1 <= len(value) <= limits.MAX_KEY_LENGTH:
        raise invalid(f"{what} must have 1 to {limits.MAX_KEY_LENGTH} characters; it has {len(value)}.")
    if not _KEY.fullmatch(value):
        raise invalid(f"{what} {_shown(value)} may hold only letters, digits, '/', '_', '.', '-', ':' and spaces.")
    if "/" in value or value.startswith("."):
        segments = value.split("/")
        if value == "." or value.startswith("..") or "" in segments or "." in segments or ".." in segments:
            raise invalid(f"{what} {_shown(value)} has an empty, '.' or '..' path segment.")
    return value


def int64(value: object, what: str, *, minimum: int = limits.INT64_MIN) -> int:
    """A 64-bit integer; a bool is none."""
    if type(value) is not int:
        raise invalid(f"{what} must be an integer, not {type(value).__name__}.")
    if not minimum <= value <= limits.INT64_MAX:
        raise invalid(f"{what} must lie within {minimum} and {limits.INT64_MAX}.")
    return value


def timestamp(value: object, what: str) -> int:
    """A time in milliseconds since the epoch, not negative."""
    return int64(value, what, minimum=0)


def double(value: object, what: str) -> float:
    """A number as a double; a bool is none. NaN and the infinities are numbers."""
    if type(value) is float:
        return value
    if isinstance(value, bool) or not isinstance(value, numbers.Number):
        raise invalid(f"{what} must be a number, not {type(value).__name__}.")
    try:
        return float(value)  # type: ignore[arg-type]  # a Number that float() refuses is caught below
    except (OverflowError, TypeError, ValueError):
        raise invalid(f"{what} does not convert to a double.") from None


def sequence(value: object, what: str, element: type[T]) -> Sequence[T]:
    """A list or tuple of entities of one type."""
    if not isinstance(value, (list, tuple)):
        raise invalid(f"{what} must be a list, not {type(value).__name__}.")
    for item in value:
        if not isinstance(item, element):
            raise invalid(f"{what} must hold {element.__name__} entities, not {type(item).__name__}.")
    return value


def entity(value: object, element: type[T]) -> T:
    """An entity of one type."""
    if not isinstance(value, element):
        raise invalid(f"A {element.__name__} is needed, not {type(value).__name__}.")
    return value


def metric(value: Metric) -> Metric:
    """A metric point, its value as a double."""
    key(value.key, "A metric key")
    number = double(value.value, "A metric value")
    timestamp(value.timestamp, "A metric timestamp")
    int64(value.step, "A metric step")
    if value.dataset_name is not None or value.dataset_digest is not None:
        text(value.dataset_name, "A dataset name", limits.MAX_DATASET_NAME_LENGTH, min_length=1)
        text(value.dataset_digest, "A dataset digest", limits.MAX_DATASET_DIGEST_LENGTH, min_length=1)
    if type(value.value) is float and value.run_id is None:
        return value
    return replace(value, value=number, run_id=None)


def param(value: Param) -> Param:
    """A param."""
    key(value.key, "A param key")
    text(value.value, "A param value", limits.MAX_PARAM_VALUE_LENGTH)
    return value


def run_tag(value: RunTag) -> RunTag:
    """A run's tag."""
    key(value.key, "A tag key")
    text(value.value, "A tag value", limits.MAX_RUN_TAG_VALUE_LENGTH)
    return value


def mirrored(value: RunTag) -> RunTag:
    """A tag set on a run that exists: the tag that mirrors the run's name is not set empty."""
    if value.key == RUN_NAME_TAG and not value.value:
        raise invalid(f"The tag {RUN_NAME_TAG!r} mirrors the run's name, which is never empty.")
    return value


def experiment_tag(value: ExperimentTag) -> ExperimentTag:
    """An experiment's tag."""
    key(value.key, "A tag key")
    text(value.value, "A tag value", limits.MAX_EXPERIMENT_TAG_VALUE_LENGTH)
    return value


def experiment_tags(value: object) -> list[ExperimentTag]:
    """The tags of a new experiment; None means none."""
    return [experiment_tag(item) for item in sequence([] if value is None else value, "tags", ExperimentTag)]


def tags_and_name(tags: object, name: object) -> tuple[list[RunTag], str | None]:
    """The tags of a new run, None meaning none, and its name, which either may give and both not differently."""
    labels = [run_tag(item) for item in sequence([] if tags is None else tags, "tags", RunTag)]
    given = run_name(name)
    tagged = {label.key: label.value for label in labels}.get(RUN_NAME_TAG) or None
    if given and tagged and given != tagged:
        raise invalid(f"The run name and the tag {RUN_NAME_TAG!r} differ.")
    return labels, given or tagged


def unique_keys(items: Iterable[Any], what: str) -> None:
    """Refuse two items of one key."""
    seen: set[str] = set()
    for item in items:
        if item.key in seen:
            raise invalid(f"{what} {_shown(item.key)} is given twice.")
        seen.add(item.key)


def batch(metrics: object, params: object, tags: object) -> tuple[list[Metric], list[Param], list[RunTag]]:
    """The three lists of a batch, each item validated, their sizes within the limits."""
    points = [metric(item) for item in sequence(metrics, "metrics", Metric)]
    settings = [param(item) for item in sequence(params, "params", Param)]
    labels = [mirrored(run_tag(item)) for item in sequence(tags, "tags", RunTag)]
    for items, what, limit in (
        (points, "metrics", limits.MAX_METRICS_PER_BATCH),
        (settings, "params", limits.MAX_PARAMS_PER_BATCH),
        (labels, "tags", limits.MAX_TAGS_PER_BATCH),
        ((*points, *settings, *labels), "items", limits.MAX_ITEMS_PER_BATCH),
    ):
        if len(items) > limit:
            raise invalid(f"A batch takes at most {limit} {what}; this one has {len(items)}.")
    unique_keys(settings, "Param")
    return points, settings, labels


def dataset_input(value: DatasetInput) -> DatasetInput:
    """A dataset input: its dataset's fields and its tags within their limits, no tag key twice."""
    dataset = value.dataset
    if not isinstance(dataset, Dataset):
        raise invalid(f"A dataset input's dataset must be a Dataset, not {type(dataset).__name__}.")
    text(dataset.name, "A dataset name", limits.MAX_DATASET_NAME_LENGTH, min_length=1)
    text(dataset.digest, "A dataset digest", limits.MAX_DATASET_DIGEST_LENGTH, min_length=1)
    text(dataset.source_type, "A dataset source type", limits.MAX_DATASET_SOURCE_TYPE_LENGTH)
    text(dataset.source, "A dataset source", limits.MAX_DATASET_SOURCE_LENGTH)
    if dataset.schema is not None:
        text(dataset.schema, "A dataset schema", limits.MAX_DATASET_SCHEMA_LENGTH)
    if dataset.profile is not None:
        text(dataset.profile, "A dataset profile", limits.MAX_DATASET_PROFILE_LENGTH)
    tags = sequence(value.tags, "A dataset input's tags", InputTag)
    for tag in tags:
        text(tag.key, "An input tag key", limits.MAX_INPUT_TAG_KEY_LENGTH, min_length=1)
        text(tag.value, "An input tag value", limits.MAX_INPUT_TAG_VALUE_LENGTH)
    unique_keys(tags, "Input tag")
    return DatasetInput(dataset, tuple(tags))


def dataset_inputs(value: object) -> list[DatasetInput]:
    """What a run read; None means nothing."""
    return [dataset_input(item) for item in sequence([] if value is None else value, "datasets", DatasetInput)]


def run_status(value: object) -> RunStatus | None:
    """A run status, or None for no change."""
    if value is not None and not isinstance(value, RunStatus):
        raise invalid(f"A run status must be a RunStatus, not {_shown(value)}.")
    return value


def view_type(value: object) -> ViewType:
    """A view type."""
    if not isinstance(value, ViewType):
        raise invalid(f"A view type must be a ViewType, not {_shown(value)}.")
    return value


def max_results(value: object) -> int:
    """A page size of 1 to 50,000; None means the default of 1,000."""
    if value is None:
        return limits.DEFAULT_MAX_RESULTS
    size = int64(value, "max_results", minimum=1)
    if size > limits.MAX_RESULTS:
        raise invalid(f"max_results must be at most {limits.MAX_RESULTS}.")
    return size


def filter_string(value: object) -> str:
    """The text of a filter; None means the empty one, which every resource matches."""
    return "" if value is None else text(value, "A filter", limits.MAX_FILTER_LENGTH)


def order_by(value: object) -> Sequence[str]:
    """The texts of an ordering's columns; None means none."""
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        raise invalid(f"order_by must be a list of strings, not {type(value).__name__}.")
    return [text(item, "An item of order_by", limits.MAX_ORDER_COLUMN_LENGTH) for item in value]


def page_token(value: object) -> str | None:
    """A page token; None and the empty string mean: the first page."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise invalid(f"A page token must be a string, not {type(value).__name__}.")
    return value


def identifiers(value: object, what: str) -> tuple[str, ...]:
    """A list of ids as a set in order of first mention. Ids are not judged: an unknown one matches nothing."""
    if not isinstance(value, (list, tuple)):
        raise invalid(f"{what} must be a list of strings, not {type(value).__name__}.")
    for item in value:
        if not isinstance(item, str):
            raise invalid(f"{what} must hold strings, not {type(item).__name__}.")
    return tuple(dict.fromkeys(value))


def interval(run_ids: object, start_step: object, end_step: object) -> tuple[tuple[str, ...], int, int]:
    """The runs and the inclusive bounds of a bulk interval; both bounds are given, or neither."""
    runs = tuple(run_id(item) for item in identifiers(run_ids, "run_ids"))
    if len(runs) > limits.MAX_RUNS_PER_INTERVAL:
        raise invalid(f"A bulk interval takes at most {limits.MAX_RUNS_PER_INTERVAL} runs.")
    if (start_step is None) != (end_step is None):
        raise invalid("start_step and end_step are given together.")
    if start_step is None:
        return runs, limits.INT64_MIN, limits.INT64_MAX
    low, high = int64(start_step, "start_step"), int64(end_step, "end_step")
    if low > high:
        raise invalid("start_step is greater than end_step.")
    return runs, low, high


def interval_size(value: object) -> int:
    """How many points of each run a bulk interval returns at most."""
    size = int64(value, "max_results", minimum=1)
    if size > limits.MAX_POINTS_PER_INTERVAL:
        raise invalid(f"max_results must be at most {limits.MAX_POINTS_PER_INTERVAL}.")
    return size


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
