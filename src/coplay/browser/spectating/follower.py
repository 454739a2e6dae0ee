"""Plays the confirmed frames of a running game, a second or two behind its players.

A spectator has no session and no links: its frames come from the server, which has them from the players'
uploads. All of them are confirmed, so nothing is ever rolled back.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence

from coplay.envs import Game

CATCH_UP_S = 2.0
"""A spectator that is more seconds than this behind plays as fast as it can."""
BURST_S = 0.03
"""The longest time that it then plays without drawing, in seconds."""


class Follower:
    """The simulation of one spectator.

    Args:
        game: The simulation, not yet started.
        input_sizes: Per player, the length of an input in bytes.
        fps: Frames a second.
        clock: Returns monotonic seconds; limits bursts of work.

    Attributes:
        game: The simulation.
        frames: Number of frames received, played or not.
    """

    def __init__(
        self,
        game: Game,
        input_sizes: Sequence[int],
        fps: float,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.game = game
        self._ends = [sum(input_sizes[: player + 1]) for player in range(len(input_sizes))]
        self._sizes = tuple(input_sizes)
        self._frame_time = 1.0 / fps
        self._clock = clock
        self._waiting: deque[tuple[bytes, ...]] = deque()
        self._due_at = 0.0
        self.frames = 0
        game.start()

    @property
    def frame(self) -> int:
        """Number of frames played; the next frame to be played."""
        return self.frames - len(self._waiting)

    def add(self, first: int, inputs: bytes) -> None:
        """Add confirmed frames; skip known frames, and drop frames after a gap.

        Args:
            first: The first frame.
            inputs: All players' inputs of that frame, then of the next, and so on.
        """
        width = self._ends[-1]
        for at in range(0, len(inputs) - width + 1, width):
            if first + at // width == self.frames:
                self._waiting.append(
                    tuple(
                        inputs[at + end - size : at + end]
                        for end, size in zip(self._ends, self._sizes, strict=True)
                    )
                )
                self.frames += 1

    def tick(self, now: float) -> bool:
        """Play all frames that are due at `now`, in monotonic seconds; return True if the state changed."""
        waiting, changed = self._waiting, False
        behind = len(waiting) * self._frame_time
        if behind > CATCH_UP_S:
            stop_at = self._clock() + BURST_S
            # Down to half of the limit, so that the next late frame does not cause another burst.
            while len(waiting) * self._frame_time > CATCH_UP_S / 2 and self._clock() < stop_at:
                self.game.step(waiting.popleft())
                changed = True
            self._due_at = now
        while waiting and now >= self._due_at:
            self.game.step(waiting.popleft())
            self._due_at = max(self._due_at, now - self._frame_time) + self._frame_time
            changed = True
        return changed

    def next_deadline(self, now: float) -> float:
        """Return when to call `tick` next, in seconds of the clock of `now`."""
        if not self._waiting:
            return now + 0.25
        return now if len(self._waiting) * self._frame_time > CATCH_UP_S else self._due_at
