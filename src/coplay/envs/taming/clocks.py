"""The functions of `time`, computed from the frame."""

from __future__ import annotations

import datetime
import time

from coplay.envs.taming.dates import RealDatetime
from coplay.envs.taming.patches import replace_function
from coplay.envs.taming.streams import EPOCH_S, FrameStreams


def install() -> None:
    """Replace the clocks of `time`, its `sleep`, and its conversions of a moment to a date."""
    namespace = vars(time)
    replace_function(namespace, "time", lambda frame: EPOCH_S + frame.clock())
    replace_function(namespace, "time_ns", lambda frame: int((EPOCH_S + frame.clock()) * 1e9))
    for name in ("monotonic", "perf_counter", "process_time", "thread_time"):
        if name in namespace:  # not every platform has all
            replace_function(namespace, name, lambda frame: frame.clock())
            replace_function(namespace, f"{name}_ns", lambda frame: int(frame.clock() * 1e9))
    replace_function(namespace, "sleep", lambda frame, seconds: None)
    for name in ("localtime", "gmtime"):
        replace_function(namespace, name, lambda frame, seconds=None: _struct_time(frame, seconds))


def _struct_time(frame: FrameStreams, seconds: float | None) -> time.struct_time:
    # Local time is UTC in a frame: peers are in different time zones.
    moment = EPOCH_S + frame.clock() if seconds is None else seconds
    return RealDatetime.fromtimestamp(moment, datetime.UTC).timetuple()
