"""Frame pacing: when the next frame is due, on a clock that skips the jumps of the caller's clock.

Source: carrying lateness over, up to a limit, after Gaffer on Games ("Fix your timestep").
"""

MAX_LATENESS_S = 0.25
"""Lateness beyond this is not caught up, for example after a long pause of the caller's thread."""
SLOW_POLLING_AFTER_S = 0.5
STALL_INTERVAL_S = 0.05
"""After a stall of `SLOW_POLLING_AFTER_S` a stalled game is polled at this interval, to spare the link."""
_MAX_BACKWARD_STEP_S = 0.5


class SteadyClock:
    """A clock that follows the caller's clock but skips its jumps, such as those of a suspended machine.

    Args:
        now: The caller's seconds.
        longest_gap: The longest plausible time between two calls, in seconds; a longer one is a jump.
    """

    __slots__ = ("_gap", "_last", "_offset")

    def __init__(self, now: float, longest_gap: float) -> None:
        self._last = now
        self._gap = longest_gap
        self._offset = 0.0

    def read(self, now: float) -> float:
        """Convert the caller's `now` to steady seconds."""
        passed = now - self._last
        if passed > 0:
            if passed > self._gap:
                self._offset -= passed
            self._last = now
        elif passed < -_MAX_BACKWARD_STEP_S:
            # Smaller steps back are normal: a datagram may have arrived before the last tick.
            self._offset -= passed
            self._last = now
        return now + self._offset

    @property
    def latest(self) -> float:
        """The steady time of the latest call."""
        return self._last + self._offset

    def caller_time(self, steady: float) -> float:
        """Convert steady seconds to the caller's."""
        return steady - self._offset


class FramePacer:
    """The deadlines of the frames of one game.

    Args:
        fps: Frames per second.
    """

    __slots__ = (
        "_next_poll",
        "_polled_at",
        "_stalled_since",
        "due_at",
        "frame_time",
        "polled_early",
        "stalled_frames",
    )

    def __init__(self, fps: float) -> None:
        self.frame_time = 1.0 / fps
        self.due_at = 0.0
        """When the next frame is due, in steady seconds."""
        self.stalled_frames = 0
        """Frame times in which the game waited at the prediction window."""
        self.polled_early = False
        """True if the last poll of a stalled game came early, after `poll_soon`."""
        self._stalled_since: float | None = None
        self._polled_at = 0.0
        self._next_poll = 0.0

    def start(self, at: float) -> None:
        """Make the first frame due at `at`, in steady seconds."""
        self.due_at = at

    def advance(self, now: float, factor: float) -> None:
        """Move the deadline on by one frame time, multiplied by `factor`."""
        self._stalled_since = None
        # Counted from the last deadline, not from `now`: otherwise lateness would lower the frame rate.
        self.due_at += self.frame_time * factor
        if now - self.due_at > MAX_LATENESS_S:
            self.due_at = now

    def stall(self, now: float) -> bool:
        """Move the deadline on without a frame, by one frame time or, after half a second, by 50 ms.

        Returns:
            True if the stall has just begun.
        """
        begins = self._stalled_since is None
        if self._stalled_since is None:
            self._stalled_since = now
        self._polled_at = now
        self.polled_early = not begins and now < self._next_poll
        if self.polled_early:
            self.due_at = self._next_poll
            return False
        wait = self.frame_time
        if now - self._stalled_since > SLOW_POLLING_AFTER_S and wait < STALL_INTERVAL_S:
            wait = STALL_INTERVAL_S
        self.due_at = self._next_poll = now + wait
        self.stalled_frames += round(wait / self.frame_time)
        return begins

    def poll_soon(self, now: float) -> None:
        """Poll a stalled game early because a datagram came in, but at most once per frame time."""
        if self._stalled_since is not None:
            soonest = self._polled_at + self.frame_time
            if soonest < self.due_at:
                self.due_at = soonest if soonest > now else now
