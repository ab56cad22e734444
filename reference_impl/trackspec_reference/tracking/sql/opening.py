"""Opening a database: is it ours, is it of this version, and if it is empty or older, make it so."""

from __future__ import annotations

import threading

import sqlalchemy as sa

from trackspec.errors import ErrorCode, TrackspecError, invalid
from trackspec_reference.tracking.sql.database import Database, driver_error
from trackspec_reference.tracking.sql.dialect import Dialect
from trackspec_reference.tracking.sql.location import Location
from trackspec_reference.tracking.sql.mariadb import MariaDB
from trackspec_reference.tracking.sql.postgresql import PostgreSQL
from trackspec_reference.tracking.sql.schema import SCHEMA_VERSION, VERSION_TABLE
from trackspec_reference.tracking.sql.sqlite import SQLite
from trackspec_reference.tracking.sql.statement import Statement

_DIALECTS: dict[str, type[Dialect]] = {"sqlite": SQLite, "postgresql": PostgreSQL, "mysql": MariaDB}
_EXTRAS = {"sqlite": "sql", "postgresql": "postgresql", "mysql": "mysql"}

_VERSION = sa.select(sa.column("version_num", sa.String)).select_from(sa.table(VERSION_TABLE))
_VERSION_ROW = Statement(_VERSION)

_MIGRATING = threading.Lock()  # alembic's context is global


def open_database(location: Location) -> tuple[Database, Dialect]:
    """Connect to a database of ours, of this version: an empty one is set up, an older one migrated.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if the database cannot be opened or is not ours or is newer,
        before anything is written; TEMPORARILY_UNAVAILABLE if its server does not answer.
    """
    name = location.url.get_backend_name()
    dialect = _DIALECTS[name](location)
    try:
        engine = dialect.create_engine()
    except ImportError:
        raise invalid(
            f"The driver for {name} is not installed: pip install 'trackspec[{_EXTRAS[name]}]'"
        ) from None
    sa.event.listen(engine, "connect", lambda connection, _: dialect.prepare(connection))
    database = Database(engine, dialect)
    is_current = _is_current(database)
    database.read(dialect.judge)
    if not is_current:
        try:
            with engine.connect() as connection:
                _bring_up_to_date(connection, dialect)
        except (engine.dialect.loaded_dbapi.Error, sa.exc.DBAPIError) as error:
            raise dialect.fault(driver_error(error)).error() from error
    return database, dialect


def _is_current(database: Database) -> bool:
    try:
        return database.read(lambda session: session.row(_VERSION_ROW)) == (SCHEMA_VERSION,)
    except TrackspecError as error:
        if error.error_code is not ErrorCode.DATA_LOSS:
            raise
        return False  # most likely there is no such table yet


def _bring_up_to_date(connection: sa.Connection, dialect: Dialect) -> None:
    _judged_version(connection)
    dialect.lock_schema(connection)
    if _judged_version(connection) != SCHEMA_VERSION:  # nobody else has done it meanwhile
        with _MIGRATING:
            _migrate(connection)
    dialect.unlock_schema(connection)


def _judged_version(connection: sa.Connection) -> str | None:
    """The schema's version, or None where there is none yet.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if the database is not for us to write to.
    """
    tables = set(sa.inspect(connection).get_table_names())
    if VERSION_TABLE not in tables:
        if tables:
            raise invalid("The database holds tables that are not a trackspec store's; it is left as it is.")
        return None
    version = connection.execute(_VERSION).scalar()
    if version is not None and version > SCHEMA_VERSION:
        raise invalid(f"The database has schema {version}, of a newer trackspec; this one knows {SCHEMA_VERSION}.")
    return version


def _migrate(connection: sa.Connection) -> None:
    from alembic import command  # noqa: PLC0415 - takes longer to import than a current database to open
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "trackspec_reference.tracking.sql:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
