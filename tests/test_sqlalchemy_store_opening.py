"""What a SQL store does when it is opened: set up, migrate, or refuse."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tests.servers import free_port
from trackspec.errors import ErrorCode, TrackspecError
from trackspec_reference.tracking.sql import migrations
from trackspec_reference.tracking.sql.schema import SCHEMA_VERSION, VERSION_TABLE, metadata
from trackspec_reference.tracking.sqlalchemy_store import SqlAlchemyStore


@pytest.fixture
def engine(sql_uri: str) -> Iterator[sa.Engine]:
    """A way to the same database that knows nothing of the store."""
    engine = sa.create_engine(sql_uri, poolclass=sa.NullPool)
    yield engine
    engine.dispose()


def refusal(store_uri: str) -> TrackspecError:
    """The error with which a URI is refused."""
    with pytest.raises(TrackspecError) as error:
        SqlAlchemyStore(store_uri)
    return error.value


def test_an_empty_database_gets_the_schema_that_the_queries_see(sql_uri: str, engine: sa.Engine) -> None:
    """The migrations make the tables, columns, keys and indexes of the schema module, and no others."""
    SqlAlchemyStore(sql_uri).close()

    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": False}
        )
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == SCHEMA_VERSION


def test_the_newest_migration_is_the_schema_of_the_package() -> None:
    """Whoever adds a migration moves the version, too."""
    (directory,) = migrations.__path__

    assert ScriptDirectory(directory).get_current_head() == SCHEMA_VERSION


def test_setting_up_continues_where_it_was_interrupted(sql_uri: str, engine: sa.Engine) -> None:
    """A database that holds some of the tables and no version yet is completed."""
    SqlAlchemyStore(sql_uri).close()
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM {VERSION_TABLE}")
        connection.exec_driver_sql("DROP TABLE input_tags")

    with SqlAlchemyStore(sql_uri) as store:
        assert store.get_experiment("0").name == "Default"


def test_a_newer_schema_is_refused(sql_uri: str, engine: sa.Engine) -> None:
    """A database of a later version is left as it is."""
    SqlAlchemyStore(sql_uri).close()
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '0999'")

    error = refusal(sql_uri)

    assert error.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert "newer" in error.message


@pytest.mark.parametrize("table", ["alembic_version", "runs"], ids=["MLflow's", "somebody's"])
def test_a_database_of_others_is_refused(sql_uri: str, engine: sa.Engine, table: str) -> None:
    """Tables that are not ours are left alone, and no table is added to them."""
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {table} (version_num VARCHAR(32))")

    error = refusal(sql_uri)

    assert error.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert sa.inspect(engine).get_table_names() == [table]


def test_a_refused_sqlite_file_keeps_every_byte(tmp_path: Path) -> None:
    """Not even the journal mode of a file that is not ours is changed."""
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
    connection.close()
    before = path.read_bytes()

    refusal(f"sqlite:///{path}")

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_many_may_open_an_empty_database_at_once(sql_uri: str) -> None:
    """One of them sets it up, and all of them use it."""
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(SqlAlchemyStore, [sql_uri] * 4))

    for store in stores:
        assert [experiment.name for experiment in store.search_experiments()] == ["Default"]
        store.close()


@pytest.mark.parametrize(
    "store_uri",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite://host/path",
        "sqlite:///{place}/missing/store.db",
        "sqlite:///{place}",
        "sqlite:///{place}/text.txt",
        "sqlite:///{place}/store.db?durability=none",
        "sqlite:///{place}/store.db?durability=power&durability=process",
        "sqlite:///{place}/store.db?timeout=soon",
        "sqlite:///{place}/store.db?isolation_level=DEFERRED",
        "sqlite+aiosqlite:///{place}/store.db",
        "mssql://host/name",
        "postgresql+psycopg2://host/name",
        "mysql+pymysql://host/name?no_such_option=1",
        "mysql+pymysql://host/name?charset=latin1",
        "postgresql+psycopg://host/name?no_such_option=1",
        "no uri",
        "",
    ],
)
def test_a_uri_that_cannot_be_is_refused(store_uri: str, tmp_path: Path) -> None:
    """What names no database, or asks for what does not exist, is refused and leaves nothing behind."""
    (tmp_path / "text.txt").write_text("not a database")

    error = refusal(store_uri.format(place=tmp_path))

    assert error.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert str(tmp_path) not in error.message
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]


@pytest.mark.parametrize("value", [None, 5, b"sqlite:///x.db", Path("x.db")], ids=repr)
def test_a_uri_is_a_string(value: object) -> None:
    """Anything else is refused as an argument is."""
    assert refusal(value).error_code is ErrorCode.INVALID_PARAMETER_VALUE  # type: ignore[arg-type]


@pytest.mark.parametrize("scheme", ["postgresql+psycopg", "mysql+pymysql"])
def test_a_server_that_is_not_there_is_temporarily_unavailable(scheme: str) -> None:
    """The error says so, and says nothing of the credentials."""
    error = refusal(f"{scheme}://somebody:secret@127.0.0.1:{free_port()}/name?connect_timeout=2")

    assert error.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
    assert "secret" not in error.message
    assert "somebody" not in error.message


@pytest.mark.parametrize("uri", ["postgresql_uri", "mariadb_uri"])
def test_a_database_that_is_not_there_is_refused(uri: str, request: pytest.FixtureRequest) -> None:
    """A server that answers, and says no, is not unavailable."""
    url = sa.make_url(request.getfixturevalue(uri)).set(database="no_such_database")

    error = refusal(url.render_as_string(hide_password=False))

    assert error.error_code is ErrorCode.INVALID_PARAMETER_VALUE


@pytest.mark.parametrize(
    ("module", "store_uri", "extra"),
    [
        ("psycopg", "postgresql://host/name", "trackspec[postgresql]"),
        ("pymysql", "mysql://host/name", "trackspec[mysql]"),
    ],
)
def test_a_missing_driver_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, module: str, store_uri: str, extra: str
) -> None:
    """One line says what to install."""
    for name in [name for name in sys.modules if name.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)

    error = refusal(store_uri)

    assert error.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert f"pip install '{extra}'" in error.message
    assert "\n" not in error.message


@pytest.mark.parametrize(("durability", "synchronous"), [("power", 2), ("process", 1)])
def test_durability_sets_when_sqlite_syncs(tmp_path: Path, durability: str, synchronous: int) -> None:
    """``power`` syncs each commit (FULL), ``process`` only checkpoints (NORMAL), both in write-ahead mode."""
    with SqlAlchemyStore(f"sqlite:///{tmp_path}/s.db?durability={durability}") as store:
        found = store._database.read(lambda session: pragmas(session, "synchronous", "journal_mode"))

    assert found == [synchronous, "wal"]


def pragmas(session: object, *names: str) -> list[object]:
    """What SQLite says of its settings."""
    values = []
    for name in names:
        session.command(f"PRAGMA {name}")  # type: ignore[attr-defined]
        values.append(session._cursor.fetchone()[0])  # type: ignore[attr-defined]
    return values


def test_power_is_the_default(tmp_path: Path) -> None:
    """Whoever says nothing gets what survives a power cut."""
    with SqlAlchemyStore(f"sqlite:///{tmp_path}/s.db") as store:
        assert store._database.read(lambda session: pragmas(session, "synchronous")) == [2]


@pytest.mark.parametrize("uri", ["postgresql_uri", "mariadb_uri"])
def test_a_server_that_does_not_sync_cannot_promise_power(uri: str, request: pytest.FixtureRequest) -> None:
    """Durability that the URI asks for and the server's settings rule out is refused, not ignored."""
    url = sa.make_url(request.getfixturevalue(uri)).update_query_dict({"durability": "power"})

    error = refusal(url.render_as_string(hide_password=False))

    assert error.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert "durability" in error.message


def test_the_artifact_root_is_next_to_the_sqlite_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is where nobody else gives one, wherever the process goes after it opened a relative path."""
    monkeypatch.delenv("TRACKSPEC_ARTIFACT_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    with SqlAlchemyStore("sqlite:///runs.db") as store:
        monkeypatch.chdir("/")
        assert store.get_artifact_root() == (tmp_path / "runs-artifacts").as_uri()


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    """It opens no new connection behind the caller's back, and can be closed again."""
    store = SqlAlchemyStore(f"sqlite:///{tmp_path}/s.db")
    store.close()
    store.close()

    with pytest.raises(TrackspecError) as error:
        store.get_artifact_root()

    assert error.value.error_code is ErrorCode.INVALID_STATE
    assert [path.name for path in tmp_path.iterdir()] == ["s.db"]


def test_opening_a_current_database_loads_no_migrations(tmp_path: Path) -> None:
    """Alembic takes longer to import than a database to open."""
    SqlAlchemyStore(f"sqlite:///{tmp_path}/s.db").close()
    program = (
        "import sys; from trackspec_reference.tracking.sqlalchemy_store import SqlAlchemyStore;"
        f"SqlAlchemyStore('sqlite:///{tmp_path}/s.db').close(); print('alembic' in sys.modules)"
    )

    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert printed.strip() == "False"
