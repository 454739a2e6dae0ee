"""What a player's screen showed before the others' inputs were there, reconstructed from the record.

A browser guesses that everybody goes on as last known. The record says of each frame whether an input was a
guess when the frame was first shown, and after how many frames a wrong one was corrected: so when that input
came. Of guesses that were right it does not say; they count as early as can be, which changes no picture.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from coplay.data.games.game_log import GameLog

MOST_FRAMES_BACK = 60


@dataclass(frozen=True, slots=True)
class Misprediction:
    """A screen that was not yet right."""

    frame: int
    """The screen shows the state before this frame."""
    player: int
    """Whose screen."""
    first: int
    """The first frame that was played by a wrong guess."""
    inputs: bytes
    """What was played, from that frame up to this one: per frame, every player's input in order."""


def arrival_frames(predicted: Any, corrected_after: Any) -> Any:
    """Which frame was being shown when each of another player's inputs came.

    Args:
        predicted: Of each frame, whether that input was a guess when the frame was first shown.
        corrected_after: Frames until a wrong guess was corrected; 0 for a right one.
    """
    frames = np.arange(len(predicted))
    came = np.where(predicted, frames + np.maximum(corrected_after.astype(np.int64), 1), frames)
    # Inputs come in order: none before those of earlier frames.
    return np.maximum.accumulate(came)


def mispredictions_of(
    log: GameLog, player: int, owners: dict[int, int], sizes: list[int]
) -> list[Misprediction]:
    """All wrong screens of one player's browser, in order of frames.

    Args:
        log: The game.
        player: Whose browser; it must have uploaded.
        owners: The peer that gave each player's inputs.
        sizes: Bytes of each player's input.
    """
    copy = log.peers.get(player)
    if copy is None:
        return []
    edges = np.cumsum([0, *sizes])
    columns = [slice(int(start), int(end)) for start, end in pairwise(edges)]
    came = {
        other: arrival_frames((copy.predicted >> other & 1).astype(bool), copy.corrected_after[:, other])
        for other, owner in owners.items()
        if owner != player
    }
    found = []
    for frame in range(copy.frames):
        inputs = log.inputs[: frame + 1]
        played = inputs.copy()
        first = frame + 1
        for other, when in came.items():
            known = int(np.searchsorted(when[: frame + 1], frame, side="right")) - 1
            if known < 0 or known == frame:
                continue
            # Only what the record calls a wrong guess was one.
            wrong = (copy.corrected_after[known + 1 : frame + 1, other] > 0).nonzero()[0] + known + 1
            if len(wrong):
                played[wrong, columns[other]] = inputs[known, columns[other]]
                first = min(first, int(wrong[0]))
        if frame - MOST_FRAMES_BACK < first <= frame:
            found.append(Misprediction(frame + 1, player, first, played[first:].tobytes()))
    return found
