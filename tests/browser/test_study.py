"""A whole study, seen from outside: its automation contract, how fast it starts, and how it ends."""

from collections.abc import Callable
from pathlib import Path

from playtest import Chromium, Export, Servers, arrive, finish, meet

SHORT = {"max_frames": 600, "countdown": 0}

STATS = {
    "game_id",
    "player_id",
    "frame",
    "confirmed_frame",
    "rollbacks",
    "max_rollback_frames",
    "resimulated_frames",
    "stalled_frames",
    "rtt_ms",
    "link",
    "packets_sent",
    "bytes_sent",
    "state_checksum",
}


def test_page_and_server_keep_the_automation_contract(
    chromium: Callable[..., Chromium], servers: Servers
) -> None:
    server = servers.serve("volley/study.py", **SHORT)
    assert server.healthy()
    ada, bob = chromium("ada"), chromium("bob")
    meet(ada, bob, server.url)

    stats = ada.wait_until("confirmed_frame", 60)
    assert stats.keys() >= STATS
    assert {type(stats[name]) for name in STATS - {"game_id", "rtt_ms", "link", "state_checksum"}} == {int}
    assert stats["frame"] > stats["confirmed_frame"]
    assert stats["rtt_ms"].keys() == stats["link"].keys() == {str(bob.stats()["player_id"])}
    assert stats["state_checksum"].keys() == {"frame", "checksum"}
    assert stats["state_checksum"]["frame"] <= stats["frame"]

    # A script that holds keys moves the player: to the left, then to the right.
    canvas = ada.page.locator("canvas")
    ada.press("ArrowLeft")
    bob.press("ArrowRight")
    before = canvas.screenshot()
    ada.wait_until("frame", ada.stats()["frame"] + 30)
    assert canvas.screenshot() != before
    ada.press()

    finish(ada, bob)
    phases = [(at["scene"], at["phase"]) for at in ada.transitions()]
    scenes = list(dict.fromkeys(scene for scene, _ in phases))
    assert scenes == ["loading", "instructions", "lobby", "play", "finish"]
    # Ada was waiting already.
    bobs_scenes = list(dict.fromkeys(at["scene"] for at in bob.transitions()))
    assert bobs_scenes == ["loading", "instructions", "play", "finish"]
    played = {phase for scene, phase in phases if scene == "play"}
    assert played <= {"loading", "waiting", "connecting", "playing", "paused", "ended"}
    assert {"playing", "ended"} <= played


def test_play_starts_within_fifteen_seconds_of_the_second_click(
    chromium: Callable[..., Chromium], servers: Servers
) -> None:
    server = servers.serve("volley/study.py", **SHORT)
    assert meet(chromium("ada"), chromium("bob"), server.url) < 15


def test_solo_play_against_a_bot_finishes(
    chromium: Callable[..., Chromium], servers: Servers, tmp_path: Path
) -> None:
    # Every other serve goes to the bot, so in this many episodes it has something to do.
    server = servers.serve("volley/solo.py", episodes=12, max_frames=50, countdown=0)
    ada = chromium("ada")
    arrive(ada, server.url)
    ada.click_continue()
    ada.wait_for("play", "playing")
    ada.play(seed=7)
    finish(ada)

    stats = ada.stats()
    assert stats["rollbacks"] == stats["packets_sent"] == 0
    export = Export(server.data, tmp_path / "export")
    (game,) = export.rows("games", game_id=stats["game_id"])
    assert game["verdict"] == "identical"
    inputs = export.rows("inputs", game_id=stats["game_id"])
    assert {row["player_id"] for row in inputs} == {0, 1}
    for player in (0, 1):
        assert len({str(row["action"]) for row in inputs if row["player_id"] == player}) > 1


def test_closed_tab_gives_the_other_player_a_notice_and_a_fair_finish(
    chromium: Callable[..., Chromium], servers: Servers, tmp_path: Path
) -> None:
    server = servers.serve("volley/study.py", max_frames=3600, countdown=0)
    ada, bob = chromium("ada"), chromium("bob")
    meet(ada, bob, server.url)
    ada.play(seed=8)
    bob.play(seed=9)
    ada.wait_until("confirmed_frame", 120)
    bob.close_page()

    # The page says soon that the other player is away, and ends the game when they do not return.
    ada.wait_for("play", "paused", timeout_s=10)
    finish(ada, timeout_s=45)
    game_id = ada.stats()["game_id"]
    export = Export(server.data, tmp_path / "export")
    (game,) = export.rows("games", game_id=game_id)
    assert game["verdict"] == "truncated"
    # The frames that were played are stored.
    assert len(export.rows("inputs", game_id=game_id)) >= 2 * 100


def test_participant_who_waits_in_the_lobby_may_leave(
    chromium: Callable[..., Chromium], servers: Servers
) -> None:
    server = servers.serve("volley/study.py", **SHORT)
    ada = chromium("ada")
    arrive(ada, server.url)
    ada.click_continue()
    ada.wait_for("lobby", "waiting")
    ada.click("leave")
    ada.wait_for("finish")
