"""Upgrading a database to the tables of this version of coplay, with Alembic."""

from typing import Final

from sqlalchemy import Connection, Engine, inspect, text

from coplay.data.database.migrations import HEAD
from coplay.errors import StoreError

BEFORE_MIGRATIONS: Final = "0001"
"""The step whose tables are those that coplay created before it had migrations."""

_LOCK: Final = 0x636F706C6179  # "coplay", as PostgreSQL's advisory lock


def upgrade_database(engine: Engine) -> None:
    """Run the migrations that the database lacks: all of them or none, and one process at a time.

    Raises:
        StoreError: The database was made by a newer version of coplay.
        sqlalchemy.exc.SQLAlchemyError: The database cannot be read or written.
    """
    with engine.connect() as connection:
        if _revision(connection) == HEAD:
            return
        connection.rollback()
        # Two servers may start at the same time: the second one waits here, and then finds nothing to do.
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        _upgrade(connection)
        connection.commit()


def _revision(connection: Connection) -> str | None:
    """Return the last migration that was run, or None."""
    if "alembic_version" not in inspect(connection).get_table_names():
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _upgrade(connection: Connection) -> None:
    # Imported late: it takes a while, and most starts have nothing to upgrade.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", "coplay.data.database:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    # Tables without a revision were created before coplay had migrations.
    if _revision(connection) is None and "games" in inspect(connection).get_table_names():
        command.stamp(config, BEFORE_MIGRATIONS)
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            f"the database was made by a newer coplay (migration {_revision(connection)})", "Update coplay."
        ) from error
