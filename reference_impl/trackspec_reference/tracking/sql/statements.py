"""The statements of the SQL store that do not depend on a query: each is compiled once."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import bindparam

from trackspec_reference.tracking.sql.schema import (
    creation_keys,
    dataset_profiles,
    datasets,
    experiment_tags,
    experiments,
    input_tags,
    inputs,
    metric_points,
    metrics,
    params,
    run_tags,
    runs,
    settings,
)
from trackspec_reference.tracking.sql.statement import (
    ListStatement,
    Statement,
    insert,
    insert_or_keep,
    insert_or_replace,
    insert_or_replace_from,
    insert_with_id,
)

ORDER_OF_POINTS = ("step", "timestamp", "value_class", "value")
POINT = (*ORDER_OF_POINTS, "dataset_name", "dataset_digest")

_ACTIVE: sa.ColumnElement[str] = sa.literal_column("'active'", sa.String)
_experiment_id = experiments.c.experiment_id == bindparam("experiment_id")
_run_id = runs.c.run_id == bindparam("run_id")

# -- settings -----------------------------------------------------------------------------------------------

SETTING = Statement(sa.select(settings.c.value).where(settings.c.name == bindparam("name")), "name")
SET_SETTING = insert_or_replace(settings, "name", "value")

# -- idempotency keys ---------------------------------------------------------------------------------------

KEY = Statement(
    sa.select(creation_keys.c.made, creation_keys.c.asked).where(
        creation_keys.c.kind == bindparam("of_kind"), creation_keys.c.key == bindparam("of_key")
    ),
    "of_kind",
    "of_key",
)
INSERT_KEY = insert(creation_keys, "kind", "key", "made", "asked")

# -- experiments --------------------------------------------------------------------------------------------

_EXPERIMENT = sa.select(
    experiments.c.id,
    experiments.c.experiment_id,
    experiments.c.name,
    experiments.c.artifact_location,
    experiments.c.lifecycle_stage,
    experiments.c.creation_time,
    experiments.c.last_update_time,
)
EXPERIMENTS = ListStatement(_EXPERIMENT, experiments.c.id)
EXPERIMENT_TAGS = ListStatement(
    sa.select(experiment_tags.c.experiment, experiment_tags.c.key, experiment_tags.c.value),
    experiment_tags.c.experiment,
)
EXPERIMENT_ROW = Statement(sa.select(experiments.c.id).where(_experiment_id), "experiment_id")
EXPERIMENT_ROW_BY_NAME = Statement(
    sa.select(experiments.c.id).where(experiments.c.name == bindparam("name")), "name"
)
EXPERIMENT_ROWS = ListStatement(sa.select(experiments.c.id), experiments.c.experiment_id)

_STAGE_AND_NAME = sa.select(experiments.c.id, experiments.c.lifecycle_stage, experiments.c.name).where(
    _experiment_id
)
LOCK_EXPERIMENT = Statement(_STAGE_AND_NAME.with_for_update(key_share=True), "experiment_id")
"""Keeps others from changing the experiment and from creating runs in it."""
SHARE_EXPERIMENT = Statement(
    sa.select(experiments.c.id, experiments.c.lifecycle_stage, experiments.c.artifact_location)
    .where(_experiment_id)
    .with_for_update(read=True),
    "experiment_id",
)
"""Keeps others from changing the experiment."""

INSERT_EXPERIMENT = insert_with_id(
    experiments,
    "experiment_id",
    "name",
    "artifact_location",
    "lifecycle_stage",
    "creation_time",
    "last_update_time",
)
INSERT_EXPERIMENT_TAG = insert(experiment_tags, "experiment", "key", "value")
SET_EXPERIMENT_TAG = insert_or_replace(experiment_tags, "experiment", "key", "value")
DELETE_EXPERIMENT_TAG = Statement(
    sa.delete(experiment_tags).where(
        experiment_tags.c.experiment == bindparam("of"), experiment_tags.c.key == bindparam("key")
    ),
    "of",
    "key",
)


def _touch_experiment(**changes: sa.ColumnElement[str]) -> sa.Update:
    """An update that moves the time of the last one, never back."""
    now: sa.ColumnElement[int] = bindparam("now", type_=sa.BigInteger)
    last = experiments.c.last_update_time
    return (
        sa.update(experiments)
        .where(experiments.c.id == bindparam("of"))
        .values(last_update_time=sa.case((last > now, last), else_=now), **changes)
    )


RENAME_EXPERIMENT = Statement(_touch_experiment(name=bindparam("new_name")), "of", "new_name", "now")
SET_EXPERIMENT_STAGE = Statement(_touch_experiment(lifecycle_stage=bindparam("stage")), "of", "stage", "now")
SET_STAGE_OF_RUNS = Statement(
    sa.update(runs)
    .where(runs.c.experiment == bindparam("of"), runs.c.lifecycle_stage != bindparam("stage"))
    .values(lifecycle_stage=bindparam("stage")),
    "of",
    "stage",
)

# -- runs ---------------------------------------------------------------------------------------------------

RUNS = ListStatement(
    sa.select(
        runs.c.id,
        runs.c.run_id,
        runs.c.run_name,
        experiments.c.experiment_id,
        runs.c.user_id,
        runs.c.status,
        runs.c.start_time,
        runs.c.end_time,
        runs.c.lifecycle_stage,
        runs.c.artifact_uri,
    ).join_from(runs, experiments, experiments.c.id == runs.c.experiment),
    runs.c.id,
)
PARAMS = ListStatement(sa.select(params.c.run, params.c.key, params.c.value), params.c.run)
RUN_TAGS = ListStatement(sa.select(run_tags.c.run, run_tags.c.key, run_tags.c.value), run_tags.c.run)
LATEST_METRICS = ListStatement(
    sa.select(metrics.c.run, metrics.c.key, *(metrics.c[name] for name in POINT)), metrics.c.run
)
RUN_ROW = Statement(sa.select(runs.c.id).where(_run_id), "run_id")
LOCK_RUN = Statement(
    sa.select(runs.c.id, runs.c.lifecycle_stage, runs.c.experiment).where(_run_id).with_for_update(key_share=True),
    "run_id",
)
"""Lets one writer of the run proceed at a time."""

INSERT_RUN = insert_with_id(
    runs,
    "run_id",
    "experiment",
    "run_name",
    "user_id",
    "status",
    "start_time",
    "lifecycle_stage",
    "artifact_uri",
)
SET_RUN_STAGE = Statement(
    sa.update(runs).where(_run_id).values(lifecycle_stage=bindparam("stage")), "run_id", "stage"
)
UPDATE_RUN = Statement(
    sa.update(runs)
    .where(runs.c.id == bindparam("of"))
    .values(
        status=sa.func.coalesce(bindparam("new_status", type_=sa.String), runs.c.status),
        end_time=sa.func.coalesce(bindparam("new_end_time", type_=sa.BigInteger), runs.c.end_time),
        run_name=sa.func.coalesce(bindparam("new_name", type_=sa.Text), runs.c.run_name),
    ),
    "of",
    "new_status",
    "new_end_time",
    "new_name",
)
RENAME_RUN = Statement(
    sa.update(runs).where(runs.c.id == bindparam("of")).values(run_name=bindparam("new_name")), "of", "new_name"
)

# -- what a run logs ----------------------------------------------------------------------------------------

_ROW_OF_ACTIVE_RUN = sa.select(
    runs.c.id, bindparam("key", type_=sa.String), bindparam("value", type_=sa.Text)
).where(_run_id, runs.c.lifecycle_stage == _ACTIVE)

INSERT_PARAM = insert(params, "run", "key", "value")
INSERT_PARAM_OF_ACTIVE_RUN = Statement(
    sa.insert(params).from_select(["run", "key", "value"], _ROW_OF_ACTIVE_RUN), "run_id", "key", "value"
)
PARAMS_OF_KEYS = ListStatement(
    sa.select(params.c.key, params.c.value).where(params.c.run == bindparam("of")), params.c.key, "of"
)
SET_TAG = insert_or_replace(run_tags, "run", "key", "value")
SET_TAG_OF_ACTIVE_RUN = insert_or_replace_from(
    run_tags, ["run", "key", "value"], _ROW_OF_ACTIVE_RUN, "run_id", "key", "value"
)
DELETE_TAG = Statement(
    sa.delete(run_tags).where(run_tags.c.run == bindparam("of"), run_tags.c.key == bindparam("key")), "of", "key"
)
METRICS_OF_KEYS = ListStatement(
    sa.select(metrics.c.key, metrics.c.id, *(metrics.c[name] for name in ORDER_OF_POINTS)).where(
        metrics.c.run == bindparam("of")
    ),
    metrics.c.key,
    "of",
)
INSERT_METRIC = insert(metrics, "run", "key", *POINT)
INSERT_POINT = insert_or_keep(metric_points, "metric", *POINT)

_given = {name: bindparam(name, type_=metric_points.c[name].type) for name in POINT}
_row_of_active_run = sa.select(runs.c.id).where(_run_id, runs.c.lifecycle_stage == _ACTIVE).scalar_subquery()
_of_key = metrics.c.key == bindparam("of_key")
_make_latest = (
    sa.update(metrics)
    .where(
        sa.tuple_(*(metrics.c[name] for name in ORDER_OF_POINTS))
        < sa.tuple_(*(_given[name] for name in ORDER_OF_POINTS))
    )
    .values(_given)
)
MAKE_LATEST = Statement(_make_latest.where(metrics.c.id == bindparam("of")), "of", *POINT)
"""Make a point the metric's latest one, unless it is not."""
MAKE_LATEST_OF_ACTIVE_RUN = Statement(
    _make_latest.where(metrics.c.run == _row_of_active_run, _of_key), "run_id", "of_key", *POINT
)
INSERT_POINT_OF_ACTIVE_RUN = Statement(
    sa.insert(metric_points).from_select(
        ["metric", *POINT],
        sa.select(metrics.c.id, *_given.values()).where(metrics.c.run == _row_of_active_run, _of_key),
    ),
    "run_id",
    "of_key",
    *POINT,
)
METRIC_ROW = Statement(
    sa.select(metrics.c.id).where(metrics.c.run == bindparam("of"), metrics.c.key == bindparam("key")), "of", "key"
)

# -- inputs -------------------------------------------------------------------------------------------------

INPUTS = ListStatement(sa.select(inputs.c.run, inputs.c.id, inputs.c.dataset).order_by(inputs.c.id), inputs.c.run)
INPUT_TAGS = ListStatement(
    sa.select(input_tags.c.input, input_tags.c.key, input_tags.c.value).order_by(
        input_tags.c.input, input_tags.c.position
    ),
    input_tags.c.input,
)
DATASETS = ListStatement(
    sa.select(
        datasets.c.id,
        datasets.c.name,
        datasets.c.digest,
        datasets.c.source_type,
        datasets.c.source,
        datasets.c.schema,
    ),
    datasets.c.id,
)
DATASET_PROFILES = ListStatement(
    sa.select(dataset_profiles.c.dataset, dataset_profiles.c.text).order_by(
        dataset_profiles.c.dataset, dataset_profiles.c.part
    ),
    dataset_profiles.c.dataset,
)
DATASET_ROW = Statement(
    sa.select(datasets.c.id).where(
        datasets.c.experiment == bindparam("of"),
        datasets.c.name == bindparam("name"),
        datasets.c.digest == bindparam("digest"),
    ),
    "of",
    "name",
    "digest",
)
INSERT_DATASET = insert_with_id(datasets, "experiment", "name", "digest", "source_type", "source", "schema")
INSERT_DATASET_PROFILE = insert(dataset_profiles, "dataset", "part", "text")
INPUT_ROW = Statement(
    sa.select(inputs.c.id).where(inputs.c.run == bindparam("of"), inputs.c.dataset == bindparam("used")),
    "of",
    "used",
)
INSERT_INPUT = insert_with_id(inputs, "run", "dataset")
INSERT_INPUT_TAG = insert(input_tags, "input", "position", "key", "value")
