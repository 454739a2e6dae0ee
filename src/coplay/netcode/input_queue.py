"""One player's inputs: what is known, what was guessed meanwhile, and where a guess was wrong.

Source: the ring and the first incorrect frame after GGPO's InputQueue; the name after ggrs.
"""

from collections.abc import Callable, Sequence

from coplay.errors import SessionMisuseError

RING = 128
MASK = RING - 1
NO_FRAME = 1 << 60
"""Stands for "never": later than any frame."""


class InputQueue:
    """A ring of one player's last 128 inputs, in frames without gaps.

    Args:
        player: The player's id.
        default: The input before any was given; all inputs have its length.
        prediction: What a missing input is taken to be, given (player, frame, last confirmed input). None
            repeats the last.
    """

    __slots__ = (
        "_ring",
        "_used",
        "bit",
        "cut",
        "default",
        "fixed_through",
        "last",
        "last_input",
        "player",
        "prediction",
        "size",
    )

    def __init__(
        self, player: int, default: bytes, prediction: Callable[[int, int, bytes], bytes] | None = None
    ) -> None:
        self.player = player
        self.bit = 1 << player
        self.size = len(default)
        self.default = default
        self.prediction = prediction
        self.last = -1
        """The last frame whose input is known; `NO_FRAME` once all are."""
        self.cut = NO_FRAME
        """The last frame with an input that was given, once every later one is the default."""
        self.last_input = default
        self.fixed_through = -1
        """The last frame that was stepped with a prediction which still stands."""
        self._ring = [default] * RING
        self._used = [default] * RING

    def append(self, value: bytes) -> None:
        """Add the input of the frame after the last; a gap cannot be made."""
        self.last = frame = self.last + 1
        self._ring[frame & MASK] = self.last_input = value

    def give(self, frame: int, value: bytes) -> int:
        """Make `value` this player's input of `frame` (seats that this peer writes).

        When the delay was raised, the gap is filled with the last input. When it was lowered, frames that
        already have their input keep it and `value` is dropped.

        Returns:
            The first frame that was stepped with another input, or `NO_FRAME`: a seat was guessed before it
            fell to this peer.
        """
        first = self.last + 1
        while self.last < frame - 1:
            self.append(self.last_input)
        if self.last < frame:
            self.append(value)
        if first <= self.fixed_through:
            for given in range(first, min(self.last, self.fixed_through) + 1):
                if self._used[given & MASK] != self._ring[given & MASK]:
                    self.fixed_through = given
                    return given
        return NO_FRAME

    def receive(self, first: int, values: Sequence[bytes], limit: int) -> int:
        """Take inputs that came from another peer.

        Known frames are skipped, a gap is refused, and what the ring cannot hold yet is left to be sent
        again.

        Args:
            first: The frame of the first value.
            values: Inputs of successive frames.
            limit: The first frame that must not be taken yet.

        Returns:
            The first frame that was stepped with another input, or `NO_FRAME`.
        """
        frame = self.last + 1
        skip = frame - first
        if skip < 0:
            return NO_FRAME
        wrong = NO_FRAME
        end = first + len(values)
        if end > limit:
            end = limit
        if frame >= end:
            return NO_FRAME
        ring, used, fixed = self._ring, self._used, self.fixed_through
        while frame < end:
            value = values[skip]
            skip += 1
            ring[frame & MASK] = value
            if frame <= fixed and used[frame & MASK] != value:
                wrong = frame
                # Later guesses rest on the one that was wrong: they are made anew.
                fixed = self.fixed_through = frame
            frame += 1
        self.last = end - 1
        self.last_input = ring[self.last & MASK]
        return wrong

    @property
    def held(self) -> int:
        """The last frame with an input that was given; -1 for none."""
        return self.last if self.last < self.cut else self.cut

    def close(self) -> int:
        """Nobody gives inputs any more: every later frame has the default.

        Returns:
            The first frame that was stepped with another input, or `NO_FRAME`.
        """
        self.cut = self.last
        self.last = NO_FRAME
        self.last_input = self.default
        for frame in range(self.cut + 1, self.fixed_through + 1):
            if self._used[frame & MASK] != self.default:
                return frame
        return NO_FRAME

    def restore(self, last: int, values: Sequence[bytes]) -> None:
        """Begin anew with the inputs of the frames up to `last`, of which `values` are the newest."""
        self.last = last
        for frame, value in enumerate(values[-RING:], start=last + 1 - min(len(values), RING)):
            self._ring[frame & MASK] = value
        self.last_input = values[-1] if values else self.default

    def input_at(self, frame: int) -> bytes:
        """Return the known input of a frame among the last 128."""
        return self._ring[frame & MASK] if frame <= self.cut else self.default

    def predict(self, frame: int) -> bytes:
        """Return the guess for a frame whose input is not known. It is made once and reused.

        Raises:
            SessionMisuseError: The caller's own prediction function returned an input of a wrong length.
        """
        slot = frame & MASK
        if frame <= self.fixed_through:
            return self._used[slot]
        value = (
            self.last_input
            if self.prediction is None
            else self.prediction(self.player, frame, self.last_input)
        )
        if len(value) != self.size:
            raise SessionMisuseError(
                f"The prediction for player {self.player} is {len(value)} bytes long, not {self.size}."
            )
        self._used[slot] = value
        self.fixed_through = frame
        return value

    def inputs_from(self, first: int) -> list[bytes]:
        """Return the given inputs from `first` to the last, of the last 128."""
        start, end = first & MASK, (self.held & MASK) + 1
        ring = self._ring
        return ring[start:end] if start < end else ring[start:] + ring[:end]
