"""Pages that wait because nothing can be stored are told so, past what they wait for."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.server.conftest import WAIT_S, Lab
from tests.server.playing import broken, told

from coplay.data.database import store as stores

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def standing_still(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The database takes its time, which is noticed the sooner, and only here."""
    begun, going_on = threading.Event(), threading.Event()

    def stand_still(_: object) -> None:
        begun.set()
        going_on.wait(WAIT_S)

    standing = lab.store.submit(stand_still)
    await asyncio.to_thread(begun.wait, WAIT_S)
    with monkeypatch.context() as soon:
        soon.setattr(stores, "SILENT_AFTER_S", 0.0)
        try:
            yield
        finally:
            soon.undo()
            going_on.set()
            await asyncio.wrap_future(standing)


async def test_page_that_waits_for_the_store_is_told_so_and_goes_on_when_it_is_back(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await lab.page().enter()
    await page.scene("instructions")
    async with standing_still(lab, monkeypatch):
        assert (await page.call("continue", {"index": 0}))["ok"]
        assert await page.next("storing") == {"ok": False}
        assert [scene["kind"] for scene in told(page, "scene")] == ["instructions"]
        # Once: it is no news any more.
        await page.call("prepared", {"index": 2})
        assert told(page, "storing") == [{"ok": False}]
    await page.scene("lobby")
    await page.seen("storing", lambda storing: storing["ok"])
    assert told(page, "storing") == [{"ok": False}, {"ok": True}]


async def test_whoever_comes_back_meanwhile_is_told_too(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    page = await lab.page().to_lobby()
    async with standing_still(lab, monkeypatch):
        await page.next("storing")
        await broken(page)
        await page.connect(resume=True)
        assert await page.next("storing") == {"ok": False}
    assert await page.next("storing") == {"ok": True}
    await broken(page)
    await page.connect(resume=True)
    await page.call("prepared", {"index": 2})
    assert told(page, "storing")[-1] == {"ok": True}
