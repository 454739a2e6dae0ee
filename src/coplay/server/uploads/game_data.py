"""What the server keeps in memory about one game's uploads, and how it is restored from the store.

All of it is derived from stored rows, so that it is the same after a crash.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from coplay.data.batches import BatchError, decode
from coplay.data.database.tables import batches, events, games, reports
from coplay.data.games.copies import CopyDifference, InputCopies
from coplay.data.games.reports import PeerReport, cuts_column, desyncs_column, read_report
from coplay.data.games.verdicts import judge


@dataclass(slots=True)
class GameData:
    """The uploads of one game: the peers' copies of its inputs, and their reports of its end.

    Attributes:
        game_id: The game.
        input_sizes: Bytes of each player's input.
        peers: The players whose pages upload.
        fps: Frames a second.
        began: When the game began, in seconds since 1970.
        used_at: When the game was opened, closed or uploaded to last, in monotonic seconds.
        copies: The peers' copies of all inputs, compared.
        reports: `player_id` → the peer's report of the end.
        uploaders: The players whose pages have uploaded a batch.
        in_flight: Uploads that are being stored, so that a repeated one waits for the first.
        conflicts: How many uploads differed from the stored one of the same number or peer.
        left: The players who left before the end.
        written_columns: What was last written to the game's row; empty if nothing was.
        closed: True once the game is over.
    """

    game_id: str
    input_sizes: tuple[int, ...]
    peers: tuple[int, ...]
    fps: float
    began: float
    used_at: float
    copies: InputCopies = field(default_factory=InputCopies)
    reports: dict[int, PeerReport] = field(default_factory=dict)
    uploaders: set[int] = field(default_factory=set)
    in_flight: "dict[tuple[Any, ...], asyncio.Task[None]]" = field(default_factory=dict)
    conflicts: int = 0
    left: set[int] = field(default_factory=set)
    written_columns: dict[str, Any] = field(default_factory=dict)
    closed: bool = False

    def max_frames(self, wall: float) -> float:
        """Return a bound on how many frames the game can have by now; a page that claims more is forged.

        Args:
            wall: Seconds since 1970.
        """
        # Generous by a minute, a tenth and a thousand frames: the clocks of browsers drift and jump.
        return 1000 + 1.1 * self.fps * (wall - self.began + 60)

    def verdict_columns(self) -> dict[str, Any]:
        """Return the columns of the game's row that follow from the uploads so far."""
        verdict = judge(
            self.peers,
            self.reports,
            left=self.left,
            first_difference=self.copies.first_difference,
            checksum_difference=self.copies.checksum_difference,
            frames=self.copies.frames,
            shared_frames=0 if self.reports else self.copies.shared_frames(self.peers),
        )
        return {
            "verdict": verdict.name,
            "verdict_frame": verdict.frame,
            "verdict_reason": verdict.reason,
            "chain_hash": verdict.chain_hash or None,
            "frames": verdict.last_frame + 1 if self.reports else self.copies.frames,
            "left_early": sorted(self.left),
            "checksums_compared": self.copies.checksums_compared,
            "cuts": cuts_column(self.reports),
            "desyncs": desyncs_column(self.reports),
        }


def unended_games(study: str, connection: Connection) -> list[str]:
    """Return the ids of a study's games without an end: the server stopped or died during them."""
    query = select(games.c.game_id).where(games.c.study == study, games.c.ended_utc.is_(None))
    return list(connection.execute(query).scalars())


def read_game_data(
    game_id: str, now: float, connection: Connection
) -> tuple[GameData, list[CopyDifference]] | None:
    """Restore a game's data from the store, with the differences between copies that no event records yet.

    Args:
        game_id: The game.
        now: Monotonic seconds.
        connection: The database.

    Returns:
        The data and the differences, or None if there is no such game.
    """
    game = connection.execute(select(games).where(games.c.game_id == game_id)).one_or_none()
    if game is None:
        return None
    recorded = connection.execute(
        select(events.c.kind, events.c.player_id).where(
            events.c.game_id == game_id, events.c.kind.in_(("left_game", "copies_differ"))
        )
    ).all()
    game_data = _without_uploads(game, now)
    game_data.left |= {row.player_id for row in recorded if row.kind == "left_game"}
    differences = []
    # In order of arrival, because the first copy of a frame is the reference.
    for row in connection.execute(
        select(batches).where(batches.c.game_id == game_id).order_by(batches.c.utc, batches.c.number)
    ):
        game_data.uploaders.add(row.peer)
        try:
            batch = decode(row.body, len(game_data.input_sizes), game_data.input_sizes)
        except BatchError:
            # Damaged on the disk. `coplay replay` reports it; the rest of the game still counts.
            continue
        difference = game_data.copies.add(batch)
        if difference is not None:
            differences.append(difference)
    for row in connection.execute(select(reports).where(reports.c.game_id == game_id)):
        game_data.reports[row.peer] = read_report(row.body, len(game_data.input_sizes))
    are_recorded = any(row.kind == "copies_differ" for row in recorded)
    return game_data, [] if are_recorded else differences


def _without_uploads(game: Row[Any], now: float) -> GameData:
    return GameData(
        game.game_id,
        tuple(game.input_sizes),
        tuple(seat["player_id"] for seat in game.seats if seat["participant_id"] is not None),
        game.fps,
        datetime.fromisoformat(game.started_utc).timestamp(),
        now,
        left=set(game.left_early or ()),
        closed=game.ended_utc is not None,
    )
