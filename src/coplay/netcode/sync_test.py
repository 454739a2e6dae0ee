"""Finds out whether a simulation can be rolled back at all: alone, with every frame stepped more than once.

Source: ggrs' SyncTestSession.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from coplay.errors import SessionMisuseError
from coplay.netcode.effects import Checksum, Effect, LoadState, SaveState, Step


@dataclass(frozen=True, slots=True)
class StateDiffers:
    """The same inputs from the same saved state led to another state."""

    frame: int
    """The frame that the state is about to step."""
    first: int
    """The checksum when the frame was reached for the first time."""
    again: int
    """The checksum when it was reached again."""


class SyncTest:
    """Rolls back by `distance` frames after every frame, steps again, and compares every state on the way.

    The caller performs `effects()` as it does those of a `RollbackSession`.

    Args:
        distance: How many frames to go back each time; at least 1.

    Raises:
        SessionMisuseError: `distance` is less than 1.
    """

    def __init__(self, distance: int = 2) -> None:
        if distance < 1:
            raise SessionMisuseError(f"A sync test goes back by at least 1 frame, not by {distance}.")
        self.distance = distance
        self.current_frame = 0
        """Frames stepped; the next one has this number."""
        self.over = False
        """Whether the newest state is the end."""
        self._effects: list[Effect] = [SaveState(0)]
        self._inputs: deque[tuple[bytes, ...]] = deque(maxlen=distance)
        self._first: dict[int, int] = {}
        self._differences: list[StateDiffers] = []

    def advance(self, inputs: Sequence[bytes]) -> None:
        """Step a new frame with these inputs, then go back and step again."""
        frame = self.current_frame
        self._inputs.append(tuple(inputs))
        self._step(frame, self._inputs[-1])
        self.current_frame = frame + 1
        first = frame + 1 - self.distance
        if first < 0:
            return
        self._effects.append(LoadState(first))
        for again, given in enumerate(self._inputs, start=first):
            self._step(again, given)
        self._first.pop(first, None)

    def effects(self) -> list[Effect]:
        """Return what must be done, in order, and forget it."""
        drained = self._effects
        self._effects = []
        return drained

    def state_saved(self, frame: int, over: bool = False) -> None:
        """Answer `SaveState`."""
        if frame == self.current_frame:
            self.over = over

    def checksum_computed(self, frame: int, value: int) -> None:
        """Answer `Checksum` with the hash of the state that was saved for `frame` just before."""
        first = self._first.setdefault(frame, value)
        if first != value:
            self._differences.append(StateDiffers(frame, first, value))

    def differences(self) -> list[StateDiffers]:
        """Return the states that differed since the last call, in the order in which they were found."""
        drained = self._differences
        self._differences = []
        return drained

    def _step(self, frame: int, inputs: tuple[bytes, ...]) -> None:
        self._effects += (Step(frame, inputs, 0), SaveState(frame + 1), Checksum(frame + 1))
