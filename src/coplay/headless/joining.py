"""A participant without a browser: goes through a study and plays its games, with a function for hands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from coplay.errors import CoplayError, UsageError

Agent = Callable[[Any, int], Any]
"""`agent(env, player_id) -> action`, like a bot of a scene: the original environment and the own seat."""

_NEEDS = ("aiortc", "aiohttp")


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


async def join(
    address: str,
    *,
    study: str | Path,
    agent: Agent,
    participant: str | None = None,
    params: Mapping[str, str] | None = None,
    identity: str | Path | None = None,
) -> Outcome:
    """Go through a study as one participant: press each button, wait in the lobby, play, to the last page.

    Ends when the study is finished; `asyncio.timeout` around it sets a limit. To be cancelled is as good as
    to close the tab. A connection that breaks is made again. A process that is gone may be followed by
    another one with the same `identity`: it goes on where the former was, in a running game in the same seat
    if it comes while that is held.

    Args:
        address: Of the server, as in `coplay run`'s output.
        study: The study file, the same that the server runs.
        agent: Asked once a frame for the action of the own seat. It may look at the environment, and must
            not change it; the others' inputs in it may be guesses.
        participant: An id that the study has not seen before; None for a new one, or for that of `identity`.
        params: The link's other parameters, as a recruiter gives them.
        identity: A file that holds who this is, as a browser does for a person: written on the first visit,
            read on later ones. Whoever has it can be this participant.

    Raises:
        PeerError: The server refused, or could not be reached; or `identity` is of somebody else.
        UsageError: aiortc is not installed.
        StudyError: The study file cannot be used.
        Exception: Whatever the environment or the agent raises.
    """
    for package in _NEEDS:
        if find_spec(package) is None:
            raise UsageError(
                f"a headless peer needs {package}, which is not installed", "pip install 'coplay[headless]'"
            )
    from coplay.headless.visit import PeerVisit

    kept = None if identity is None else Path(identity)
    return await PeerVisit(address, Path(study), agent).go(participant, dict(params or {}), kept)
