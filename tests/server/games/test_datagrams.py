"""Datagrams of players whose browsers cannot reach each other, through the server."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.server.conftest import Lab, Page, duel_study, running

from coplay.server.edge import socket_limits as guard
from coplay.signaling import datagram_relay

pytestmark = pytest.mark.anyio


async def answered(page: Page) -> None:
    """Everything that the page sent before has been handled: a socket's messages are handled in order."""
    await page.call("prepared", {"index": 0})


def came(page: Page) -> list[bytes]:
    return [data for event, data in page.received if event == "datagram"]


async def test_datagram_arrives_with_its_senders_player(lab: Lab) -> None:
    one, two, _, _ = await lab.pair()
    await one.socket.emit("datagram", b"\x01hello")
    assert await two.next("datagram") == b"\x00hello"
    await two.socket.emit("datagram", b"\x00" + bytes(1200))
    assert await one.next("datagram") == b"\x01" + bytes(1200)
    assert lab.server.coordinator.relay.datagrams.relayed == 2


async def test_datagram_reaches_nobody_outside_the_game(lab: Lab) -> None:
    one, two, _, _ = await lab.pair()
    three, four, _, _ = await lab.pair()
    await three.socket.emit("datagram", b"\x01mine")
    assert await four.next("datagram") == b"\x00mine"
    assert not came(one)
    assert not came(two)


async def test_datagram_of_someone_without_a_game_is_dropped(lab: Lab) -> None:
    page = await lab.page().to_lobby()
    await page.socket.emit("datagram", b"\x01hello")
    await answered(page)
    assert lab.server.coordinator.relay.datagrams.dropped == {"not_member": 1}


@pytest.mark.parametrize(
    "data", [b"", b"\x01", b"\x01" + bytes(1201), b"\x00x", b"\x07x", "text", 5, None, {}]
)
async def test_what_is_no_datagram_is_dropped(lab: Lab, data: Any) -> None:
    one, two, _, _ = await lab.pair()
    await one.socket.emit("datagram", data)
    await answered(one)
    assert lab.server.coordinator.relay.datagrams.dropped.total() == 1
    assert not came(two)


async def test_flood_of_datagrams_is_cut_to_the_budget_and_harms_nobody_else(lab: Lab) -> None:
    one, two, _, _ = await lab.pair()
    for _ in range(600):
        await one.socket.emit("datagram", b"\x01x")
    await answered(one)
    datagrams = lab.server.coordinator.relay.datagrams
    assert (datagrams.relayed + datagrams.dropped["pressure"], datagrams.dropped["rate"]) == (120, 480)
    await two.socket.emit("datagram", b"\x00y")
    assert await one.next("datagram") == b"\x01y"


async def test_only_the_page_that_has_the_seat_may_send(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, two, _, _ = await lab.pair()
        again = await one.reload()
        await again.connect()
        await again.next("game")
        await again.socket.emit("datagram", b"\x01new")
        assert await two.next("datagram") == b"\x00new"
        await two.socket.emit("datagram", b"\x00back")
        assert await again.next("datagram") == b"\x01back"
        assert not came(one)


async def test_page_that_reads_nothing_does_not_fill_the_servers_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Within the budget it would take long to fill what the system keeps for a connection.
    monkeypatch.setattr(datagram_relay, "DATAGRAMS_PER_SECOND", 1e9)
    monkeypatch.setattr(datagram_relay, "DATAGRAM_BURST", 1e9)
    monkeypatch.setattr(guard, "FRAMES_PER_SECOND", 1e9)
    monkeypatch.setattr(guard, "FRAME_BURST", 1e9)
    async with running(duel_study(), tmp_path) as lab:
        one, two, _, _ = await lab.pair()
        transport = two.socket.eio.ws._response.connection.transport  # type: ignore[attr-defined]
        transport.pause_reading()
        relayed = lab.server.coordinator.relay.datagrams
        queues = [each.queue for each in lab.server.sockets.eio.sockets.values()]
        async with asyncio.timeout(40):
            while not relayed.dropped["pressure"]:
                for _ in range(100):
                    await one.socket.emit("datagram", b"\x01" + bytes(1200))
                lab.pass_time(0.1)  # so that the question that follows is not throttled
                await answered(one)
                assert max(queue.qsize() for queue in queues) < 100
        assert lab.server.participants[two.identity["participant_id"]].attendance.away_since is None
        transport.abort()
