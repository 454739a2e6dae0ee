"""A database that is slow, full or away: said, waited for, and nothing lost."""

import asyncio
import os
import random
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, event
from tests.postgres import Postgres
from tests.server.conftest import WAIT_S, Lab, Page, duel_study, running
from tests.server.playing import until
from tests.server.uploading import batch, rows

from coplay.data.batches import encode
from coplay.data.database.store import MOST_WAITING_BYTES

pytestmark = pytest.mark.anyio

RETRY_S = 0.1
AWAY_S = float(os.environ.get("COPLAY_AWAY_S", "0"))


async def until_taken(
    page: Page, config: dict[str, object], body: bytes, told: asyncio.Event | None = None
) -> None:
    """Upload as a page does: until it is taken; `told` is set when it was told to come later."""
    while True:
        status, _ = await page.upload(config, body)
        if status == 200:
            return
        assert status == 503
        if told is not None:
            told.set()
        await asyncio.sleep(RETRY_S)


async def test_postgresql_that_stands_still_is_said_and_waited_for(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with postgres.database("standing_still") as address:
        monkeypatch.setenv("COPLAY_DATABASE_URL", address)
        async with running(duel_study(), tmp_path) as lab:
            one, two, first, second = await lab.pair()
            assert (await one.upload(first, encode(batch(0))))[0] == 200
            with postgres.stopped():
                waiting, later = [], []
                for player, (page, config) in enumerate(((one, first), (two, second))):
                    for number in (1, 2, 3):
                        body = encode(batch(player, number, 4 * number))
                        later.append(asyncio.Event())
                        waiting.append(asyncio.create_task(until_taken(page, config, body, later[-1])))
                # Each of them is told to come later, and the store has noticed by itself.
                await asyncio.wait_for(asyncio.gather(*(told.wait() for told in later)), WAIT_S)
                await until(lambda: bool(lab.store.trouble))
                await asyncio.sleep(AWAY_S)
                assert not any(task.done() for task in waiting)
                # Everything that needs no disk goes on: pages load, and peers find each other.
                assert (await asyncio.wait_for(lab.get("/healthz"), WAIT_S))[0] == 200
                status, answer = await asyncio.wait_for(one.upload(first, encode(batch(0, 9))), WAIT_S)
                assert (status, answer["error"]) == (
                    503,
                    "The study's server cannot store data at the moment.",
                )
                assert (await lab.page().load())["status"] == 503
            await asyncio.gather(*waiting)
            stored = rows(lab.data, "SELECT peer, number FROM batches ORDER BY peer, number")
            assert [tuple(row) for row in stored] == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)]
            assert (await lab.page().load())["status"] == 200
    assert caplog.text.count("nothing can be stored (it does not answer)") == 1
    assert "everything is stored again" in caplog.text


async def test_full_disk_is_said_and_heals_by_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, _, first, _ = await lab.pair()
        limit = await limit_pages(lab)
        noise = random.Random(3)  # what can be packed would find room
        big = [encode(batch(0, n, 4, events=[{"detail": noise.randbytes(4500).hex()}])) for n in range(1, 9)]
        waiting = [asyncio.create_task(until_taken(one, first, body)) for body in big]
        await until(lambda: bool(lab.store.trouble))
        status, headers, _ = await answer_to(one, first, encode(batch(0)))
        assert (status, int(headers["Retry-After"]) > 0) == (503, True)
        limit.clear()
        await asyncio.gather(*waiting)
        assert [row.number for row in rows(lab.data, "SELECT number FROM batches ORDER BY number")] == [
            *range(1, 9)
        ]
    assert "database or disk is full" in caplog.text
    assert "everything is stored again" in caplog.text


async def limit_pages(lab: Lab) -> list[bool]:
    """No page may be added to the SQLite file, until the list that is answered is emptied."""
    store, limit = lab.server.ledger._store, [True]

    def fill(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    def make_room(connection: object, *_: object) -> None:
        if not limit:
            connection.execute("PRAGMA max_page_count=1000000")  # type: ignore[attr-defined]

    await asyncio.wrap_future(store.submit(fill))
    event.listen(store._engine, "checkout", make_room)
    return limit


async def answer_to(page: Page, config: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    url = f"{page.base}/api/games/{config['game_id']}/batches"
    headers = {"Authorization": f"Bearer {config['token']}"}
    async with page.http.post(url, data=body, headers=headers) as answer:
        return answer.status, dict(answer.headers), await answer.read()


async def test_slow_disk_is_told_of_before_memory_grows(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, _, first, _ = await lab.pair()
        store = lab.server.ledger._store
        begun, going_on = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def slow(_: Connection) -> None:
            loop.call_soon_threadsafe(begun.set)
            going_on.wait(WAIT_S)

        held = store.submit(slow)
        await begun.wait()
        hog = store.submit(lambda _: None, MOST_WAITING_BYTES)
        status, headers, _ = await answer_to(one, first, encode(batch(0)))
        assert (status, "Retry-After" in headers) == (503, True)
        assert rows(lab.data, "SELECT number FROM batches") == []
        going_on.set()
        await asyncio.gather(asyncio.wrap_future(held), asyncio.wrap_future(hog))
        await until_taken(one, first, encode(batch(0)))
