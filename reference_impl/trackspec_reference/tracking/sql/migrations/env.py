"""Runs the migrations on the connection that the store hands over, inside the store's own transaction."""

from alembic import context

from trackspec_reference.tracking.sql.schema import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
