from pathlib import Path
from threading import Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, select, text

from coplay.data.database import engines as databases
from coplay.data.database import tables as records
from coplay.data.database.migrations import HEAD
from coplay.data.database.store import Store
from coplay.errors import StoreError

GAME = {
    "game_id": "ab" * 10, "study": "s", "version": "1", "scene": 0, "label": "", "seats": [],
    "input_sizes": [1], "codecs": [], "seed": 2**53 - 1, "env": "e", "code_hash": "", "lock_hash": "",
    "fps": 30.0, "window": 8, "episodes": 1, "countdown_frames": 0, "started_utc": "", "started_ms": 0.0,
    "verdict": "identical",
}  # fmt: skip

AS_IT_CAME = b"\x02\0\0\0{}" + bytes(500)
"""Of a batch, before there was packing; it could well be packed."""
BATCH = (
    "INSERT INTO batches (game_id, peer, number, first_frame, frames, utc, sha256, body)"
    " VALUES ('g', 0, 1, 0, 1, '', '', :body)"
)


def make_as_before_migrations(connection: Connection) -> None:
    """Run what the version before migrations ran."""
    script = Path(__file__).parent / "before_migrations" / f"{connection.dialect.name}.sql"
    for statement in script.read_text("utf-8").split(";"):
        if statement.strip():
            connection.execute(text(statement))


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return [
        found for found in compare_metadata(context, records.metadata) if "alembic_version" not in str(found)
    ]


def revision(connection: Connection) -> str:
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def test_empty_database_gets_the_tables_of_the_models(tmp_path: Path, database: str) -> None:
    store = Store(tmp_path)
    assert store.submit(differences).result() == []
    assert store.submit(revision).result() == HEAD
    store.close()


def test_database_from_before_migrations_is_upgraded_with_its_rows(tmp_path: Path, database: str) -> None:
    engine = databases.open_engine(tmp_path)
    with engine.begin() as connection:
        make_as_before_migrations(connection)
        connection.execute(records.games.insert(), GAME)
        connection.execute(text(BATCH), {"body": AS_IT_CAME})
    engine.dispose()
    for _ in range(2):  # the second time there is nothing to do
        store = Store(tmp_path)
        assert store.submit(differences).result() == []
        assert store.submit(revision).result() == HEAD
        row = store.submit(lambda c: c.execute(select(records.games)).one()).result()
        assert (row.seed, row.verdict, row.cuts, row.desyncs) == (2**53 - 1, "identical", None, None)
        batch = store.submit(lambda c: c.execute(select(records.batches)).one()).result()
        assert batch.body == AS_IT_CAME
        store.close()


def test_upgrade_that_fails_leaves_the_database_as_it_was(tmp_path: Path, database: str) -> None:
    engine = databases.open_engine(tmp_path)
    with engine.begin() as connection:
        make_as_before_migrations(connection)
        connection.execute(text("ALTER TABLE games ADD COLUMN desyncs TEXT"))
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path)
    assert "alembic_version" not in inspect(engine).get_table_names()
    assert "cuts" not in {column["name"] for column in inspect(engine).get_columns("games")}
    engine.dispose()


def test_database_of_a_newer_version_is_a_plain_error(tmp_path: Path, database: str) -> None:
    store = Store(tmp_path)
    store.execute(text("UPDATE alembic_version SET version_num = '9999'")).result()
    store.close()
    with pytest.raises(StoreError, match="newer coplay"):
        Store(tmp_path)


def test_two_processes_may_open_an_empty_database_at_the_same_time(tmp_path: Path, database: str) -> None:
    failed: list[BaseException] = []

    def open_it() -> None:
        try:
            Store(tmp_path).close()
        except BaseException as error:
            failed.append(error)

    threads = [Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_sqlite_keeps_its_readers_and_writer_apart(tmp_path: Path) -> None:
    Store(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / databases.DATABASE_FILE}")
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
    engine.dispose()
