"""What all tests share: asynchronous tests run on asyncio, and a store is tested on both databases."""

import secrets
from collections.abc import Iterator

import pytest
from tests.lacking import do_without
from tests.postgres import MISSING, Postgres, find_binaries

from coplay.data.database.engines import DATABASE_VARIABLE


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def no_database_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATABASE_VARIABLE, raising=False)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL; a test that needs it is skipped where it is not installed."""
    if find_binaries() is None:
        do_without(MISSING)
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Every `Store` of the test, also in processes that it starts, is on an empty database of this kind."""
    if request.param == "sqlite":
        yield "sqlite"
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database(f"test_{secrets.token_hex(6)}") as address:
        monkeypatch.setenv(DATABASE_VARIABLE, address)
        yield "postgresql"
