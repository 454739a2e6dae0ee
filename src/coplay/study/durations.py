"""Durations as a study file writes them: `"3 min"`, `"90 s"`, or a number of seconds."""

import re
from datetime import timedelta
from typing import TypeAlias

from coplay.errors import StudyError

Duration: TypeAlias = str | float | timedelta

_SECONDS = {
    "ms": 0.001,
    "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0,
    "min": 60.0, "mins": 60.0, "minute": 60.0, "minutes": 60.0,
    "h": 3600.0, "hour": 3600.0, "hours": 3600.0,
}  # fmt: skip
_WRITTEN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]+)\s*")
_LONGEST = 24 * 3600.0


def seconds(duration: Duration, *, what: str = "a duration") -> float:
    """Convert a duration to seconds.

    Args:
        duration: `"3 min"`, `"90 s"`, `"500 ms"`, a number of seconds, or a `timedelta`.
        what: Name of the setting, for the error message.

    Returns:
        Seconds, from 0 to 24 hours.

    Raises:
        StudyError: It cannot be parsed, is negative, or is longer than a day.
    """
    match duration:
        case timedelta():
            value = duration.total_seconds()
        case bool():
            raise StudyError(f"{what} is {duration!r}", 'Write a duration such as "90 s" or "3 min".')
        case int() | float():
            value = float(duration)
        case str() if (read := _WRITTEN.fullmatch(duration)) and read[2].lower() in _SECONDS:
            value = float(read[1]) * _SECONDS[read[2].lower()]
        case _:
            raise StudyError(f"{what} is {duration!r}", 'Write a duration such as "90 s" or "3 min".')
    if not 0 <= value <= _LONGEST:
        raise StudyError(f"{what} is {duration!r}", "It must lie between 0 s and 24 h.")
    return value
