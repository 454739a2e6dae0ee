"""Which page speaks for a participant, and whether that page has a socket."""

from dataclasses import dataclass


@dataclass(slots=True)
class Attendance:
    """The page of a participant.

    Attributes:
        visit: Number of pages that the participant has loaded; the newest one speaks for them.
        turn: Turn of the latest token that this page has shown; see `page_tokens`.
        replayed_visit: Visit whose page last showed a stale token; None if no page ever did.
        away_since: When the page lost its socket, in monotonic seconds; None if it has one or never had.
    """

    visit: int = 0
    turn: int = 0
    replayed_visit: int | None = None
    away_since: float | None = None

    @property
    def is_away(self) -> bool:
        """True if the page has lost its socket and has not come back."""
        return self.away_since is not None

    def begin_visit(self) -> None:
        """Count a new page, which has shown the token of turn 0 at most."""
        self.visit += 1
        self.turn = 0
