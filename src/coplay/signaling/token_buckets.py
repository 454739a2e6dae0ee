"""Token buckets: limits on how often something may happen, with room for short bursts."""

from collections.abc import Hashable
from typing import Final

MAX_BUCKETS: Final = 10_000


class TokenBucket:
    """A bucket of tokens that refills at a steady rate; each action takes one token.

    Args:
        per_second: Tokens added a second, which is the rate of actions in the long run.
        burst: Tokens in a full bucket, which is how many actions may follow a quiet time.
        now: Monotonic seconds; the bucket starts full.
    """

    def __init__(self, per_second: float, burst: float, now: float) -> None:
        self._per_second = per_second
        self._burst = burst
        self._tokens = burst
        self._refilled_at = now

    def take(self, now: float) -> bool:
        """Take a token. Return False, and take nothing, if the bucket is empty.

        Args:
            now: Monotonic seconds. Time that steps back adds no tokens and removes none.
        """
        elapsed_s = max(0.0, now - self._refilled_at)
        self._tokens = min(self._burst, self._tokens + elapsed_s * self._per_second)
        self._refilled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class RateLimiter:
    """A bounded collection of token buckets: one for each key, such as a participant or an address.

    Args:
        per_second: Actions a second of each key, in the long run.
        burst: Actions of each key that may follow a quiet time.
        max_keys: How many buckets are kept; beyond that, the oldest is evicted.
    """

    def __init__(self, per_second: float, burst: float, max_keys: int = MAX_BUCKETS) -> None:
        self._per_second = per_second
        self._burst = burst
        self._max_keys = max_keys
        self._buckets: dict[Hashable, TokenBucket] = {}

    def take(self, key: Hashable, now: float) -> bool:
        """Count one action of a key. Return False if the key is over its limit.

        Args:
            key: Who acts.
            now: Monotonic seconds.
        """
        bucket = self._buckets.get(key)
        if bucket is None:
            # One at a time: dropping all buckets would lift every limit, and an attacker could cause that.
            while len(self._buckets) >= self._max_keys:
                del self._buckets[next(iter(self._buckets))]
            bucket = self._buckets[key] = TokenBucket(self._per_second, self._burst, now)
        return bucket.take(now)

    def forget(self, key: Hashable) -> None:
        """Drop the bucket of a key. Unknown keys are ignored."""
        self._buckets.pop(key, None)
