"""Pages that wait because nothing can be stored are told so, past what they wait for."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.server.conftest import Lab
from tests.server.playing import broken, told

from coplay.data.database import store as stores

pytestmark = pytest.mark.anyio


@contextmanager
def standing_still(lab: Lab) -> Iterator[None]:
    """The database takes its time."""
    gate = threading.Event()
    lab.store.submit(lambda _: gate.wait(30))
    try:
        yield
    finally:
        gate.set()


@pytest.fixture(autouse=True)
def soon_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "SILENT_AFTER_S", 0.1)


async def test_page_that_waits_for_the_store_is_told_so_and_goes_on_when_it_is_back(lab: Lab) -> None:
    page = await lab.page().enter()
    await page.scene("instructions")
    with standing_still(lab):
        assert (await page.call("continue", {"index": 0}))["ok"]
        assert await page.next("storing") == {"ok": False}
        assert [scene["kind"] for scene in told(page, "scene")] == ["instructions"]
        # Once: it is no news any more.
        await page.call("prepared", {"index": 2})
        assert told(page, "storing") == [{"ok": False}]
    await page.scene("lobby")
    while told(page, "storing") != [{"ok": False}, {"ok": True}]:
        await asyncio.sleep(0.01)


async def test_whoever_comes_back_meanwhile_is_told_too(lab: Lab) -> None:
    page = await lab.page().to_lobby()
    with standing_still(lab):
        await page.next("storing")
        await broken(page)
        await page.connect(resume=True)
        assert await page.next("storing") == {"ok": False}
    assert await page.next("storing") == {"ok": True}
    await broken(page)
    await page.connect(resume=True)
    await page.call("prepared", {"index": 2})
    assert told(page, "storing")[-1] == {"ok": True}
