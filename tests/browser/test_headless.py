"""A person in a browser plays with a participant who has none: both hold one game."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playtest import Breakage, Chromium, CoplayServer, Export, Servers, arrive, finish

JOIN = Path(__file__).parents[1] / "headless" / "samples" / "join_study.py"
FRAMES = 240


@contextmanager
def headless_peer(server: CoplayServer, study: Path) -> Iterator["subprocess.Popen[str]"]:
    """One that goes through the study, in a process of its own."""
    command = [sys.executable, str(JOIN), server.url, str(study), "1"]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_page_and_a_headless_peer_hold_the_same_game(
    chromium: Callable[..., Chromium], servers: Servers, tmp_path: Path
) -> None:
    server = servers.serve("volley/study.py", countdown=0, input_delay=0, max_frames=FRAMES)
    study = server.data.parent / "study" / "study.py"
    ada = chromium("ada")
    arrive(ada, server.url)
    with headless_peer(server, study) as peer:
        # Who comes first has the lower seat, and so makes the offers.
        assert peer.stdout is not None
        assert any(line.endswith(": lobby\n") for line in peer.stdout)
        ada.click_continue()
        ada.wait_for("play", "playing")
        ada.play(3)
        finish(ada)
        told, _ = peer.communicate(timeout=60)
    assert peer.returncode == 0
    (game,) = json.loads(told.splitlines()[-1])["games"]

    page = ada.stats()
    assert (page["player_id"], game["player_id"]) == (1, 0)
    assert page["game_id"] == game["game_id"]
    assert page["link"] == {str(game["player_id"]): "direct"}
    assert game["links"] == {str(page["player_id"]): "direct"}
    assert game["refused_uploads"] == 0
    assert (game["verdict"], game["frames"]) == ("identical", FRAMES)
    (report,) = ada.uploads.games[game["game_id"]].reports
    assert report["chain_hash"] == game["chain_hash"]
    (stored,) = Export(server.data, tmp_path / "export").rows("games", game_id=game["game_id"])
    assert (stored["verdict"], stored["frames"]) == ("identical", FRAMES)
    assert stored["chain_hash"] == game["chain_hash"]


def test_a_headless_peer_makes_a_new_connection_for_a_page_whose_own_is_gone(
    chromium: Callable[..., Chromium], servers: Servers, tmp_path: Path
) -> None:
    server = servers.serve("volley/study.py", countdown=0, input_delay=2, max_frames=600)
    ada = chromium("ada")
    breakage = Breakage(ada)
    arrive(ada, server.url)
    ada.click_continue()
    ada.wait_for(scene="lobby")
    with headless_peer(server, server.data.parent / "study" / "study.py") as peer:
        ada.wait_for("play", "playing")
        ada.play(3)
        ada.wait_until("confirmed_frame", 60)
        # The page offers; it restarts its connection in vain until it is asked for a new one.
        breakage.close_connections()
        finish(ada)
        told, _ = peer.communicate(timeout=60)
    (game,) = json.loads(told.splitlines()[-1])["games"]
    assert (game["verdict"], game["frames"]) == ("identical", 600)
    links = breakage.links()
    assert (links[0], links[-1], set(links)) == ("direct", "direct", {"direct", "relay"})
