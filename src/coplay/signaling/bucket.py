"""A limit on how often something may happen, that allows short bursts."""


class TokenBucket:
    """Fills at a steady rate up to a burst; each happening takes one.

    Args:
        rate: Happenings a second, in the long run.
        burst: How many may come at once after a quiet time.
        now: Monotonic seconds; the bucket starts full.
    """

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._at = now

    def take(self, now: float) -> bool:
        """Whether one more may happen now; if so, it is counted."""
        # A clock that stepped back adds nothing, and takes nothing away.
        self._level = min(self._burst, self._level + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True
