"""Delivery to pages: in order, after storing, and never without bound."""

import asyncio
from concurrent.futures import Future
from typing import Any

import pytest

from coplay.server.messenger import MAX_QUEUED, Messenger

pytestmark = pytest.mark.anyio


class Sockets:
    """Remembers what was sent; can be made to take nothing."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, Any]] = []
        self.closed: list[str] = []
        self.open = asyncio.Event()
        self.open.set()

    async def emit(self, event: str, data: Any, *, to: str) -> None:
        await self.open.wait()
        self.sent.append((to, event, data))

    async def disconnect(self, sid: str) -> None:
        self.closed.append(sid)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_events_arrive_in_order() -> None:
    sockets = Sockets()
    messenger = Messenger(sockets)
    messenger.open("ann", "s1")
    for number in range(5):
        messenger.post("ann", "n", number)
    await settle()
    assert sockets.sent == [("s1", "n", number) for number in range(5)]


async def test_nothing_is_shown_before_it_is_stored() -> None:
    sockets = Sockets()
    messenger = Messenger(sockets)
    messenger.open("ann", "s1")
    stored: Future[None] = Future()
    messenger.post("ann", "scene", {"code": "DONE"}, after=stored)
    messenger.post("ann", "notice", 1)
    await settle()
    assert sockets.sent == []
    stored.set_result(None)
    await settle()
    assert [event for _, event, _ in sockets.sent] == ["scene", "notice"]


async def test_what_could_not_be_stored_is_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    sockets = Sockets()
    messenger = Messenger(sockets)
    messenger.open("ann", "s1")
    stored: Future[None] = Future()
    stored.set_exception(OSError("disk full"))
    messenger.post("ann", "scene", {"code": "DONE"}, after=stored)
    await settle()
    ((_, event, data),) = sockets.sent
    assert event == "failed"
    assert set(data) == {"error", "hint", "reference"}
    assert "disk full" in caplog.text


async def test_page_that_takes_nothing_is_closed_instead_of_filling_memory() -> None:
    sockets = Sockets()
    messenger = Messenger(sockets)
    messenger.open("ann", "s1")
    sockets.open.clear()
    for number in range(MAX_QUEUED + 10):
        messenger.post("ann", "n", number)
    await settle()
    assert sockets.closed == ["s1"]
    assert messenger.sid_of("ann") is None


async def test_newer_socket_replaces_the_older_one() -> None:
    sockets = Sockets()
    messenger = Messenger(sockets)
    messenger.open("ann", "s1")
    messenger.open("ann", "s2")
    await settle()
    assert sockets.closed == ["s1"]
    assert not messenger.lost("ann", "s1")
    assert messenger.sid_of("ann") == "s2"
    assert messenger.lost("ann", "s2")


async def test_participant_without_a_socket_misses_nothing_that_matters() -> None:
    sockets = Sockets()
    Messenger(sockets).post("ann", "n", 1)
    await settle()
    assert sockets.sent == []
