"""The wrong pictures that a player saw before the others' inputs arrived, reconstructed from the record.

A browser predicts that everybody repeats their last known input. The record says for each frame whether an
input was predicted when the frame was first shown, and after how many frames a wrong prediction was
corrected, which is when the input arrived. It does not say when correctly predicted inputs arrived; they are
assumed to have arrived as early as possible, which changes no picture.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from coplay.data.games.game_log import GameLog

MOST_FRAMES_BACK = 60
"""Screens that would need more frames to be simulated again are left out: no session predicts so far."""


@dataclass(frozen=True, slots=True)
class Misprediction:
    """A screen that showed the result of a wrong prediction."""

    frame: int
    """The screen showed the state before this frame."""
    player: int
    """The player whose screen it is."""
    first: int
    """The first frame that was simulated with a wrong prediction."""
    inputs: bytes
    """The inputs that were simulated from `first` up to `frame`: for each frame, all players' in order."""


def arrival_frames(predicted: Any, corrected_after: Any) -> Any:
    """Return for each input of another player the frame that was being shown when it arrived.

    Args:
        predicted: For each frame, True if the input was predicted when the frame was first shown.
        corrected_after: For each frame, the number of frames until a wrong prediction was corrected; 0 for a
            correct prediction.
    """
    frames = np.arange(len(predicted))
    arrived = np.where(predicted, frames + np.maximum(corrected_after.astype(np.int64), 1), frames)
    # Inputs are used in order: none counts as arrived before those of earlier frames.
    return np.maximum.accumulate(arrived)


def mispredictions_of(
    log: GameLog, player: int, owners: dict[int, int], sizes: list[int]
) -> list[Misprediction]:
    """Return all mispredicted screens of one player's browser, in the order of frames.

    Args:
        log: The log of the game.
        player: The player; the result is empty if their browser uploaded nothing.
        owners: For each player, the peer that produced their inputs.
        sizes: The size of each player's input, in bytes.
    """
    copy = log.peers.get(player)
    if copy is None:
        return []
    edges = np.cumsum([0, *sizes])
    columns = [slice(int(start), int(end)) for start, end in pairwise(edges)]
    arrived = {
        other: arrival_frames((copy.predicted >> other & 1).astype(bool), copy.corrected_after[:, other])
        for other, owner in owners.items()
        if owner != player
    }
    screens = []
    for frame in range(copy.frames):
        inputs = log.inputs[: frame + 1]
        played = inputs.copy()
        first = frame + 1
        for other, when in arrived.items():
            known = int(np.searchsorted(when[: frame + 1], frame, side="right")) - 1
            if known < 0 or known == frame:
                continue
            # An input that had not arrived may still have been predicted correctly.
            wrong = (copy.corrected_after[known + 1 : frame + 1, other] > 0).nonzero()[0] + known + 1
            if len(wrong):
                played[wrong, columns[other]] = inputs[known, columns[other]]
                first = min(first, int(wrong[0]))
        if frame - MOST_FRAMES_BACK < first <= frame:
            screens.append(Misprediction(frame + 1, player, first, played[first:].tobytes()))
    return screens
