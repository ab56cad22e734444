"""The URI of a SQL store: which database, and how durable a commit is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from trackspec.errors import invalid

DRIVERS = {"sqlite": "pysqlite", "postgresql": "psycopg", "mysql": "pymysql"}


class Durability(Enum):
    """What an acknowledged write survives."""

    POWER = "power"
    PROCESS = "process"


@dataclass(frozen=True)
class Location:
    """A database.

    :ivar url: the URL for SQLAlchemy; its query holds the driver's options only.
    :ivar durability: what commits survive.
    :ivar durability_is_asked_for: whether the URI names the durability.
    """

    url: sa.URL
    durability: Durability
    durability_is_asked_for: bool

    @classmethod
    def parse(cls, store_uri: str) -> Location:
        """Read a store's URI.

        :raises TrackspecError: INVALID_PARAMETER_VALUE if it is malformed, or names another database or driver.
        """
        if not isinstance(store_uri, str):
            raise invalid(f"A store URI must be a string, not {type(store_uri).__name__}.")
        try:
            url = sa.make_url(store_uri)
        except (ArgumentError, ValueError):
            raise invalid("The store URI is malformed.") from None  # the cause may show the password
        database, _, driver = url.drivername.lower().partition("+")
        if database not in DRIVERS or driver not in ("", DRIVERS[database]):
            known = ", ".join(f"{name}+{driver}" for name, driver in DRIVERS.items())
            raise invalid(f"No SQL store for {url.drivername!r}; there are {known}.")
        asked = url.query.get("durability", Durability.POWER.value)
        if asked not in {durability.value for durability in Durability}:
            raise invalid("The URI option 'durability' is 'power' or 'process'.")
        return cls(
            url.set(drivername=f"{database}+{DRIVERS[database]}").difference_update_query(["durability"]),
            Durability(asked),
            "durability" in url.query,
        )

    def demands(self, durability: Durability) -> bool:
        """Whether the URI itself asks for this durability; where it does not, a server's settings are accepted."""
        return self.durability_is_asked_for and self.durability is durability

    def __repr__(self) -> str:
        """The database without the credentials, which the user part and the options may hold."""
        url = self.url
        return sa.URL.create(
            url.drivername, host=url.host, port=url.port, database=url.database
        ).render_as_string()
