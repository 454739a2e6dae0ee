"""Which page of a seat may report the end of a game; with a database, and without sockets."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from coplay.data.batches import NUMBERS_OF_A_PAGE
from coplay.data.database.store import Store
from coplay.data.database.tables import batches
from coplay.server.refusals import RETRY_AFTER_S, RequestRefusedError
from coplay.server.uploads import stale_pages as module
from coplay.server.uploads.stale_pages import StalePages

pytestmark = pytest.mark.anyio

GAME = "0123456789abcdef0123"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


def insert(store: Store, incarnation: int, frames: int = 4, player: int = 0) -> None:
    row = {
        "game_id": GAME,
        "peer": player,
        "number": incarnation * NUMBERS_OF_A_PAGE,
        "first_frame": 0,
        "frames": frames,
        "utc": "2026-01-01T00:00:00.000+00:00",
        "sha256": str(incarnation),
        "body": b"",
    }
    store.insert(batches, row, "sha256").result()


async def refused(pages: StalePages, incarnation: int) -> bool:
    try:
        await pages.check(GAME, 0, incarnation)
    except RequestRefusedError as error:
        return error.status == 409
    return False


async def test_page_may_report_while_no_later_page_has_uploaded_frames(store: Store) -> None:
    pages = StalePages(store)
    assert not await refused(pages, 0)
    insert(store, 0)
    insert(store, 1, frames=0)
    insert(store, 2, player=1)
    assert not await refused(StalePages(store), 0)
    assert pages.refused == 0


async def test_page_is_stale_once_a_later_page_is_in_the_store(store: Store) -> None:
    insert(store, 2)
    pages = StalePages(store)
    assert [await refused(pages, incarnation) for incarnation in (0, 1, 2, 3)] == [True, True, False, False]
    assert pages.refused == 2


async def test_page_is_stale_once_a_later_page_uploads_frames(store: Store) -> None:
    pages = StalePages(store)
    assert not await refused(pages, 0)
    pages.receive_batch(GAME, 0, incarnation=1, frames=0)
    assert not await refused(pages, 0)
    pages.receive_batch(GAME, 0, incarnation=1, frames=4)
    pages.receive_batch(GAME, 0, incarnation=0, frames=4)
    assert await refused(pages, 0)
    assert not await refused(pages, 1)


async def test_seats_that_are_evicted_are_read_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SEATS", 1)
    insert(store, 1)
    pages = StalePages(store)
    assert await refused(pages, 0)
    await pages.check(GAME, 1, 0)
    assert await refused(pages, 0)


class SlowStore:
    """In place of a store that does not answer."""

    def submit(self, _work: Any) -> "Future[Any]":
        return Future()


async def test_report_is_retried_when_the_store_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "STORE_TIMEOUT_S", 0)
    slow: Any = SlowStore()
    with pytest.raises(RequestRefusedError) as raised:
        await asyncio.wait_for(StalePages(slow).check(GAME, 0, 0), 60)
    assert (raised.value.status, raised.value.retry_after_s) == (503, RETRY_AFTER_S)
