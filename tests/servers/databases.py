"""Databases of their own for tests, on servers that they share."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa

_UNLIKE_OURS = (
    "CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' ENCODING UTF8",
    "CREATE DATABASE {name} CHARACTER SET latin1 COLLATE latin1_swedish_ci",
    "CREATE DATABASE {name}",
)
"""A store must not rest on the database's own collation, so where possible this is one that it could not use."""


@contextmanager
def fresh_database(server_uri: str) -> Iterator[str]:
    """The URI of an empty database, dropped in the end."""
    url = sa.make_url(server_uri)
    name = f"t_{secrets.token_hex(6)}"
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in _UNLIKE_OURS:
            with suppress(sa.exc.DBAPIError):
                connection.exec_driver_sql(statement.format(name=name))
                break
    yield url.set(database=name).render_as_string(hide_password=False)
    forced = " WITH (FORCE)" if url.get_backend_name() == "postgresql" else ""
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name}{forced}")
