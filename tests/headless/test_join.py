"""`coplay.headless.join`: two participants without a browser play on a real server."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.headless.processes import games_in, send, serving, write_study

from coplay.headless import PeerError, join
from coplay.runtime import Runtime

FRAMES = 75


@pytest.fixture
def study(tmp_path: Path, study_text: str) -> Path:
    """Two and a half seconds of play."""
    return write_study(study_text, tmp_path, FRAMES)


@pytest.mark.parametrize("way", ["direct", "turn", "relay"])
def test_two_peers_play_the_same_game(
    runtime: Runtime, study: Path, tmp_path: Path, way: str, request: pytest.FixtureRequest
) -> None:
    if way != "direct":
        # Without addresses of their own there is only a TURN server, or else the study's server.
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


def test_agent_that_raises_ends_join_with_its_error(
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


def test_study_that_differs_from_the_servers_is_refused(
    runtime: Runtime, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "study", raising=False)
    with serving(study, tmp_path / "data") as url:
        study.write_text(f"{study.read_text()}\n# another one\n")
        with pytest.raises(PeerError, match=r"drifting\.py differs from the one"):
            asyncio.run(join(url, study=study, agent=lambda env, player_id: 0))


def test_address_without_a_server_is_an_error(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "study", raising=False)
    with pytest.raises(PeerError, match=r"no study answers at http://127\.0\.0\.1:9"):
        asyncio.run(join("http://127.0.0.1:9/", study=study, agent=lambda env, player_id: 0))
