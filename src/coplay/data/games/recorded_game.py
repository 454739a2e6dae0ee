"""A recorded game as a replay needs it: its setup, its inputs, and what its peers computed."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, select

from coplay.data.batches import BatchError, decode
from coplay.data.database import tables as records
from coplay.data.database.engines import require_data
from coplay.data.database.store import Store
from coplay.data.games.game_log import GameLog
from coplay.errors import StoreError, UsageError

_GAME_ID: Final = re.compile(r"[0-9a-f]{20}")


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded game, with everything that a replay needs or compares."""

    game_id: str
    """The game's id: 20 hexadecimal digits."""
    study: str
    """The name of the study."""
    setup: dict[str, Any]
    """The game's rules: `scene_index seed episodes max_frames countdown_frames input_sizes`."""
    fps: float
    """Frames per second."""
    code_hash: str
    """The sha256 of the bundle that the browsers ran."""
    lock_hash: str
    """The sha256 of the lock of the runtime in which they ran it."""
    verdict: str
    """The verdict, as in `coplay.data.games.verdicts`, or `not yet ended`."""
    log: GameLog
    """All players' inputs, and the results of the steps."""
    checksums: list[tuple[int, int, int]]
    """(frame, peer, 64-bit checksum of the peer's state before that frame), ordered by frame."""
    damaged: list[tuple[int, int, str]]
    """(first frame, peer, what is wrong) of each damaged batch; they are not part of the log."""
    desyncs: list[dict[str, Any]]
    """Desyncs, as peers reported them: `[{reported_by, frame, peer, paths, resynced_at}]`."""

    @property
    def frames(self) -> int:
        """The number of frames before the first gap."""
        gaps = (~self.log.has).nonzero()[0]
        return int(gaps[0]) if len(gaps) else self.log.frames


def read_recording(data: Path, game_id: str) -> Recording:
    """Read a recorded game from a data directory.

    Args:
        data: A data directory; the study may be running.
        game_id: The id of the game.

    Raises:
        UsageError: `game_id` is not the id of a game.
        StoreError: There is no such game in `data`, or no frame of it was recorded.
    """
    if not _GAME_ID.fullmatch(game_id):
        raise UsageError(
            f"{game_id[:60]!r} is not the id of a game",
            "An id is 20 hexadecimal digits: column game_id of the games table.",
        )
    require_data(data)
    store = Store(data)
    try:
        recording = store.submit(lambda connection: _read(connection, game_id)).result()
    finally:
        store.close()
    if recording is None:
        raise StoreError(
            f"there is no game {game_id} in {data}", "`coplay export` writes a table of all games."
        )
    if not recording.frames:
        raise StoreError(
            f"no frame was recorded of game {game_id}",
            "It ended before its first frame: there is nothing to replay.",
        )
    return recording


def read_kept_file(data: Path, folder: str, name: str, sha256: str) -> bytes:
    """Read a file that `Store.keep_file` wrote, and check its hash.

    Args:
        data: The data directory.
        folder: The folder: `bundles` or `locks`.
        name: The name of the file.
        sha256: The hash of its content.

    Raises:
        StoreError: The file is missing or damaged.
    """
    path = data / folder / name
    hint = "Copy the whole data directory, with its folders bundles and locks, from where the study ran."
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} is missing, without which the game cannot be replayed", hint) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise StoreError(f"{path} is damaged: its content does not have the hash in its name", hint)
    return content


def _read(connection: Connection, game_id: str) -> Recording | None:
    games, batches = records.games, records.batches
    game = connection.execute(select(games).where(games.c.game_id == game_id)).one_or_none()
    if game is None:
        return None
    sizes = list(game.input_sizes)
    copies, damaged = [], []
    for row in connection.execute(
        select(batches).where(batches.c.game_id == game_id).order_by(batches.c.peer, batches.c.number)
    ):
        if row.sha256 and hashlib.sha256(row.body).hexdigest() != row.sha256:
            damaged.append((row.first_frame, row.peer, f"batch {row.number} has another sha256"))
            continue
        try:
            copies.append(decode(row.body, len(sizes), sizes))
        except BatchError as error:
            damaged.append((row.first_frame, row.peer, f"batch {row.number}: {error}"))
    return Recording(
        game_id=game_id,
        study=game.study,
        setup={
            "scene_index": game.scene,
            "seed": game.seed,
            "episodes": game.episodes,
            "max_frames": game.max_frames,
            "countdown_frames": game.countdown_frames,
            "input_sizes": sizes,
        },
        fps=game.fps,
        code_hash=game.code_hash,
        lock_hash=game.lock_hash,
        verdict=game.verdict or "not yet ended",
        log=GameLog(copies, sizes),
        checksums=sorted(
            (frame, batch.peer, checksum) for batch in copies for frame, checksum in batch.checksums
        ),
        damaged=sorted(damaged),
        desyncs=game.desyncs or [],
    )
