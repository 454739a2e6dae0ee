"""A limit on how often something may happen, that allows short bursts."""

from typing import Final

MOST_BUCKETS: Final = 10_000


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


class Buckets:
    """One bucket for each of those who do something.

    Args:
        rate: Happenings a second, in the long run, of each.
        burst: How many may come at once after a quiet time.
        most: Of how many we keep count; beyond that, the one seen first is forgotten.
    """

    def __init__(self, rate: float, burst: float, most: int = MOST_BUCKETS) -> None:
        self._rate = rate
        self._burst = burst
        self._most = most
        self._buckets: dict[str, TokenBucket] = {}

    def take(self, who: str, now: float) -> bool:
        """Whether they may do it once more now; if so, it is counted."""
        bucket = self._buckets.get(who)
        if bucket is None:
            while len(self._buckets) >= self._most:
                del self._buckets[next(iter(self._buckets))]
            bucket = self._buckets[who] = TokenBucket(self._rate, self._burst, now)
        return bucket.take(now)

    def forget(self, who: str) -> None:
        """They will not come again; harmless for someone who never came."""
        self._buckets.pop(who, None)
