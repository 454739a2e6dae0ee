"""Pages that are reloaded, lose their socket, or go for good, while their game is running."""

from pathlib import Path
from typing import Any

import pytest
from tests.server.conftest import HOLD_S, KEYS, SETTINGS, CountingDuel, Lab, duel_study, running
from tests.server.playing import finished, frames, gone, told

from coplay.study import scenes

pytestmark = pytest.mark.anyio


async def test_game_message_of_a_first_page_says_so(lab: Lab) -> None:
    _, _, first, second = await lab.pair()
    for config in (first, second):
        assert config["rejoining"] is False
        assert config["incarnations"] == {"0": 0, "1": 0}
        assert (config["when_left"], config["on_desync"]) == ("end", "resync")
        assert config["left"] == []
    assert (first["epochs"], second["epochs"]) == ({"1": 0}, {"0": 0})


async def test_reloaded_page_keeps_its_seat_in_a_new_incarnation(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, two, first, second = await lab.pair()
        again = await one.reload()
        await again.connect()
        config = await again.next("game")
        await again.scene("play")
        assert (config["game_id"], config["player_id"], config["seed"]) == (
            first["game_id"],
            0,
            first["seed"],
        )
        assert config["rejoining"] is True
        assert config["incarnations"] == {"0": 1, "1": 0}
        assert config["epochs"] == {"1": 1}
        assert await two.next("player_back") == {
            "game_id": first["game_id"],
            "player_id": 0,
            "incarnation": 1,
            "epoch": 1,
        }
        assert not told(two, "player_left")
        assert (await finished(two, second))["code"] == "DONE"
        assert (await finished(again, config))["code"] == "DONE"


async def test_signals_of_the_new_epoch_pass_after_a_reload(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, two, first, _ = await lab.pair()
        again = await one.reload()
        await again.connect()
        await two.next("player_back")
        offer = {
            "type": "offer",
            "game_id": first["game_id"],
            "target_player_id": 1,
            "payload": {"sdp": "v=0\r\n", "epoch": 1, "negotiation": 1, "seq": 1, "message_id": "m"},
        }
        assert await again.call("webrtc_signal", offer) == {"ok": True}
        assert (await two.next("webrtc_signal"))["payload"]["epoch"] == 1
        offer["payload"]["epoch"] = 2  # type: ignore[index]
        assert (await again.call("webrtc_signal", offer))["reason"] == "epoch"


async def test_reload_raises_the_epochs_of_its_own_pairs_only(tmp_path: Path) -> None:
    study = duel_study()
    study.scenes = [scenes.Lobby(3), scenes.Play(three_seats, keys=KEYS), scenes.Finish()]
    async with running(study, tmp_path) as lab:
        pages = [await lab.page().enter() for _ in range(3)]
        for page in pages:
            await page.next("game")
        again = await pages[1].reload()
        await again.connect()
        assert (await again.next("game"))["epochs"] == {"0": 1, "2": 1}
        assert (await pages[0].next("player_back"))["epoch"] == 1
        third = await pages[2].reload()
        await third.connect()
        config = await third.next("game")
        assert config["epochs"] == {"0": 1, "1": 2}
        assert config["incarnations"] == {"0": 0, "1": 1, "2": 1}


async def test_socket_that_comes_back_with_its_token_is_the_same_page(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, two, config, _ = await lab.pair()
        await gone(lab, one)
        await one.connect()
        game = await one.next("game")
        assert game == {**config, "token": game["token"]}
        await one.scene("play")
        assert not told(two, "player_left")
        assert not told(two, "player_back")


async def test_both_reload_one_after_the_other_and_each_finds_the_other(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, two, first, _ = await lab.pair()
        one_again = await one.reload()
        await one_again.connect()
        mine = await one_again.next("game")
        # It has the game's state again once it plays: its frames are numbered from its incarnation.
        assert (await one_again.upload(mine, frames(0, 1 << 20, 8)))[0] == 200
        two_again = await two.reload()
        await two_again.connect()
        config = await two_again.next("game")
        assert (config["game_id"], config["rejoining"]) == (first["game_id"], True)
        assert config["incarnations"] == {"0": 1, "1": 1}
        assert (await one_again.next("player_back"))["epoch"] == 2


async def test_game_that_no_page_has_any_more_starts_over(tmp_path: Path) -> None:
    async with running(duel_study(), tmp_path) as lab:
        one, two, first, _ = await lab.pair()
        assert (await one.upload(first, frames(0)))[0] == 200
        one_again, two_again = await one.reload(), await two.reload()
        await one_again.connect()
        assert (await one_again.next("game"))["game_id"] == first["game_id"]
        await two_again.connect()
        configs = [
            await page.next("game", lambda game: game["game_id"] != first["game_id"])
            for page in (one_again, two_again)
        ]
        assert "starts over" in told(one_again, "notice")[0]["text"]
        assert configs[0]["game_id"] == configs[1]["game_id"]
        assert [config["rejoining"] for config in configs] == [False, False]
        assert (await finished(one_again, configs[0]))["code"] == "DONE"


async def test_reload_of_a_person_alone_restarts_the_game(tmp_path: Path) -> None:
    async with running(duel_study(bots=True), tmp_path) as lab:
        page = await lab.page().enter()
        first = await page.next("game")
        again = await page.reload()
        await again.connect()
        config = await again.next("game")
        assert config["game_id"] != first["game_id"]
        assert config["rejoining"] is False
        await again.scene("play")
        assert len(told(again, "scene")) == 1
        assert (await finished(again, config))["code"] == "DONE"


async def test_page_that_does_not_come_back_in_time_is_removed(lab: Lab) -> None:
    one, two, first, second = await lab.pair()
    again = await one.reload()
    lab.pass_time(HOLD_S)
    left = await two.next("player_left")
    assert (left["player_id"], left["reason"]) == (0, "connection lost")
    await again.connect()
    assert await again.next("removed") == {"game_id": first["game_id"]}
    assert "away for too long" in (await again.next("notice"))["text"]
    assert (await again.scene("finish"))["code"] == "DONE"
    assert not told(two, "player_back")
    assert (await finished(two, second, verdict="truncated"))["code"] == "DONE"


async def test_removal_is_told_once(lab: Lab) -> None:
    one, two, _, _ = await lab.pair()
    await gone(lab, one)
    lab.pass_time(HOLD_S)
    await two.next("player_left")
    await one.connect()
    await one.scene("finish")
    again = await one.reload()
    await again.connect()
    await again.scene("finish")
    assert not told(again, "removed")


async def test_game_goes_on_for_the_others_where_the_scene_says_so(tmp_path: Path) -> None:
    study = duel_study(when_someone_leaves="default")
    play = study.scenes[2]
    study.scenes = [*study.scenes[:3], play, scenes.Finish("Bye.", code="DONE")]
    async with running(study, tmp_path) as lab:
        one, two, _, second = await lab.pair()
        assert second["when_left"] == "default"
        await gone(lab, one)
        lab.pass_time(HOLD_S)
        await two.next("player_left")
        # Two plays on alone, and even through a gap of its own.
        await gone(lab, two)
        await two.connect()
        config = await two.next("game")
        assert (config["game_id"], config["rejoining"], config["left"]) == (second["game_id"], False, [0])
        assert (await two.report(config, last_frame=9))[0] == 200
        assert (await two.call("game_over", {"game_id": config["game_id"]}))["ok"]
        # The second game would need both.
        assert "not complete" in (await two.next("notice"))["text"]
        assert (await two.scene("finish"))["code"] == "DONE"


async def test_last_page_of_a_game_that_reloads_is_led_on(tmp_path: Path) -> None:
    async with running(duel_study(when_someone_leaves="default"), tmp_path) as lab:
        one, two, _, second = await lab.pair()
        await gone(lab, one)
        lab.pass_time(HOLD_S)
        await two.next("player_left")
        again = await two.reload()
        await again.connect()
        assert await again.next("removed") == {"game_id": second["game_id"]}
        assert (await again.scene("finish"))["code"] == "DONE"


async def test_page_reloaded_after_its_report_is_done_with_the_game(lab: Lab) -> None:
    one, _, first, _ = await lab.pair()
    assert (await one.report(first, last_frame=9))[0] == 200
    again = await one.reload()
    await again.connect()
    assert (await again.scene("finish"))["code"] == "DONE"
    assert not told(again, "game")


async def test_reload_while_the_other_is_done_leads_on(lab: Lab) -> None:
    one, two, first, _ = await lab.pair()
    await finished(one, first)
    again = await two.reload()
    await again.connect()
    assert "ended while" in (await again.next("notice"))["text"]
    assert (await again.scene("finish"))["code"] == "DONE"


async def test_page_without_a_socket_that_plays_on_keeps_its_seat(lab: Lab) -> None:
    one, two, first, second = await lab.pair()
    await gone(lab, one)
    # Its own uploads, or those of the other, whose confirmed frames need its inputs.
    for number in range(5):
        page, config = ((one, first), (two, second))[number % 2]
        body = frames(config["player_id"], number // 2, 4 * (number // 2))
        assert (await page.upload(config, body))[0] == 200
        lab.pass_time(0.9 * HOLD_S)
        assert seated(lab, first) == {0, 1}
    lab.pass_time(0.2 * HOLD_S)
    assert seated(lab, first) == {1}
    await two.next("player_left")


async def test_seat_is_not_kept_for_ever_without_a_socket(lab: Lab) -> None:
    one, two, first, _ = await lab.pair()
    await gone(lab, one)
    for number in range(10):
        assert seated(lab, first) == {0, 1}
        assert (await one.upload(first, frames(0, number, 4 * number)))[0] == 200
        lab.pass_time(SETTINGS.resume_s / 10)
    assert seated(lab, first) == {1}
    await two.next("player_left")


async def test_uploads_of_the_former_page_do_not_hold_the_seat_for_the_new_one(lab: Lab) -> None:
    one, two, first, _ = await lab.pair()
    await one.reload()
    for number in range(5):
        assert seated(lab, first) == {0, 1}
        assert (await one.upload(first, frames(0, number, 4 * number)))[0] == 200
        lab.pass_time(HOLD_S / 5)
    assert seated(lab, first) == {1}
    await two.next("player_left")


def seated(lab: Lab, config: dict[str, Any]) -> set[int]:
    """The players who have a seat in a running game."""
    game = lab.server.coordinator.games.get(config["game_id"])
    return set() if game is None else set(game.seats)


def three_seats() -> Any:
    environment = CountingDuel()
    environment.possible_agents = ["a", "b", "c"]
    return environment
