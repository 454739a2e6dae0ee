"""Bodies and answers of the HTTP requests that pages send."""

from dataclasses import dataclass

from coplay.messages.study import BootInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalRequest:
    """The body of `POST /api/participants`: a page was loaded."""

    participant: str | None = None
    """Participant id from the link or an earlier answer: letters, digits and `_ . @ + -`, at most 128."""
    secret: str | None = None
    """The secret of an earlier answer; proves that the participant is the same person."""
    params: dict[str, str] | None = None
    """The link's other parameters: at most 32 texts of at most 512 characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Participation(BootInfo):
    """The answer to `POST /api/participants`: who the participant is, and what the page loads."""

    participant_id: str
    """The participant's pseudonymous id."""
    secret: str
    """Stored by the browser, and sent at the next page load."""
    token: str
    """Opens this page's first socket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadAccepted:
    """The answer to an upload that is stored."""

    ok: bool
    """Always true."""
    acked: int | None = None
    """The batch's number; missing in the answer to a report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedGame:
    """A running game in the list for spectators."""

    game_id: str
    """The game: 20 hexadecimal digits."""
    label: str
    """The scene's label, or the environment's name."""
    players: int
    """Number of people in the game."""
    seconds: int
    """Time since the game began, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOverview(BootInfo):
    """The answer to `GET /api/watch`: what a spectator's page loads, and the games that are running."""

    games: tuple[ListedGame, ...]
    """All running games."""
