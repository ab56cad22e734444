"""A good request to each endpoint, with every field given, and the places in it where a value can be wrong."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from trackspec import RunTag, TrackingStore, ViewType
from trackspec.protocol.endpoint import BASE, Endpoint
from trackspec.protocol.endpoints import ENDPOINTS
from trackspec.protocol.kinds import Items, Kind
from trackspec.protocol.message import Field, Message
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.wire.client import Answer, Wire

Path = tuple[str | int, ...]
"""The names and positions that lead to a value within the fields of a request."""

MLFLOWS = tuple(endpoint for endpoint in ENDPOINTS if endpoint.base == BASE)
"""The endpoints that every server has."""


@dataclass(frozen=True)
class Place:
    """Where a request holds a value.

    :ivar required: whether the request is not good without it.
    """

    endpoint: Endpoint
    path: Path
    kind: Kind
    required: bool

    def __str__(self) -> str:
        return f"{self.endpoint.path} {'.'.join(map(str, self.path))}"


def places(endpoint: Endpoint) -> Iterator[Place]:
    """Every value in a request to an endpoint, those within lists and objects too."""

    def within(kind: Kind, path: Path, required: bool) -> Iterator[Place]:
        yield Place(endpoint, path, kind, required)
        if isinstance(kind, Message):
            for item in kind.fields:
                yield from of_field(item, path)
        elif isinstance(kind, Items):
            yield from within(kind.item, (*path, 0), required=False)

    def of_field(item: Field, path: Path) -> Iterator[Place]:
        yield from within(item.kind, (*path, item.name), item.required)

    for item in endpoint.request.fields:
        yield from of_field(item, ())


@dataclass
class Samples:
    """Good requests about an experiment and a run that nothing else uses.

    :ivar fields: those of a request to each endpoint, by the name of its call. In the order of the table, each is
        good after those before it.
    """

    experiment_id: str
    run_id: str
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def arranged(cls, store: TrackingStore, fresh: Fresh) -> Samples:
        """Samples about a new experiment and run."""
        experiment_id = fresh.experiment()
        run_id = fresh.run(experiment_id, tags=[RunTag("t", "old")])
        name = store.get_experiment(experiment_id).name
        samples = cls(experiment_id, run_id)
        pair = {"key": "p", "value": "1"}
        tags = [{"key": "t", "value": "1"}]
        point = {
            "key": "m",
            "value": 0.5,
            "timestamp": 7,
            "step": 3,
            "dataset_name": "d",
            "dataset_digest": "1",
        }
        dataset = {
            "name": "d",
            "digest": "1",
            "source_type": "local",
            "source": "here",
            "schema": "{}",
            "profile": "{}",
        }
        experiment, run = {"experiment_id": experiment_id}, {"run_id": run_id}
        samples.fields = {
            "create_experiment": {"name": fresh.name(), "artifact_location": "s3://bucket/x", "tags": tags},
            "get_experiment": experiment,
            "get_experiment_by_name": {"experiment_name": name},
            "delete_experiment": experiment,
            "restore_experiment": experiment,
            "rename_experiment": {**experiment, "new_name": fresh.name()},
            "set_experiment_tag": {**experiment, "key": "t", "value": "1"},
            "delete_experiment_tag": {**experiment, "key": "t"},
            "search_experiments": {
                "view_type": "ALL",
                "max_results": 1,
                "filter": f"name = '{name}'",
                "order_by": ["name DESC"],
            },
            "create_run": {**experiment, "user_id": "ada", "start_time": 1, "tags": tags, "run_name": "named"},
            "get_run": run,
            "update_run_info": {**run, "status": "FINISHED", "end_time": 9, "run_name": "renamed"},
            "delete_run": run,
            "restore_run": run,
            "log_metric": {**run, **point},
            "log_param": {**run, **pair},
            "set_tag": {**run, "key": "t", "value": "1"},
            "delete_tag": {**run, "key": "t"},
            "log_batch": {**run, "metrics": [point], "params": [pair], "tags": tags},
            "log_inputs": {**run, "datasets": [{"dataset": dataset, "tags": tags}]},
            "get_metric_history": {**run, "metric_key": "m", "max_results": 5},
            "get_metric_history_bulk_interval": {
                "run_ids": [run_id],
                "metric_key": "m",
                "start_step": 0,
                "end_step": 9,
                "max_results": 5,
            },
            "search_runs": {
                "experiment_ids": [experiment_id],
                "filter": "params.p = '1'",
                "run_view_type": "ALL",
                "max_results": 5,
                "order_by": ["metrics.m"],
            },
        }
        return samples

    def of(self, endpoint: Endpoint) -> dict[str, Any]:
        """The fields of a good request; each one that creates an experiment has another name."""
        fields = copy.deepcopy(self.fields[endpoint.name])
        if endpoint.name == "create_experiment":
            fields["name"] = f"{fields['name']}-{next(self._numbers)}"
        return fields

    def with_value(self, place: Place, value: object) -> dict[str, Any]:
        """The fields of a request that is good but for one value."""
        fields = self.of(place.endpoint)
        _parent(fields, place.path)[place.path[-1]] = value
        return fields

    def without(self, place: Place) -> dict[str, Any]:
        """The fields of a request that lacks one."""
        fields = self.of(place.endpoint)
        del _parent(fields, place.path)[place.path[-1]]
        return fields

    def value_at(self, place: Place) -> Any:
        """The good value of a place, or None where the sample has none."""
        try:
            return _parent(self.of(place.endpoint), place.path)[place.path[-1]]
        except (KeyError, IndexError):
            return None

    def kept(self, store: TrackingStore) -> list[Any]:
        """What the store keeps of the experiment and its runs, but for the time of its last update."""
        return [
            replace(store.get_experiment(self.experiment_id), last_update_time=0),
            list(store.search_runs([self.experiment_id], run_view_type=ViewType.ALL)),
        ]


def sent(wire: Wire, endpoint: Endpoint, fields: dict[str, Any], method: str | None = None) -> Answer:
    """Send a request to an endpoint, by its first method unless another is named."""
    if (method or endpoint.methods[0]) == "GET":
        return wire.get(endpoint.path, {name: _in_query(value) for name, value in fields.items()})
    return wire.post(endpoint.path, fields)


def _parent(fields: Any, path: Path) -> Any:
    for step in path[:-1]:
        fields = fields[step]
    return fields


def _in_query(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value
