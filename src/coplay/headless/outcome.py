"""What becomes of a headless participant: its games and its completion code, or an error."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coplay.errors import CoplayError

Agent = Callable[[Any, int], Any]
"""`agent(env, player_id) -> action`, like a bot of a scene: the original environment and the own seat."""


class PeerError(CoplayError):
    """The study could not be entered, or was not gone through."""


@dataclass(frozen=True, slots=True)
class PlayedGame:
    """How one game went, as this peer saw it; all of it is with the server.

    Attributes:
        game_id: As in the data.
        player_id: The seat.
        verdict: Of the peers: `identical`, `truncated`, `divergent`, `unverified` or `mismatch`.
        frames: Frames that were agreed on.
        reason: Why it ended.
        chain_hash: Of all inputs and states, hexadecimal; equal for all peers of an identical game.
        scores: Of each player, over all episodes.
        links: How each other player was reached at the end: `direct`, `turn` or `relay`.
        stats: The figures that a page's `window.coplay.stats()` gives.
        refused_uploads: Batches and reports that the server would not take; 0 when all is well.
    """

    game_id: str
    player_id: int
    verdict: str
    frames: int
    reason: str
    chain_hash: str
    scores: tuple[float, ...]
    links: dict[int, str]
    stats: dict[str, Any]
    refused_uploads: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one participant.

    Attributes:
        participant_id: As in the data.
        code: The completion code of the last page, or an empty text.
        games: In the order they were played.
    """

    participant_id: str
    code: str
    games: tuple[PlayedGame, ...]
