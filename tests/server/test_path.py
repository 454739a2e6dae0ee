"""A participant's path: scenes, the lobby, games, and the endings that everyone is owed."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.server.conftest import HOLD_S, KEYS, SETTINGS, CountingDuel, Lab, Page, duel_study, running
from tests.server.playing import gone

from coplay.study import scenes

pytestmark = pytest.mark.anyio


async def finished(page: Page, config: dict[str, Any], **report: Any) -> Any:
    """The page reports, and says that its game is over; answers the finish scene."""
    status, _ = await page.report(config, **{"last_frame": 9, **report})
    assert status == 200
    assert (await page.call("game_over", {"game_id": config["game_id"]}))["ok"]
    return await page.scene("finish")


async def test_whole_path_leads_from_the_welcome_to_the_code(lab: Lab) -> None:
    one = await lab.page().enter()
    welcome = await one.scene("instructions")
    assert welcome["html"] == "<h1>Hello &lt;b&gt;you&lt;/b&gt;</h1>\n"
    assert (welcome["button"], welcome["prepare"]) == ("Go", 2)
    assert await one.call("continue", {"index": 0}) == {"ok": True}
    lobby = await one.scene("lobby")
    assert (lobby["size"], lobby["patience_s"]) == (2, 60)
    state = await one.next("lobby")
    assert (state["present"], state["size"]) == (1, 2)
    assert "1 more person" in state["reason"]

    two = await lab.page().to_lobby()
    assert [data["kind"] for event, data in two.received if event == "scene"] == ["instructions", "play"]
    # Before its scene: links are made at once, a picture can wait.
    first, second = await one.next("game"), await two.next("game")
    play = await one.scene("play")
    assert (play["label"], play["keys"], play["play_scene"]) == ("duel", ["ArrowLeft", "ArrowRight"], 2)
    assert "<em>arrows</em>" in play["controls_html"]
    for name in ("game_id", "seed", "digest", "owners", "peers", "epoch", "fps"):
        assert first[name] == second[name]
    assert (first["player_id"], second["player_id"]) == (0, 1)
    assert (first["owners"], first["peers"], first["fps"], first["countdown_frames"]) == (
        [0, 1],
        [0, 1],
        20.0,
        20,
    )
    assert first["seed"] < 2**53
    assert first["token"] != second["token"]
    assert set(first["digest"]) >= {
        "protocol",
        "env",
        "code",
        "runtime",
        "fps",
        "delay",
        "window",
        "seed",
        "players",
    }

    assert (await finished(one, first))["code"] == "DONE"
    assert (await finished(two, second))["code"] == "DONE"


async def test_continue_that_comes_late_or_twice_changes_nothing(lab: Lab) -> None:
    page = await lab.page().to_lobby()
    for stale in ({"index": 0}, {"index": 1}, {"index": 2}, {}, None, "x"):
        assert await page.call("continue", stale) == {"ok": False}


async def test_lobby_tells_those_who_wait_again_and_again(lab: Lab) -> None:
    page = await lab.page().to_lobby()
    for waited_s in (1.0, 2.0):
        lab.pass_time(SETTINGS.lobby_every_s)
        await page.next(
            "lobby", lambda state, waited_s=waited_s: state["waited_s"] == pytest.approx(waited_s)
        )


async def test_patience_ends_in_the_lobbys_own_ending(tmp_path: Path) -> None:
    async with running(duel_study(patience=90), tmp_path) as lab:
        page = await lab.page().to_lobby()
        lab.pass_time(90)
        assert (await page.scene("finish"))["code"] == "WAITED"


async def test_leaving_the_lobby_ends_the_path_and_frees_the_place(lab: Lab) -> None:
    one = await lab.page().to_lobby()
    await one.call("leave", {})
    assert (await one.scene("finish"))["title"] == "You left"
    two = await lab.page().to_lobby()
    assert (await two.next("lobby"))["present"] == 1


async def test_closed_tab_in_the_lobby_is_never_matched(lab: Lab) -> None:
    one = await lab.page().to_lobby()
    await gone(lab, one)
    two = await lab.page().to_lobby()
    assert (await two.next("lobby"))["present"] == 1
    three = await lab.page().to_lobby()
    assert (await two.next("game"))["game_id"] == (await three.next("game"))["game_id"]


async def test_three_come_and_the_third_waits(lab: Lab) -> None:
    await lab.pair()
    third = await lab.page().to_lobby()
    assert (await third.next("lobby"))["present"] == 1


async def test_closed_tab_in_a_game_is_told_to_the_others_who_end_fairly(lab: Lab) -> None:
    one, two, first, second = await lab.pair()
    await gone(lab, one)
    lab.pass_time(HOLD_S)
    left = await two.next("player_left")
    assert (left["game_id"], left["player_id"]) == (first["game_id"], 0)
    assert (await finished(two, second, verdict="truncated"))["code"] == "DONE"


async def test_player_who_leaves_a_game_gets_an_ending_and_so_does_the_other(lab: Lab) -> None:
    one, two, _, second = await lab.pair()
    await one.call("leave", {})
    await one.scene("finish")
    assert "left" in (await two.next("player_left"))["reason"]
    assert (await finished(two, second, verdict="truncated"))["code"] == "DONE"


async def test_game_over_without_a_report_counts_as_leaving(lab: Lab) -> None:
    one, two, first, _ = await lab.pair()
    assert (await one.call("game_over", {"game_id": first["game_id"]}))["ok"]
    await one.scene("finish")
    await two.next("player_left")


@pytest.mark.parametrize("message", [{}, None, {"game_id": "x"}, {"game_id": 3}])
async def test_game_over_of_no_game_of_ours_is_refused(lab: Lab, message: object) -> None:
    one, _, _, _ = await lab.pair()
    assert await one.call("game_over", message) == {"ok": False}


async def test_browser_that_never_begins_does_not_keep_the_other_waiting(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, two, _, _ = await lab.pair()
        lab.pass_time(SETTINGS.begin_s)
        assert (await one.scene("finish"))["code"] == "DONE"
        assert (await two.scene("finish"))["code"] == "DONE"


async def test_person_alone_plays_with_a_bot_at_once(tmp_path: Path) -> None:
    async with running(duel_study(bots=True), tmp_path) as lab:
        page = await lab.page().enter()
        config = await page.next("game")
        await page.scene("play")
        assert (config["player_id"], config["owners"], config["peers"]) == (0, [0, 0], [0])
        assert (await finished(page, config))["code"] == "DONE"


async def test_second_play_waits_for_the_whole_group_and_seats_it_again(tmp_path: Path) -> None:
    study = duel_study()
    play = scenes.Play(CountingDuel, keys=KEYS)
    study.scenes = [study.scenes[1], play, scenes.Instructions("Break"), play, scenes.Finish(code="DONE")]
    async with running(study, tmp_path) as lab:
        one, two = [await lab.page().enter() for _ in range(2)]
        configs = [await one.next("game"), await two.next("game")]
        for page, config in zip((one, two), configs, strict=True):
            await page.report(config, last_frame=1)
            await page.call("game_over", {"game_id": config["game_id"]})
            await page.scene("instructions")
        await one.call("continue", {"index": 2})
        await one.scene("play")
        await two.call("continue", {"index": 2})
        again = [await one.next("game"), await two.next("game")]
        assert again[0]["game_id"] == again[1]["game_id"] != configs[0]["game_id"]
        assert [config["player_id"] for config in again] == [0, 1]


async def test_partner_who_never_comes_to_the_second_play_is_not_waited_for(tmp_path: Path) -> None:
    study = duel_study()
    play = scenes.Play(CountingDuel, keys=KEYS)
    study.scenes = [scenes.Lobby(2), scenes.Instructions("Read"), play, scenes.Finish(code="DONE")]
    async with running(study, tmp_path) as lab:
        one, two = [await lab.page().enter() for _ in range(2)]
        await one.scene("instructions")
        await one.call("continue", {"index": 1})
        await one.scene("play")
        await two.scene("instructions")
        await two.call("leave", {})
        await one.next("notice")
        assert (await one.scene("finish"))["code"] == "DONE"


async def test_participant_is_where_they_were_after_a_restart(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path) as lab:
        page = await lab.page().to_lobby()
        identity = page.identity
    async with running(duel_study(), tmp_path) as lab:
        page = lab.page()
        answer = await page.load(participant=identity["participant_id"], secret=identity["secret"])
        assert answer["status"] == 200
        await page.connect()
        await page.scene("lobby")


async def test_message_of_another_shape_breaks_nothing(lab: Lab) -> None:
    page = await lab.page().enter()
    await page.scene("instructions")
    for event in ("continue", "leave", "webrtc_signal", "game_over", "prepared", "no_such_event"):
        await page.socket.emit(event, [1, {"a": b"binary"}, None])
    for _ in range(3):
        await page.socket.emit("continue", ("two", "arguments"))
    await asyncio.sleep(0)
    assert page.socket.connected


async def test_ticks_come_by_themselves(lab: Lab) -> None:
    page = await lab.page().to_lobby()
    lab.clock.advance(60)
    assert (await page.scene("finish"))["code"] == "WAITED"
