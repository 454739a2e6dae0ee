"""Headless peers and servers that end and are started again while a game is played."""

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from tests.headless.processes import Peer, assert_identical, serving, wait_for_frames, write_study

from coplay.runtime import Runtime


@pytest.mark.parametrize(("seat", "end_first"), [(0, True), (1, False)], ids=["killed", "replaced"])
def test_peer_that_is_started_again_gets_its_seat_back(
    runtime: Runtime, study_text: str, tmp_path: Path, seat: int, end_first: bool
) -> None:
    study, data = write_study(study_text, tmp_path, 150, 'hold="60 s", '), tmp_path / "data"
    with serving(study, data) as url, ExitStack() as ending:
        peers = []
        for name in ("ada", "bob"):
            peers.append(Peer(url, study, tmp_path, name))
            ending.callback(peers[-1].end)
            if name == "ada":
                peers[0].until(": lobby")  # the first to arrive gets the lower seat
        wait_for_frames(data, seat, 30)
        former = peers[seat]
        if end_first:
            former.end()
        peers[seat] = Peer(url, study, tmp_path, ("ada", "bob")[seat])
        ending.callback(peers[seat].end)
        assert f": player {seat}\n" in peers[seat].until("game ")
        games = [peer.game() for peer in peers]
        if not end_first:
            assert former.process.wait(10) == 1
            assert "PeerError: This study was opened in another tab" in former.errors()

    assert_identical(data, games, 150)
    assert [game["player_id"] for game in games] == [0, 1]
    with closing(sqlite3.connect(data / "coplay.sqlite")) as database:
        rows = database.execute("SELECT player_id FROM events WHERE kind = 'rejoined'").fetchall()
    assert rows == [(seat,)]


def test_peers_reconnect_to_a_server_that_is_started_again(
    runtime: Runtime, study_text: str, tmp_path: Path
) -> None:
    study, data = write_study(study_text, tmp_path, 150), tmp_path / "data"
    with ExitStack() as ending:
        with serving(study, data) as url:
            peers = [Peer(url, study, tmp_path, name) for name in ("ada", "bob")]
            for peer in peers:
                ending.callback(peer.end)
            wait_for_frames(data, 0, 30)
        with serving(study, data, int(url.rpartition(":")[2])):
            games = [peer.game() for peer in peers]
    assert_identical(data, games, 150)
    assert {game["refused_uploads"] for game in games} == {0}
