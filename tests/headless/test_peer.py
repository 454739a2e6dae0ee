"""Participants without a browser: with each other, through a real server."""

import asyncio
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from coplay.headless import PeerError, join
from coplay.headless.identity import ParticipantIdentity
from coplay.runtime import Runtime

JOIN = Path(__file__).parent / "samples" / "join_study.py"
FRAMES = 75


def write_study(text: str, folder: Path, frames: int, more: str = "") -> Path:
    """A study with so many frames of play, 30 a second, between a page to read and a last one."""
    play = f"scenes.Play(Drift, max_frames={frames}, countdown=0, input_delay=0, {more}"
    text = text.replace("scenes.Play(Drift,", play)
    text = text.replace("scenes.Lobby", 'scenes.Instructions("Hello"),\n    scenes.Lobby')
    text = text.replace('Finish("Bye")', 'Finish("Bye", code="DONE")')
    file = folder / "study" / "drifting.py"
    file.parent.mkdir()
    file.write_text(text)
    return file


@pytest.fixture
def study(tmp_path: Path, study_text: str) -> Path:
    """Two and a half seconds of play."""
    return write_study(study_text, tmp_path, FRAMES)


@contextmanager
def serving(study: Path, data: Path, port: int = 0) -> Iterator[str]:
    command = [sys.executable, "-m", "coplay", "run", str(study), "--port", str(port), "--data", str(data)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with (
        (data.parent / "server.log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if found := re.match(r"coplay: serving (http://\S+)", line):
                    yield found[1]
                    break
            else:
                pytest.fail((data.parent / "server.log").read_text())
        finally:
            process.terminate()
            process.wait(15)


def send(url: str, study: Path, count: int) -> list[dict[str, Any]]:
    """What became of so many peers. In a process of their own: a study's modules stay where they are."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(JOIN), url, str(study), str(count)],
        capture_output=True,
        text=True,
        timeout=150,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    assert done.returncode == 0, done.stderr
    assert "never awaited" not in done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def games_in(data: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(data / "coplay.sqlite")) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("SELECT * FROM games")]


@pytest.mark.parametrize("way", ["direct", "turn", "relay"])
def test_two_peers_play_the_same_game(
    runtime: Runtime, study: Path, tmp_path: Path, way: str, request: pytest.FixtureRequest
) -> None:
    if way != "direct":
        # No addresses are told: a TURN server is left, and without one the study's own server.
        study.write_text(f"{study.read_text()}\nstudy.relay_only = True\n")
    if way == "turn":
        request.getfixturevalue("turn")
    data = tmp_path / "data"
    with serving(study, data) as url:
        outcomes = send(url, study, 2)

    assert [outcome["code"] for outcome in outcomes] == ["DONE", "DONE"]
    played = [game for outcome in outcomes for game in outcome["games"]]
    assert sorted(game["player_id"] for game in played) == [0, 1]
    for game in played:
        assert (game["verdict"], game["frames"]) == ("identical", FRAMES)
        assert game["links"] == {str(1 - game["player_id"]): way}
        assert game["refused_uploads"] == 0
    assert sum(game["stats"]["rollbacks"] for game in played) > 0, "random actions cannot all be guessed"
    (chain,) = {game["chain_hash"] for game in played}
    (stored,) = games_in(data)
    assert (stored["verdict"], stored["frames"]) == ("identical", FRAMES)
    assert stored["chain_hash"] == chain


def test_an_agent_that_fails_ends_the_visit_with_its_error(
    runtime: Runtime, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "study", raising=False)

    def agent(env: Any, player_id: int) -> int:
        raise ZeroDivisionError("no idea")

    async def both() -> list[Any]:
        peers = (join(url, study=study, agent=agent) for _ in range(2))
        async with asyncio.timeout(60):
            return await asyncio.gather(*peers, return_exceptions=True)

    with serving(study, tmp_path / "data") as url:
        outcomes = asyncio.run(both())
    assert [type(outcome) for outcome in outcomes] == [ZeroDivisionError, ZeroDivisionError]


def test_a_study_that_was_changed_meanwhile_is_not_played(
    runtime: Runtime, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "study", raising=False)
    with serving(study, tmp_path / "data") as url:
        study.write_text(f"{study.read_text()}\n# another one\n")
        with pytest.raises(PeerError, match=r"drifting\.py is not as in the study"):
            asyncio.run(join(url, study=study, agent=lambda env, player_id: 0))


def test_where_nothing_is_served_it_says_so(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "study", raising=False)
    with pytest.raises(PeerError, match=r"no study answers at http://127\.0\.0\.1:9"):
        asyncio.run(join("http://127.0.0.1:9/", study=study, agent=lambda env, player_id: 0))


# Processes and connections that are gone


class Peer:
    """One peer in a process of its own.

    Args:
        url: Of the server.
        study: The study file.
        folder: For its identity, and what it writes.
        name: Of the person that it is; who has the same name is the same person.
    """

    def __init__(self, url: str, study: Path, folder: Path, name: str) -> None:
        self._errors = folder / f"{name}-{time.monotonic_ns()}.log"
        with self._errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "error", str(JOIN), url, str(study), "1", str(folder / name)],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "PYTHONHASHSEED": "0"},
            )

    def until(self, said: str) -> str:
        """Read on to a line with these words."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if said in line:
                return line
        pytest.fail(f"it ended without a word of {said!r}: {self.errors()}")

    def end(self) -> None:
        """As a power cut does."""
        assert self.process.stdout is not None
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def game(self) -> dict[str, Any]:
        """How its only game went."""
        told, _ = self.process.communicate(timeout=90)
        assert self.process.returncode == 0, self.errors()
        (game,) = json.loads(told.splitlines()[-1])["games"]
        return dict(game)

    def errors(self) -> str:
        return self._errors.read_text()


def wait_for_frames(data: Path, peer: int, frames: int) -> None:
    """Return once a peer has uploaded so many."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with closing(sqlite3.connect(data / "coplay.sqlite")) as database:
            query = "SELECT max(first_frame + frames) FROM batches WHERE peer = ?"
            if (database.execute(query, (peer,)).fetchone()[0] or 0) >= frames:
                return
        time.sleep(0.05)
    pytest.fail(f"player {peer} uploaded no {frames} frames")


def assert_identical(data: Path, played: list[dict[str, Any]], frames: int) -> None:
    assert {(game["verdict"], game["frames"]) for game in played} == {("identical", frames)}
    assert sorted(game["player_id"] for game in played) == [0, 1]
    (chain,) = {game["chain_hash"] for game in played}
    (stored,) = games_in(data)
    assert (stored["verdict"], stored["frames"], stored["chain_hash"]) == ("identical", frames, chain)


@pytest.mark.parametrize(("seat", "end_first"), [(0, True), (1, False)], ids=["killed", "replaced"])
def test_a_peer_that_is_begun_again_has_its_seat_again(
    runtime: Runtime, study_text: str, tmp_path: Path, seat: int, end_first: bool
) -> None:
    study, data = write_study(study_text, tmp_path, 150, 'hold="60 s", '), tmp_path / "data"
    with serving(study, data) as url, ExitStack() as ending:
        peers = []
        for name in ("ada", "bob"):
            peers.append(Peer(url, study, tmp_path, name))
            ending.callback(peers[-1].end)
            if name == "ada":
                peers[0].until(": lobby")  # who comes first has the lower seat
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


def test_a_server_that_is_stopped_and_begun_again_has_its_peers_again(
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


def test_an_identity_is_kept_for_its_owner_alone_and_is_of_one_study(tmp_path: Path) -> None:
    file = tmp_path / "ada"
    first = ParticipantIdentity(file, "drifting", None)
    assert first.claims() == {}
    first.keep("p-1", "secret")
    assert ParticipantIdentity(file, "drifting", None).claims() == {"participant": "p-1", "secret": "secret"}
    assert file.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [file]
    for study, participant in (("another", None), ("drifting", "p-2")):
        with pytest.raises(PeerError, match="is the identity of p-1 in the study drifting"):
            ParticipantIdentity(file, study, participant)
    file.write_text("{}")
    with pytest.raises(PeerError, match="nobody's identity"):
        ParticipantIdentity(file, "drifting", None)
    with pytest.raises(PeerError, match="no folder"):
        ParticipantIdentity(tmp_path / "nowhere" / "ada", "drifting", None)


def test_without_a_file_nothing_is_kept(tmp_path: Path) -> None:
    identity = ParticipantIdentity(None, "drifting", "p-1")
    identity.keep("p-1", "secret")
    assert identity.claims() == {"participant": "p-1"}
