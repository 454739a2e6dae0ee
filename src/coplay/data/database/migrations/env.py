"""Alembic's entrance: runs the steps on the connection that `migrating` gives it."""

from alembic import context

from coplay.data.database.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
