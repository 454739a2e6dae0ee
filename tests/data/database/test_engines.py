"""Which errors of a database are transient, and which databases can be used."""

import sqlite3
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from coplay.data.database.engines import (
    DATABASE_FILE,
    DATABASE_VARIABLE,
    check_version,
    is_transient,
    open_engine,
    plain_reason,
    require_data,
    transaction_id,
    was_committed,
)
from coplay.errors import StoreError


def sqlite_error(code: int) -> DBAPIError:
    error = sqlite3.OperationalError("said")
    error.sqlite_errorcode = code
    return OperationalError("", None, error)


class PostgresError(Exception):
    def __init__(self, sqlstate: str | None) -> None:
        super().__init__("said")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (PoolTimeoutError(), True),
        (ValueError(), False),
        (sqlite_error(sqlite3.SQLITE_BUSY), True),
        (sqlite_error(sqlite3.SQLITE_BUSY | 2 << 8), True),  # an extended code
        (sqlite_error(sqlite3.SQLITE_FULL), True),
        (sqlite_error(sqlite3.SQLITE_CORRUPT), False),
        (IntegrityError("", None, sqlite3.IntegrityError("said")), False),
        (DBAPIError("", None, PostgresError("53100")), True),
        (DBAPIError("", None, PostgresError("40001")), True),
        (DBAPIError("", None, PostgresError("23505")), False),
        (OperationalError("", None, PostgresError(None)), True),
        (IntegrityError("", None, PostgresError(None)), False),
        (DBAPIError("", None, PostgresError("23505"), connection_invalidated=True), True),
    ],
)
def test_error_is_transient_if_a_retry_may_succeed(error: Exception, transient: bool) -> None:
    assert is_transient(error) == transient


def test_reason_is_one_short_line() -> None:
    assert plain_reason(OperationalError("select", None, Exception("two\n  lines"))) == "two lines"
    assert len(plain_reason(ValueError("x" * 1000))) == 300


def test_missing_driver_is_named_with_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATABASE_VARIABLE, "postgresql://localhost/x")
    with (
        patch("coplay.data.database.engines.create_engine", side_effect=ImportError),
        pytest.raises(StoreError, match="driver") as caught,
    ):
        open_engine(tmp_path)
    assert "coplay[postgres]" in caught.value.hint


def test_old_postgres_is_refused(tmp_path: Path, database: str) -> None:
    engine = open_engine(tmp_path)
    with patch("coplay.data.database.engines.OLDEST_POSTGRES", 990_000):
        if database == "sqlite":
            check_version(engine)
        else:
            with pytest.raises(StoreError, match="too old"):
                check_version(engine)
    engine.dispose()


def test_transaction_is_known_by_its_number_until_it_is_committed_or_rolled_back(
    tmp_path: Path, database: str
) -> None:
    engine = open_engine(tmp_path)
    with engine.connect() as connection:
        assert transaction_id(connection) is None
        connection.execute(text("CREATE TABLE t (a INTEGER)"))
        committed = transaction_id(connection)
        if database == "sqlite":
            assert committed is None
            return
        assert committed is not None
        assert was_committed(engine, committed) is None
        connection.commit()
        assert was_committed(engine, committed) is True
        connection.execute(text("INSERT INTO t VALUES (1)"))
        rolled_back = transaction_id(connection)
        assert rolled_back is not None
        connection.rollback()
        assert was_committed(engine, rolled_back) is False
    engine.dispose()


def test_folder_without_a_database_has_no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATABASE_VARIABLE, raising=False)
    with pytest.raises(StoreError, match="there is no data"):
        require_data(tmp_path)
    (tmp_path / DATABASE_FILE).touch()
    require_data(tmp_path)
