"""Alembic's entry point: runs the migrations on the connection that `upgrading` passes to it."""

from alembic import context

from coplay.data.database.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
