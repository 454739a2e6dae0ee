"""Delivery to pages: in order, after storing, and never without bound."""

import asyncio
from concurrent.futures import Future
from typing import Any

import pytest
from tests.server.virtual_clock import VirtualClock

from coplay.messages.encoding import to_json
from coplay.messages.to_page import FinishProps, LobbyState, Notice, Storing
from coplay.server.messenger import MAX_BACKLOG, MAX_KEPT, MAX_QUEUED, PRESSURE, Messenger

pytestmark = pytest.mark.anyio

FINISH = FinishProps(index=3, title="The end", html="<p>Thank you.", code="DONE", redirect="")


def note(number: int) -> Notice:
    return Notice(text=str(number))


def waiting(waited_s: float) -> LobbyState:
    return LobbyState(present=1, size=2, waited_s=waited_s, patience_s=60, reason="")


class Sockets:
    """Remembers what was sent; can be made to take nothing."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, Any]] = []
        self.closed: list[str] = []
        self.numbers: dict[str, str] = {}
        self.behind = 0

    async def emit(self, event: str, data: Any, *, to: str) -> None:
        said, self.numbers[to] = (data[0], data[1]) if isinstance(data, tuple) else (data, "")
        self.sent.append((to, event, said))

    def backlog(self, sid: str) -> int:
        return self.behind

    async def disconnect(self, sid: str) -> None:
        self.closed.append(sid)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_events_arrive_in_order() -> None:
    sockets = Sockets()
    messenger = Messenger(sockets, VirtualClock())
    messenger.open("ann", "s1")
    for number in range(5):
        messenger.post("ann", note(number))
    await settle()
    assert sockets.sent == [("s1", "notice", to_json(note(number))) for number in range(5)]


async def test_nothing_is_shown_before_it_is_stored() -> None:
    sockets = Sockets()
    messenger = Messenger(sockets, VirtualClock())
    messenger.open("ann", "s1")
    stored: Future[None] = Future()
    messenger.post("ann", FINISH, after=stored)
    messenger.post("ann", note(1))
    await settle()
    assert sockets.sent == []
    stored.set_result(None)
    await settle()
    assert [event for _, event, _ in sockets.sent] == ["scene", "notice"]


async def test_what_could_not_be_stored_is_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    sockets = Sockets()
    messenger = Messenger(sockets, VirtualClock())
    messenger.open("ann", "s1")
    stored: Future[None] = Future()
    stored.set_exception(OSError("disk full"))
    messenger.post("ann", FINISH, after=stored)
    await settle()
    ((_, event, data),) = sockets.sent
    assert event == "failed"
    assert set(data) == {"error", "hint", "reference"}
    assert "disk full" in caplog.text


async def test_page_that_takes_nothing_is_closed_instead_of_filling_memory() -> None:
    sockets = Sockets()
    messenger = Messenger(sockets, VirtualClock())
    messenger.open("ann", "s1")
    sockets.behind = MAX_BACKLOG
    for number in range(MAX_QUEUED + 10):
        messenger.post("ann", note(number))
    await settle()
    assert sockets.closed == ["s1"]
    assert messenger.sid_of("ann") is None


async def test_newer_socket_replaces_the_older_one() -> None:
    sockets = Sockets()
    messenger = Messenger(sockets, VirtualClock())
    messenger.open("ann", "s1")
    messenger.open("ann", "s2")
    await settle()
    assert sockets.closed == ["s1"]
    assert not messenger.lost("ann", "s1")
    assert messenger.sid_of("ann") == "s2"
    assert messenger.lost("ann", "s2")


async def test_page_that_connects_again_gets_what_it_missed_in_order() -> None:
    sockets = Sockets()
    messenger = Messenger(sockets, VirtualClock())
    assert not messenger.open("ann", "s1")
    messenger.post("ann", note(0))
    messenger.post("ann", note(1))
    await settle()
    last = int(sockets.numbers["s1"])
    messenger.post("ann", note(2))
    assert messenger.lost("ann", "s1")
    messenger.post("ann", note(3))
    assert messenger.open("ann", "s2", last)
    messenger.post("ann", note(4))
    await settle()
    # The socket broke before 2 was on its way.
    assert [data["text"] for to, _, data in sockets.sent if to == "s2"] == ["2", "3", "4"]


async def test_what_is_missed_waits_for_the_store_again() -> None:
    sockets = Sockets()
    messenger = Messenger(sockets, VirtualClock())
    messenger.open("ann", "s1")
    messenger.post("ann", note(0))
    await settle()
    messenger.lost("ann", "s1")
    stored: Future[None] = Future()
    messenger.post("ann", FINISH, after=stored)
    messenger.open("ann", "s2", int(sockets.numbers["s1"]))
    await settle()
    assert len(sockets.sent) == 1
    stored.set_result(None)
    await settle()
    assert sockets.sent[-1] == ("s2", "scene", to_json(FINISH))


@pytest.mark.parametrize("last", [None, 0, -1, 10**15])
async def test_page_that_took_something_else_last_is_told_everything_again(last: int | None) -> None:
    messenger = Messenger(Sockets(), VirtualClock())
    messenger.open("ann", "s1")
    messenger.post("ann", note(0))
    assert not messenger.open("ann", "s2", last)


async def test_page_that_missed_more_than_is_kept_is_told_everything_again() -> None:
    sockets = Sockets()
    messenger = Messenger(sockets, VirtualClock())
    messenger.open("ann", "s1")
    messenger.post("ann", note(0))
    await settle()
    messenger.lost("ann", "s1")
    for number in range(MAX_KEPT + 1):
        messenger.post("ann", note(number))
    assert not messenger.open("ann", "s2", int(sockets.numbers["s1"]))


async def test_number_of_a_former_run_is_never_taken_for_one_of_this() -> None:
    sockets, clock = Sockets(), VirtualClock()
    former = Messenger(sockets, clock)
    former.open("ann", "s1")
    former.post("ann", note(0))
    clock.advance(0.005)
    latter = Messenger(sockets, clock)
    latter.open("ann", "s2")
    latter.post("ann", note(0))
    await settle()
    assert not latter.open("ann", "s3", int(sockets.numbers["s1"]))


async def test_what_a_former_page_missed_is_forgotten() -> None:
    sockets = Sockets()
    messenger = Messenger(sockets, VirtualClock())
    messenger.open("ann", "s1")
    messenger.post("ann", note(0))
    await settle()
    messenger.close("ann")
    messenger.forget("ann")
    messenger.post("ann", note(1))
    assert not messenger.open("ann", "s2", int(sockets.numbers["s1"]))
    await settle()
    assert [data for to, _, data in sockets.sent if to == "s2"] == []


async def test_what_is_only_mentioned_is_lost_without_a_socket() -> None:
    sockets = Sockets()
    messenger = Messenger(sockets, VirtualClock())
    messenger.open("ann", "s1")
    messenger.post("ann", note(0))
    messenger.post_volatile("ann", waiting(1))
    await settle()
    messenger.lost("ann", "s1")
    messenger.post_volatile("ann", waiting(2))
    assert not messenger.open("ann", "s2", 0)
    await settle()
    assert [data["waited_s"] for _, event, data in sockets.sent if event == "lobby"] == [1]


async def test_datagrams_are_dropped_rather_than_queued() -> None:
    sockets = Sockets()
    messenger = Messenger(sockets, VirtualClock())
    assert not await messenger.stream("ann", "datagram", b"x")
    messenger.open("ann", "s1")
    assert await messenger.stream("ann", "datagram", b"x")
    sockets.behind = PRESSURE
    assert not await messenger.stream("ann", "datagram", b"y")
    assert sockets.sent == [("s1", "datagram", b"x")]


async def test_pages_lost_long_ago_are_forgotten() -> None:
    sockets, clock = Sockets(), VirtualClock()
    messenger = Messenger(sockets, clock)
    messenger.open("ann", "s1")
    messenger.post("ann", note(0))
    await settle()
    messenger.forget_lost(clock.now() + 1)  # not lost at all
    messenger.lost("ann", "s1")
    messenger.forget_lost(clock.now() - 1)
    assert messenger.open("ann", "s2", int(sockets.numbers["s1"]))
    messenger.lost("ann", "s2")
    messenger.forget_lost(clock.now() + 1)
    assert not messenger.open("ann", "s3", int(sockets.numbers["s1"]))


async def test_announcement_passes_what_waits_and_reaches_those_who_come_while_it_lasts() -> None:
    sockets = Sockets()
    messenger = Messenger(sockets, VirtualClock())
    messenger.open("ann", "s1")
    messenger.post("ann", FINISH, after=Future())
    messenger.announce(Storing(ok=False), lasting=True)
    messenger.open("bob", "s2")
    await settle()
    assert sockets.sent == [("s1", "storing", {"ok": False}), ("s2", "storing", {"ok": False})]
    messenger.announce(Storing(ok=True), lasting=False)
    messenger.open("cid", "s3")
    await settle()
    assert sockets.sent[2:] == [("s1", "storing", {"ok": True}), ("s2", "storing", {"ok": True})]


async def test_announcement_is_not_heaped_on_a_socket_that_is_behind() -> None:
    sockets = Sockets()
    messenger = Messenger(sockets, VirtualClock())
    messenger.open("ann", "s1")
    sockets.behind = MAX_BACKLOG
    messenger.announce(Storing(ok=False), lasting=True)
    await settle()
    assert sockets.sent == []
