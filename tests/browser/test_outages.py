"""Outages during a game: the network changes, pages are reloaded, a tab is out of sight, a relay dies. The
game goes on or ends fairly, and all peers record the same game.
"""

import time
from collections.abc import Callable, Iterator
from math import inf
from pathlib import Path

import pytest
from playtest import (
    Breakage,
    Chromium,
    Copies,
    CoplayServer,
    Export,
    Firefox,
    Network,
    NetworkError,
    Participant,
    Servers,
    TurnServer,
    assert_agreed,
    finish,
    meet,
    reload_at_once,
    short_study,
)

VOLLEY = {"countdown": 0, "input_delay": 2}

# Silence is noticed after 0.8 s; then the server relays the game.
LONGEST_WAIT_MS = 1500

# If the server is unreachable, too, and the browser does not report it: silence, half a second for an answer
# from the server, half a second until a new socket is tried, and half a second until Firefox has opened it.
LONGEST_WAIT_WITHOUT_SERVER_MS = 2500


def _assert_waits(
    server: CoplayServer, game_id: str, calm: int, last: float = inf, longest_ms: float = LONGEST_WAIT_MS
) -> None:
    """Check that nobody had to wait for long, and print the waits for docs/explanation/connections.md.

    Args:
        server: The server of the game.
        game_id: The game's id.
        calm: The last frame before the outage: longer waits until then are due to a busy machine.
        last: The last frame that is checked.
        longest_ms: The longest wait that is allowed on an idle machine, in milliseconds.
    """
    copies = Copies(server.data, game_id)
    waits_ms = [copies.longest_wait_ms(peer, last=last) for peer in copies.peers]
    own_ms = [copies.longest_wait_ms(peer, last=calm) for peer in copies.peers]
    print(f"\nlongest time without a new confirmed frame: {waits_ms} ms; undisturbed: {own_ms} ms")
    assert max(waits_ms) <= longest_ms + max(own_ms)


def _play(*participants: Participant) -> None:
    for seed, participant in enumerate(participants):
        participant.play(seed)


# The network changes


@pytest.fixture
def network() -> Iterator[Network]:
    try:
        network = Network()
    except (NetworkError, OSError) as cause:
        pytest.skip(
            f"no network namespaces here ({cause}): they need Linux with unprivileged user namespaces, and "
            "the programs unshare and ip (`apt install util-linux iproute2`)"
        )
    yield network
    network.close()


@pytest.mark.long
def test_game_goes_on_after_each_player_changes_address(
    network: Network, chromium: Callable[..., Chromium], firefox: Callable[..., Firefox], tmp_path: Path
) -> None:
    """Simulate laptops that change from one Wi-Fi to another: the old address and all its connections, also
    the socket to the server, are lost, and a new address is there immediately.
    """
    # Long enough for a direct path, which is tried again only half a minute after several failures.
    rounds = {**VOLLEY, "episodes": 12, "max_frames": 300}
    study = short_study("volley/study.py", tmp_path / "server" / "study", **rounds)
    server = CoplayServer(("run", str(study)), tmp_path / "server", machine=network.machine(1))
    machines = [network.machine(11), network.machine(12)]
    ada = chromium("ada", machine=machines[0])
    fox = firefox("fox", machine=machines[1])
    try:
        server.wait_until_serving()
        breakage = Breakage(ada)
        meet(ada, fox, server.url)
        _play(ada, fox)
        ada.wait_until("confirmed_frame", 180)
        machines[0].move(network.address(21))
        ada.wait_until("confirmed_frame", 540)
        assert breakage.links()[:2] == ["direct", "relay"]
        machines[1].move(network.address(22))
        finish(ada, fox)

        assert set(breakage.links()) == {"direct", "relay"}
        assert breakage.links()[-1] == "direct"
        assert_agreed(server, (ada, fox), tmp_path, least_frames=1000)
        game_id = ada.stats()["game_id"]
        _assert_waits(server, game_id, calm=170, longest_ms=LONGEST_WAIT_WITHOUT_SERVER_MS)
    finally:
        server.stop()


# Pages are reloaded


def test_pages_reloaded_one_by_one_play_on_and_both_together_start_a_new_game(
    chromium: Callable[..., Chromium], servers: Servers, tmp_path: Path
) -> None:
    server = servers.serve("volley/study.py", **VOLLEY, episodes=2, max_frames=300, hold="60 s")
    ada, bob = chromium("ada"), chromium("bob")
    meet(ada, bob, server.url)
    _play(ada, bob)
    frame = ada.wait_until("confirmed_frame", 60)["confirmed_frame"]
    for seed, participant in enumerate((ada, bob), start=2):
        reload_at_once(participant)
        participant.wait_for("play", "playing")
        participant.play(seed)
        frame = participant.wait_until("confirmed_frame", frame + 60)["confirmed_frame"]
    game_id = ada.stats()["game_id"]
    assert frame < 500

    # No page has the game's state any more: its uploads are kept, and a new game begins.
    reload_at_once(ada, bob)
    for participant in (ada, bob):
        participant.wait_for("play", "playing")
        notice = participant.page.inner_text(".notice")
        assert "could not continue after this page was reloaded" in notice, participant.name
    _play(ada, bob)
    finish(ada, bob)
    assert ada.stats()["game_id"] != game_id
    assert_agreed(server, (ada, bob), tmp_path, least_frames=500)

    copies = Copies(server.data, game_id)
    mine, yours = (copies.inputs(peer) for peer in (0, 1))
    assert all(mine[each] == yours[each] for each in mine.keys() & yours.keys())
    (game,) = Export(server.data, tmp_path / "broken-off").rows("games", game_id=game_id)
    # No page was left to report the end, so the verdict rests on the uploads.
    assert (game["verdict"], list(game["left_early"])) == ("truncated", [0, 1]), game
    assert sorted(mine.keys() | yours.keys()) == list(range(game["frames"]))
    assert game["frames"] >= frame - 60, "a second is what may not have been uploaded"


# A tab is out of sight


@pytest.mark.long
def test_tab_out_of_sight_plays_on_and_a_machine_returns_from_sleep(
    chromium: Callable[..., Chromium], firefox: Callable[..., Firefox], servers: Servers, tmp_path: Path
) -> None:
    """Hide a page behind another tab for ten seconds, where browsers slow timers down; its worker plays on.
    Then let the other player's machine sleep for ten seconds; the game waits for it.
    """
    server = servers.serve("volley/study.py", **VOLLEY, episodes=5, max_frames=300, hold="30 s")
    ada, fox = chromium("ada"), firefox("fox")
    meet(ada, fox, server.url)
    _play(ada, fox)
    before = fox.wait_until("confirmed_frame", 120)["confirmed_frame"]
    fox.hide()
    time.sleep(10)
    fox.show()
    seen = fox.wait_until("confirmed_frame", before + 300)
    ada.sleep(True)
    fox.wait_for("play", "paused")
    assert "If this takes long" in fox.run("return document.querySelector('.overlay').innerText")
    time.sleep(10)
    ada.sleep(False)
    finish(ada, fox)

    assert_agreed(server, (ada, fox), tmp_path, least_frames=1000)
    copies = Copies(server.data, seen["game_id"])
    hidden, shown = (copies.events(seen["player_id"], kind)[0]["t_ms"] for kind in ("hidden", "shown"))
    assert shown - hidden > 9000
    _assert_waits(server, seen["game_id"], calm=120, last=seen["confirmed_frame"])
    waits_ms = [copies.longest_wait_ms(peer) for peer in copies.peers]
    print(f"the one that slept, and who waited for it: {waits_ms} ms")
    assert max(waits_ms) <= 12_000 + LONGEST_WAIT_MS


# A relay dies


def test_turn_server_that_dies_is_replaced_by_the_study_server(
    chromium: Callable[..., Chromium], coturn: TurnServer, tmp_path: Path
) -> None:
    rounds = {**VOLLEY, "episodes": 2, "max_frames": 300}
    study = short_study("volley/study.py", tmp_path / "server" / "study", relay_only=True, **rounds)
    server = CoplayServer(("run", str(study)), tmp_path / "server")
    ada, bob = chromium("ada"), chromium("bob")
    breakages = [Breakage(ada), Breakage(bob)]
    try:
        server.wait_until_serving()
        meet(ada, bob, server.url)
        _play(ada, bob)
        ada.wait_until("confirmed_frame", 150)
        coturn.stop()
        finish(ada, bob)
        for breakage in breakages:
            assert breakage.links() == ["turn", "relay"]
        assert_agreed(server, (ada, bob), tmp_path, least_frames=500)
        _assert_waits(server, ada.stats()["game_id"], calm=140)
    finally:
        server.stop()
