"""What a running game is to the server: who sits in it, what its pages are told, and what is stored of it."""

import secrets
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

from coplay.messages.game import SharedGameConfig
from coplay.server.games.absence import Absence
from coplay.server.games.play_setup import PlaySetup

PROTOCOL: Final = "1"


@dataclass(frozen=True, slots=True)
class StudyIdentity:
    """What all games of one server have in common; every peer of a game must agree on it.

    Attributes:
        study: The study's name.
        version: Its version.
        code_hash: Of the study's code, as it is served.
        lock_hash: Of the browser runtime.
        relay_only: Whether players must not learn each other's addresses.
    """

    study: str
    version: str
    code_hash: str
    lock_hash: str
    relay_only: bool = False


@dataclass(slots=True)
class Seat:
    """A person's place in a running game.

    Attributes:
        participant_id: The participant.
        visit: Which of their pages has it.
        incarnation: How many pages had it before.
        has_state: Whether that page can play the game, and give it to others: a page that came later can from
            its first upload on.
        absence: Set while the page has no socket.
        configured: When the page was told of the game last; monotonic seconds.
    """

    participant_id: str
    visit: int
    incarnation: int = 0
    has_state: bool = True
    absence: Absence | None = None
    configured: float = 0.0


@dataclass(slots=True)
class RunningGame:
    """A game that is running.

    Attributes:
        game_id: Its id.
        setup: What is played.
        seats: player_id → who sits there, of those who are in it.
        config: What its pages are told, but for what differs between them.
        began: Monotonic seconds; of its beginning, or of the server's.
        stored: Done once it is in the store.
        left: Who went before the end.
        incarnations: player_id → of the page that has the seat, or had it last.
    """

    game_id: str
    setup: PlaySetup
    seats: dict[int, Seat]
    config: SharedGameConfig
    began: float
    stored: "Future[None] | None"
    left: set[int] = field(default_factory=set)
    incarnations: dict[int, int] = field(default_factory=dict)

    def others(self, player: int) -> dict[int, Seat]:
        """Everyone else who is in it."""
        return {other: seat for other, seat in self.seats.items() if other != player}


class RunningGames:
    """The games that are running, and who sits in which."""

    def __init__(self) -> None:
        self._games: dict[str, RunningGame] = {}
        self._seats: dict[str, tuple[RunningGame, int]] = {}

    def add(self, game: RunningGame) -> None:
        """A game begins, or goes on after a restart."""
        self._games[game.game_id] = game
        for player, seat in game.seats.items():
            self._seats[seat.participant_id] = (game, player)

    def get(self, game_id: str) -> RunningGame | None:
        """The game of this id, if it is running."""
        return self._games.get(game_id)

    def running(self) -> list[RunningGame]:
        """All of them."""
        return list(self._games.values())

    def seat_of(self, participant_id: str) -> tuple[RunningGame, int] | tuple[None, int]:
        """Which game a participant is in, and as which player; None and -1 if they are in none."""
        return self._seats.get(participant_id, (None, -1))

    def vacate(self, game: RunningGame, player: int) -> None:
        """A seat is nobody's any more; the game is forgotten with its last one."""
        del self._seats[game.seats.pop(player).participant_id]
        if not game.seats:
            del self._games[game.game_id]


def new_seed() -> int:
    """A seed; JavaScript carries it as a number, so that it must be below 2**53."""
    return secrets.randbits(53)


def game_row(
    identity: StudyIdentity,
    setup: PlaySetup,
    game_id: str,
    group_id: str | None,
    seed: int,
    members: Mapping[int, str],
) -> dict[str, Any]:
    """What is stored of a game when it begins.

    Args:
        identity: What is played here.
        setup: What is played.
        game_id: Its id.
        group_id: Of its group; None when one person plays.
        seed: Its seed.
        members: player_id → participant.
    """
    scene = setup.scene
    return {
        "game_id": game_id,
        "group_id": group_id,
        "version": identity.version,
        "scene": setup.index,
        "label": scene.label,
        "seats": [
            {"player_id": player, "participant_id": members.get(player), "owner": setup.owners[player]}
            for player in range(setup.n_players)
        ],
        "input_sizes": list(setup.input_sizes),
        "codecs": list(setup.spaces),
        "seed": seed,
        "env": setup.env_name,
        "code_hash": identity.code_hash,
        "lock_hash": identity.lock_hash,
        "fps": setup.fps,
        "input_delay": None if scene.input_delay == "auto" else scene.input_delay,
        "window": scene.max_prediction,
        "episodes": scene.episodes,
        "max_frames": scene.max_frames,
        "countdown_frames": setup.countdown_frames,
    }


def game_config(identity: StudyIdentity, setup: PlaySetup, game_id: str, seed: int) -> SharedGameConfig:
    """What all pages of a game are told alike."""
    scene = setup.scene
    return SharedGameConfig(
        game_id=game_id,
        scene_index=setup.index,
        owners=setup.owners,
        peers=setup.humans,
        seed=seed,
        fps=setup.fps,
        input_delay=scene.input_delay,
        max_prediction=scene.max_prediction,
        episodes=scene.episodes,
        max_frames=scene.max_frames,
        countdown_frames=setup.countdown_frames,
        when_left=scene.when_someone_leaves,
        on_desync=scene.on_desync,
        digest=_digest(identity, setup, seed),
        ice_policy="relay" if identity.relay_only else "all",
        epoch=0,
    )


def _digest(identity: StudyIdentity, setup: PlaySetup, seed: int) -> dict[str, str]:
    scene = setup.scene
    return {
        "protocol": PROTOCOL,
        "env": setup.env_name,
        "code": identity.code_hash,
        "runtime": identity.lock_hash,
        "fps": repr(setup.fps),
        "delay": str(scene.input_delay),
        "window": str(scene.max_prediction),
        "seed": str(seed),
        "players": ",".join(map(str, setup.owners)),
        "length": f"{scene.episodes}x{scene.max_frames}+{setup.countdown_frames}",
    }
