"""Fixtures of all tests: asyncio for asynchronous tests, and both databases for tests of the store."""

import secrets
from collections.abc import Iterator

import pytest
from tests.lacking import NO_NODE, do_without
from tests.postgres import MISSING, Postgres, find_binaries
from tests.recorded_game import STUDY, RecordedGame

from coplay.data.database.engines import DATABASE_VARIABLE
from coplay.errors import RuntimeUnavailableError
from coplay.runtime import Runtime, ensure_runtime, find_node


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def no_database_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATABASE_VARIABLE, raising=False)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Provide a real PostgreSQL; tests that need it are skipped where it is not installed."""
    if find_binaries() is None:
        do_without(MISSING)
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Point every `Store` of the test, also in its child processes, to an empty database of this kind."""
    if request.param == "sqlite":
        yield "sqlite"
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database(f"test_{secrets.token_hex(6)}") as address:
        monkeypatch.setenv(DATABASE_VARIABLE, address)
        yield "postgresql"


@pytest.fixture(scope="session")
def runtime() -> Runtime:
    """Provide the base runtime, for tests that run the browsers' Python under Node."""
    if find_node() is None:
        do_without(NO_NODE)
    try:
        return ensure_runtime()
    except RuntimeUnavailableError as error:
        do_without(f"{error.message}. {error.hint}")


@pytest.fixture(scope="session")
def study_text() -> str:
    """Provide a study for two players whose environment draws random numbers, computes sines, and prints."""
    return STUDY


@pytest.fixture(scope="session")
def recorded_game(runtime: Runtime, tmp_path_factory: pytest.TempPathFactory) -> RecordedGame:
    """Provide a recorded game of that study, played in the runtime."""
    return RecordedGame(runtime, tmp_path_factory.mktemp("drifting"))
