"""Filling MLflow's stores with many runs the short way, since its own calls would take an hour.

What is written is what its calls write, in its own schema and layout; each store then reads it as its own.
"""

from __future__ import annotations

import sqlite3
import uuid
from pathlib import Path
from typing import Any

START = 1_700_000_000_000


def fill_sqlite(database: Path, store: Any, experiment: str, runs: list[tuple[Any, Any, Any]]) -> None:
    """Add runs to MLflow's SQLite database."""
    location = store.get_experiment(experiment).artifact_location
    connection = sqlite3.connect(database)
    with connection:
        for number, (metrics, params, tags) in enumerate(runs):
            run = uuid.uuid4().hex
            name = f"run-{number}"
            connection.execute(
                "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, "
                "start_time, source_version, lifecycle_stage, artifact_uri, experiment_id) "
                "VALUES (?, ?, 'UNKNOWN', '', '', 'user', 'RUNNING', ?, '', 'active', ?, ?)",
                (run, name, START + number, f"{location}/{run}/artifacts", int(experiment)),
            )
            points = [(item.key, item.value, item.timestamp, item.step, False, run) for item in metrics]
            columns = "(key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, ?, ?, ?)"
            connection.executemany(f"INSERT INTO metrics {columns}", points)
            connection.executemany(f"INSERT INTO latest_metrics {columns}", points)
            connection.executemany(
                "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)",
                [(item.key, item.value, run) for item in params],
            )
            named = [(item.key, item.value, run) for item in tags] + [("mlflow.runName", name, run)]
            connection.executemany("INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)", named)
    connection.close()


def fill_by_calls(store: Any, experiment: str, runs: list[tuple[Any, Any, Any]]) -> None:
    """Add runs by the store's own calls."""
    for number, (metrics, params, tags) in enumerate(runs):
        run = store.create_run(experiment, "user", START + number, [], f"run-{number}")
        store.log_batch(run.info.run_id, metrics, params, tags)


def fill_files(root: Path, store: Any, experiment: str, runs: list[tuple[Any, Any, Any]]) -> None:
    """Add runs to MLflow's directory, after the pattern of one that it makes itself."""
    pattern = store.create_run(experiment, "user", START, [], "run-0").info
    directory = root / experiment
    meta = (directory / pattern.run_id / "meta.yaml").read_text()
    for number, (metrics, params, tags) in enumerate(runs):
        run = uuid.uuid4().hex
        place = directory / run
        for folder in ("metrics", "params", "tags", "artifacts"):
            (place / folder).mkdir(parents=True)
        text = meta.replace(pattern.run_id, run).replace("run-0", f"run-{number}")
        (place / "meta.yaml").write_text(text.replace(f"start_time: {START}", f"start_time: {START + number}"))
        for item in metrics:
            (place / "metrics" / item.key).write_text(f"{item.timestamp} {item.value} {item.step}\n")
        for item in params:
            (place / "params" / item.key).write_text(item.value)
        for item in tags:
            (place / "tags" / item.key).write_text(item.value)
        (place / "tags" / "mlflow.runName").write_text(f"run-{number}")
    store.delete_run(pattern.run_id)
