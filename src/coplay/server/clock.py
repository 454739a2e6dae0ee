"""The server's clocks: one that only goes forward, and one that people can read."""

import time
from datetime import UTC, datetime


def now() -> float:
    """Monotonic seconds."""
    return time.monotonic()


def wall() -> float:
    """Seconds since 1970; for the validity of tokens, which must survive a restart."""
    return time.time()


def stamp() -> tuple[str, float]:
    """The moment as it is recorded: UTC in ISO 8601 with milliseconds, and monotonic milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds"), round(time.monotonic() * 1000, 3)
