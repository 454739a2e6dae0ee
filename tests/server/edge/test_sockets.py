"""Sockets that break and come back, and what pages miss meanwhile."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import socketio
from tests.server.conftest import HOLD_S, Lab, Page, duel_study, running
from tests.server.playing import broken, missing, signal, until

pytestmark = pytest.mark.anyio


async def test_signals_that_were_missed_come_in_order_after_the_reconnection(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, two, first, second = await lab.pair()
        await broken(two)
        await missing(lab, two)
        for seq in range(20):
            assert (
                await one.call("webrtc_signal", signal(first, 1, "ice-candidate", candidate=None, seq=seq))
            )["ok"]
        before = len(two.received)
        await two.connect(resume=True)
        seqs = [(await two.next("webrtc_signal"))["payload"]["seq"] for _ in range(20)]
        assert seqs == list(range(20))
        # Nothing else is repeated: the page knows where it is.
        assert {event for event, _ in two.received[before:]} == {"webrtc_signal"}
        assert await two.call("webrtc_signal", signal(second, 0, "answer")) == {"ok": True}


async def test_what_was_taken_before_is_not_repeated(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, two, first, _ = await lab.pair()
        await one.call("webrtc_signal", signal(first, 1, "bye", seq=1))
        await two.next("webrtc_signal")
        await broken(two)
        await missing(lab, two)
        await one.call("webrtc_signal", signal(first, 1, "bye", seq=2))
        await two.connect(resume=True)
        assert (await two.next("webrtc_signal"))["payload"]["seq"] == 2


async def test_reload_of_the_other_is_learnt_after_the_reconnection(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, two, _, _ = await lab.pair()
        await broken(two)
        await missing(lab, two)
        again = await one.reload()
        await again.connect()
        await again.next("game")
        await two.connect(resume=True)
        assert (await two.next("player_back"))["incarnation"] == 1


async def test_page_that_does_not_say_what_it_took_is_told_where_it_is(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, _, first, _ = await lab.pair()
        await broken(one)
        await missing(lab, one)
        await one.connect()
        assert (await one.next("game"))["game_id"] == first["game_id"]
        await one.scene("play")


@pytest.mark.parametrize("offset", ["0", "x", "", "9" * 5000, 7, None, {"a": 1}, "-1"])
async def test_offset_that_is_none_is_the_same_as_nothing(lab: Lab, offset: Any) -> None:
    page = await lab.page().enter()
    await page.scene("instructions")
    page.offset = offset
    await broken(page)
    await page.connect(resume=True)
    await page.scene("instructions")


async def test_page_out_of_a_game_that_resumes_is_told_where_it_is(lab: Lab) -> None:
    one, two, _, _ = await lab.pair()
    await broken(one)
    await missing(lab, one)
    lab.pass_time(HOLD_S)
    await two.next("player_left")
    await one.connect(resume=True)
    await one.next("removed")
    await one.scene("finish")


async def test_server_tells_how_to_resume_as_the_protocol_has_it(lab: Lab) -> None:
    page = lab.page()
    await page.load()
    texts: list[Any] = []
    page.socket.on("*", lambda event, *data: texts.append(data) if event != "resume" else None)
    await page.connect()
    await until(lambda: bool(texts))
    # socket.io-client remembers a text at the end of an event, if the connection has a `pid`.
    assert all(isinstance(data[-1], str) and data[-1].isdigit() for data in texts)


async def test_second_socket_with_the_same_token_takes_the_place_of_the_first(lab: Lab) -> None:
    one, _, first, _ = await lab.pair()
    closed = asyncio.Event()
    one.socket.on("disconnect", lambda *_: closed.set())
    twin = Page(lab.base, lab.http, lab.pages)
    twin.identity = one.identity
    await twin.connect()
    await asyncio.wait_for(closed.wait(), 5)
    assert (await twin.next("game"))["game_id"] == first["game_id"]
    assert not lab.server.participants[one.identity["participant_id"]].attendance.away_since


async def test_old_token_cannot_take_the_seat_back(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, two, _, _ = await lab.pair()
        again = await one.reload()
        await again.connect()
        await again.next("game")
        with pytest.raises(socketio.exceptions.ConnectionError):
            await one.connect(resume=True)
        assert again.socket.connected
        assert len([event for event, _ in two.received if event == "player_back"]) <= 1


async def test_flood_of_connections_is_throttled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coplay.server.edge.sockets.CONNECTION_BURST", 3.0)
    async with running(duel_study(), tmp_path) as lab:
        page = await lab.page().enter()
        for _ in range(2):
            await page.socket.disconnect()
            await page.connect()
        await page.socket.disconnect()
        with pytest.raises(socketio.exceptions.ConnectionError):
            await page.connect()


async def test_flood_of_messages_is_throttled_and_fills_no_disk(lab: Lab) -> None:
    page = await lab.page().enter()
    await page.scene("instructions")
    answers = [await page.call("prepared", {"index": 1}) for _ in range(90)]
    assert answers == [{"ok": True}] * 60 + [{"ok": False}] * 30
    assert await lab.rows("select count(*) from events where kind = 'prepared'") == [(60,)]
    lab.pass_time(1)
    answers = [await page.call("prepared", {"index": 1}) for _ in range(11)]
    assert answers == [{"ok": True}] * 10 + [{"ok": False}]
