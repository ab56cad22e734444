"""The endpoint table: one row for each call, its method and path, its fields, its answer."""

from __future__ import annotations

from collections.abc import Mapping

from trackspec import limits
from trackspec.entities import ExperimentTag, Metric, Param, RunTag, ViewType
from trackspec.protocol.endpoint import EXTENSION_BASE, NOTHING, Answer, Endpoint
from trackspec.protocol.entities import (
    DATASET_INPUT,
    EXPERIMENT,
    EXPERIMENT_TAG,
    INT64,
    KEY,
    METRIC,
    PARAM,
    RUN,
    RUN_ID,
    RUN_INFO,
    RUN_TAG,
    STATUS,
    TEXT,
    VALUE,
)
from trackspec.protocol.kinds import Choice, Items, Unsupported
from trackspec.protocol.message import Field, Message


def _request(name: str, *fields: Field) -> Message:
    return Message(name, dict, *fields)


_EXPERIMENT_ID = Field("experiment_id", TEXT, required=True)
_VIEW = Choice(ViewType)
_MAX_RESULTS = Field("max_results", INT64, default=limits.DEFAULT_MAX_RESULTS)
_FILTER = Field("filter", TEXT, attribute="filter_string")
_ORDER_BY = Field("order_by", Items(TEXT))
_PAGE_TOKEN = Field("page_token", TEXT)
_METRIC_KEY = Field("metric_key", TEXT, required=True)
_POINT_FIELDS = tuple(field for field in METRIC.fields if field.name != "run_id")
_POINT_NAMES = tuple(field.name for field in _POINT_FIELDS if not isinstance(field.kind, Unsupported))

GET, POST = ("GET",), ("POST",)

ENDPOINTS = (
    # -- experiments
    Endpoint(
        "create_experiment",
        POST,
        "experiments/create",
        _request(
            "CreateExperiment",
            Field("name", TEXT, required=True),
            Field("artifact_location", TEXT),
            Field("tags", Items(EXPERIMENT_TAG)),
        ),
        Answer(experiment_id=TEXT),
        "Create an experiment.",
        repeatable=False,
        creates=True,
    ),
    Endpoint(
        "get_experiment",
        GET,
        "experiments/get",
        _request("GetExperiment", _EXPERIMENT_ID),
        Answer(experiment=EXPERIMENT),
        "Get an experiment, also a deleted one.",
    ),
    Endpoint(
        "get_experiment_by_name",
        GET,
        "experiments/get-by-name",
        _request("GetExperimentByName", Field("experiment_name", TEXT, required=True)),
        Answer(experiment=EXPERIMENT),
        "Get the experiment of a name.",
        none_is_missing=True,
    ),
    Endpoint(
        "delete_experiment",
        POST,
        "experiments/delete",
        _request("DeleteExperiment", _EXPERIMENT_ID),
        NOTHING,
        "Delete an experiment and its runs.",
        repeatable=False,
    ),
    Endpoint(
        "restore_experiment",
        POST,
        "experiments/restore",
        _request("RestoreExperiment", _EXPERIMENT_ID),
        NOTHING,
        "Restore an experiment and its runs.",
        repeatable=False,
    ),
    Endpoint(
        "rename_experiment",
        POST,
        "experiments/update",
        _request("RenameExperiment", _EXPERIMENT_ID, Field("new_name", TEXT, required=True)),
        NOTHING,
        "Rename an experiment.",
    ),
    Endpoint(
        "set_experiment_tag",
        POST,
        "experiments/set-experiment-tag",
        _request("SetExperimentTag", _EXPERIMENT_ID, KEY, VALUE),
        NOTHING,
        "Set a tag of an experiment.",
        gathers=("tag", ExperimentTag, ("key", "value")),
    ),
    Endpoint(
        "delete_experiment_tag",
        POST,
        "experiments/delete-experiment-tag",
        _request("DeleteExperimentTag", _EXPERIMENT_ID, KEY),
        NOTHING,
        "Delete a tag of an experiment.",
        repeatable=False,
    ),
    Endpoint(
        "search_experiments",
        ("POST", "GET"),
        "experiments/search",
        _request(
            "SearchExperiments",
            Field("view_type", _VIEW, default=ViewType.ACTIVE_ONLY),
            _MAX_RESULTS,
            _FILTER,
            _ORDER_BY,
            _PAGE_TOKEN,
        ),
        Answer(experiments=Items(EXPERIMENT), next_page_token=TEXT),
        "Search experiments.",
    ),
    # -- runs
    Endpoint(
        "create_run",
        POST,
        "runs/create",
        _request(
            "CreateRun",
            _EXPERIMENT_ID,
            Field("user_id", TEXT),
            Field("start_time", INT64),
            Field("tags", Items(RUN_TAG)),
            Field("run_name", TEXT),
        ),
        Answer(run=RUN),
        "Create a run.",
        repeatable=False,
        creates=True,
    ),
    Endpoint(
        "get_run", GET, "runs/get", _request("GetRun", RUN_ID), Answer(run=RUN), "Get a run with all its data."
    ),
    Endpoint(
        "update_run_info",
        POST,
        "runs/update",
        _request(
            "UpdateRun",
            RUN_ID,
            Field("status", STATUS, attribute="run_status"),
            Field("end_time", INT64),
            Field("run_name", TEXT),
        ),
        Answer(run_info=RUN_INFO),
        "Change a run's status, end time or name.",
    ),
    Endpoint("delete_run", POST, "runs/delete", _request("DeleteRun", RUN_ID), NOTHING, "Delete a run."),
    Endpoint("restore_run", POST, "runs/restore", _request("RestoreRun", RUN_ID), NOTHING, "Restore a run."),
    # -- what a run logs
    Endpoint(
        "log_metric",
        POST,
        "runs/log-metric",
        _request("LogMetric", RUN_ID, *_POINT_FIELDS),
        NOTHING,
        "Add a point to a metric.",
        gathers=("metric", Metric, _POINT_NAMES),
    ),
    Endpoint(
        "log_param",
        POST,
        "runs/log-parameter",
        _request("LogParam", RUN_ID, KEY, VALUE),
        NOTHING,
        "Set a param, once.",
        gathers=("param", Param, ("key", "value")),
    ),
    Endpoint(
        "set_tag",
        POST,
        "runs/set-tag",
        _request("SetTag", RUN_ID, KEY, VALUE),
        NOTHING,
        "Set a tag of a run.",
        gathers=("tag", RunTag, ("key", "value")),
    ),
    Endpoint(
        "delete_tag",
        POST,
        "runs/delete-tag",
        _request("DeleteTag", RUN_ID, KEY),
        NOTHING,
        "Delete a tag of a run.",
        repeatable=False,
    ),
    Endpoint(
        "log_batch",
        POST,
        "runs/log-batch",
        _request(
            "LogBatch",
            RUN_ID,
            Field("metrics", Items(METRIC), default=()),
            Field("params", Items(PARAM), default=()),
            Field("tags", Items(RUN_TAG), default=()),
        ),
        NOTHING,
        "Log metrics, params and tags: all of them, or none.",
    ),
    Endpoint(
        "log_inputs",
        POST,
        "runs/log-inputs",
        _request(
            "LogInputs",
            RUN_ID,
            Field("datasets", Items(DATASET_INPUT)),
            Field("models", Unsupported()),
        ),
        NOTHING,
        "Record the datasets that a run read.",
    ),
    # -- metric history
    Endpoint(
        "get_metric_history",
        GET,
        "metrics/get-history",
        _request("GetMetricHistory", RUN_ID, _METRIC_KEY, Field("max_results", INT64), _PAGE_TOKEN),
        Answer(metrics=Items(METRIC), next_page_token=TEXT),
        "Get a metric's points, all or by pages.",
    ),
    Endpoint(
        "get_metric_history_bulk_interval",
        GET,
        "metrics/get-history-bulk-interval",
        _request(
            "GetMetricHistoryBulkInterval",
            Field("run_ids", Items(TEXT), required=True),
            _METRIC_KEY,
            Field("start_step", INT64),
            Field("end_step", INT64),
            Field("max_results", INT64, default=limits.MAX_POINTS_PER_INTERVAL),
        ),
        Answer(metrics=Items(METRIC)),
        "Draw points from an interval of a metric's steps, for several runs.",
    ),
    # -- search
    Endpoint(
        "search_runs",
        POST,
        "runs/search",
        _request(
            "SearchRuns",
            Field("experiment_ids", Items(TEXT), default=()),
            _FILTER,
            Field("run_view_type", _VIEW, default=ViewType.ACTIVE_ONLY),
            _MAX_RESULTS,
            _ORDER_BY,
            _PAGE_TOKEN,
        ),
        Answer(runs=Items(RUN), next_page_token=TEXT),
        "Search the runs of some experiments.",
    ),
    # -- configuration
    Endpoint(
        "get_artifact_root",
        GET,
        "artifact-root",
        _request("GetArtifactRoot"),
        Answer(artifact_root=TEXT),
        "Get the artifact root of the store.",
        base=EXTENSION_BASE,
    ),
    Endpoint(
        "set_artifact_root",
        POST,
        "artifact-root",
        _request("SetArtifactRoot", Field("artifact_root", TEXT, required=True)),
        NOTHING,
        "Set the artifact root of the store.",
        base=EXTENSION_BASE,
    ),
)

BY_NAME: Mapping[str, Endpoint] = {endpoint.name: endpoint for endpoint in ENDPOINTS}
"""The rows by the method of the store that they call."""
