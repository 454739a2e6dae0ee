"""What must hold of any game that two browsers finished: asked of the export, and of their uploads."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from playtest.chromium import Chromium
from playtest.export import Export
from playtest.participant import Participant
from playtest.server import CoplayServer

# Volley and Overcooked have a handful of actions: one byte each.
INPUT_SIZES = (1, 1)


def assert_agreed(
    server: CoplayServer, participants: Sequence[Participant], folder: Path, least_frames: int
) -> dict[str, Any]:
    """See that everyone holds the same game, and that it was worth agreeing on.

    Returns:
        The row of the game in the export.
    """
    stats = [participant.stats() for participant in participants]
    game_id = stats[0]["game_id"]
    assert {each["game_id"] for each in stats} == {game_id}
    assert sorted(each["player_id"] for each in stats) == list(range(len(participants)))

    export = Export(server.data, folder / "export")
    (game,) = export.rows("games", game_id=game_id)
    assert game["verdict"] == "identical", game
    assert game["frames"] >= least_frames
    _assert_inputs_are_active(export, game_id)

    witnesses = [each for each in participants if isinstance(each, Chromium)]
    for witness in witnesses:
        reports = witness.uploads.games[game_id].reports
        assert {report["chain_hash"] for report in reports} == {game["chain_hash"]}
    if len(witnesses) > 1:
        _assert_uploads_agree(witnesses, game_id, export)
    return game


def _assert_inputs_are_active(export: Export, game_id: str) -> None:
    rows = export.rows("inputs", game_id=game_id)
    for player in range(len(INPUT_SIZES)):
        actions = [str(row["action"]) for row in rows if row["player_id"] == player]
        changes = sum(before != after for before, after in pairwise(actions))
        # An agreement about a still picture proves nothing.
        assert changes >= 10, f"player {player} changed their action {changes} times"


def _assert_uploads_agree(witnesses: Sequence[Chromium], game_id: str, export: Export) -> None:
    players = len(INPUT_SIZES)
    uploads = [witness.uploads.games[game_id] for witness in witnesses]
    logs = [each.inputs(players, INPUT_SIZES) for each in uploads]
    assert logs[0] == logs[1]
    frames = len(logs[0]) // sum(INPUT_SIZES)
    assert len(export.rows("inputs", game_id=game_id)) == frames * players

    checksums = [each.checksums(players, INPUT_SIZES) for each in uploads]
    compared = checksums[0].keys() & checksums[1].keys()
    assert len(compared) >= frames // 60, "too few frames were compared"
    assert all(checksums[0][frame] == checksums[1][frame] for frame in compared)
    assert len({checksums[0][frame] for frame in compared}) == len(compared), "the state stood still"
