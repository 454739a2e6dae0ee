"""Reads one game back: how it was set up, what everyone pressed, and what its peers computed."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, select

from coplay.data.batches import BatchError, decode
from coplay.data.database import tables as records
from coplay.data.database.store import DATABASE_FILE, DATABASE_VARIABLE, Store
from coplay.data.games.game_log import GameLog
from coplay.errors import StoreError, UsageError

_GAME_ID: Final = re.compile(r"[0-9a-f]{20}")


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded game."""

    game_id: str
    """20 hexadecimal digits."""
    study: str
    """The study's name."""
    setup: dict[str, Any]
    """`scene_index seed episodes max_frames countdown_frames input_sizes`."""
    fps: float
    """Frames a second."""
    code_hash: str
    """Of the bundle that the browsers ran."""
    lock_hash: str
    """Of the runtime that they ran it in."""
    verdict: str
    """What is known of it: see `verdicts`."""
    log: GameLog
    """Everyone's inputs, and what the steps gave."""
    checksums: list[tuple[int, int, int]]
    """(frame, peer, 64-bit checksum of the peer's state before that frame), in order of frames."""
    damaged: list[tuple[int, int, str]]
    """(first frame, peer, what is wrong) of each batch that is not what was uploaded; they are left out."""
    desyncs: list[dict[str, Any]]
    """States that differed, as peers reported them: `[{reported_by, frame, peer, paths, resynced_at}]`."""

    @property
    def frames(self) -> int:
        """How many frames there are before the first gap."""
        gaps = (~self.log.has).nonzero()[0]
        return int(gaps[0]) if len(gaps) else self.log.frames


def read_recording(data: Path, game_id: str) -> Recording:
    """Read a game.

    Args:
        data: A data directory; the study may be running.
        game_id: Which game.

    Raises:
        UsageError: `game_id` is no game's id.
        StoreError: There is no such game in `data`, or nothing was recorded of it.
    """
    if not _GAME_ID.fullmatch(game_id):
        raise UsageError(
            f"{game_id[:60]!r} is no game's id",
            "An id is 20 hexadecimal digits: column game_id of the games table.",
        )
    if not os.environ.get(DATABASE_VARIABLE) and not (data / DATABASE_FILE).is_file():
        raise StoreError(f"there is no data in {data}", "Name the data directory of a study: --data DIR.")
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
            f"of game {game_id} no frame was recorded", "It ended before it began: nothing to replay."
        )
    return recording


def read_kept_file(data: Path, folder: str, name: str, sha256: str) -> bytes:
    """Read a file that the store kept, and make sure that it is the one.

    Args:
        data: The data directory.
        folder: `bundles` or `locks`.
        name: The file's name.
        sha256: What it must hash to.

    Raises:
        StoreError: It is missing or damaged.
    """
    path = data / folder / name
    hint = "Copy the whole data directory, with its folders bundles and locks, from where the study ran."
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} is missing, without which the game cannot be replayed", hint) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise StoreError(f"{path} is damaged: it is not what its name says", hint)
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
