"""Connections and transactions: one transaction a call, repeated where another one got in its way."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import sqlalchemy as sa

from trackspec.errors import ErrorCode, TrackspecError
from trackspec_reference.tracking.sql.dialect import Dialect, Fault
from trackspec_reference.tracking.sql.statement import Compiled, ListStatement, Statement

P = ParamSpec("P")
R = TypeVar("R")
Row = tuple[Any, ...]

MAX_ATTEMPTS = 20
"""How often a transaction is tried that others get in the way of, with pauses of at most 8 seconds in all."""

MAX_CONNECTIONS = 16
"""How many connections to a server one store holds; further threads wait for their turn."""


class Session:
    """A connection of the driver, and in its hands a transaction."""

    def __init__(self, engine: sa.Engine, dialect: Dialect) -> None:
        self._connection = engine.raw_connection()
        self._cursor = self._connection.cursor()
        self._dialect = engine.dialect
        self._faults = dialect

    def command(self, sql: str) -> None:
        """Execute a statement that has no parameters and no result, such as BEGIN."""
        self._cursor.execute(sql)

    def rows(self, statement: Statement, *arguments: Any) -> Sequence[Row]:
        """All rows that a statement selects."""
        self._execute(statement, arguments)
        return self._cursor.fetchall()

    def row(self, statement: Statement, *arguments: Any) -> Row | None:
        """The only row that a statement selects, or None."""
        self._execute(statement, arguments)
        return self._cursor.fetchone()

    def rows_of(self, statement: ListStatement, items: Sequence[Any], *arguments: Any) -> Iterator[Row]:
        """The rows that a statement selects for the items of a list, in no order over the whole of it."""
        for piece, last_arguments in statement.pieces(items, self._dialect):
            yield from self.rows(piece, *arguments, *last_arguments)

    def select(self, select: sa.Select[Any]) -> Sequence[Row]:
        """All rows of a select that is not worth keeping compiled."""
        compiled = select.compile(dialect=self._dialect, compile_kwargs={"render_postcompile": True})
        parameters = compiled.params
        names: Sequence[str] = getattr(compiled, "positiontup", None) or ()
        self._cursor.execute(str(compiled), [parameters[name] for name in names])
        return self._cursor.fetchall()

    def change(self, statement: Statement, *arguments: Any) -> int:
        """Execute a statement and return how many rows it matched."""
        self._execute(statement, arguments)
        return self._cursor.rowcount

    def change_many(self, statement: Statement, rows: Sequence[Row]) -> None:
        """Execute a statement for each row of arguments."""
        if not rows:
            return
        compiled = statement.compiled_of_arrays(self._dialect)
        if compiled is not None:
            arrays = [list(column) for column in zip(*rows, strict=True)]
            self._cursor.execute(compiled.sql, compiled.arrange(arrays))
            return
        compiled = statement.compiled_of_rows(self._dialect)
        if compiled is not None:
            width = statement.ROWS_AT_ONCE
            whole = len(rows) // width * width
            pieces = (rows[start : start + width] for start in range(0, whole, width))
            self._execute_many(compiled, [list(chain.from_iterable(piece)) for piece in pieces])
            rows = rows[whole:]
        self._execute_many(statement.compiled(self._dialect), rows)

    def insert(self, statement: Statement, *arguments: Any) -> int:
        """Insert a row and return its id."""
        self._execute(statement, arguments)
        if self._dialect.name == "postgresql":
            (row_id,) = self._cursor.fetchone() or (None,)
        else:
            row_id = self._cursor.lastrowid
        assert isinstance(row_id, int)
        return row_id

    @contextlib.contextmanager
    def naming_damage(self, what: str) -> Iterator[None]:
        """Let an error that says that something is damaged say what."""
        try:
            yield
        except Exception as error:
            if self.is_damage(error):
                raise TrackspecError(f"What is stored for {what} is damaged.", ErrorCode.DATA_LOSS) from error
            raise

    def is_damage(self, error: Exception) -> bool:
        """Whether an error of a statement says that what is stored is damaged."""
        if isinstance(error, TrackspecError):
            return error.error_code is ErrorCode.DATA_LOSS
        return isinstance(error, self._dialect.loaded_dbapi.Error) and self._faults.fault(error) is Fault.DAMAGED

    def _execute(self, statement: Statement, arguments: Sequence[Any]) -> None:
        compiled = statement.compiled(self._dialect)
        self._cursor.execute(compiled.sql, compiled.arrange(arguments))

    def _execute_many(self, compiled: Compiled, rows: Sequence[Sequence[Any]]) -> None:
        self._cursor.executemany(compiled.sql, [compiled.arrange(row) for row in rows])

    def close(self) -> None:
        """Give the connection up, whatever state it is in."""
        with contextlib.suppress(Exception):
            self._connection.close()


class Database:
    """The connections of one store.

    A connection is used by one thread at a time and kept for the next one. Handing it on costs next to nothing,
    which cannot be said of a general pool's bookkeeping.
    """

    def __init__(self, engine: sa.Engine, dialect: Dialect) -> None:
        self._engine = engine
        self._dialect = dialect
        self._driver_errors = (engine.dialect.loaded_dbapi.Error, sa.exc.DBAPIError)
        self._idle: deque[Session] = deque()
        self._closed = False
        self._begin_process()
        weakref.finalize(self, _close_at_exit, self._idle, self._process)

    def _begin_process(self) -> None:
        self._process = os.getpid()
        self._writing: _Turn = threading.Lock()
        self._reading: _Turn | None = None
        if not self._dialect.one_writer:
            self._reading = self._writing = threading.BoundedSemaphore(MAX_CONNECTIONS)

    def read(self, work: Callable[[Session], R]) -> R:
        """Return what ``work`` reads in one transaction."""
        return self._repeat(self._reading, self._dialect.begin_read, work)

    def write(self, work: Callable[[Session], R]) -> R:
        """Do all of ``work`` in one transaction, or nothing of it. It is called again if others get in the way."""
        return self._repeat(self._writing, self._dialect.begin_write, work)

    def try_changes(self, *changes: tuple[Statement, Sequence[Any]]) -> bool:
        """Execute statements as one transaction; True if the last one changed a row.

        Otherwise, and where others get in the way, nothing is changed. So it is where a transaction has not the
        database to itself: what one statement found there, the run being active, need not hold for the next.
        """
        if not self._dialect.one_writer:
            return False

        def work(session: Session) -> None:
            for statement, arguments in changes:
                changed = session.change(statement, *arguments)
            if changed < 1:
                raise _NothingChangedError

        try:
            self._once(self._writing, self._dialect.begin_write if len(changes) > 1 else None, work)
            return True
        except _NothingChangedError:
            return False
        except self._driver_errors as error:
            fault = self._dialect.fault(driver_error(error))
            if fault is Fault.CONFLICT or fault is Fault.UNREACHABLE:
                return False
            raise fault.error() from error
        except _CommitUnknownError as error:
            raise Fault.UNREACHABLE.error() from error

    def close(self) -> None:
        """Close the connections, those in use when they are put back."""
        self._closed = True
        _close_all(self._idle)

    def _repeat(self, turn: _Turn | None, begin: str, work: Callable[[Session], R]) -> R:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                return self._once(turn, begin, work)
            except self._driver_errors as error:
                fault = self._dialect.fault(driver_error(error))
                # A connection that went stale while idle deserves one new one; a server that is down, no waiting.
                again = MAX_ATTEMPTS if fault is Fault.CONFLICT else 2 if fault is Fault.UNREACHABLE else 1
                if attempt >= again:
                    raise fault.error() from error
            except _CommitUnknownError as error:
                raise Fault.UNREACHABLE.error() from error
            time.sleep(random.uniform(0, min(0.4, 0.002 * 2**attempt)))
        raise AssertionError("The last attempt returns or raises.")

    def _once(self, turn: _Turn | None, begin: str | None, work: Callable[[Session], R]) -> R:
        """Work in one transaction; without ``begin``, that of the only statement."""
        if turn is not None and not turn.acquire(timeout=self._dialect.patience):
            raise Fault.BUSY.error()
        try:
            session = self._take()
            try:
                if begin is None:
                    result = work(session)
                else:
                    session.command(begin)
                    result = work(session)
                    self._commit(session)
            except BaseException as error:
                self._abandon(session, begin, error)
                raise
            self._put_back(session)
            return result
        finally:
            if turn is not None:
                turn.release()

    def _commit(self, session: Session) -> None:
        try:
            session.command("COMMIT")
        except self._driver_errors as error:
            if self._dialect.fault(driver_error(error)) is Fault.UNREACHABLE:
                raise _CommitUnknownError from error
            raise

    def _take(self) -> Session:
        if self._closed:
            raise TrackspecError("The store is closed.", ErrorCode.INVALID_STATE)
        if self._process != os.getpid():
            _INHERITED.extend(self._idle)
            self._idle.clear()
            self._begin_process()
        try:
            return self._idle.pop()
        except IndexError:
            return Session(self._engine, self._dialect)

    def _put_back(self, session: Session) -> None:
        if self._closed:
            session.close()
        else:
            self._idle.append(session)

    def _abandon(self, session: Session, begin: str | None, error: BaseException) -> None:
        """Undo the transaction. A connection that cannot, or that the error leaves in doubt, is closed."""
        lost = False
        if isinstance(error, self._driver_errors):
            lost = self._dialect.fault(driver_error(error)) is Fault.UNREACHABLE
        elif not isinstance(error, (TrackspecError, _NothingChangedError)):
            session.close()
            return
        if not lost:
            with contextlib.suppress(Exception):
                if begin is not None:
                    session.command("ROLLBACK")
                self._put_back(session)
                return
        session.close()
        _close_all(self._idle)  # what ended this connection most likely ended the idle ones


class _Turn(Protocol):
    """What a call waits for before it takes a connection."""

    def acquire(self, *, timeout: float) -> bool: ...

    def release(self) -> None: ...


class _NothingChangedError(Exception):
    """The statement found nothing to change."""


class _CommitUnknownError(Exception):
    """The connection was lost during a commit, which repeating the transaction might do twice."""


_INHERITED: list[Session] = []
"""Connections of a parent process. Closing them, as their collection would, ends them for the parent too."""


def _close_all(sessions: deque[Session]) -> None:
    with contextlib.suppress(IndexError):
        while True:
            sessions.pop().close()


def _close_at_exit(sessions: deque[Session], process: int) -> None:
    if process == os.getpid():  # a forked process leaves its parent's connections alone
        _close_all(sessions)


def driver_error(error: BaseException) -> Exception:
    """The driver's own error, which SQLAlchemy wraps while it connects."""
    original = getattr(error, "orig", None) or error
    assert isinstance(original, Exception)
    return original


class _OnDatabase(Protocol):
    @property
    def _database(self) -> Database: ...


S = TypeVar("S", bound=_OnDatabase)


def reads(method: Callable[Concatenate[S, Session, P], R]) -> Callable[Concatenate[S, P], R]:
    """Make a method one reading transaction, which it is handed."""

    @functools.wraps(method)
    def call(store: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return store._database.read(lambda session: method(store, session, *args, **kwargs))

    return call


def writes(method: Callable[Concatenate[S, Session, P], R]) -> Callable[Concatenate[S, P], R]:
    """Make a method one writing transaction, which it is handed. It is called again until one commits."""

    @functools.wraps(method)
    def call(store: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return store._database.write(lambda session: method(store, session, *args, **kwargs))

    return call
