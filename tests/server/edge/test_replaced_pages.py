"""Tokens that were used, and pages that were replaced: whoever has what is left of them changes nothing."""

import asyncio
import json
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import socketio
from tests.server.conftest import WAIT_S, Lab, Page, duel_study, running
from tests.server.duel_process import hosted, reconnected
from tests.server.playing import broken, finished, frames, missing, signal, told, until
from tests.server.siege import Siege, besieged

pytestmark = pytest.mark.anyio


async def successor(page: Page) -> str:
    """The token that the page's socket has brought."""
    return await asyncio.wait_for(page.tokens.get(), WAIT_S)


async def said_back(page: Page) -> tuple[str, str]:
    """The page has said back its new token: that one, and the former."""
    former, token = page.identity["token"], await successor(page)
    page.identity["token"] = token
    assert await page.call("resume_kept", {"token": token}) == {"ok": True}
    return token, former


async def refused(page: Page, token: str) -> str:
    """A socket with this token is refused; answers the sentence."""
    thief = Page(page.base, page.http, page.pages)
    thief.identity = {**page.identity, "token": token}
    told_why: list[Any] = []
    thief.socket.on("connect_error", told_why.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await thief.connect(resume=True)
    ((why,),) = [told_why]
    return str(why["data"]["error"])


# A token that was used


async def test_socket_brings_a_token_that_takes_the_place_of_the_one_it_came_with(lab: Lab) -> None:
    page = await lab.page().enter()
    for _ in range(3):
        token, former = await said_back(page)
        assert token != former
        assert "opened from elsewhere" in await refused(page, former)
        await broken(page)
        await page.connect(resume=True)


async def test_former_token_is_worth_nothing_once_the_new_one_was_used(lab: Lab) -> None:
    page = await lab.page().enter()
    former, token = page.identity["token"], await successor(page)
    page.identity["token"] = token
    await broken(page)
    await page.connect(resume=True)
    await refused(page, former)
    assert page.socket.connected


async def test_answer_that_is_lost_locks_nobody_out(lab: Lab) -> None:
    page = await lab.page().enter()
    for _ in range(4):
        await successor(page)  # which it never sees, as far as the server can know
        await broken(page)
        await page.connect(resume=True)
    assert lab.server.page_tokens.replayed == 0
    await said_back(page)


async def test_stolen_former_token_is_counted_and_does_not_disturb_the_seat(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with besieged(tmp_path, caplog) as siege:
        _, stolen = await said_back(siege.one)
        await said_back(siege.two)
        before = len(siege.two.received), len(siege.one.received)
        for _ in range(5):
            wire = await siege.wire()
            await wire.socket.send_str("40" + json.dumps({"token": stolen}))
            assert (await wire.next()).startswith("44")
        assert siege.one.socket.connected
        assert (len(siege.two.received), len(siege.one.received)) == before
        assert siege.lab.server.page_tokens.replayed == 5
        # A row for the first: a flood must not fill the disk.
        rows = await siege.lab.rows("select participant_id from events where kind = 'token_replayed'")
        assert rows == [(siege.one.identity["participant_id"],)]


async def test_thief_who_was_quicker_loses_the_seat_to_the_page_that_reloads(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, two, first, _ = await lab.pair()
        await successor(one)  # lost, and with it the thief's chance ends or begins
        thief = Page(lab.base, lab.http, lab.pages)
        thief.identity = dict(one.identity)
        await thief.connect()
        await said_back(thief)
        # The page is told something that helps.
        assert "opened from elsewhere" in await refused(one, one.identity["token"])
        again = await one.reload()
        await again.connect()
        assert (await again.next("game"))["game_id"] == first["game_id"]
        await refused(thief, thief.identity["token"])
        assert again.socket.connected
        assert not told(two, "player_left")


@pytest.mark.parametrize("kept", [None, "", "x", 7, [], "former", "game", "of another", "of no page yet"])
async def test_what_a_page_says_back_is_believed_only_if_it_is_its_new_token(lab: Lab, kept: Any) -> None:
    one, two, first, _ = await lab.pair()
    former, token = one.identity["token"], await successor(one)
    claims = {"participant": one.identity["participant_id"], "visit": 2, "turn": 1}
    said = (
        {
            "former": former,
            "game": first["token"],
            "of another": await successor(two),
            "of no page yet": lab.server.signer.sign("participant", claims, 2**33),
        }.get(kept, kept)
        if isinstance(kept, str)
        else kept
    )
    assert await one.call("resume_kept", {"token": said}) == {"ok": False}
    # Both of its tokens are as good as before.
    for each in (former, token):
        await broken(one)
        one.identity["token"] = each
        await one.connect(resume=True)
    await broken(two)
    await two.connect(resume=True)


async def test_token_with_a_turn_that_is_no_number_was_never_ours_to_give(lab: Lab) -> None:
    page = await lab.page().enter()
    # Tokens of a server from before there were turns have none.
    claims = {"participant": page.identity["participant_id"], "visit": 1}
    page.identity["token"] = lab.server.signer.sign("participant", claims, 2**33)
    await broken(page)
    await page.connect(resume=True)
    await said_back(page)


async def test_new_page_begins_with_tokens_of_its_own(lab: Lab) -> None:
    page = await lab.page().enter()
    _, former = await said_back(page)
    again = await page.reload()
    await again.connect()
    await said_back(again)
    for token in (former, page.identity["token"]):
        assert "another tab" in await refused(again, token)
    assert lab.server.page_tokens.replayed == 0


async def test_no_successor_is_given_away_before_it_is_stored(lab: Lab) -> None:
    page = lab.page()
    await page.load()
    gate = threading.Event()
    lab.store.submit(lambda _: gate.wait(10))
    try:
        await page.connect()
        await page.scene("instructions")
        # The study goes on while nothing can be stored, with the token that the page has.
        assert (await page.call("continue", {"index": 0}))["ok"]
        await broken(page)
        await page.connect(resume=True)
        assert page.tokens.empty()
    finally:
        gate.set()
    await said_back(page)


async def test_killed_server_takes_no_token_again(tmp_path: Path) -> None:
    async with hosted(tmp_path) as (host, http):
        pages: list[Page] = []
        one, two = [await Page(host.base, http, pages).to_lobby() for _ in range(2)]
        first, _ = await one.next("game"), await two.next("game")
        stolen = [one.identity["token"]]
        await said_back(one)
        await broken(one)
        await one.connect(resume=True)
        stolen.append(one.identity["token"])
        await said_back(one)
        await successor(two)  # never said back: its first token is as good as before
        with closing(sqlite3.connect(tmp_path / "data" / "coplay.sqlite")) as database:
            kept = "select count(*) from events where kind = 'resume_kept'"
            await until(lambda: database.execute(kept).fetchone() == (2,))
        await host.kill()
        await host.start()
        for token in stolen:
            await refused(one, token)
        await reconnected(one, two)
        assert (await one.next("game"))["game_id"] == first["game_id"]
        assert (await two.next("game"))["game_id"] == first["game_id"]
        for token in stolen:
            await refused(one, token)
        assert one.socket.connected
        for page in pages:
            if page.socket.connected:
                await page.socket.disconnect()


# A page that was replaced


async def replaced(page: Page) -> tuple[Page, dict[str, Any]]:
    """Player 0 reloads, and plays on in the new page: that page, and its configuration."""
    again = await page.reload()
    await again.connect()
    config = await again.next("game")
    assert (await again.upload(config, frames(0, 1 << 20, 4)))[0] == 200
    return again, config


async def test_report_of_a_replaced_page_does_not_count(lab: Lab) -> None:
    one, two, first, second = await lab.pair()
    assert (await one.upload(first, frames(0)))[0] == 200
    again, config = await replaced(one)
    status, answer = await one.report(first, verdict="divergent", last_frame=3)
    assert (status, answer["error"]) == (409, "Another page plays on in this seat.")
    assert lab.server.stale_pages.refused == 1
    # Nor is the seat done with the game: a page that is loaded now still has it.
    assert not lab.server.ledger.has_report(first["game_id"], 0)
    assert (await two.upload(second, frames(1)))[0] == 200
    assert (await two.upload(second, frames(1, 1, 4)))[0] == 200
    await finished(again, config, last_frame=7)
    await finished(two, second, last_frame=7)
    assert (await one.report(first, verdict="divergent", last_frame=3))[0] == 409
    assert await lab.rows("select verdict from games") == [("identical",)]
    assert await lab.rows("select count(*) from events where kind = 'report_conflict'") == [(0,)]


async def test_batches_of_a_replaced_page_are_true_and_are_compared(lab: Lab) -> None:
    one, _, first, _ = await lab.pair()
    await replaced(one)
    # What it had confirmed before arrives late, as from a page that was closed while the network was away.
    assert (await one.upload(first, frames(0)))[0] == 200
    assert await lab.rows("select number, first_frame from batches order by number") == [(0, 0), (1 << 20, 4)]
    # Something else than the other copies say is a difference, as from anybody.
    lie = bytearray(frames(0, 1, 4))
    lie[lie.index(bytes([1, 2] * 4))] = 0
    assert (await one.upload(first, bytes(lie)))[0] == 200
    assert await lab.rows("select player_id from events where kind = 'copies_differ'") == [(0,)]
    # Under a number of the new page it is refused: nobody's data can be taken in advance.
    assert (await one.upload(first, frames(0, (1 << 20) + 1, 8)))[0] == 403


async def test_report_that_a_closed_page_left_counts_while_no_other_plays(lab: Lab) -> None:
    one, two, first, second = await lab.pair()
    for page, config in ((one, first), (two, second)):
        assert (await page.upload(config, frames(config["player_id"])))[0] == 200
    again = await one.reload()
    await again.connect()
    await again.next("game")
    # The game was over in the former page; the new one brings what it had kept.
    assert (await one.report(first, last_frame=3))[0] == 200
    # So the new page need not wait for a game that nobody plays any more.
    assert (await again.scene("finish"))["code"] == "DONE"
    await finished(two, second, last_frame=3)
    assert await lab.rows("select verdict from games") == [("identical",)]


async def test_signals_and_datagrams_of_a_replaced_page_reach_nobody(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path) as lab:
        siege = Siege(lab, *(await lab.pair()), [])
        token = siege.one.identity["token"]
        wire = await siege.wire({"token": token})  # as the page, before it is reloaded
        again, config = await replaced(siege.one)
        heard = len(siege.two.received)
        ghost = {"epoch": 1, "negotiation": 1, "seq": 1, "message_id": "ghost"}
        about = {"game_id": config["game_id"]}
        with suppress(ConnectionError):
            for event, data in (
                ("webrtc_signal", {**about, "type": "bye", "target_player_id": 1, "payload": ghost}),
                ("game_over", about),
                ("leave", {}),
            ):
                await wire.socket.send_str("42" + json.dumps([event, data]))
            await wire.socket.send_str('451-["datagram",{"_placeholder":true,"num":0}]')
            await wire.socket.send_bytes(b"\x01ghost")
        assert await wire.closed()
        assert "another tab" in await refused(again, token)
        await again.call("webrtc_signal", signal(config, 1, "bye", epoch=1, message_id="true"))
        came = await siege.two.next("webrtc_signal", lambda came: came["payload"]["message_id"] != "ghost")
        assert came["payload"]["message_id"] == "true"
        assert not [name for name, _ in siege.two.received[heard:] if name in ("datagram", "player_left")]
        assert not told(again, "scene")[1:]


async def test_former_page_that_uploads_does_not_hold_the_seat_of_the_one_that_is_gone(lab: Lab) -> None:
    one, two, first, _ = await lab.pair()
    again, config = await replaced(one)
    await again.socket.disconnect()
    await missing(lab, again)
    member = again.identity["participant_id"]
    game, _ = lab.server.coordinator.games.seat_of(member)
    assert game is not None
    absence = game.seats[0].absence
    assert absence is not None
    assert (await one.upload(first, frames(0, 0)))[0] == 200
    assert game.seats[0].absence is absence
    lab.pass_time(1)
    assert (await again.upload(config, frames(0, (1 << 20) + 1, 8)))[0] == 200
    assert game.seats[0].absence != absence
    assert not told(two, "player_left")
