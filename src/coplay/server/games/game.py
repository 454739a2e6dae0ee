"""A running game as the server sees it: its seats, and which page has each of them."""

from concurrent.futures import Future
from dataclasses import dataclass, field

from coplay.messages.game import SharedGameConfig
from coplay.server.games.hold_times import Absence
from coplay.server.games.play_setup import PlaySetup


@dataclass(slots=True)
class Seat:
    """A person's place in a running game.

    Attributes:
        participant_id: The participant who has the seat.
        visit: Which of the participant's pages has the seat.
        incarnation: How many pages had the seat before.
        has_state: True if that page has the game's state, and can send it to others. A page that replaced
            another has the state from its first upload of frames on.
        absence: How long the seat is held while the page has no socket; None while it has one.
        configured_at: When the page was last sent the game's configuration, in monotonic seconds.
    """

    participant_id: str
    visit: int
    incarnation: int = 0
    has_state: bool = True
    absence: Absence | None = None
    configured_at: float = 0.0


@dataclass(slots=True)
class RunningGame:
    """A game that is running.

    Attributes:
        game_id: The game's id.
        setup: The play scene.
        seats: `player_id` → seat, for everyone who is still in the game.
        config: The configuration that all pages share.
        began_at: When this server opened or restored the game, in monotonic seconds.
        stored: A future that is done once the game is in the store; None if it was restored from there.
        left: The players who left before the end.
        incarnations: `player_id` → incarnation of the page that has the seat, or had it last.
    """

    game_id: str
    setup: PlaySetup
    seats: dict[int, Seat]
    config: SharedGameConfig
    began_at: float
    stored: "Future[None] | None"
    left: set[int] = field(default_factory=set)
    incarnations: dict[int, int] = field(default_factory=dict)

    @property
    def is_shared(self) -> bool:
        """True if the game is for several people, who wait for each other."""
        return len(self.setup.humans) > 1

    @property
    def members(self) -> dict[int, str]:
        """`player_id` → participant, for everyone who is still in the game."""
        return {player: seat.participant_id for player, seat in self.seats.items()}

    def others(self, player: int) -> dict[int, Seat]:
        """Return the seats of all players except one."""
        return {other: seat for other, seat in self.seats.items() if other != player}


class RunningGames:
    """All running games of a server, by game and by participant."""

    def __init__(self) -> None:
        self._games: dict[str, RunningGame] = {}
        self._seats: dict[str, tuple[RunningGame, int]] = {}

    def add(self, game: RunningGame) -> None:
        """Add a game that begins, or that is resumed after a restart."""
        self._games[game.game_id] = game
        for player, seat in game.seats.items():
            self._seats[seat.participant_id] = (game, player)

    def get(self, game_id: str) -> RunningGame | None:
        """Return the game with this id; None if it is not running."""
        return self._games.get(game_id)

    def running(self) -> list[RunningGame]:
        """Return all running games."""
        return list(self._games.values())

    def seat_of(self, participant_id: str) -> tuple[RunningGame, int] | tuple[None, int]:
        """Return a participant's game and `player_id`; None and -1 for someone who is in no game."""
        return self._seats.get(participant_id, (None, -1))

    def vacate(self, game: RunningGame, player: int) -> None:
        """Remove a player's seat. Remove the game with its last seat."""
        del self._seats[game.seats.pop(player).participant_id]
        if not game.seats:
            del self._games[game.game_id]
