"""A server's clock that a test moves by hand."""

from coplay.server.clock import iso_utc

STARTED = 1_780_000_000.0
"""Seconds since 1970 at which a virtual clock starts, unless it is told otherwise."""


class VirtualClock:
    """A clock that stands still until a test advances it; see `coplay.server.clock.Clock`.

    Args:
        wall: Where it starts; seconds since 1970.
    """

    def __init__(self, wall: float = STARTED) -> None:
        self._wall = wall
        self._elapsed_s = 0.0

    def advance(self, seconds: float) -> None:
        """Let time pass; a clock never goes back."""
        assert seconds >= 0
        self._elapsed_s += seconds

    def now(self) -> float:
        """Return monotonic seconds, whose origin has nothing to do with that of `wall`."""
        return 1000.0 + self._elapsed_s

    def wall(self) -> float:
        """Return seconds since 1970."""
        return self._wall + self._elapsed_s

    def stamp(self) -> tuple[str, float]:
        """Return UTC in ISO 8601 with milliseconds, and monotonic milliseconds."""
        return iso_utc(self.wall()), round(self.now() * 1000, 3)
