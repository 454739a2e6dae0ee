"""How long a seat is held for a page that has lost its socket.

Either the page is gone, or only the network between the page and the server; the players' own connections
need neither the server nor this network. The page still plays if it uploads, or if frames of its game are
still being confirmed, because a confirmed frame takes the inputs of every player.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Absence:
    """A seat whose page has no socket.

    Attributes:
        since: When the socket was lost, in monotonic seconds.
        until: Until when the seat is held, in monotonic seconds.
        page_gone: True if the page itself is known to be gone, so that signs of life are not its own.
    """

    since: float
    until: float
    page_gone: bool = False


@dataclass(frozen=True, slots=True)
class HoldTimes:
    """How long the seats of a game are held.

    Attributes:
        hold_s: Seconds without any sign of life.
        resume_s: Seconds in total, while there are signs that the page still plays.
    """

    hold_s: float
    resume_s: float

    def start(self, now: float) -> Absence:
        """Return the absence of a page that has just lost its socket.

        Args:
            now: Monotonic seconds.
        """
        return Absence(now, now + self.hold_s)

    def start_after_restart(self, now: float) -> Absence:
        """Return the absence of a page whose socket was lost because the server was restarted.

        Args:
            now: Monotonic seconds.
        """
        # The longer of the two: the server saw no signs of life while it was gone itself.
        return Absence(now, now + max(self.hold_s, self.resume_s))

    def replace_page(self, absence: Absence | None, now: float) -> Absence:
        """Return the absence of a seat for which another page was loaded, which has no socket yet.

        Args:
            absence: The absence of the page that was replaced; None if it had a socket.
            now: Monotonic seconds.
        """
        absence = absence or self.start(now)
        return replace(absence, until=self._extended(absence, now), page_gone=True)

    def extend(self, absence: Absence, now: float) -> Absence:
        """Return the absence after a sign that the page still plays.

        Args:
            absence: The absence so far.
            now: Monotonic seconds.
        """
        return absence if absence.page_gone else replace(absence, until=self._extended(absence, now))

    def _extended(self, absence: Absence, now: float) -> float:
        return max(absence.until, min(absence.since + self.resume_s, now + self.hold_s))
