"""Servers that are killed, or restarted, while games are running."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio
from tests.server.conftest import SETTINGS, FakeRuntime, Lab, Page, duel_study, running
from tests.server.duel_process import hosted, reconnected
from tests.server.playing import finished, frames, signal, told

pytestmark = pytest.mark.anyio


async def again(page: Page, first: dict[str, Any]) -> Any:
    """The configuration, told once more: the game goes on."""
    config = await page.next("game")
    assert (config["game_id"], config["player_id"]) == (first["game_id"], first["player_id"])
    return config


async def test_killed_server_that_is_back_finds_game_seats_and_data_as_they_were(tmp_path: Path) -> None:
    async with hosted(tmp_path) as (host, http):
        pages: list[Page] = []
        one, two = [await Page(host.base, http, pages).to_lobby() for _ in range(2)]
        first, second = await one.next("game"), await two.next("game")
        for page, config in ((one, first), (two, second)):
            assert (await page.upload(config, frames(config["player_id"], 0, 0)))[0] == 200
        # One reloads, so that there is more to remember than a beginning.
        one = await one.reload()
        await one.connect()
        first = await again(one, first)
        await two.next("player_back")
        assert (await one.upload(first, frames(0, 1 << 20, 4)))[0] == 200

        await host.kill()
        with pytest.raises(aiohttp.ClientError):
            await two.upload(second, frames(1, 1, 4))
        await host.start()

        # An upload needs no socket, and what was not acknowledged comes again.
        assert (await two.upload(second, frames(1, 1, 4)))[0] == 200
        await reconnected(one, two)
        first, second = await again(one, first), await again(two, second)
        assert second["incarnations"] == {"0": 1, "1": 0}
        assert (first["epochs"], second["epochs"]) == ({"1": 1}, {"0": 1})
        assert first["rejoining"] is True  # as it was told before: it is not the seat's first page
        assert await one.call("webrtc_signal", signal(first, 1, "bye", epoch=1)) == {"ok": True}
        assert (await two.next("webrtc_signal"))["payload"]["epoch"] == 1
        assert (await one.call("webrtc_signal", signal(first, 1, "bye", epoch=2)))["reason"] == "epoch"
        await two.socket.emit("datagram", b"\x00x")
        assert await one.next("datagram") == b"\x01x"
        # Another reload counts on.
        one = await one.reload()
        await one.connect()
        first = await again(one, first)
        assert (await two.next("player_back")) == {
            "game_id": second["game_id"],
            "player_id": 0,
            "incarnation": 2,
            "epoch": 2,
        }
        assert not told(two, "player_left")
        assert (await one.upload(first, frames(0, 2 << 20, 8)))[0] == 200
        assert (await two.upload(second, frames(1, 2, 8)))[0] == 200
        assert (await finished(one, first, last_frame=11))["code"] == "DONE"
        assert (await finished(two, second, last_frame=11))["code"] == "DONE"
        for page in pages:
            if page.socket.connected:
                await page.socket.disconnect()
    with closing(sqlite3.connect(tmp_path / "data" / "coplay.sqlite")) as database:
        rows = database.execute("select verdict, frames, left_early from games").fetchall()
    assert rows == [("identical", 12, "[]")]


async def moved(lab: Lab, *pages: Page) -> None:
    """The pages reconnect to another run of the server (at another port, which no page would notice)."""
    for page in pages:
        page.pages = lab.pages
        page.visit(lab.base, lab.http)
        await page.connect(resume=True)


async def test_seat_that_nobody_comes_back_to_is_given_up(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, two, first, second = await lab.pair()
    async with running(duel_study(), tmp_path) as lab:
        await moved(lab, two)
        await again(two, second)
        lab.pass_time(SETTINGS.resume_s)
        assert (await two.next("player_left"))["player_id"] == 0
        assert (await finished(two, second, verdict="truncated"))["code"] == "DONE"
        page = Page(lab.base, lab.http, lab.pages)
        await page.load(participant=one.identity["participant_id"], secret=one.identity["secret"])
        await page.connect()
        assert await page.next("removed") == {"game_id": first["game_id"]}


async def test_page_reloaded_after_a_restart_takes_its_seat(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, two, first, second = await lab.pair()
    async with running(duel_study(), tmp_path) as lab:
        page = Page(lab.base, lab.http, lab.pages)
        await page.load(participant=one.identity["participant_id"], secret=one.identity["secret"])
        await page.connect()
        config = await again(page, first)
        assert (config["rejoining"], config["incarnations"]) == (True, {"0": 1, "1": 0})
        await moved(lab, two)
        assert (await again(two, second))["incarnations"] == {"0": 1, "1": 0}


async def test_player_who_left_before_the_restart_stays_gone(tmp_path: Path) -> None:
    study = duel_study(when_someone_leaves="default")
    async with running(study, tmp_path) as lab:
        one, two, _, second = await lab.pair()
        await one.call("leave", {})
        await two.next("player_left")
    async with running(study, tmp_path) as lab:
        await moved(lab, two)
        assert (await again(two, second))["left"] == [0]
        assert (await finished(two, second))["code"] == "DONE"


async def test_group_is_the_same_after_a_restart_between_two_games(tmp_path: Path) -> None:
    study = duel_study()
    play = study.scenes[2]
    study.scenes = [study.scenes[1], play, *duel_study().scenes[:1], play, study.scenes[-1]]
    async with running(study, tmp_path) as lab:
        one, two = [await lab.page().enter() for _ in range(2)]
        for page in (one, two):
            config = await page.next("game")
            await page.report(config, last_frame=1)
            await page.call("game_over", {"game_id": config["game_id"]})
            await page.scene("instructions")
    async with running(study, tmp_path) as lab:
        await moved(lab, one, two)
        for page in (one, two):
            await page.scene("instructions")
            await page.call("continue", {"index": 2})
        assert (await one.next("game"))["game_id"] == (await two.next("game"))["game_id"]


async def test_game_of_other_code_is_over_after_a_restart(tmp_path: Path, monkeypatch: Any) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, _, first, _ = await lab.pair()
    monkeypatch.setattr(FakeRuntime, "lock_hash", "9" * 64)
    async with running(duel_study(), tmp_path) as lab:
        assert not lab.server.coordinator.games.running()
        await moved(lab, one)
        await one.scene("play")
        assert [data["game_id"] for data in told(one, "game")] == [first["game_id"]]


async def test_token_of_another_study_in_the_same_data_is_refused(tmp_path: Path) -> None:
    other = duel_study()
    other.name = "other"
    async with running(duel_study(), tmp_path) as lab:
        page = await lab.page().enter(participant="ann")
    async with running(other, tmp_path) as lab:
        await lab.page().load(participant="ann")
        with pytest.raises(socketio.exceptions.ConnectionError):
            await moved(lab, page)
