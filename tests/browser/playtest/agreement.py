"""What must hold of any game that two people finished: asked of the export, of each one's copy in the store,
and of what browsers uploaded.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from playtest.chromium import Chromium
from playtest.copies import Copies
from playtest.export import Export
from playtest.participant import Participant
from playtest.server import CoplayServer

# Volley and Overcooked have a handful of actions: one byte each.
INPUT_SIZES = (1, 1)


def assert_agreed(
    server: CoplayServer, participants: Sequence[Participant], folder: Path, least_frames: int
) -> Export:
    """Check that all participants recorded the same game, and that enough happened in it.

    Args:
        server: The server of the game.
        participants: All participants of the game; the uploads of those in Chromium are compared, too.
        folder: The folder for the export.
        least_frames: The fewest frames that the game must have.

    Returns:
        The exported tables, for further checks.
    """
    stats = [participant.stats() for participant in participants]
    game_id = stats[0]["game_id"]
    assert {each["game_id"] for each in stats} == {game_id}
    assert sorted(each["player_id"] for each in stats) == list(range(len(participants)))

    copies = Copies(server.data, game_id)
    assert copies.peers == list(range(len(INPUT_SIZES)))
    frames = assert_copies_agree(copies)
    for witness in participants:
        if isinstance(witness, Chromium):
            uploads = witness.uploads.games[game_id]
            assert uploads.inputs(len(INPUT_SIZES), INPUT_SIZES) == b"".join(copies.inputs(0).values())

    export = Export(server.data, folder / "export")
    (game,) = export.rows("games", game_id=game_id)
    assert game["verdict"] == "identical", game
    assert game["frames"] == frames
    assert game["frames"] >= least_frames
    for witness in participants:
        if isinstance(witness, Chromium):
            reports = witness.uploads.games[game_id].reports
            assert {report["chain_hash"] for report in reports} == {game["chain_hash"]}
    _assert_inputs_are_active(export, game_id, game["frames"])
    return export


def assert_copies_agree(copies: Copies) -> int:
    """Check that all peers have the same inputs and states of all frames. Return the number of frames."""
    logs = [copies.inputs(peer) for peer in copies.peers]
    assert all(log == logs[0] for log in logs)
    frames = len(logs[0])
    assert list(logs[0]) == list(range(frames))

    checksums = [copies.checksums(peer) for peer in copies.peers]
    compared = set.intersection(*(set(each) for each in checksums))
    assert len(compared) >= frames // 60, "too few frames were compared"
    assert all(each[frame] == checksums[0][frame] for each in checksums for frame in compared)
    assert len({checksums[0][frame] for frame in compared}) == len(compared), "the state stood still"
    return frames


def _assert_inputs_are_active(export: Export, game_id: str, frames: int) -> None:
    rows = export.rows("inputs", game_id=game_id)
    for player in range(len(INPUT_SIZES)):
        actions = [str(row["action"]) for row in rows if row["player_id"] == player]
        assert len(actions) == frames
        # Agreement on a game in which nobody acts would prove nothing.
        changes = sum(before != after for before, after in pairwise(actions))
        assert changes >= 10, f"player {player} changed their action {changes} times"
