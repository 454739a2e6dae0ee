"""The two kinds of database: how each is opened, which of its failures pass, and whether a commit took place.

SQLite is a file beside the other data. PostgreSQL is named by `COPLAY_DATABASE_URL`.
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
"""As `server_version_num`: the first one with `pg_xact_status(xid8)`."""

_POSTGRES_CONNECTION: Final = {
    "connect_timeout": 5,
    # A database machine that is gone without a word is noticed in seconds, not after the system's two hours.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "coplay",
}

_PASSING_SQLITE: Final = frozenset(
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
# Classes of SQLSTATE (PostgreSQL's appendix A): connection, read-only server, rolled back for another's sake,
# out of resources (53100 is a full disk), busy, shut down or starting, input and output.
_PASSING_POSTGRES: Final = frozenset({"08", "25", "40", "53", "55", "57", "58"})


def open_engine(directory: Path) -> Engine:
    """The engine of a data directory's database; nothing is connected yet.

    Raises:
        StoreError: `COPLAY_DATABASE_URL` names none that coplay can use.
    """
    address = os.environ.get(DATABASE_VARIABLE)
    if not address:
        return _sqlite(directory / DATABASE_FILE)
    hint = "An example: postgresql://user:password@host/database"
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise StoreError(f"{DATABASE_VARIABLE} is no address of a database", hint) from error
    if url.drivername.partition("+")[0] not in ("postgres", "postgresql"):
        raise StoreError(f"{DATABASE_VARIABLE} names {url.drivername}, which coplay does not use", hint)
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"), connect_args=_POSTGRES_CONNECTION, pool_size=1
        )
    except (ImportError, NoSuchModuleError) as error:
        raise StoreError(
            "the driver of PostgreSQL is not installed", "pip install 'coplay[postgres]'"
        ) from error


def _sqlite(file: Path) -> Engine:
    engine = create_engine(f"sqlite:///{file}")

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        # Readers (an export while people play) do not block the writer.
        cursor.execute("PRAGMA journal_mode=WAL")
        # An acknowledged batch survives a power cut.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA busy_timeout=5000")
        cursor.close()

    return engine


def check_version(engine: Engine) -> None:
    """Make sure that the database can be asked what became of a transaction.

    Raises:
        StoreError: It is too old.
        sqlalchemy.exc.SQLAlchemyError: It cannot be reached.
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
    """Whether the same work may succeed later: the database is away, full or busy, not the work to blame."""
    if isinstance(error, PoolTimeoutError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", 0)
        return code & 0xFF in _PASSING_SQLITE
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return isinstance(error, OperationalError | InterfaceError)
    return state[:2] in _PASSING_POSTGRES


def plain_reason(error: BaseException) -> str:
    """What the database said, in one line."""
    reason = str(getattr(error, "orig", None) or error).strip()
    return " ".join(reason.split())[:300]


# A commit whose answer is lost may or may not have taken place. PostgreSQL knows, by the number of the
# transaction.


def transaction_id(connection: Connection) -> str | None:
    """A number by which to ask later whether this transaction was committed.

    None where no answer is lost, or nothing was written.
    """
    if connection.dialect.name == "sqlite":
        return None
    number = connection.execute(text("SELECT pg_current_xact_id_if_assigned()::text")).scalar_one()
    return None if number is None else str(number)


def was_committed(engine: Engine, receipt: str) -> bool | None:
    """Whether the transaction of a receipt was committed; None while it is still under way.

    Raises:
        sqlalchemy.exc.DBAPIError: The database cannot be asked.
    """
    with engine.connect() as connection:
        status = connection.execute(
            text("SELECT pg_xact_status(CAST(:receipt AS xid8))"), {"receipt": receipt}
        ).scalar_one_or_none()
    return None if status == "in progress" else status == "committed"
