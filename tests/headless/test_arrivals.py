"""Participants who arrive at random times: everyone finds a partner, plays one game, and finishes."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.headless.processes import serving, write_study

from coplay.runtime import Runtime

ARRIVE = Path(__file__).parent / "samples" / "arriving_peers.py"
PEOPLE = 12
PROCESSES = 2
SECONDS = 4
FRAMES = 60
SEED = int(os.environ.get("COPLAY_ARRIVALS_SEED", "1"))


def arrive(url: str, study: Path) -> list[dict[str, Any]]:
    """Run the participants in separate processes; return their outcomes."""
    count = PEOPLE // PROCESSES
    commands = [
        [sys.executable, "-W", "error", str(ARRIVE), url, str(study)]
        + [str(each) for each in (count, SEED * PROCESSES + process, SECONDS)]
        for process in range(PROCESSES)
    ]
    pipe = subprocess.PIPE
    people = [subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) for command in commands]
    try:
        said = [each.communicate(timeout=170) for each in people]
    finally:
        for each in people:
            each.kill()
    assert [each.returncode for each in people] == [0] * PROCESSES, [errors for _, errors in said]
    lines = [line for output, _ in said for line in output.splitlines()]
    return [json.loads(line) for line in lines if line.startswith("{")]


@pytest.mark.timeout(240)
def test_twelve_participants_who_arrive_at_random_play_six_games_to_the_end(
    runtime: Runtime, study_text: str, tmp_path: Path
) -> None:
    study = write_study(study_text, tmp_path, FRAMES)
    data = tmp_path / "data"
    with serving(study, data) as url:
        outcomes = arrive(url, study)

    assert [outcome["code"] for outcome in outcomes] == ["DONE"] * PEOPLE
    assert len({outcome["participant_id"] for outcome in outcomes}) == PEOPLE
    played = [(outcome["participant_id"], *outcome["games"]) for outcome in outcomes]
    assert {len(each) for each in played} == {2}, "everyone in exactly one game"
    for _, game in played:
        assert (game["verdict"], game["frames"], game["refused_uploads"]) == ("identical", FRAMES, 0)
    with closing(sqlite3.connect(data / "coplay.sqlite")) as database:
        games = database.execute("SELECT game_id, verdict, frames, left_early, seats FROM games").fetchall()
        entered = database.execute(
            "SELECT participant_id FROM events WHERE kind = 'continued' ORDER BY id"
        ).fetchall()
        groups = database.execute("SELECT members FROM groups ORDER BY formed_ms").fetchall()
    assert [game[1:4] for game in games] == [("identical", FRAMES, "[]")] * (PEOPLE // 2)
    seated = {(seat["participant_id"], game_id) for game_id, *_, seats in games for seat in json.loads(seats)}
    assert seated == {(person, game["game_id"]) for person, game in played}
    # A waiting participant is paired with the next to arrive: nobody is skipped.
    order = [person for (person,) in entered]
    assert [set(json.loads(members)) for (members,) in groups] == [
        set(order[place : place + 2]) for place in range(0, PEOPLE, 2)
    ]
