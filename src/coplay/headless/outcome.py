"""The outcome of a headless participant: its games and its completion code, or an error."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coplay.errors import CoplayError

Agent = Callable[[Any, int], Any]
"""`agent(env, player_id) -> action`, like the bot of a scene; `env` is the original environment."""


class PeerError(CoplayError):
    """Raised if a study cannot be entered or completed."""


@dataclass(frozen=True, slots=True)
class PlayedGame:
    """The result of one game, as this peer saw it. The server stores all of it.

    Attributes:
        game_id: As in the data.
        player_id: This peer's seat.
        verdict: The peers' verdict: `identical`, `truncated`, `divergent`, `unverified` or `mismatch`.
        frames: Number of frames the peers agreed on.
        reason: Why the game ended.
        chain_hash: Hash of all inputs and states in hexadecimal; equal for all peers of an identical game.
        scores: Total score of each player, over all episodes.
        links: How each other player was reached at the end: `direct`, `turn` or `relay`.
        stats: The figures that a page's `window.coplay.stats()` returns.
        refused_uploads: Number of batches and reports that the server refused; normally 0.
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
    """The result of one participant's way through a study.

    Attributes:
        participant_id: As in the data.
        code: The completion code of the last page; may be empty.
        games: The games, in the order they were played.
    """

    participant_id: str
    code: str
    games: tuple[PlayedGame, ...]
