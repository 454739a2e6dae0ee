"""Who is ahead, and by how much the pace is corrected.

Source: the averaged, exchanged advantage after GGPO's TimeSync; correcting the rate instead of skipping
frames is ours.
"""

WINDOW = 30
SLOWEST = 0.02
FASTEST = 0.01
GAIN = 0.01


class TimeSync:
    """Averages the last 30 pairs of advantages against one peer, starting empty."""

    __slots__ = ("_count", "_local", "_local_sum", "_next", "_remote", "_remote_sum")

    def __init__(self) -> None:
        self._local = [0.0] * WINDOW
        self._remote = [0.0] * WINDOW
        self._local_sum = 0.0
        self._remote_sum = 0.0
        self._next = 0
        self._count = 0

    def add(self, local: float, remote: float) -> None:
        """Add a sample.

        Args:
            local: How many frames the peer is ahead of us, by our estimate.
            remote: How many frames we are ahead of the peer, by its estimate.
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
        """How many frames we are ahead of the peer; negative when behind, 0 without samples."""
        if not self._count:
            return 0.0
        return (self._remote_sum - self._local_sum) / (2 * self._count)


def pace(frames_ahead: float) -> float:
    """Return the factor on the frame time: up to 1.02 when ahead, down to 0.99 when behind."""
    correction = GAIN * frames_ahead
    if correction > SLOWEST:
        correction = SLOWEST
    elif correction < -FASTEST:
        correction = -FASTEST
    return 1.0 + correction
