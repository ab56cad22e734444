"""SQL statements: built with SQLAlchemy Core, compiled once for a dialect, executed by the driver itself.

Compiling a statement costs more than most of them take to execute, and so does SQLAlchemy's own way from a cached
statement to the driver. So a :class:`Statement` is turned into text once, and its parameters are positional.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.sql.expression import ClauseElement

Builder = Callable[[str], ClauseElement]
"""Makes a statement for the dialect of a name."""


@dataclass(frozen=True)
class Compiled:
    """A statement as text.

    :ivar positions: for each placeholder which parameter it takes, or None where they stand in the same order.
    """

    sql: str
    positions: tuple[int, ...] | None

    def arrange(self, arguments: Sequence[Any]) -> Sequence[Any]:
        """The arguments in the order of the placeholders."""
        return arguments if self.positions is None else [arguments[index] for index in self.positions]


class Statement:
    """A statement and the names of its parameters, in the order in which callers give them.

    :param of_arrays: makes a statement that does the same for many rows, given an array for each parameter.
    :param of_rows: does the same for ``ROWS_AT_ONCE`` rows, given the parameters of one after the other.
    """

    ROWS_AT_ONCE = 16

    def __init__(
        self,
        build: ClauseElement | Builder,
        *parameters: str,
        of_arrays: Builder | None = None,
        of_rows: Statement | None = None,
    ) -> None:
        self._build = build
        self._parameters = parameters
        self._of_arrays = of_arrays
        self._of_rows = of_rows
        self._compiled: dict[str, Compiled] = {}
        self._compiled_of_arrays: dict[str, Compiled] = {}

    def compiled(self, dialect: sa.Dialect) -> Compiled:
        """The text of the statement for a dialect."""
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            build = self._build
            element = build if isinstance(build, ClauseElement) else build(dialect.name)
            compiled = self._compiled[dialect.name] = self._compile(element, dialect)
        return compiled

    def compiled_of_arrays(self, dialect: sa.Dialect) -> Compiled | None:
        """The text of the statement for many rows, where there is one and the dialect has arrays."""
        if self._of_arrays is None or dialect.name != "postgresql":
            return None
        compiled = self._compiled_of_arrays.get(dialect.name)
        if compiled is None:
            element = self._of_arrays(dialect.name)
            compiled = self._compiled_of_arrays[dialect.name] = self._compile(element, dialect)
        return compiled

    def compiled_of_rows(self, dialect: sa.Dialect) -> Compiled | None:
        """The text of the statement for ``ROWS_AT_ONCE`` rows, where there is one and it is the faster way."""
        return self._of_rows.compiled(dialect) if self._of_rows and dialect.name == "sqlite" else None

    def _compile(self, element: ClauseElement, dialect: sa.Dialect) -> Compiled:
        compiled = element.compile(dialect=dialect)
        names: Sequence[str] = getattr(compiled, "positiontup", None) or ()
        positions = tuple(self._parameters.index(name) for name in names)
        in_order = positions == tuple(range(len(self._parameters)))
        return Compiled(str(compiled), None if in_order else positions)


class ListStatement:
    """A select whose last parameter is a list of any length.

    Where the dialect has arrays, it is one; elsewhere the select is executed for pieces of a few fixed lengths.
    """

    WIDTHS = (1, 16, 256)

    def __init__(self, select: sa.Select[Any], column: sa.ColumnElement[Any], *parameters: str) -> None:
        self._select = select
        self._column = column
        self._parameters = parameters
        self._of_width: dict[int, Statement] = {}
        items = sa.bindparam("items", type_=_array_of(column))
        self._of_array = Statement(select.where(column == sa.any_(items)), *parameters, "items")

    def pieces(self, items: Sequence[Any], dialect: sa.Dialect) -> Iterator[tuple[Statement, Sequence[Any]]]:
        """The statements that together select for all items, each with its last arguments."""
        if dialect.name == "postgresql":
            yield self._of_array, [list(items)]
            return
        for start in range(0, len(items), self.WIDTHS[-1]):
            piece = items[start : start + self.WIDTHS[-1]]
            width = next(width for width in self.WIDTHS if width >= len(piece))
            statement = self._of_width.get(width)
            if statement is None:
                statement = self._of_width[width] = self._statement(width)
            yield statement, [*piece, *[piece[-1]] * (width - len(piece))]

    def _statement(self, width: int) -> Statement:
        names = [f"item_{number}" for number in range(width)]
        items = [sa.bindparam(name, type_=self._column.type) for name in names]
        return Statement(self._select.where(self._column.in_(items)), *self._parameters, *names)


def insert(table: sa.Table, *columns: str) -> Statement:
    """Insert a row of the given columns."""
    return _insert(table, columns, lambda statement: statement)


def insert_with_id(table: sa.Table, *columns: str) -> Statement:
    """Insert a row; :meth:`~trackspec_reference.tracking.sql.database.Session.insert` returns its id."""

    def with_id(statement: Any) -> Any:
        return statement.returning(table.c.id) if isinstance(statement, postgresql.Insert) else statement

    return _insert(table, columns, with_id)


def insert_or_keep(table: sa.Table, *columns: str) -> Statement:
    """Insert a row unless one of its primary key exists."""

    def or_keep(statement: Any) -> Any:
        if isinstance(statement, mysql.Insert):
            own = next(iter(table.primary_key))  # IGNORE would pass over errors of every other kind too
            return statement.on_duplicate_key_update({own.name: own})
        return statement.on_conflict_do_nothing()

    return _insert(table, columns, or_keep)


def insert_or_replace(table: sa.Table, *columns: str) -> Statement:
    """Insert a row, or give the one of its primary key the new ``value``."""
    return _insert(table, columns, _or_replace)


def insert_or_replace_from(
    table: sa.Table, columns: Sequence[str], source: sa.Select[Any], *parameters: str
) -> Statement:
    """Insert the rows that a select with these parameters selects, or give those that exist the new ``value``."""

    def build(dialect: str) -> ClauseElement:
        statement: ClauseElement = _or_replace(_INSERTS[dialect](table).from_select(columns, source))
        return statement

    return Statement(build, *parameters)


_INSERTS: dict[str, Callable[[sa.Table], Any]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
    "mysql": mysql.insert,
}


def _insert(table: sa.Table, columns: Sequence[str], settle: Callable[[Any], Any]) -> Statement:
    """An insert; ``settle`` says what becomes of rows that exist."""

    def of_row(dialect: str) -> ClauseElement:
        values: dict[str, Any] = {column: sa.bindparam(column) for column in columns}
        statement: ClauseElement = settle(_INSERTS[dialect](table).values(values))
        return statement

    def of_arrays(dialect: str) -> ClauseElement:
        arrays = [sa.func.unnest(sa.bindparam(name, type_=_array_of(table.c[name]))) for name in columns]
        statement: ClauseElement = settle(_INSERTS[dialect](table).from_select(columns, sa.select(*arrays)))
        return statement

    def of_rows(dialect: str) -> ClauseElement:
        values: list[dict[str, Any]] = [
            {column: sa.bindparam(f"{column}_{number}") for column in columns}
            for number in range(Statement.ROWS_AT_ONCE)
        ]
        statement: ClauseElement = settle(_INSERTS[dialect](table).values(values))
        return statement

    names = [f"{column}_{number}" for number in range(Statement.ROWS_AT_ONCE) for column in columns]
    return Statement(of_row, *columns, of_arrays=of_arrays, of_rows=Statement(of_rows, *names))


def _array_of(column: sa.ColumnElement[Any]) -> postgresql.ARRAY[Any]:
    # A cast to a type with a length would cut what is longer.
    return postgresql.ARRAY(sa.Text() if isinstance(column.type, sa.String) else column.type)


def _or_replace(statement: Any) -> Any:
    if isinstance(statement, mysql.Insert):
        return statement.on_duplicate_key_update(value=statement.inserted.value)
    return statement.on_conflict_do_update(
        index_elements=list(statement.table.primary_key), set_={"value": statement.excluded.value}
    )
