"""The two kinds of database: how each is opened, which errors are transient, and whether a commit took place.

SQLite is a file in the data directory. PostgreSQL is used if `COPLAY_DATABASE_URL` names it.
"""

import os
import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from coplay.errors import StoreError

DATABASE_VARIABLE: Final = "COPLAY_DATABASE_URL"
DATABASE_FILE: Final = "coplay.sqlite"
OLDEST_POSTGRES: Final = 130_000
"""As `server_version_num`: the first version with `pg_xact_status(xid8)`, which `was_committed` needs."""

_POSTGRES_CONNECTION: Final = {
    "connect_timeout": 5,
    # A database machine that vanishes is noticed in seconds; the operating system's default is two hours.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "coplay",
}

_TRANSIENT_SQLITE: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
# Classes of SQLSTATE: connection lost, server read-only, transaction rolled back in favour of another, out of
# resources (53100 is a full disk), busy, shutting down or starting, input and output.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_TRANSIENT_POSTGRES: Final = frozenset({"08", "25", "40", "53", "55", "57", "58"})


def require_data(directory: Path) -> None:
    """Check that a folder is the data directory of a study, without creating a database in it.

    Raises:
        StoreError: There is no data in `directory`.
    """
    if not os.environ.get(DATABASE_VARIABLE) and not (directory / DATABASE_FILE).is_file():
        raise StoreError(
            f"there is no data in {directory}", "Name the data directory of a study: --data DIR."
        )


def open_engine(directory: Path) -> Engine:
    """Return the engine of a data directory's database, which does not connect yet.

    Args:
        directory: The data directory, which must exist.

    Raises:
        StoreError: `COPLAY_DATABASE_URL` is not the address of a database that coplay can use.
    """
    address = os.environ.get(DATABASE_VARIABLE)
    if not address:
        return _sqlite(directory / DATABASE_FILE)
    hint = "An example: postgresql://user:password@host/database"
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise StoreError(f"{DATABASE_VARIABLE} is not the address of a database", hint) from error
    if url.drivername.partition("+")[0] not in ("postgres", "postgresql"):
        raise StoreError(f"{DATABASE_VARIABLE} names {url.drivername}, which coplay does not support", hint)
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"), connect_args=_POSTGRES_CONNECTION, pool_size=1
        )
    except (ImportError, NoSuchModuleError) as error:
        raise StoreError(
            "the driver for PostgreSQL is not installed", "pip install 'coplay[postgres]'"
        ) from error


def _sqlite(file: Path) -> Engine:
    engine = create_engine(f"sqlite:///{file}")

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        # In WAL mode readers, such as an export while people play, do not block the writer.
        cursor.execute("PRAGMA journal_mode=WAL")
        # WAL mode alone would lose the last commits in a power cut, and with them acknowledged batches.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA busy_timeout=5000")
        cursor.close()

    return engine


def check_version(engine: Engine) -> None:
    """Check that the database is recent enough to be asked whether a transaction was committed.

    Raises:
        StoreError: The database is too old.
        sqlalchemy.exc.SQLAlchemyError: The database cannot be reached.
    """
    if engine.dialect.name == "sqlite":
        return
    with engine.connect() as connection:
        version = connection.execute(text("SHOW server_version_num")).scalar_one()
    if int(version) < OLDEST_POSTGRES:
        raise StoreError(
            f"PostgreSQL {int(version) // 10_000} is too old for coplay",
            f"Use PostgreSQL {OLDEST_POSTGRES // 10_000} or later.",
        )


def is_transient(error: BaseException) -> bool:
    """Return True if a retry may succeed: the database is away, full or busy, not the work at fault."""
    if isinstance(error, PoolTimeoutError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.Error):
        # The low byte is the primary code; the rest of an extended code only names the cause.
        code = getattr(error.orig, "sqlite_errorcode", 0)
        return code & 0xFF in _TRANSIENT_SQLITE
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        # Without an SQLSTATE the driver failed before the server answered: while connecting, for example.
        return isinstance(error, OperationalError | InterfaceError)
    return state[:2] in _TRANSIENT_POSTGRES


def plain_reason(error: BaseException) -> str:
    """Return the database's own error message in one line of at most 300 characters."""
    reason = str(getattr(error, "orig", None) or error).strip()
    return " ".join(reason.split())[:300]


# If the connection is lost during a commit, the commit may or may not have taken place. Retrying blindly
# could store rows twice; PostgreSQL knows by the number of the transaction whether it was committed.


def transaction_id(connection: Connection) -> str | None:
    """Return a number by which `was_committed` knows this transaction.

    Returns None if nothing was written, and for SQLite, whose answers cannot be lost.
    """
    if connection.dialect.name == "sqlite":
        return None
    number = connection.execute(text("SELECT pg_current_xact_id_if_assigned()::text")).scalar_one()
    return None if number is None else str(number)


def was_committed(engine: Engine, number: str) -> bool | None:
    """Return whether a transaction was committed, or None while it is still in progress.

    Args:
        engine: The database.
        number: What `transaction_id` returned within the transaction.

    Raises:
        sqlalchemy.exc.DBAPIError: The database cannot be reached.
    """
    with engine.connect() as connection:
        status = connection.execute(
            text("SELECT pg_xact_status(CAST(:number AS xid8))"), {"number": number}
        ).scalar_one_or_none()
    return None if status == "in progress" else status == "committed"
