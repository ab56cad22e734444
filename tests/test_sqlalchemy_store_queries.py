"""The indexes carry the searches: SQLite's own plan says how it goes about them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from trackspec.entities import Metric, ViewType
from trackspec.search.parser import parse_experiment_filter, parse_run_filter, parse_run_order
from trackspec.search.query import ExperimentQuery, RunQuery
from trackspec_reference.tracking.sql.location import Location
from trackspec_reference.tracking.sql.ordering import behind_point
from trackspec_reference.tracking.sql.selects import select_experiments, select_points, select_runs
from trackspec_reference.tracking.sql.sqlite import SQLite
from trackspec_reference.tracking.sqlalchemy_store import SqlAlchemyStore


@pytest.fixture(scope="module")
def store_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a SQLite store."""
    store_uri = f"sqlite:///{tmp_path_factory.mktemp('plans')}/s.db"
    SqlAlchemyStore(store_uri).close()
    return store_uri


def plan(store_uri: str, select: sa.Select[Any]) -> list[str]:
    """The steps that SQLite takes for a statement."""
    text = select.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with closing(sqlite3.connect(Path(Location.parse(store_uri).url.database or ""))) as connection:
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}")]


def runs_plan(
    store_uri: str,
    filter_string: str | None = None,
    order_by: list[str] | None = None,
    after: list[Any] | None = None,
    view_type: ViewType = ViewType.ACTIVE_ONLY,
) -> list[str]:
    """The steps of a search of the runs of one experiment."""
    clauses, columns = parse_run_filter(filter_string), parse_run_order(order_by)
    query = RunQuery(("0",), clauses, view_type, columns, after, 10)
    return plan(store_uri, select_runs(query, [1], SQLite(Location.parse(store_uri))))


@pytest.mark.parametrize("view_type", list(ViewType), ids=lambda view_type: view_type.name)
def test_the_default_order_is_the_order_of_the_index(store_uri: str, view_type: ViewType) -> None:
    """A page of any view is read off the index, without sorting."""
    assert runs_plan(store_uri, view_type=view_type) == [
        "SEARCH runs USING COVERING INDEX runs_search (experiment=?)"
    ]


def test_the_next_page_enters_the_index_where_the_last_one_ended(store_uri: str) -> None:
    """The hundredth page costs what the first one does."""
    steps = runs_plan(store_uri, after=[7, "a"])

    assert steps == ["SEARCH runs USING COVERING INDEX runs_search (experiment=? AND start_time<?)"]


def test_each_clause_looks_up_one_row_of_a_run(store_uri: str) -> None:
    """Metrics, params and tags are found by run and key."""
    steps = runs_plan(store_uri, "metrics.m > 1 AND params.p = 'x' AND tags.t LIKE 'x%'")

    assert "SEARCH metrics USING INDEX sqlite_autoindex_metrics_1 (run=? AND key=?)" in steps
    assert "SEARCH params USING PRIMARY KEY (run=? AND key=?)" in steps
    assert "SEARCH run_tags USING PRIMARY KEY (run=? AND key=?)" in steps
    assert not [step for step in steps if step.startswith("SCAN")]


def test_datasets_are_found_from_the_run(store_uri: str) -> None:
    """A clause on datasets looks at the inputs of the run, not at all inputs."""
    steps = runs_plan(store_uri, "dataset.name = 'x' AND dataset.context = 'train'")

    assert not [step for step in steps if step.startswith("SCAN")]


def test_ordering_columns_are_looked_up_and_sorted(store_uri: str) -> None:
    """An order by metrics and params costs a look-up for each run and one sort."""
    steps = runs_plan(store_uri, order_by=["metrics.m DESC", "params.p"], after=[[0, 0.5], [2, None], 7, "a"])

    assert [step for step in steps if "TEMP B-TREE" in step] == ["USE TEMP B-TREE FOR ORDER BY"]
    assert not [step for step in steps if step.startswith("SCAN")]


def test_a_history_is_a_range_of_its_key(store_uri: str) -> None:
    """A metric's points are stored in the order of the history, and entered at the position of the page."""
    steps = plan(store_uri, select_points(1, [behind_point(Metric("m", 0.5, 3, 7))], 10))

    assert steps == ["SEARCH metric_points USING PRIMARY KEY (metric=? AND step>?)"]


def test_experiments_are_read_in_the_order_of_their_index(store_uri: str) -> None:
    """The default order of experiments needs no sort."""
    query = ExperimentQuery(parse_experiment_filter("tags.t = 'x'"), ViewType.ACTIVE_ONLY, (), [7, "a"], 10)

    steps = plan(store_uri, select_experiments(query, SQLite(Location.parse(store_uri))))

    assert "SEARCH experiments USING INDEX experiments_search (creation_time<?)" in steps
    assert not [step for step in steps if "TEMP B-TREE" in step]
