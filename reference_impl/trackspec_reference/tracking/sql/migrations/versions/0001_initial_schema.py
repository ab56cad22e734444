"""The first schema.

MariaDB commits each statement by itself, so that an interrupted migration leaves some tables behind: every step
passes over what exists.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql, postgresql

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_STAGES = "lifecycle_stage IN ('active', 'deleted')"
_STATUSES = "status IN ('RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED')"
_VALUE_CLASSES = "value_class BETWEEN -2 AND 1"


def upgrade() -> None:
    """Create all tables."""
    _create("settings", _text("name", 64, primary_key=True), _text("value"))
    _create(
        "creation_keys",
        _text("kind", 16, primary_key=True),
        _text("key", 200, primary_key=True),
        _text("made", 64),
        _text("asked", 500),
        sqlite_with_rowid=False,
    )
    _create(
        "experiments",
        sa.Column("id", _ID, primary_key=True),
        _text("experiment_id", 64),
        _text("name", 500),
        _text("artifact_location"),
        _text("lifecycle_stage", 8),
        sa.Column("creation_time", sa.BigInteger, nullable=False),
        sa.Column("last_update_time", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("experiment_id", name="experiments_experiment_id"),
        sa.UniqueConstraint("name", name="experiments_name"),
        sa.CheckConstraint(_STAGES, name="experiments_stage"),
    )
    _create_index("experiments_search", "experiments", sa.text("creation_time DESC"), "experiment_id")
    _create(
        "experiment_tags",
        _owner("experiments", primary_key=True),
        _text("key", 250, primary_key=True),
        _text("value", medium=True),
        sqlite_with_rowid=False,
    )
    _create(
        "runs",
        sa.Column("id", _ID, primary_key=True),
        _text("run_id", 32),
        _owner("experiments"),
        _text("run_name"),
        _text("user_id", 256),
        _text("status", 16),
        sa.Column("start_time", sa.BigInteger, nullable=False),
        sa.Column("end_time", sa.BigInteger),
        _text("lifecycle_stage", 8),
        _text("artifact_uri"),
        sa.UniqueConstraint("run_id", name="runs_run_id"),
        sa.CheckConstraint(_STAGES, name="runs_stage"),
        sa.CheckConstraint(_STATUSES, name="runs_status"),
    )
    _create_index("runs_search", "runs", "experiment", sa.text("start_time DESC"), "run_id", "lifecycle_stage")
    for table in ("params", "run_tags"):
        _create(
            table,
            _owner("runs", primary_key=True),
            _text("key", 250, primary_key=True),
            _text("value"),
            sqlite_with_rowid=False,
        )
    _create(
        "metrics",
        sa.Column("id", _ID, primary_key=True),
        _owner("runs"),
        _text("key", 250),
        sa.Column("step", sa.BigInteger, nullable=False),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
        sa.Column("value_class", sa.SmallInteger, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        _text("dataset_name", 500, nullable=True),
        _text("dataset_digest", 36, nullable=True),
        sa.UniqueConstraint("run", "key", name="metrics_run_key"),
        sa.CheckConstraint(_VALUE_CLASSES, name="metrics_value_class"),
    )
    _create(
        "metric_points",
        _owner("metrics", primary_key=True),
        sa.Column("step", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("timestamp", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("value_class", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("value", sa.Double, primary_key=True),
        _text("dataset_name", 500, nullable=True),
        _text("dataset_digest", 36, nullable=True),
        sa.CheckConstraint(_VALUE_CLASSES, name="metric_points_value_class"),
        sqlite_with_rowid=False,
    )
    _create(
        "datasets",
        sa.Column("id", _ID, primary_key=True),
        _owner("experiments"),
        _text("name", 500),
        _text("digest", 36),
        _text("source_type", 500),
        _text("source", medium=True),
        _text("schema", medium=True, nullable=True),
        sa.UniqueConstraint("experiment", "name", "digest", name="datasets_identity"),
    )
    _create(
        "dataset_profiles",
        _owner("datasets", primary_key=True),
        sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
        _text("text", medium=True),
    )
    _create(
        "inputs",
        sa.Column("id", _ID, primary_key=True),
        _owner("runs"),
        _owner("datasets"),
        sa.UniqueConstraint("run", "dataset", name="inputs_run_dataset"),
    )
    _create_index("inputs_dataset", "inputs", "dataset")
    _create(
        "input_tags",
        _owner("inputs", primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        _text("key", 255),
        _text("value", 500),
        sqlite_with_rowid=False,
    )


def _text(
    name: str,
    length: int | None = None,
    *,
    primary_key: bool = False,
    nullable: bool = False,
    medium: bool = False,
) -> sa.Column[str]:
    """A column that compares by code point. ``medium``: longer than the 64 KiB of MariaDB's TEXT."""
    kind: sa.types.TypeEngine[str]
    if length is None:
        kind = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
        if medium:
            kind = kind.with_variant(mysql.MEDIUMTEXT(), "mysql")
    else:
        kind = sa.String(length).with_variant(postgresql.VARCHAR(length, collation="C"), "postgresql")
    return sa.Column(name, kind, primary_key=primary_key, nullable=nullable)


def _owner(table: str, *, primary_key: bool = False) -> sa.Column[int]:
    return sa.Column(
        table.removesuffix("s"),
        sa.BigInteger,
        sa.ForeignKey(f"{table}.id", ondelete="CASCADE"),
        primary_key=primary_key,
        autoincrement=False,
        nullable=False,
    )


def _create(table: str, *columns: sa.schema.SchemaItem, **options: Any) -> None:
    is_mariadb = getattr(op.get_bind().dialect, "is_mariadb", False)
    op.create_table(
        table,
        *columns,
        if_not_exists=True,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_nopad_bin" if is_mariadb else "utf8mb4_0900_bin",
        **options,
    )


def _create_index(name: str, table: str, *columns: Any) -> None:
    if name not in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}:
        op.create_index(name, table, columns)
