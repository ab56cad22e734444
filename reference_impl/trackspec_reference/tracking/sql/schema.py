"""The tables of the SQL store, as its queries see them. The migrations create them.

Tables refer to each other by integer surrogate ids, which never leave this package: they keep the keys of the big
tables small and in order of insertion, where the contract's random ids would scatter them.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from trackspec import limits

SCHEMA_VERSION = "0001"
"""The revision that this package reads and writes: the newest in ``migrations/versions``."""

VERSION_TABLE = "trackspec_schema"
"""The table that holds the revision and marks a database as ours."""

NAN, MINUS_INFINITY, FINITE, PLUS_INFINITY = -2, -1, 0, 1
"""The classes of a metric's value, in the contract's order. The value itself is 0 unless finite."""

metadata = MetaData()

_Id = BigInteger().with_variant(Integer, "sqlite")


def _key() -> Column[str]:
    return Column("key", String(limits.MAX_KEY_LENGTH), primary_key=True)


def _stage() -> Column[str]:
    return Column("lifecycle_stage", String(8), nullable=False)


def _dataset_of_point() -> tuple[Column[str], Column[str]]:
    return (
        Column("dataset_name", String(limits.MAX_DATASET_NAME_LENGTH)),
        Column("dataset_digest", String(limits.MAX_DATASET_DIGEST_LENGTH)),
    )


def _owner(table: str, *, primary_key: bool = False) -> Column[int]:
    return Column(
        table.removesuffix("s"),
        BigInteger,
        ForeignKey(f"{table}.id", ondelete="CASCADE"),
        primary_key=primary_key,
        autoincrement=False,
        nullable=False,
    )


settings = Table(
    "settings",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

creation_keys = Table(
    "creation_keys",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("key", String(limits.MAX_IDEMPOTENCY_KEY_LENGTH), primary_key=True),
    Column("made", String(limits.MAX_EXPERIMENT_ID_LENGTH), nullable=False),
    Column("asked", String(limits.MAX_EXPERIMENT_NAME_LENGTH), nullable=False),
    sqlite_with_rowid=False,
)
"""What each idempotency key has made, by its id: an experiment asked for by name, or a run by experiment id."""

experiments = Table(
    "experiments",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("experiment_id", String(limits.MAX_EXPERIMENT_ID_LENGTH), nullable=False),
    Column("name", String(limits.MAX_EXPERIMENT_NAME_LENGTH), nullable=False),
    Column("artifact_location", Text, nullable=False),
    _stage(),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    UniqueConstraint("experiment_id", name="experiments_experiment_id"),
    UniqueConstraint("name", name="experiments_name"),
    CheckConstraint("lifecycle_stage IN ('active', 'deleted')", name="experiments_stage"),
)
Index("experiments_search", experiments.c.creation_time.desc(), experiments.c.experiment_id)

experiment_tags = Table(
    "experiment_tags",
    metadata,
    _owner("experiments", primary_key=True),
    _key(),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

runs = Table(
    "runs",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("run_id", String(32), nullable=False),
    _owner("experiments"),
    Column("run_name", Text, nullable=False),
    Column("user_id", String(limits.MAX_USER_ID_LENGTH), nullable=False),
    Column("status", String(16), nullable=False),
    Column("start_time", BigInteger, nullable=False),
    Column("end_time", BigInteger),
    _stage(),
    Column("artifact_uri", Text, nullable=False),
    UniqueConstraint("run_id", name="runs_run_id"),
    CheckConstraint("lifecycle_stage IN ('active', 'deleted')", name="runs_stage"),
    CheckConstraint("status IN ('RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED')", name="runs_status"),
)
Index("runs_search", runs.c.experiment, runs.c.start_time.desc(), runs.c.run_id, runs.c.lifecycle_stage)

params = Table(
    "params",
    metadata,
    _owner("runs", primary_key=True),
    _key(),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

run_tags = Table(
    "run_tags",
    metadata,
    _owner("runs", primary_key=True),
    _key(),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

metrics = Table(
    "metrics",
    metadata,
    Column("id", _Id, primary_key=True),
    _owner("runs"),
    Column("key", String(limits.MAX_KEY_LENGTH), nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("value_class", SmallInteger, nullable=False),
    Column("value", Double, nullable=False),
    *_dataset_of_point(),
    UniqueConstraint("run", "key", name="metrics_run_key"),
    CheckConstraint("value_class BETWEEN -2 AND 1", name="metrics_value_class"),
)
"""A metric of a run and its latest point."""

metric_points = Table(
    "metric_points",
    metadata,
    _owner("metrics", primary_key=True),
    Column("step", BigInteger, primary_key=True, autoincrement=False),
    Column("timestamp", BigInteger, primary_key=True, autoincrement=False),
    Column("value_class", SmallInteger, primary_key=True, autoincrement=False),
    Column("value", Double, primary_key=True),
    *_dataset_of_point(),
    CheckConstraint("value_class BETWEEN -2 AND 1", name="metric_points_value_class"),
    sqlite_with_rowid=False,
)
"""Every point once. Its key is the order of a history."""

datasets = Table(
    "datasets",
    metadata,
    Column("id", _Id, primary_key=True),
    _owner("experiments"),
    Column("name", String(limits.MAX_DATASET_NAME_LENGTH), nullable=False),
    Column("digest", String(limits.MAX_DATASET_DIGEST_LENGTH), nullable=False),
    Column("source_type", String(limits.MAX_DATASET_SOURCE_TYPE_LENGTH), nullable=False),
    Column("source", Text, nullable=False),
    Column("schema", Text),
    UniqueConstraint("experiment", "name", "digest", name="datasets_identity"),
)

dataset_profiles = Table(
    "dataset_profiles",
    metadata,
    _owner("datasets", primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
)
"""A dataset's profile in pieces, because a whole one may be larger than a server takes in one message."""

inputs = Table(
    "inputs",
    metadata,
    Column("id", _Id, primary_key=True),
    _owner("runs"),
    _owner("datasets"),
    UniqueConstraint("run", "dataset", name="inputs_run_dataset"),
)
Index("inputs_dataset", inputs.c.dataset)

input_tags = Table(
    "input_tags",
    metadata,
    _owner("inputs", primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("key", String(limits.MAX_INPUT_TAG_KEY_LENGTH), nullable=False),
    Column("value", String(limits.MAX_INPUT_TAG_VALUE_LENGTH), nullable=False),
    sqlite_with_rowid=False,
)
