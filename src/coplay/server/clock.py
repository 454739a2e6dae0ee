"""The clock of a server. It is an argument wherever the time is needed, so that tests can advance it."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A source of time, monotonic and wall clock."""

    def now(self) -> float:
        """Return monotonic seconds, for waits and limits."""

    def wall(self) -> float:
        """Return seconds since 1970, for what must outlive a restart, such as the validity of tokens."""

    def stamp(self) -> tuple[str, float]:
        """Return the moment as records have it: UTC in ISO 8601 with milliseconds, and monotonic ms."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()

    def wall(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    def stamp(self) -> tuple[str, float]:
        """Return the moment as records have it: UTC in ISO 8601 with milliseconds, and monotonic ms."""
        return iso_utc(self.wall()), round(self.now() * 1000, 3)


def iso_utc(wall: float) -> str:
    """Return a moment, given in seconds since 1970, as UTC in ISO 8601 with milliseconds."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")
