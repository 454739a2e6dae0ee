"""A sync test: a session without peers that checks whether a simulation can be rolled back.

Source: ggrs' SyncTestSession.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from coplay.errors import SessionMisuseError
from coplay.netcode.effects import Checksum, Effect, LoadState, SaveState, Step


@dataclass(frozen=True, slots=True)
class StateDiffers:
    """A mismatch: the same inputs from the same saved state led to another state."""

    frame: int
    """The frame that the differing state is about to step."""
    first: int
    """The checksum when the state was first reached."""
    again: int
    """The checksum when the state was reached by re-simulation."""


class SyncTest:
    """A session that rolls back by `distance` frames after every frame and compares all re-simulated states.

    The caller performs `effects()` in order, as for a `RollbackSession`.

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
        """True if the game has ended in the newest state."""
        self._effects: list[Effect] = [SaveState(0)]
        self._inputs: deque[tuple[bytes, ...]] = deque(maxlen=distance)
        self._first: dict[int, int] = {}
        self._differences: list[StateDiffers] = []

    def advance(self, inputs: Sequence[bytes]) -> None:
        """Step a new frame with these inputs, then roll back and re-simulate."""
        frame = self.current_frame
        self._inputs.append(tuple(inputs))
        self._step(frame, self._inputs[-1])
        self.current_frame = frame + 1
        first = frame + 1 - self.distance
        if first < 0:
            return
        self._effects.append(LoadState(first))
        for earlier, earlier_inputs in enumerate(self._inputs, start=first):
            self._step(earlier, earlier_inputs)
        self._first.pop(first, None)

    def effects(self) -> list[Effect]:
        """Return the effects since the last call, in the order in which they must be performed."""
        drained = self._effects
        self._effects = []
        return drained

    def state_saved(self, frame: int, over: bool = False) -> None:
        """Answer `SaveState`: the state is saved.

        Args:
            frame: The frame that the saved state is about to step.
            over: True if the game has ended in this state.
        """
        if frame == self.current_frame:
            self.over = over

    def checksum_computed(self, frame: int, value: int) -> None:
        """Answer `Checksum` with the hash of the state that was last saved for `frame`.

        Args:
            frame: The frame of the effect.
            value: A 64-bit hash of the state.
        """
        first = self._first.setdefault(frame, value)
        if first != value:
            self._differences.append(StateDiffers(frame, first, value))

    def differences(self) -> list[StateDiffers]:
        """Return the mismatches found since the last call, in order."""
        drained = self._differences
        self._differences = []
        return drained

    def _step(self, frame: int, inputs: tuple[bytes, ...]) -> None:
        self._effects += (Step(frame, inputs, 0), SaveState(frame + 1), Checksum(frame + 1))
