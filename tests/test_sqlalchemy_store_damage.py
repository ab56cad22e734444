"""A database that is damaged, full or gone: the error is clear, and the rest is served."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from trackspec.entities import Metric, Param, RunTag
from trackspec.errors import ErrorCode, TrackspecError
from trackspec_reference.tracking.sqlalchemy_store import SqlAlchemyStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A SQLite file that holds some runs, each with a param of its own."""
    path = tmp_path / "s.db"
    with SqlAlchemyStore(f"sqlite:///{path}?durability=process") as store:
        for number in range(50):
            run_id = store.create_run("0", "", number, [], f"run {number}").info.run_id
            store.log_param(run_id, Param("p", f"value of {number:03}"))
    return path


@pytest.fixture
def store(path: Path) -> Iterator[SqlAlchemyStore]:
    """A store on that file."""
    with SqlAlchemyStore(f"sqlite:///{path}?durability=process") as store:
        yield store


def overwrite(path: Path, old: bytes, new: bytes) -> None:
    """Change bytes of a file behind the back of SQLite."""
    content = path.read_bytes()
    assert content.count(old) == 1
    assert len(old) == len(new)
    path.write_bytes(content.replace(old, new))


def test_one_damaged_text_hides_no_other_run(path: Path) -> None:
    """A run whose text is no text any more is reported when it is asked for, and left out of searches."""
    overwrite(path, b"value of 017", b"value of \xff\xfe\xfd")
    with SqlAlchemyStore(f"sqlite:///{path}") as store:
        found = store.search_runs(["0"], max_results=30)
        rest = store.search_runs(["0"], max_results=30, page_token=found.token)
        (damaged,) = store.search_runs(["0"], "run_name = 'run 16'")
        (damaged_id,) = _run_ids(path, "run 17")
        with pytest.raises(TrackspecError) as error:
            store.get_run(damaged_id)

    assert {run.info.run_name for run in [*found, *rest]} == {f"run {number}" for number in range(50)} - {"run 17"}
    assert (len(found), len(rest)) == (30, 19)
    assert damaged.data.params == {"p": "value of 016"}
    assert error.value.error_code is ErrorCode.DATA_LOSS


def _run_ids(path: Path, name: str) -> list[str]:
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT run_id FROM runs WHERE run_name = ?", [name]).fetchall()
    connection.close()
    return [run_id for (run_id,) in found]


def test_a_status_that_is_none_is_damage(path: Path) -> None:
    """Values that the schema rules out, written past its checks, are damage of their own run."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("UPDATE runs SET status = 'LOST' WHERE run_name = 'run 3'")
    connection.close()
    with SqlAlchemyStore(f"sqlite:///{path}") as store:
        found = store.search_runs(["0"])
        with pytest.raises(TrackspecError) as alone:
            store.search_runs(["0"], "run_name = 'run 3'")

    assert len(found) == 49
    assert alone.value.error_code is ErrorCode.DATA_LOSS


def test_a_page_of_nonsense_is_damage(path: Path) -> None:
    """A torn file is data loss, in words without a path or SQL."""
    content = bytearray(path.read_bytes())
    content[4096 : 4096 * 8] = b"\xa5" * (4096 * 7)
    path.write_bytes(content)

    with pytest.raises(TrackspecError) as error, SqlAlchemyStore(f"sqlite:///{path}") as store:
        store.search_runs(["0"])

    assert error.value.error_code is ErrorCode.DATA_LOSS
    assert str(path) not in error.value.message
    assert "SELECT" not in error.value.message


def test_a_missing_table_is_damage(sql_uri: str) -> None:
    """A table that somebody dropped is data loss for what it held; the rest is served."""
    with SqlAlchemyStore(sql_uri) as store:
        run_id = store.create_run("0", "", 1, [], None).info.run_id
        engine = sa.create_engine(sql_uri, poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE metric_points")
        with pytest.raises(TrackspecError) as error:
            store.log_metric(run_id, Metric("m", 1.0, 1))
        store.set_tag(run_id, RunTag("t", "v"))

        assert error.value.error_code is ErrorCode.DATA_LOSS
        assert store.get_run(run_id).data.tags["t"] == "v"


def test_a_full_disk_loses_nothing(store: SqlAlchemyStore) -> None:
    """A write that finds no room fails as a whole, and works again when there is some."""
    run = store.search_runs(["0"], max_results=1)[0]
    tags = [RunTag(f"t{number}", "x" * 8000) for number in range(50)]
    pages = _pragma(store, "page_count")
    _pragma(store, f"max_page_count = {pages + 2}")

    with pytest.raises(TrackspecError) as error:
        store.log_batch(run.info.run_id, [], [], tags)

    assert error.value.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
    assert store.get_run(run.info.run_id) == run
    _pragma(store, "max_page_count = 1000000")
    store.log_batch(run.info.run_id, [], [], tags)
    assert len(store.get_run(run.info.run_id).data.tags) == len(run.data.tags) + 50


def _pragma(store: SqlAlchemyStore, text: str) -> int:
    session = store._database._idle[-1]
    session.command(f"PRAGMA {text}")
    return int(session._cursor.fetchone()[0])


def test_a_write_to_a_read_only_database_is_refused(store: SqlAlchemyStore) -> None:
    """Reading goes on, and the error says that it is the database that takes no writes."""
    run_id = store.search_runs(["0"], max_results=1)[0].info.run_id
    store._database._idle[-1].command("PRAGMA query_only = ON")

    with pytest.raises(TrackspecError) as error:
        store.set_tag(run_id, RunTag("t", "v"))

    assert error.value.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
    assert store.get_run(run_id).info.run_id == run_id
