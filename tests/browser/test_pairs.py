"""Pairs of players that no other test covers: Firefox with Firefox, and Firefox with a headless peer."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playtest import (
    Copies,
    Export,
    Firefox,
    HeadlessPeer,
    Servers,
    arrive,
    assert_agreed,
    assert_copies_agree,
    finish,
    meet,
)

FRAMES = 300


def test_two_firefoxes_finish_with_the_same_game(
    firefox: Callable[[str], Firefox], servers: Servers, tmp_path: Path
) -> None:
    server = servers.serve("volley/study.py", countdown=0, input_delay=2, max_frames=FRAMES)
    fox, vixen = firefox("fox"), firefox("vixen")
    meet(fox, vixen, server.url)
    for seed, each in enumerate((fox, vixen), 1):
        each.play(seed)
        each.wait_for_link("direct")
    finish(fox, vixen)
    assert_agreed(server, (fox, vixen), tmp_path, least_frames=FRAMES // 2)


@pytest.mark.parametrize("offering", ["firefox", pytest.param("headless", marks=pytest.mark.long)])
def test_firefox_and_a_headless_peer_hold_the_same_game(
    offering: str, firefox: Callable[[str], Firefox], servers: Servers, tmp_path: Path
) -> None:
    server = servers.serve("volley/study.py", countdown=0, input_delay=2, max_frames=FRAMES)
    fox = firefox("fox")
    arrive(fox, server.url)
    # The first one in the lobby gets the lower seat, and makes the offers.
    if offering == "firefox":
        fox.click_continue()
        fox.wait_for("lobby")
    peer = HeadlessPeer(server)
    try:
        if offering == "headless":
            peer.wait_for("lobby")
            fox.click_continue()
        fox.wait_for("play", "playing")
        fox.play(seed=3)
        fox.wait_for_link("direct")
        finish(fox)
        game = peer.finish()
    finally:
        peer.close()

    stats = fox.stats()
    assert (stats["player_id"] == 0) == (offering == "firefox")
    assert set(game["links"].values()) == {"direct"}
    assert assert_copies_agree(Copies(server.data, game["game_id"])) == game["frames"]
    (stored,) = Export(server.data, tmp_path / "export").rows("games", game_id=stats["game_id"])
    assert game["verdict"] == stored["verdict"] == "identical", stored
    assert game["chain_hash"] == stored["chain_hash"]
