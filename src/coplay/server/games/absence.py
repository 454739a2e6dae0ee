"""How long a seat is held for a page whose socket is gone.

A socket may be gone because the page is, or because the network between page and server is; the players' own
connections need neither. What tells them apart is whether the page still plays: it does if it uploads, or if
frames of its game are still being confirmed, since that takes the inputs of everyone who is in it.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Absence:
    """A page has no socket.

    Attributes:
        since: When it lost it; monotonic seconds.
        until: How long its seat is held.
        page_gone: Whether it is known that the page itself is gone.
    """

    since: float
    until: float
    page_gone: bool = False


@dataclass(frozen=True, slots=True)
class HoldTimes:
    """How long seats of a game are held.

    Attributes:
        hold_s: Without any sign of the page.
        resume_s: In all, while there are signs that it plays on.
    """

    hold_s: float
    resume_s: float

    def lost(self, now: float) -> Absence:
        """A socket is gone."""
        return Absence(now, now + self.hold_s)

    def restarted(self, now: float) -> Absence:
        """The server was gone itself; what it missed cannot be held against anyone."""
        return Absence(now, now + max(self.hold_s, self.resume_s))

    def replaced(self, absence: Absence | None, now: float) -> Absence:
        """Another page was loaded in its place, and has no socket yet."""
        held = absence or self.lost(now)
        return replace(held, until=self._longer(held, now), page_gone=True)

    def lives(self, absence: Absence, now: float) -> Absence:
        """There was a sign that the page plays on."""
        return absence if absence.page_gone else replace(absence, until=self._longer(absence, now))

    def _longer(self, absence: Absence, now: float) -> float:
        return max(absence.until, min(absence.since + self.resume_s, now + self.hold_s))
