"""The log of one game, merged from its peers' batches."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from coplay.data.batches import FrameBatch

_Bytes = np.ndarray[Any, np.dtype[np.uint8]]


class PeerLog:
    """The frames that one peer uploaded, as arrays.

    Args:
        batches: The batches of one peer and game, ordered by number.
        width: The size of all players' inputs of one frame, in bytes.
        n_players: The number of players of the game.

    Attributes:
        frames: The number of frames, including gaps.
        has: For each frame, whether the peer uploaded it.
    """

    def __init__(self, batches: Sequence[FrameBatch], width: int, n_players: int) -> None:
        self.frames = max((batch.first_frame + batch.frames for batch in batches), default=0)
        self.has = np.zeros(self.frames, bool)
        self.inputs = np.zeros((self.frames, width), np.uint8)
        self.confirmed_at_ms = np.full(self.frames, np.nan)
        self.predicted = np.zeros(self.frames, np.uint8)
        self.corrected_after = np.zeros((self.frames, n_players), np.uint8)
        self.rewards = np.zeros((self.frames, n_players))
        self.flags = np.zeros((self.frames, n_players), np.uint8)
        self.episodes = np.zeros(self.frames, np.uint16)
        for batch in batches:
            here = slice(batch.first_frame, batch.first_frame + batch.frames)
            self.has[here] = True
            self.inputs[here] = np.frombuffer(batch.inputs, np.uint8).reshape(-1, width)
            self.confirmed_at_ms[here] = batch.confirmed_at_ms
            self.predicted[here] = np.frombuffer(batch.predicted, np.uint8)
            self.corrected_after[here] = np.frombuffer(batch.corrected_after, np.uint8).reshape(-1, n_players)
            self.rewards[here] = np.array(batch.rewards).reshape(-1, n_players)
            self.flags[here] = np.frombuffer(batch.flags, np.uint8).reshape(-1, n_players)
            self.episodes[here] = batch.episodes

    def sha256(self) -> str:
        """Return the hash of all uploaded inputs, in the order of frames."""
        return hashlib.sha256(self.inputs[self.has].tobytes()).hexdigest()


class GameLog:
    """The log of a game: each frame as recorded by the lowest peer that uploaded it.

    Args:
        batches: All batches of the game.
        input_sizes: The size of each player's input, in bytes.

    Attributes:
        peers: Each peer's own copy.
        frames: The number of frames, including gaps.
        has: For each frame, whether any peer uploaded it.
        source: For each frame, the peer whose copy it is; -1 in a gap.
    """

    def __init__(self, batches: Sequence[FrameBatch], input_sizes: Sequence[int]) -> None:
        n_players, width = len(input_sizes), sum(input_sizes)
        uploaders = sorted({batch.peer for batch in batches})
        self.peers = {
            peer: PeerLog(
                sorted((batch for batch in batches if batch.peer == peer), key=lambda batch: batch.number),
                width,
                n_players,
            )
            for peer in uploaders
        }
        self.frames = max((log.frames for log in self.peers.values()), default=0)
        self.source = np.full(self.frames, -1)
        self.inputs = np.zeros((self.frames, width), np.uint8)
        self.rewards = np.zeros((self.frames, n_players))
        self.flags = np.zeros((self.frames, n_players), np.uint8)
        self.episodes = np.zeros(self.frames, np.int64)
        for peer, log in self.peers.items():
            new = np.zeros(self.frames, bool)
            new[: log.frames] = log.has & (self.source[: log.frames] < 0)
            self.source[new] = peer
            for name in ("inputs", "rewards", "flags", "episodes"):
                getattr(self, name)[new] = getattr(log, name)[new[: log.frames]]
        self.has = self.source >= 0
        edges = np.cumsum([0, *input_sizes])
        self._columns = [slice(edges[player], edges[player + 1]) for player in range(n_players)]

    def inputs_of(self, player: int) -> list[bytes]:
        """Return a player's inputs of all frames that are not gaps."""
        rows = np.ascontiguousarray(self.inputs[self.has, self._columns[player]])
        return [row.tobytes() for row in rows]

    def confirmed_at_ms(self, player: int) -> list[float | None]:
        """Return when the player's own peer confirmed each frame, in milliseconds; None if it did not say."""
        log = self.peers.get(player)
        times = np.full(self.frames, np.nan)
        if log is not None:
            times[: log.frames] = log.confirmed_at_ms
        return [None if np.isnan(time) else float(time) for time in times[self.has]]

    def guesses(self, player: int, owner: int) -> tuple[list[bool | None], list[int | None]]:
        """Return which of a player's inputs were first shown as guesses, and how long wrong guesses lasted.

        Args:
            player: The player.
            owner: The peer that produced the player's inputs, and never guesses them.

        Returns:
            For each frame that is not a gap, whether any peer showed a guess, and the largest number of
            frames until a guess was corrected. Both are None where no other peer uploaded the frame.
        """
        known = np.zeros(self.frames, bool)
        guessed = np.zeros(self.frames, bool)
        lasted = np.zeros(self.frames, np.int64)
        for peer, log in self.peers.items():
            if peer != owner:
                here = slice(0, log.frames)
                known[here] |= log.has
                guessed[here] |= (log.predicted >> player & 1).astype(bool)
                lasted[here] = np.maximum(lasted[here], log.corrected_after[:, player])
        columns = zip(known[self.has], guessed[self.has], lasted[self.has], strict=True)
        rows = [(bool(guess), int(frames)) if sure else (None, None) for sure, guess, frames in columns]
        return [guess for guess, _ in rows], [frames for _, frames in rows]
