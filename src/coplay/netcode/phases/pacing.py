"""When the next frame is due, on a clock that the caller's jumps do not reach.

Source: carrying lateness over, up to a limit, after Gaffer on Games ("Fix your timestep").
"""

FORGIVEN_S = 0.25
"""A caller that is later than this does not have to catch up."""
STALL_PATIENCE_S = 0.5
STALL_INTERVAL_S = 0.05
_BACKWARDS_S = 0.5


class SteadyClock:
    """The caller's clock with its jumps taken out: a jump counts as no time at all.

    Args:
        now: The caller's seconds.
        longest_gap: The longest plausible time between two calls, in seconds; more is a jump.
    """

    __slots__ = ("_gap", "_last", "_offset")

    def __init__(self, now: float, longest_gap: float) -> None:
        self._last = now
        self._gap = longest_gap
        self._offset = 0.0

    def read(self, now: float) -> float:
        """Return steady seconds for the caller's `now`."""
        passed = now - self._last
        if passed > 0:
            if passed > self._gap:
                self._offset -= passed
            self._last = now
        elif passed < -_BACKWARDS_S:
            # Small steps back are datagrams that arrived before the last tick.
            self._offset -= passed
            self._last = now
        return now + self._offset

    @property
    def latest(self) -> float:
        """The latest steady time that was read."""
        return self._last + self._offset

    def caller_time(self, steady: float) -> float:
        """Return the caller's seconds for steady ones."""
        return steady - self._offset


class FramePacer:
    """The deadlines of the frames.

    Args:
        fps: Frames per second.
    """

    __slots__ = ("_planned", "_slot_at", "_stalled_since", "due_at", "early", "frame_time", "stalled_frames")

    def __init__(self, fps: float) -> None:
        self.frame_time = 1.0 / fps
        self.due_at = 0.0
        """When the next frame is due, in steady seconds."""
        self.stalled_frames = 0
        """Frame times in which play waited."""
        self.early = False
        """Whether the last look during a wait came before its time, because something had come in."""
        self._stalled_since: float | None = None
        self._slot_at = 0.0
        self._planned = 0.0

    def start(self, at: float) -> None:
        """Make the first frame due at `at`."""
        self.due_at = at

    def frame_passed(self, now: float, factor: float) -> None:
        """Move on by one frame time, made longer or shorter by `factor`."""
        self._stalled_since = None
        self.due_at += self.frame_time * factor
        if now - self.due_at > FORGIVEN_S:
            self.due_at = now

    def stall(self, now: float) -> bool:
        """Let one frame time pass without a frame; after half a second, look only twenty times a second.

        Returns:
            Whether the wait has just begun.
        """
        begins = self._stalled_since is None
        if self._stalled_since is None:
            self._stalled_since = now
        self._slot_at = now
        self.early = not begins and now < self._planned
        if self.early:
            self.due_at = self._planned
            return False
        wait = self.frame_time
        if now - self._stalled_since > STALL_PATIENCE_S and wait < STALL_INTERVAL_S:
            wait = STALL_INTERVAL_S
        self.due_at = self._planned = now + wait
        self.stalled_frames += round(wait / self.frame_time)
        return begins

    def hurry(self, now: float) -> None:
        """Something came in: a wait may be over, so look again, but no sooner than a frame time after the
        last look."""
        if self._stalled_since is not None:
            soonest = self._slot_at + self.frame_time
            if soonest < self.due_at:
                self.due_at = soonest if soonest > now else now
