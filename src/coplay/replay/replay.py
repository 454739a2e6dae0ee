"""Replays a recorded game with its own runtime and code, and compares it with everything stored."""

import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from coplay.data.games.recorded_game import Recording, read_recording
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
    """The result of a replay."""

    game_id: str
    """The game's id."""
    verdict: str
    """The verdict that the peers gave."""
    frames: int
    """Number of frames replayed: all, or up to the first difference."""
    recorded_frames: int
    """Number of frames in the record."""
    checksums: int
    """Number of stored checksums that the replay reproduced."""
    difference: ReplayDifference | None
    """The first difference that no repaired desync explains, or None."""
    excused: list[RepairedDesync]
    """Repaired desyncs that explain other differences, up to the last replayed frame."""
    played_in: str
    """`the stored runtime`, or CPython and its version."""
    cpython: str = ""
    """Why a replay in CPython was inconclusive; empty if it was conclusive, or not asked for."""

    @property
    def equal(self) -> bool:
        """True if the replay reproduced everything stored, except what a repaired desync explains."""
        return self.difference is None

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "equal": self.equal}


def replay_game(
    data: Path, game_id: str, *, progress: ReportProgress = silent, cpython: bool = False
) -> ReplayResult:
    """Replay a game of a data directory.

    Args:
        data: The data directory; the study may still be running.
        game_id: The game's id.
        progress: Called with each stage and its progress.
        cpython: Whether to replay in this machine's CPython first, which is faster. If that reproduces every
            checksum and result, it is enough; otherwise the stored runtime decides.

    Raises:
        UsageError: `game_id` is not a valid id, or the stored code cannot play the game.
        StoreError: The game, its code or its lock is missing.
        RuntimeUnavailableError: The runtime it was played in is not available, or Node is missing.
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
    """Return why a replay in CPython is inconclusive; empty if it is conclusive."""
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
    more_fields: Callable[[int, int], Mapping[str, Any]] | None = None,
    **options: Any,
) -> ReplayResult:
    """Replay a game that has been read already.

    Args:
        data: The data directory.
        recording: The game.
        progress: Called with each stage and its progress.
        cpython: Whether to replay in this machine's CPython, and nowhere else.
        watch: Called with the reply of each portion of frames; drawings after a difference are removed.
        opened: Called once with the reply to `begin`, which describes the game.
        more_fields: Returns more fields for each request `step`, given its first frame and the end of the
            frames it may look at.
        options: `observe=True` or `screens=[player]`, to have observations or drawings in the replies.
    """
    with start_stored_game(data, recording, progress=progress, cpython=cpython, **options) as game:
        if opened is not None:
            opened(game.described)
        comparison = Comparison(recording, game.simulation, more_fields, watch)
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
