"""What the server keeps in mind of one game's data, and how it is read back from the store.

All of it can be derived from what is stored: after a crash the book of a game is the same.
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
    """One game's data.

    Attributes:
        game_id: The game.
        input_sizes: Bytes of each player's input.
        peers: Who uploads.
        fps: Frames a second.
        began: When it began, in seconds since 1970.
        touched: When anything happened last; monotonic seconds.
        copies: The inputs, compared.
        reports: How each peer saw the end.
        brought: Who has uploaded anything.
        taking: Uploads on their way into the store; a repeat waits for the same one.
        conflicts: Batches that were not the stored ones of their numbers.
        left: Who went before the end.
        settled: What the game's row says of its data, if it was written since this book was opened.
        closed: Whether the game is over.
    """

    game_id: str
    input_sizes: tuple[int, ...]
    peers: tuple[int, ...]
    fps: float
    began: float
    touched: float
    copies: InputCopies = field(default_factory=InputCopies)
    reports: dict[int, PeerReport] = field(default_factory=dict)
    brought: set[int] = field(default_factory=set)
    taking: "dict[tuple[Any, ...], asyncio.Task[None]]" = field(default_factory=dict)
    conflicts: int = 0
    left: set[int] = field(default_factory=set)
    settled: dict[str, Any] = field(default_factory=dict)
    closed: bool = False

    def most_frames(self, wall: float) -> float:
        """More frames than there can be at `wall`, in seconds since 1970; who claims more is not ours."""
        return 1000 + 1.1 * self.fps * (wall - self.began + 60)

    def verdict_columns(self) -> dict[str, Any]:
        """What the game's row says of its data, as far as it is known."""
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
    """The games of a study that nobody has ended: the server stopped, or died, before they did."""
    chosen = select(games.c.game_id).where(games.c.study == study, games.c.ended_utc.is_(None))
    return list(connection.execute(chosen).scalars())


def read_game_data(
    game_id: str, now: float, connection: Connection
) -> tuple[GameData, list[CopyDifference]] | None:
    """The book of a game, and the differences in it that no event tells of; None if there is no such game."""
    game = connection.execute(select(games).where(games.c.game_id == game_id)).one_or_none()
    if game is None:
        return None
    kinds = connection.execute(
        select(events.c.kind, events.c.player_id).where(
            events.c.game_id == game_id, events.c.kind.in_(("left_game", "copies_differ"))
        )
    ).all()
    book = _empty_book(game, now)
    book.left |= {row.player_id for row in kinds if row.kind == "left_game"}
    differences = []
    for row in connection.execute(
        select(batches).where(batches.c.game_id == game_id).order_by(batches.c.utc, batches.c.number)
    ):
        book.brought.add(row.peer)
        try:
            batch = decode(row.body, len(book.input_sizes), book.input_sizes)
        except BatchError:
            continue  # damaged on the disk: `coplay replay` names it, and the rest of the game still counts
        difference = book.copies.add(batch)
        if difference is not None:
            differences.append(difference)
    for row in connection.execute(select(reports).where(reports.c.game_id == game_id)):
        book.reports[row.peer] = read_report(row.body, len(book.input_sizes))
    told = any(row.kind == "copies_differ" for row in kinds)
    return book, [] if told else differences


def _empty_book(game: Row[Any], now: float) -> GameData:
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
