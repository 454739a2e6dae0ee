"""Time sync: how far this peer is ahead of another one, and how that changes the frame rate.

Source: the averaged, exchanged advantage after GGPO's TimeSync; correcting the rate instead of skipping
frames is our own choice: a skipped frame is visible, a slightly longer one is not.
"""

WINDOW = 30
"""Samples to average over."""
MAX_SLOWDOWN = 0.02
MAX_SPEEDUP = 0.01
"""Largest shares of the frame time by which it is made longer or shorter."""
GAIN = 0.01
"""Share of the frame time to correct for each frame of lead."""


class TimeSync:
    """A moving average of the last 30 advantages that were exchanged with one peer."""

    __slots__ = ("_count", "_local", "_local_sum", "_next", "_remote", "_remote_sum")

    def __init__(self) -> None:
        self._local = [0.0] * WINDOW
        self._remote = [0.0] * WINDOW
        self._local_sum = 0.0
        self._remote_sum = 0.0
        self._next = 0
        self._count = 0

    def add(self, local: float, remote: float) -> None:
        """Add one sample of both sides' advantages.

        Args:
            local: Frames that the remote peer is ahead, by the estimate of this peer.
            remote: Frames that this peer is ahead, by the estimate of the remote peer.
        """
        slot = self._next
        self._local_sum += local - self._local[slot]
        self._remote_sum += remote - self._remote[slot]
        self._local[slot] = local
        self._remote[slot] = remote
        self._next = slot + 1 if slot + 1 < WINDOW else 0
        if self._count < WINDOW:
            self._count += 1

    @property
    def frames_ahead(self) -> float:
        """Frames that this peer is ahead of the remote one; negative if it is behind, 0 without samples."""
        if not self._count:
            return 0.0
        return (self._remote_sum - self._local_sum) / (2 * self._count)


def frame_time_factor(frames_ahead: float) -> float:
    """Return the factor on the frame time: up to 1.02 for a peer ahead, down to 0.99 for one behind."""
    correction = GAIN * frames_ahead
    if correction > MAX_SLOWDOWN:
        correction = MAX_SLOWDOWN
    elif correction < -MAX_SPEEDUP:
        correction = -MAX_SPEEDUP
    return 1.0 + correction
