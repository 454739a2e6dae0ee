"""Games of a person in a browser with a headless peer: both record the same game."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playtest import (
    Breakage,
    Chromium,
    CoplayServer,
    Export,
    Servers,
    TurnServer,
    arrive,
    finish,
    short_study,
)

ROOT = Path(__file__).parents[2]
JOIN = ROOT / "tests" / "headless" / "samples" / "join_study.py"
HOWTO = ROOT / "docs" / "howto" / "headless-peer.md"
FRAMES = 240


@contextmanager
def running(command: list[str], cwd: Path | None = None) -> Iterator["subprocess.Popen[str]"]:
    """Run a process that is killed at the end of the block."""
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=cwd) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def headless_peer(server: CoplayServer, study: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run a headless peer that goes through the study, in a separate process."""
    with running([sys.executable, str(JOIN), server.url, str(study), "1"]) as process:
        yield process


def test_documented_opponent_plays_a_person(
    chromium: Callable[..., Chromium], servers: Servers, tmp_path: Path
) -> None:
    server = servers.serve("volley/study.py", countdown=0, max_frames=FRAMES)
    program = HOWTO.read_text("utf-8").split("```python\n", 2)[1].split("```", 1)[0]
    for written, here in (
        ("http://127.0.0.1:8000", server.url),
        ("examples/volley/study.py", str(server.data.parent / "study" / "study.py")),
    ):
        assert program.count(f'"{written}"') == 1
        program = program.replace(written, here)
    file = tmp_path / "opponent.py"
    file.write_text(program, "utf-8")
    ada = chromium("ada")
    arrive(ada, server.url)
    ada.click_continue()
    ada.wait_for(scene="lobby")
    command = [sys.executable, "-W", "error", str(file)]
    with running(command, cwd=tmp_path) as opponent:
        ada.wait_for("play", "playing")
        ada.play(3)
        finish(ada)
        told, _ = opponent.communicate(timeout=60)
    assert opponent.returncode == 0
    assert told.startswith(f"VOLLEY [('identical', {FRAMES}, (")
    game_id = ada.stats()["game_id"]
    export = Export(server.data, tmp_path / "export")
    (stored,) = export.rows("games", game_id=game_id)
    assert (stored["verdict"], stored["frames"]) == ("identical", FRAMES)
    (direct,) = {row["link"] for row in export.rows("net", game_id=game_id, player_id=1) if row["link"]}
    assert direct == "direct"


def test_page_and_headless_peer_play_through_a_turn_server(
    chromium: Callable[..., Chromium], coturn: TurnServer, tmp_path: Path
) -> None:
    study = short_study("volley/study.py", tmp_path / "server" / "study", countdown=0, max_frames=FRAMES)
    # No player learns another's address.
    study.write_text(f"{study.read_text('utf-8')}\nstudy.relay_only = True\n", "utf-8")
    server = CoplayServer(("run", str(study)), tmp_path / "server")
    try:
        server.wait_until_serving()
        ada = chromium("ada")
        arrive(ada, server.url)
        with headless_peer(server, study) as peer:
            # The first one in the lobby gets the lower seat, and makes the offers.
            assert peer.stdout is not None
            assert any(line.endswith(": lobby\n") for line in peer.stdout)
            ada.click_continue()
            ada.wait_for("play", "playing")
            ada.play(3)
            finish(ada)
            told, _ = peer.communicate(timeout=60)
    finally:
        server.stop()
    assert peer.returncode == 0
    (game,) = json.loads(told.splitlines()[-1])["games"]

    page = ada.stats()
    assert (page["player_id"], game["player_id"]) == (1, 0)
    assert page["game_id"] == game["game_id"]
    assert page["link"] == {str(game["player_id"]): "turn"}
    assert game["links"] == {str(page["player_id"]): "turn"}
    assert game["refused_uploads"] == 0
    assert (game["verdict"], game["frames"]) == ("identical", FRAMES)
    (report,) = ada.uploads.games[game["game_id"]].reports
    assert report["chain_hash"] == game["chain_hash"]
    (stored,) = Export(server.data, tmp_path / "export").rows("games", game_id=game["game_id"])
    assert (stored["verdict"], stored["frames"]) == ("identical", FRAMES)
    assert stored["chain_hash"] == game["chain_hash"]


def test_headless_peer_requests_a_new_connection_after_the_page_lost_its_own(
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
        # On a busy machine the server may have relayed the first frames.
        ada.run(
            "while (breakage.links.at(-1) !== 'direct') await new Promise((wake) => setTimeout(wake, 20));"
        )
        before = len(breakage.links())
        # The page makes the offers. It cannot restart a closed connection until the peer requests a new one.
        breakage.close_connections()
        finish(ada)
        told, _ = peer.communicate(timeout=60)
    (game,) = json.loads(told.splitlines()[-1])["games"]
    assert (game["verdict"], game["frames"]) == ("identical", 600)
    links = breakage.links()[before - 1 :]
    assert (links[0], links[-1], set(links)) == ("direct", "direct", {"direct", "relay"})
