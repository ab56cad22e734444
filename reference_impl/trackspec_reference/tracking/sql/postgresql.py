"""PostgreSQL, through psycopg."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trackspec.errors import invalid
from trackspec_reference.tracking.sql.dialect import Dialect, Fault
from trackspec_reference.tracking.sql.location import Durability
from trackspec_reference.tracking.sql.statement import Statement

if TYPE_CHECKING:
    from trackspec_reference.tracking.sql.database import Session

_SCHEMA_LOCK = 0x7472_6163_6B73_7065
"""The key of the advisory lock that whoever migrates a database holds."""

_LOCK_TIMEOUT_MS = 30_000

_FAULTS = {
    "40001": Fault.CONFLICT,  # serialization failure
    "40P01": Fault.CONFLICT,  # deadlock
    "23505": Fault.CONFLICT,  # unique violation: the race for a name is lost, and the repetition finds the winner
    "55P03": Fault.BUSY,  # lock timeout
    "57014": Fault.BUSY,  # statement timeout
    "53100": Fault.UNWRITABLE,  # disk full
    "25006": Fault.UNWRITABLE,  # read-only transaction, as on a standby
    "42501": Fault.UNWRITABLE,  # insufficient privilege
    "42P01": Fault.DAMAGED,  # undefined table
    "42703": Fault.DAMAGED,  # undefined column
    "XX001": Fault.DAMAGED,  # data corrupted
    "XX002": Fault.DAMAGED,  # index corrupted
    "54000": Fault.TOO_LARGE,
    "28000": Fault.REFUSED,  # no such user, or not from here
    "28P01": Fault.REFUSED,  # wrong password
    "3D000": Fault.REFUSED,  # no such database
}
_FAULTS_BY_CLASS = {
    "08": Fault.UNREACHABLE,
    "57": Fault.UNREACHABLE,  # shutting down, starting up
    "53": Fault.UNREACHABLE,  # too many connections, out of memory
    "58": Fault.FAILING,
}
_REFUSALS = ("authentication failed", "does not exist", "no pg_hba.conf entry", "no password supplied")
"""A failure to connect carries no code, only what the server said."""


_ENCODING = Statement(sa.text("SHOW server_encoding"))
_FSYNC = Statement(sa.text("SHOW fsync"))


class PostgreSQL(Dialect):
    """A PostgreSQL database. URI options other than ``durability`` are libpq's."""

    begin_read = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    begin_write = "BEGIN ISOLATION LEVEL READ COMMITTED"

    def create_engine(self) -> sa.Engine:
        url = self.location.url
        _require_known(url.query)
        if "connect_timeout" not in url.query:
            url = url.update_query_dict({"connect_timeout": "10"})
        return sa.create_engine(
            url,
            poolclass=sa.NullPool,
            pool_reset_on_return=None,
            isolation_level="AUTOCOMMIT",
            paramstyle="format",
            use_native_hstore=False,  # looking it up is one more round trip for each connection
        )

    def prepare(self, connection: Any) -> None:
        connection.autocommit = True
        commits = "on" if self.location.durability is Durability.POWER else "off"
        # Levels between the two wait for more than our own disk, or for it alone: they are the administrator's.
        connection.execute(
            f"""SELECT set_config('lock_timeout', '{_LOCK_TIMEOUT_MS}', false),
                       CASE WHEN current_setting('synchronous_commit') = 'off' OR '{commits}' = 'off'
                            THEN set_config('synchronous_commit', '{commits}', false) END"""
        )

    def fault(self, error: Exception) -> Fault:
        code = getattr(error, "sqlstate", None)
        if code is not None:
            return _FAULTS.get(code) or _FAULTS_BY_CLASS.get(code[:2], Fault.UNKNOWN)
        message = str(error)
        if any(refusal in message for refusal in _REFUSALS):
            return Fault.REFUSED
        is_connecting = type(error).__name__.endswith(("OperationalError", "Timeout"))
        return Fault.UNREACHABLE if is_connecting else Fault.UNKNOWN

    def judge(self, session: Session) -> None:
        if session.row(_ENCODING) != ("UTF8",):
            raise invalid("The PostgreSQL database must have the encoding UTF8.")
        if self.location.demands(Durability.POWER) and session.row(_FSYNC) != ("on",):
            raise invalid("The server runs with fsync off, so that durability=power cannot be had.")

    def lock_schema(self, connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_SCHEMA_LOCK})")

    def unlock_schema(self, connection: sa.Connection) -> None:
        connection.exec_driver_sql("COMMIT")

    def artifact_root(self) -> str:
        return Path("trackspec-artifacts").absolute().as_uri()

    def like(self, column: sa.ColumnElement[str], pattern: str) -> sa.ColumnElement[bool]:
        return column.like(pattern, escape="")

    def ilike(self, column: sa.ColumnElement[str], pattern: str) -> sa.ColumnElement[bool]:
        return column.ilike(pattern, escape="")


def _require_known(options: Mapping[str, Any]) -> None:
    from psycopg import ProgrammingError  # noqa: PLC0415 - an optional driver
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415

    try:
        make_conninfo(**options)
    except ProgrammingError:
        raise invalid("PostgreSQL's client library does not know the URI's options.") from None
