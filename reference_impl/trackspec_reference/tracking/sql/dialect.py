"""What differs between the databases that the SQL store runs on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa

from trackspec.errors import ErrorCode, TrackspecError
from trackspec_reference.tracking.sql.location import Location

if TYPE_CHECKING:
    from trackspec_reference.tracking.sql.database import Session


class Fault(Enum):
    """What a driver's error means for the call; the value is the error that the caller sees in the end."""

    CONFLICT = (ErrorCode.TEMPORARILY_UNAVAILABLE, "Concurrent calls keep getting in this one's way.")
    """Another transaction was in the way and is gone: repeating this one may succeed."""
    BUSY = (ErrorCode.TEMPORARILY_UNAVAILABLE, "The database is locked by another writer.")
    """Another transaction was waited for in vain."""
    UNREACHABLE = (ErrorCode.TEMPORARILY_UNAVAILABLE, "The database does not answer.")
    """There is no connection."""
    UNWRITABLE = (ErrorCode.TEMPORARILY_UNAVAILABLE, "The database takes no writes: it is full or read-only.")
    FAILING = (ErrorCode.TEMPORARILY_UNAVAILABLE, "The storage of the database fails.")
    DAMAGED = (ErrorCode.DATA_LOSS, "What the database holds is damaged.")
    TOO_LARGE = (ErrorCode.INVALID_PARAMETER_VALUE, "The call is larger than the database takes.")
    REFUSED = (ErrorCode.INVALID_PARAMETER_VALUE, "The database refuses the user, or is not there.")
    UNKNOWN = (ErrorCode.INTERNAL_ERROR, "The database failed.")

    def error(self) -> TrackspecError:
        """The error for the caller. It carries nothing of the driver's."""
        code, message = self.value
        return TrackspecError(message, code)


class Dialect(ABC):
    """One kind of database, at one location.

    :ivar begin_read: starts a transaction that sees one state of the database throughout.
    :ivar begin_write: starts a transaction that sees what was committed before its first statement.
    :ivar one_writer: whether a transaction that writes has the database to itself. Writers of one process queue
        before they reach such a database.
    :ivar patience: for how many seconds a call waits for its turn among the threads of its process.
    """

    begin_read: ClassVar[str]
    begin_write: ClassVar[str]
    one_writer: ClassVar[bool] = False
    patience: float = 60

    def __init__(self, location: Location) -> None:
        self.location = location

    @abstractmethod
    def create_engine(self) -> sa.Engine:
        """An engine without a pool; its connections commit each statement unless a transaction is begun."""

    @abstractmethod
    def prepare(self, connection: Any) -> None:
        """Set up a new connection of the driver."""

    @abstractmethod
    def fault(self, error: Exception) -> Fault:
        """What an error of the driver means."""

    def judge(self, session: Session) -> None:  # noqa: B027 - most databases can keep all of it
        """See whether the database can keep what the contract and the URI ask for.

        :raises TrackspecError: INVALID_PARAMETER_VALUE if it cannot.
        """

    @abstractmethod
    def lock_schema(self, connection: sa.Connection) -> None:
        """Wait until no other process migrates the database, and keep others from it."""

    @abstractmethod
    def unlock_schema(self, connection: sa.Connection) -> None:
        """Commit the migration and let others in."""

    @abstractmethod
    def artifact_root(self) -> str:
        """The artifact root where neither the store nor the environment gives one."""

    @abstractmethod
    def like(self, column: sa.ColumnElement[str], pattern: str) -> sa.ColumnElement[bool]:
        """``LIKE`` as the contract has it: case counts, no escape character, ``%`` and ``_`` match line ends."""

    @abstractmethod
    def ilike(self, column: sa.ColumnElement[str], pattern: str) -> sa.ColumnElement[bool]:
        """``ILIKE``: the same, with at least the ASCII letters folded."""
