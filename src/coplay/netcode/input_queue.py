"""One player's inputs: the known ones, the predicted ones, and the first wrong prediction.

Source: the ring and the first incorrect frame after GGPO's InputQueue; the name after ggrs.
"""

from collections.abc import Callable, Sequence

from coplay.errors import SessionMisuseError
from coplay.netcode.wire.format import MAX_RUN

RING = MAX_RUN
"""Frames that a queue holds: 128, as many as one block of a datagram carries. A power of 2, for `MASK`."""
MASK = RING - 1
NO_FRAME = 1 << 60
"""Stands for "never": a number above every frame."""


class InputQueue:
    """A ring of the inputs of one player's last 128 frames, without gaps.

    Args:
        player: The player's id.
        default: The input before the first real one; all inputs have its length.
        prediction: Predicts a missing input from (player, frame, last confirmed input). None repeats the last
            confirmed input.
    """

    __slots__ = (
        "_ring",
        "_used",
        "bit",
        "cut",
        "default",
        "last",
        "last_input",
        "player",
        "predicted_through",
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
        """The last frame with a known input; `NO_FRAME` once all later ones are the default."""
        self.cut = NO_FRAME
        """The last frame with a given input, once all later ones are the default; else `NO_FRAME`."""
        self.last_input = default
        self.predicted_through = -1
        """The last frame with a prediction that was used and has not been found wrong."""
        self._ring = [default] * RING
        self._used = [default] * RING

    def append(self, value: bytes) -> None:
        """Append the input of the frame after the last one."""
        self.last = frame = self.last + 1
        self._ring[frame & MASK] = self.last_input = value

    def add_local(self, frame: int, value: bytes) -> int:
        """Add the input of `frame` for a seat whose inputs this peer supplies.

        After the delay was raised, the gap is filled with the last input. After it was lowered, a frame that
        has its input already keeps it, and `value` is dropped.

        Args:
            frame: The frame in which the input takes effect.
            value: The encoded action.

        Returns:
            The first frame that was stepped with another input, or `NO_FRAME`. Only a seat taken over from
            another peer can have been predicted.
        """
        first = self.last + 1
        while self.last < frame - 1:
            self.append(self.last_input)
        if self.last < frame:
            self.append(value)
        if first <= self.predicted_through:
            for known in range(first, min(self.last, self.predicted_through) + 1):
                if self._used[known & MASK] != self._ring[known & MASK]:
                    self.predicted_through = known
                    return known
        return NO_FRAME

    def receive(self, first: int, values: Sequence[bytes], limit: int) -> int:
        """Add inputs that came from another peer.

        Known frames are skipped, and inputs after a gap are ignored. Inputs that the ring cannot hold yet are
        ignored, too: they are not acknowledged, so the sender repeats them.

        Args:
            first: The frame of the first value.
            values: Inputs of successive frames.
            limit: The first frame that the ring cannot hold yet.

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
        ring, used, predicted = self._ring, self._used, self.predicted_through
        while frame < end:
            value = values[skip]
            skip += 1
            ring[frame & MASK] = value
            if frame <= predicted and used[frame & MASK] != value:
                wrong = frame
                # Later predictions were made from older inputs: rolling back must predict those frames again.
                predicted = self.predicted_through = frame
            frame += 1
        self.last = end - 1
        self.last_input = ring[self.last & MASK]
        return wrong

    @property
    def last_given(self) -> int:
        """The last frame with a given input, not a default; -1 for none."""
        return self.last if self.last < self.cut else self.cut

    def fill_with_default(self) -> int:
        """Make the default the input of every frame after the last known one.

        Returns:
            The first frame that was stepped with another input, or `NO_FRAME`.
        """
        self.cut = self.last
        self.last = NO_FRAME
        self.last_input = self.default
        for frame in range(self.cut + 1, self.predicted_through + 1):
            if self._used[frame & MASK] != self.default:
                return frame
        return NO_FRAME

    def restore(self, last: int, values: Sequence[bytes]) -> None:
        """Replace the inputs by those of a snapshot.

        Args:
            last: The last frame with a known input; -1 for none.
            values: The newest inputs, up to that of `last`.
        """
        self.last = last
        for frame, value in enumerate(values[-RING:], start=last + 1 - min(len(values), RING)):
            self._ring[frame & MASK] = value
        self.last_input = values[-1] if values else self.default

    def input_at(self, frame: int) -> bytes:
        """Return the known input of one of the last 128 frames."""
        return self._ring[frame & MASK] if frame <= self.cut else self.default

    def predict(self, frame: int) -> bytes:
        """Return the prediction for a frame without a known input; it is made once and reused.

        Raises:
            SessionMisuseError: The prediction function of the config returned an input of a wrong length.
        """
        slot = frame & MASK
        if frame <= self.predicted_through:
            return self._used[slot]
        value = (
            self.last_input
            if self.prediction is None
            else self.prediction(self.player, frame, self.last_input)
        )
        if len(value) != self.size:
            raise SessionMisuseError(
                f"The prediction for player {self.player} is {len(value)} bytes long, not {self.size}.",
                "Return inputs as long as the player's default input.",
            )
        self._used[slot] = value
        self.predicted_through = frame
        return value

    def inputs_from(self, first: int) -> list[bytes]:
        """Return the given inputs from frame `first` to the last; `first` must be one of the last 128."""
        start, end = first & MASK, (self.last_given & MASK) + 1
        ring = self._ring
        return ring[start:end] if start < end else ring[start:] + ring[:end]
