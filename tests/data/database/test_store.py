import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, func, insert, select, text
from tests.postgres import Postgres

from coplay.data.database.engines import DATABASE_FILE, DATABASE_VARIABLE
from coplay.data.database.store import MOST_WAITING, MOST_WAITING_BYTES, Store
from coplay.data.database.tables import batches, events, reports
from coplay.errors import StoreError

ROW = {"study": "s", "utc": "", "ms": 0.0, "kind": "k", "detail": {}}
BATCH = {
    "game_id": "g", "peer": 0, "number": 0, "first_frame": 0, "frames": 1, "utc": "", "sha256": "a",
    "body": b"b",
}  # fmt: skip
WAIT_S = 20.0


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(events)).scalar_one()


@pytest.fixture
def store(tmp_path: Path, database: str) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


def until(true: Callable[[], object]) -> None:
    """Wait for what another thread brings about."""
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def hold(store: Store) -> threading.Event:
    """Keep the store's thread busy until the event is set."""
    busy, begun = threading.Event(), threading.Event()

    def work(_: Connection) -> None:
        begun.set()
        busy.wait(WAIT_S)

    store.submit(work)
    begun.wait(WAIT_S)
    return busy


def test_submitted_work_is_stored_after_closing_and_opening_again(tmp_path: Path, database: str) -> None:
    store = Store(tmp_path)
    for _ in range(1000):
        store.execute(insert(events).values(ROW))
    store.close()
    store = Store(tmp_path)
    assert store.submit(count).result() == 1000
    store.close()


def test_writes_submitted_while_the_disk_is_busy_share_a_transaction(store: Store) -> None:
    commits: list[Connection] = []

    def committed(connection: Connection) -> None:
        commits.append(connection)

    event.listen(Engine, "commit", committed)
    try:
        busy = hold(store)
        futures = [store.execute(insert(events).values(ROW)) for _ in range(50)]
        busy.set()
        for future in futures:
            future.result(WAIT_S)
    finally:
        event.remove(Engine, "commit", committed)
    assert len(commits) <= 3


def test_write_that_fails_does_not_fail_others(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    busy = hold(store)
    before = store.execute(insert(events).values(ROW))
    bad = store.execute(insert(events).values({**ROW, "kind": None}))
    later = store.execute(insert(events).values(ROW))
    busy.set()
    before.result(WAIT_S)
    later.result(WAIT_S)
    assert bad.exception(WAIT_S) is not None
    assert store.submit(count).result(WAIT_S) == 2
    assert "could not be written" in caplog.text


def test_row_is_inserted_unless_its_key_is_there(store: Store) -> None:
    answers = [store.insert(batches, {**BATCH, "sha256": said}, "sha256").result(WAIT_S) for said in "ab"]
    assert answers == [None, "a"]


def test_rows_that_wait_together_are_one_statement_and_the_first_of_a_key_stands(store: Store) -> None:
    statements: list[str] = []

    def executed(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    store.insert(batches, {**BATCH, "number": 3, "sha256": "there"}, "sha256").result(WAIT_S)
    event.listen(store._engine, "before_cursor_execute", executed)
    busy = hold(store)
    rows = [{**BATCH, "number": number % 6, "sha256": f"{number}"} for number in range(300)]
    futures = [store.insert(batches, row, "sha256") for row in rows[:200]]
    other = store.insert(reports, {"game_id": "g", "peer": 0, "utc": "", "body": {"a": 1}}, "body")
    again = store.insert(reports, {"game_id": "g", "peer": 0, "utc": "", "body": {"a": 2}}, "body")
    busy.set()
    answers = [future.result(WAIT_S) for future in futures]
    assert answers[:6] == [None, None, None, "there", None, None]
    assert answers[6:] == ["there" if n % 6 == 3 else f"{n % 6}" for n in range(6, 200)]
    assert (other.result(WAIT_S), again.result(WAIT_S)) == (None, {"a": 1})
    assert sum(statement.startswith("INSERT") for statement in statements) == 2
    stored = store.submit(
        lambda c: c.execute(select(batches.c.number).order_by(batches.c.number)).scalars().all()
    )
    assert stored.result(WAIT_S) == list(range(6))


def test_row_that_cannot_be_inserted_does_not_fail_others(store: Store) -> None:
    busy = hold(store)
    rows = [{**BATCH, "number": n, "utc": None if n == 2 else ""} for n in range(5)]
    futures = [store.insert(batches, row, "sha256") for row in rows]
    busy.set()
    assert [future.exception(WAIT_S) is None for future in futures] == [True, True, False, True, True]
    assert store.submit(lambda c: len(c.execute(select(batches)).all())).result(WAIT_S) == 4


def test_work_between_rows_sees_those_before_it_and_not_those_after(store: Store) -> None:
    busy = hold(store)
    store.insert(batches, BATCH, "sha256")
    seen = store.submit(lambda c: c.execute(select(batches.c.number)).scalars().all())
    store.insert(batches, {**BATCH, "number": 1}, "sha256")
    busy.set()
    assert seen.result(WAIT_S) == [0]


def test_waiting_task_that_is_cancelled_cancels_no_write(store: Store) -> None:
    busy = hold(store)
    written = store.execute(insert(events).values(ROW))

    async def give_up() -> None:
        waiting = asyncio.wrap_future(written)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(give_up())
    busy.set()
    written.result(WAIT_S)
    assert store.submit(count).result(WAIT_S) == 1


# When the database is away, full or slow


def test_room_is_counted_in_records_and_bytes(store: Store) -> None:
    busy = hold(store)
    assert store.has_room(MOST_WAITING_BYTES)
    big = store.submit(lambda _: None, MOST_WAITING_BYTES - 10)
    assert store.has_room(10)
    assert not store.has_room(11)
    many = [store.submit(lambda _: None) for _ in range(MOST_WAITING - 2)]
    assert not store.has_room()
    busy.set()
    for future in (big, *many):
        future.result(WAIT_S)
    until(lambda: store.has_room(MOST_WAITING_BYTES))


def test_work_beyond_the_overflow_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coplay.data.database.store.OVERFLOW", 2)
    busy = hold(store)
    taken, refused = store.submit(count), store.submit(count)
    assert isinstance(refused.exception(WAIT_S), StoreError)
    busy.set()
    assert taken.result(WAIT_S) == 0


def test_full_disk_is_reported_and_retried_until_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """SQLite may not have another page, which gives the same error as a full disk."""
    store = Store(tmp_path)

    def fill(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    def make_room(connection: Any, *_: object) -> None:
        # As if a file had been deleted, before the next attempt.
        if healed.is_set():
            connection.execute("PRAGMA max_page_count=1000000")

    healed = threading.Event()
    store.submit(fill).result(WAIT_S)
    event.listen(store._engine, "checkout", make_room)
    stored = [
        store.execute(insert(batches).values({**BATCH, "number": n, "body": os.urandom(9000)}))
        for n in range(9)
    ]
    until(lambda: store.trouble)
    assert "full" in str(store.trouble)
    assert not any(future.done() for future in stored)
    assert caplog.text.count("nothing can be stored") == 1
    healed.set()
    for future in stored:
        future.result(WAIT_S)
    assert store.trouble is None
    assert "everything is stored again" in caplog.text
    store.close()
    store = Store(tmp_path)
    assert (
        store.submit(lambda c: c.execute(select(func.count()).select_from(batches)).scalar_one()).result()
        == 9
    )
    store.close()


def test_database_that_stops_answering_is_reported_and_loses_nothing(
    store: Store, database: str, postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    if database != "postgresql":
        pytest.skip("only PostgreSQL can stop answering: SQLite is part of this process")
    store.execute(insert(events).values(ROW)).result(WAIT_S)
    with postgres.stopped():
        stored = [store.execute(insert(events).values(ROW)) for _ in range(5)]
        until(lambda: store.trouble)
        assert store.trouble == "it does not answer"
        assert not any(future.done() for future in stored)
    for future in stored:
        future.result(WAIT_S)
    assert store.submit(count).result(WAIT_S) == 6
    assert "everything is stored again" in caplog.text


def test_connection_that_is_cut_is_reopened_and_stores_nothing_twice(store: Store, database: str) -> None:
    if database != "postgresql":
        pytest.skip("only PostgreSQL has a connection to cut: SQLite is part of this process")
    futures: list[Future[None]] = []
    for round_ in range(20):
        futures += [store.execute(insert(events).values(ROW)) for _ in range(10)]
        if round_ % 4 == 0:
            # The store's own connection ends in the middle of a transaction.
            ended = [False]

            def work(connection: Connection, ended: list[bool] = ended) -> None:
                if not ended[0]:
                    ended[0] = True
                    connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

            store.submit(work).result(WAIT_S)
    for future in futures:
        future.result(WAIT_S)
    assert store.submit(count).result(WAIT_S) == 200


def test_commit_whose_answer_is_lost_is_not_repeated(store: Store, database: str) -> None:
    """The connection is cut after the database committed, before the store received the answer."""
    if database != "postgresql":
        pytest.skip("only PostgreSQL has a connection to cut: SQLite is part of this process")
    lost = [False]

    def commit(connection: Any) -> None:
        if not lost[0]:
            lost[0] = True
            connection.commit()
            connection.close()

    store.submit(count).result(WAIT_S)
    event.listen(store._engine, "commit", lambda connection: commit(connection.connection.dbapi_connection))
    store.execute(insert(events).values(ROW)).result(WAIT_S)
    assert lost[0]
    assert store.submit(count).result(WAIT_S) == 1


def test_store_that_is_closed_while_the_database_is_away_gives_up_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("coplay.data.database.store.CLOSE_AFTER_S", 1.5)
    store, other = Store(tmp_path), create_engine(f"sqlite:///{tmp_path / DATABASE_FILE}")
    event.listen(
        store._engine, "checkout", lambda connection, *_: connection.execute("PRAGMA busy_timeout=10")
    )
    with other.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        stored = [store.execute(insert(events).values(ROW)) for _ in range(3)]
        until(lambda: store.trouble)
        assert "locked" in str(store.trouble)
        store.close()
    other.dispose()
    assert all(isinstance(future.exception(WAIT_S), StoreError) for future in stored)
    assert "could not be written" in caplog.text


# Opening


def test_directory_that_cannot_be_made_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path / "file" / "data")


def test_file_that_is_not_a_database_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "coplay.sqlite").write_text("hello, this is no database at all" * 100)
    with pytest.raises(StoreError, match="not a database"):
        Store(tmp_path)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nonsense", "not the address"),
        ("mysql://localhost/x", "does not support"),
        ("postgresql://coplay@127.0.0.1:1/x", "cannot be opened"),
    ],
)
def test_address_of_no_database_is_a_plain_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, said: str
) -> None:
    monkeypatch.setenv(DATABASE_VARIABLE, address)
    with pytest.raises(StoreError, match=said):
        Store(tmp_path)


def test_file_is_kept_once_by_its_name(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.keep_file("bundles", "a.zip", b"first")
    store.keep_file("bundles", "a.zip", b"second")
    assert (tmp_path / "bundles" / "a.zip").read_bytes() == b"first"
    assert len(list((tmp_path / "bundles").iterdir())) == 1
    store.close()
