"""Turns held keys into the bytes of a player's action."""

from collections import deque

from coplay.envs import ActionCodec
from coplay.study.keys import Keys


class Controls:
    """The keys of one person in one seat.

    In `held` mode the action follows the keys that are held; a key that was tapped between two frames counts
    for one frame, so that no press is lost. In `stroke` mode each newly pressed key is one action for one
    frame.

    Args:
        keys: The scene's mapping from key names to actions.
        codec: The seat's action codec.

    Attributes:
        default: The encoded action without any key.
    """

    def __init__(self, keys: Keys, codec: ActionCodec) -> None:
        self._keys = keys
        self._codec = codec
        self._held: list[str] = []
        self._tapped: list[str] = []
        # Bounded, so that a burst of strokes does not keep the seat busy for long.
        self._strokes: deque[bytes] = deque(maxlen=8)
        self.default = codec.encode(keys.action([]))
        self._action = self.default

    def press(self, held: list[str]) -> None:
        """Process the names of all keys that are held, in the order of their presses."""
        fresh = [key for key in held if key not in self._held]
        self._held = held
        if self._keys.mode == "stroke":
            for key in fresh:
                action = self._codec.encode(self._keys.action([key]))
                if action != self.default:
                    self._strokes.append(action)
            return
        self._tapped += [key for key in fresh if key not in self._tapped]
        tapped = [key for key in self._tapped if key not in held]
        self._action = self._codec.encode(self._keys.action([*held, *tapped]))

    @property
    def action(self) -> bytes:
        """The encoded action for the next frame."""
        if self._keys.mode == "stroke":
            return self._strokes[0] if self._strokes else self.default
        return self._action

    def frame_advanced(self) -> None:
        """Note that a frame has used the current action."""
        if self._keys.mode == "stroke":
            if self._strokes:
                self._strokes.popleft()
        elif self._tapped:
            self._tapped = []
            self._action = self._codec.encode(self._keys.action(self._held))
