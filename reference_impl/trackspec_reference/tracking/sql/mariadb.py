"""MariaDB (and MySQL 8, which shares its protocol and its SQL as far as used here), through PyMySQL."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trackspec.errors import invalid
from trackspec.limits import MAX_ORDER_COLUMNS
from trackspec_reference.tracking.sql.dialect import Dialect, Fault
from trackspec_reference.tracking.sql.location import Durability
from trackspec_reference.tracking.sql.statement import Statement

if TYPE_CHECKING:
    from trackspec_reference.tracking.sql.database import Session

_LOCK_TIMEOUT_S = 30
_SORTED_BYTES = 65_536
_SORT_BUFFER_BYTES = 16 * 2 * MAX_ORDER_COLUMNS * _SORTED_BYTES

_FAULTS = {
    1213: Fault.CONFLICT,  # deadlock
    1020: Fault.CONFLICT,  # record changed since the snapshot
    1412: Fault.CONFLICT,  # a table was made or migrated since the snapshot
    1062: Fault.CONFLICT,  # duplicate entry: the race for a name is lost, and the repetition finds the winner
    1205: Fault.BUSY,  # lock wait timeout
    3024: Fault.BUSY,  # statement timeout
    1969: Fault.BUSY,  # statement timeout
    0: Fault.UNREACHABLE,  # the driver's own word for a closed connection
    1040: Fault.UNREACHABLE,  # too many connections
    1053: Fault.UNREACHABLE,  # shutdown
    1927: Fault.UNREACHABLE,  # connection killed
    2002: Fault.UNREACHABLE,
    2003: Fault.UNREACHABLE,
    2006: Fault.UNREACHABLE,
    2013: Fault.UNREACHABLE,
    2014: Fault.UNREACHABLE,
    2055: Fault.UNREACHABLE,
    4031: Fault.UNREACHABLE,  # closed for inactivity
    1021: Fault.UNWRITABLE,  # disk full
    1036: Fault.UNWRITABLE,  # read-only table
    1114: Fault.UNWRITABLE,  # table full
    1142: Fault.UNWRITABLE,  # command denied
    1290: Fault.UNWRITABLE,  # read-only server
    1792: Fault.UNWRITABLE,  # read-only transaction
    1030: Fault.FAILING,
    1054: Fault.DAMAGED,  # unknown column
    1146: Fault.DAMAGED,  # no such table
    1712: Fault.DAMAGED,  # index corrupted
    1932: Fault.DAMAGED,  # table missing in the engine
    1153: Fault.TOO_LARGE,  # larger than max_allowed_packet
    1044: Fault.REFUSED,
    1045: Fault.REFUSED,
    1049: Fault.REFUSED,
    1698: Fault.REFUSED,
}


_ESCAPE = "|"
"""There is no way to have none: left out or empty, it is the backslash."""


_SYNCS_COMMITS = Statement(
    sa.text("SELECT @@innodb_flush_log_at_trx_commit = 1 AND (@@log_bin = 0 OR @@sync_binlog = 1)")
)


class MariaDB(Dialect):
    """A MariaDB database. URI options other than ``durability`` are PyMySQL's."""

    begin_read = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
    # Each write's first statement locks the row that it depends on. Only then does the snapshot begin.
    begin_write = "START TRANSACTION"

    def create_engine(self) -> sa.Engine:
        _require_known(self.location.url.query)
        return sa.create_engine(
            self.location.url.update_query_dict({"charset": "utf8mb4"}),
            poolclass=sa.NullPool,
            pool_reset_on_return=None,
            isolation_level="AUTOCOMMIT",
            paramstyle="format",
        )

    def prepare(self, connection: Any) -> None:
        connection.autocommit(True)
        collation = "utf8mb4_nopad_bin" if "MariaDB" in connection.get_server_info() else "utf8mb4_0900_bin"
        with connection.cursor() as cursor:
            cursor.execute(f"SET NAMES utf8mb4 COLLATE {collation}")
            # Sorting looks at 1,024 bytes of a text unless told otherwise, and its buffer holds at least 15 rows'
            # keys at their longest. How much is really used depends on the values.
            cursor.execute(
                "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', sql_select_limit = DEFAULT, "
                f"max_sort_length = {_SORTED_BYTES}, sort_buffer_size = {_SORT_BUFFER_BYTES}, "
                f"innodb_lock_wait_timeout = {_LOCK_TIMEOUT_S}"
            )
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")

    def fault(self, error: Exception) -> Fault:
        number = error.args[0] if error.args else None
        return _FAULTS.get(number, Fault.UNKNOWN) if isinstance(number, int) else Fault.UNKNOWN

    def judge(self, session: Session) -> None:
        if self.location.demands(Durability.POWER) and session.row(_SYNCS_COMMITS) != (1,):
            raise invalid(
                "The server does not sync each commit (innodb_flush_log_at_trx_commit = 1 and, with a binary log, "
                "sync_binlog = 1), so that durability=power cannot be had."
            )

    def lock_schema(self, connection: sa.Connection) -> None:
        taken = connection.exec_driver_sql(
            f"SELECT GET_LOCK(CONCAT('trackspec.', MD5(DATABASE())), {_LOCK_TIMEOUT_S})"
        ).scalar()
        if taken != 1:
            raise Fault.BUSY.error()

    def unlock_schema(self, connection: sa.Connection) -> None:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("SELECT RELEASE_LOCK(CONCAT('trackspec.', MD5(DATABASE())))")

    def artifact_root(self) -> str:
        return Path("trackspec-artifacts").absolute().as_uri()

    def like(self, column: sa.ColumnElement[str], pattern: str) -> sa.ColumnElement[bool]:
        return column.like(_escaped(pattern), escape=_ESCAPE)

    def ilike(self, column: sa.ColumnElement[str], pattern: str) -> sa.ColumnElement[bool]:
        return sa.func.lower(column).like(sa.func.lower(_escaped(pattern)), escape=_ESCAPE)


def _escaped(pattern: str) -> str:
    return pattern.replace(_ESCAPE, _ESCAPE * 2)


def _require_known(options: Mapping[str, Any]) -> None:
    from pymysql.connections import Connection  # noqa: PLC0415 - an optional driver

    unknown = set(options) - set(inspect.signature(Connection.__init__).parameters)
    if unknown:
        raise invalid(f"PyMySQL has no URI option {min(unknown)!r}.")
    if options.get("charset", "utf8mb4") != "utf8mb4":
        raise invalid("The URI option 'charset' can only be utf8mb4.")
