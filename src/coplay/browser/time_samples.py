"""Durations of frequent work, in a ring of fixed size."""

from array import array


class TimeSamples:
    """The last `capacity` durations of one kind of work.

    Args:
        capacity: How many samples are kept; newer samples overwrite the oldest.
    """

    def __init__(self, capacity: int = 1024) -> None:
        self._seconds = array("d", bytes(8 * capacity))
        self._count = 0

    def add(self, seconds: float) -> None:
        """Keep one duration, in seconds."""
        samples = self._seconds
        samples[self._count % len(samples)] = seconds
        self._count += 1

    def percentiles_ms(self, *fractions: float) -> tuple[float, ...]:
        """Return percentiles of the kept samples, in milliseconds; zeros without samples.

        Args:
            fractions: Which percentiles, each from 0 to 1.
        """
        kept = min(self._count, len(self._seconds))
        if not kept:
            return (0.0,) * len(fractions)
        ordered = sorted(self._seconds[:kept])
        return tuple(round(1000 * ordered[min(kept - 1, int(fraction * kept))], 4) for fraction in fractions)
