"""Games without sockets, database or browsers: doubles that remember what they are told."""

from concurrent.futures import Future
from typing import Any

from tests.server.virtual_clock import VirtualClock

from coplay.server.games.game import RunningGame, Seat
from coplay.server.games.game_config import StudyIdentity, game_config
from coplay.server.games.play_setup import PlaySetup
from coplay.study import keys, scenes

IDENTITY = StudyIdentity("duel", "7", "c" * 64, "l" * 64)
GAME = "0123456789abcdef0123"


def play_setup(*humans: int, n_players: int = 2, hold: str = "10 s") -> PlaySetup:
    """Return the setup of a play scene with these people's seats; the first person hosts every bot."""
    scene = scenes.Play("CartPole-v1", keys=keys.arrows(left=0, right=1), hold=hold, label="duel")
    return PlaySetup(
        index=2,
        scene=scene,
        n_players=n_players,
        humans=humans,
        owners=tuple(player if player in humans else humans[0] for player in range(n_players)),
        fps=20.0,
        input_sizes=(1,) * n_players,
        spaces=({},) * n_players,
        env_name="duel",
        key_names=("ArrowLeft", "ArrowRight"),
    )


def running_game(*participants: str, setup: PlaySetup | None = None, now: float = 0.0) -> RunningGame:
    """Return a game in which these participants sit, in the order of their players."""
    setup = setup or play_setup(*range(len(participants)), n_players=len(participants))
    seats = {
        player: Seat(participant, visit=1)
        for player, participant in zip(setup.humans, participants, strict=True)
    }
    config = game_config(IDENTITY, setup, GAME, seed=5)
    return RunningGame(GAME, setup, seats, config, now, None, incarnations=dict.fromkeys(seats, 0))


class Messages:
    """In place of a messenger."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, Any]] = []
        self.forwarded: list[tuple[str, str, Any]] = []
        self.closed: list[str] = []

    def post(self, participant_id: str, message: Any, after: Any = None) -> None:
        self.posted.append((participant_id, message))

    def forward(self, participant_id: str, event: str, data: Any) -> None:
        self.forwarded.append((participant_id, event, data))

    def close(self, participant_id: str) -> None:
        self.closed.append(participant_id)

    def to(self, participant_id: str, message_type: type) -> list[Any]:
        """Return the messages of a type that were sent to a participant."""
        return [
            message
            for recipient, message in self.posted
            if recipient == participant_id and type(message) is message_type
        ]


class Events:
    """In place of an event log."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str | None, dict[str, Any]]] = []
        self.games: list[dict[str, Any]] = []

    def event(self, kind: str, participant_id: str | None = None, **detail: Any) -> "Future[None]":
        self.rows.append((kind, participant_id, detail))
        return done()

    def game(self, row: dict[str, Any]) -> "Future[None]":
        self.games.append(row)
        return done()

    @property
    def kinds(self) -> list[str]:
        """The kinds of all events, in order."""
        return [kind for kind, _, _ in self.rows]


class Uploads:
    """In place of a ledger: who has uploaded and reported is set by the test."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.closed: dict[str, set[int]] = {}
        self.reports: set[int] = set()
        self.uploaders: set[int] = set()

    def open(self, game_id: str, *_: Any) -> None:
        self.opened.append(game_id)

    def close(self, game_id: str, left: set[int]) -> None:
        self.closed[game_id] = set(left)

    def has_report(self, _game_id: str, peer: int) -> bool:
        return peer in self.reports

    def has_frames(self, _game_id: str, peer: int) -> bool:
        return peer in self.uploaders


def done() -> "Future[None]":
    """Return a future that is done."""
    future: Future[None] = Future()
    future.set_result(None)
    return future


__all__ = ["GAME", "IDENTITY", "Events", "Messages", "Uploads", "VirtualClock", "play_setup", "running_game"]
