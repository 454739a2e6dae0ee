"""Plays a recorded game again, in the runtime and code it was played in, and compares all that was stored."""

import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from coplay.data.games.recording import Recording, read_recording
from coplay.errors import RuntimeUnavailableError, UsageError
from coplay.replay.comparison import FRAMES_AT_ONCE, Comparison, ReplayDifference, Watch
from coplay.replay.repaired_desyncs import RepairedDesync
from coplay.replay.stored_game import PROGRAM, start_stored_game
from coplay.runtime import ReportProgress, silent

__all__ = [
    "FRAMES_AT_ONCE",
    "PROGRAM",
    "RepairedDesync",
    "ReplayDifference",
    "ReplayResult",
    "replay_game",
    "replay_recording",
]

_COMPUTED = frozenset({"checksum", "reward", "flags", "episode"})
_HERE = f"CPython {platform.python_version()}"
_STORED = "the stored runtime"


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What a replay found."""

    game_id: str
    """The game."""
    verdict: str
    """The game's own verdict."""
    frames: int
    """How many were replayed: to the end, or as far as was needed to find a difference."""
    recorded_frames: int
    """How many the record has."""
    checksums: int
    """How many stored checksums came out equal."""
    difference: ReplayDifference | None
    """The first that no repaired desync explains; None if there is none."""
    excused: list[RepairedDesync]
    """Repaired desyncs that explain why some of what was stored did not come out, as far as was replayed."""
    played_in: str
    """`the stored runtime`, or CPython and its version."""
    cpython: str = ""
    """Why CPython, which was asked first, could not settle it; empty if it did, or was not asked."""

    @property
    def equal(self) -> bool:
        """Whether everything that was stored came out again, but for what a repaired desync explains."""
        return self.difference is None

    def as_json(self) -> dict[str, Any]:
        """Plain values for a program."""
        return {**asdict(self), "equal": self.equal}


def replay_game(
    data: Path, game_id: str, *, progress: ReportProgress = silent, cpython: bool = False
) -> ReplayResult:
    """Replay a game of a data directory.

    Args:
        data: The data directory; the study may be running.
        game_id: Which game.
        progress: Told how far it is.
        cpython: Replay in this machine's CPython first, which is quicker. Where every checksum and result
            comes out there, nothing more is needed; otherwise the stored runtime has the last word.

    Raises:
        UsageError: `game_id` is no game's id, or the stored code cannot play the game.
        StoreError: The game, its code or its lock is missing.
        RuntimeUnavailableError: The runtime that it was played in is not to be had, or there is no Node.
    """
    recording = read_recording(data, game_id)
    if not cpython:
        return replay_recording(data, recording, progress=progress)
    try:
        found = replay_recording(data, recording, progress=progress, cpython=True)
    except (UsageError, RuntimeUnavailableError) as error:
        doubt = error.message
    else:
        doubt = _doubt(found)
        if not doubt:
            return found
    return replace(replay_recording(data, recording, progress=progress), cpython=doubt)


def _doubt(found: ReplayResult) -> str:
    """Why a replay in another Python than the game's proves nothing; empty if it does."""
    if found.difference is not None and found.difference.what in _COMPUTED:
        return f"{found.played_in} computes otherwise, or the record is wrong: {found.difference}"
    if found.excused:
        return "the peers themselves had different states for a while"
    return "" if found.checksums else "no checksum was stored that could tell"


def replay_recording(
    data: Path,
    recording: Recording,
    *,
    progress: ReportProgress = silent,
    cpython: bool = False,
    watch: Watch | None = None,
    opened: Callable[[Mapping[str, Any]], None] | None = None,
    asks: Callable[[int, int], Mapping[str, Any]] | None = None,
    **wishes: Any,
) -> ReplayResult:
    """The same for a game that was read.

    Args:
        data: As above.
        recording: The game.
        progress: As above.
        cpython: Replay in this machine's CPython only.
        watch: Told what every portion of frames gave; nothing is drawn beyond a difference.
        opened: Told what plays, as answered to `begin`.
        asks: More for each request `step`, given its first frame and the end of those that it looks at.
        wishes: `observe=True` or `screens=[player]`, for `watch`.
    """
    with start_stored_game(data, recording, progress=progress, cpython=cpython, **wishes) as game:
        if opened is not None:
            opened(game.described)
        comparison = Comparison(recording, game.simulation, asks, watch)
        difference = comparison.run(lambda fraction: progress("Replaying", fraction))
    return ReplayResult(
        game_id=recording.game_id,
        verdict=recording.verdict,
        frames=comparison.frames,
        recorded_frames=int(recording.log.has.sum()),
        checksums=comparison.equal,
        difference=difference,
        excused=comparison.excused(),
        played_in=_HERE if cpython else _STORED,
    )
