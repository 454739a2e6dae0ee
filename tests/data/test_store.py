import asyncio
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, func, insert, select

from coplay.data.records import events
from coplay.data.store import DATABASE_VARIABLE, Store
from coplay.errors import StoreError

ROW = {"study": "s", "utc": "", "ms": 0.0, "kind": "k", "detail": {}}


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(events)).scalar_one()


@pytest.fixture(autouse=True)
def own_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATABASE_VARIABLE, raising=False)


def test_what_was_asked_is_there_after_closing_and_opening_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for _ in range(1000):
        store.execute(insert(events).values(ROW))
    store.close()
    store = Store(tmp_path)
    assert store.submit(count).result() == 1000
    store.close()


def test_many_writes_asked_while_the_disk_is_busy_share_a_transaction(tmp_path: Path) -> None:
    store = Store(tmp_path)
    busy = threading.Event()
    commits: list[Connection] = []

    def committed(connection: Connection) -> None:
        commits.append(connection)

    event.listen(Engine, "commit", committed)
    try:
        store.submit(lambda _: busy.wait(5))
        futures = [store.execute(insert(events).values(ROW)) for _ in range(50)]
        busy.set()
        for future in futures:
            future.result(5)
    finally:
        event.remove(Engine, "commit", committed)
    assert len(commits) <= 3
    store.close()


def test_write_that_fails_takes_no_other_along(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(tmp_path)
    busy = threading.Event()
    store.submit(lambda _: busy.wait(5))
    before = store.execute(insert(events).values(ROW))
    bad = store.execute(insert(events).values({**ROW, "kind": None}))
    later = store.execute(insert(events).values(ROW))
    busy.set()
    before.result(5)
    later.result(5)
    assert bad.exception(5) is not None
    assert store.submit(count).result(5) == 2
    assert "could not be written" in caplog.text
    store.close()


def test_directory_that_cannot_be_made_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path / "file" / "data")


def test_file_that_is_no_database_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "coplay.sqlite").write_text("hello, this is no database at all" * 100)
    with pytest.raises(StoreError, match="not a database"):
        Store(tmp_path)


def test_file_is_kept_once_by_its_name(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.keep_file("bundles", "a.zip", b"first")
    store.keep_file("bundles", "a.zip", b"second")
    assert (tmp_path / "bundles" / "a.zip").read_bytes() == b"first"
    assert len(list((tmp_path / "bundles").iterdir())) == 1
    store.close()


def test_waiting_task_that_is_cancelled_cancels_no_write(tmp_path: Path) -> None:
    store = Store(tmp_path)
    busy = threading.Event()
    store.submit(lambda _: busy.wait(5))
    written = store.execute(insert(events).values(ROW))

    async def give_up() -> None:
        waiting = asyncio.wrap_future(written)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(give_up())
    busy.set()
    written.result(5)
    assert store.submit(count).result(5) == 1
    store.close()
