"""Participants without a browser: with each other, through a real server."""

import asyncio
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from coplay.headless import PeerError, join
from coplay.runtime import Runtime

JOIN = Path(__file__).parent / "samples" / "join_study.py"
FRAMES = 75


@pytest.fixture
def study(tmp_path: Path, study_text: str) -> Path:
    """Two and a half seconds of play between a page to read and a last one."""
    play = f"scenes.Play(Drift, max_frames={FRAMES}, countdown=0, input_delay=0,"
    text = study_text.replace("scenes.Play(Drift,", play)
    text = text.replace("scenes.Lobby", 'scenes.Instructions("Hello"),\n    scenes.Lobby')
    text = text.replace('Finish("Bye")', 'Finish("Bye", code="DONE")')
    file = tmp_path / "study" / "drifting.py"
    file.parent.mkdir()
    file.write_text(text)
    return file


@contextmanager
def serving(study: Path, data: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "coplay", "run", str(study), "--port", "0", "--data", str(data)]
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


@pytest.mark.parametrize("way", ["direct", "relay"])
def test_two_peers_play_the_same_game(runtime: Runtime, study: Path, tmp_path: Path, way: str) -> None:
    if way == "relay":
        # No addresses are told, and there is no TURN server: only the study's own server is left.
        study.write_text(f"{study.read_text()}\nstudy.relay_only = True\n")
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
