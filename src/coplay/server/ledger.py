"""Takes what peers upload about games: stores it, compares the copies, and keeps each game's verdict up to
date.

A game need not be running: what arrives after a crash or a restart is taken the same way, from the store.
"""

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from coplay.data.batches import BatchError, decode
from coplay.data.copies import InputCopies
from coplay.data.records import batches, games, reports
from coplay.data.verdicts import Report, judge, read_report
from coplay.server import clock
from coplay.server.recorder import Recorder

FORGET_AFTER_S: Final = 600.0

_log = logging.getLogger(__name__)


class UploadError(Exception):
    """An upload that is refused.

    Args:
        status: HTTP status.
        message: A sentence.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(slots=True)
class _Book:
    """What is known of one game's data."""

    game_id: str
    input_sizes: tuple[int, ...]
    peers: tuple[int, ...]
    copies: InputCopies
    fps: float
    began: float = field(default_factory=clock.wall)
    reports: dict[int, Report] = field(default_factory=dict)
    batches: dict[tuple[int, int], str] = field(default_factory=dict)
    stored: "dict[tuple[int, int], Future[None]]" = field(default_factory=dict)
    left: set[int] = field(default_factory=set)
    closed: bool = False
    touched: float = 0.0

    def most_frames(self) -> float:
        """More frames than there can be by now; a browser that claims more is not ours."""
        return 1000 + 1.1 * self.fps * (clock.wall() - self.began + 60)


class Ledger:
    """The data of all games of a study.

    Args:
        recorder: Writes things down.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._books: dict[str, _Book] = {}
        self._opening: dict[str, asyncio.Task[_Book | None]] = {}
        for game_id in recorder.store.submit(self._unended).result():
            # The process died with the game; its peers may still bring their data, which settles it again.
            book = recorder.store.submit(partial(_load, game_id)).result()
            if book is not None:
                self._books[game_id] = book
                self.close(game_id, ())

    def open(self, game_id: str, input_sizes: tuple[int, ...], peers: tuple[int, ...], fps: float) -> None:
        """A game begins."""
        self._books[game_id] = _Book(
            game_id, input_sizes, peers, InputCopies(len(peers)), fps, touched=clock.now()
        )

    def close(self, game_id: str, left: "tuple[int, ...] | set[int]") -> "Future[None]":
        """A game is over; `left` are the peers who went before its end."""
        book = self._books[game_id]
        book.left = set(left)
        book.closed = True
        book.touched = clock.now()
        return self._settle(book, ended=True)

    def has_report(self, game_id: str, peer: int) -> bool:
        """Whether a peer has reported the end of a game."""
        book = self._books.get(game_id)
        return book is not None and peer in book.reports

    def has_frames(self, game_id: str, peer: int) -> bool:
        """Whether a peer has uploaded anything of a game."""
        book = self._books.get(game_id)
        return book is not None and any(who == peer for who, _ in book.batches)

    def forget(self, now: float) -> None:
        """Let go of games that nobody has brought anything about for a while; they are read again when
        needed."""
        for game_id, book in list(self._books.items()):
            if book.closed and now - book.touched > FORGET_AFTER_S:
                del self._books[game_id]

    async def add_batch(self, game_id: str, peer: int, body: bytes) -> int:
        """Take a batch; answers its number once it is stored. The same batch again is answered the same way.

        Raises:
            UploadError: It is no batch of this game and peer.
        """
        book = await self._book(game_id)
        try:
            batch = decode(body, len(book.input_sizes), book.input_sizes)
        except BatchError as error:
            raise UploadError(400, f"The batch cannot be read: {error}.") from error
        if batch.peer != peer:
            raise UploadError(403, "The batch is another player's.")
        if batch.first_frame + batch.frames > book.most_frames():
            raise UploadError(400, "The batch is from the future.")
        key = (peer, batch.number)
        digest = hashlib.sha256(body).hexdigest()
        known = book.batches.get(key)
        if known is None:
            book.batches[key] = digest
            book.touched = clock.now()
            row = {
                "game_id": game_id,
                "peer": peer,
                "number": batch.number,
                "first_frame": batch.first_frame,
                "frames": batch.frames,
                "utc": clock.stamp()[0],
                "sha256": digest,
                "body": body,
            }
            book.stored[key] = self._recorder.store.execute(insert(batches).values(row))
            difference = book.copies.add(batch)
            if difference is not None:
                self._recorder.event(
                    "copies_differ",
                    game_id=game_id,
                    player_id=peer,
                    frame=difference.frame,
                    reference_player_id=difference.reference_peer,
                    sha256=difference.sha256,
                    reference_sha256=difference.reference_sha256,
                )
            if book.closed:
                self._settle(book)
        elif known != digest:
            self._recorder.event(
                "batch_conflict",
                game_id=game_id,
                player_id=peer,
                number=batch.number,
                sha256=digest,
                stored_sha256=known,
            )
        if key in book.stored:
            try:
                await asyncio.wrap_future(book.stored[key])
            except Exception as error:
                book.batches.pop(key, None)
                raise UploadError(503, "The batch could not be stored.") from error
            book.stored.pop(key, None)
        return batch.number

    async def add_report(self, game_id: str, peer: int, body: Mapping[str, Any]) -> None:
        """Take a peer's report of the end; answers once it is stored. The first one counts.

        Raises:
            UploadError: It is no report.
        """
        book = await self._book(game_id)
        try:
            report = read_report(body)
        except ValueError as error:
            raise UploadError(400, f"The report cannot be read: {error}.") from error
        known = book.reports.get(peer)
        if known is not None:
            if known != report:
                await asyncio.wrap_future(
                    self._recorder.event(
                        "report_conflict", game_id=game_id, player_id=peer, report=dict(body)
                    )
                )
            return
        book.reports[peer] = report
        book.touched = clock.now()
        row = {"game_id": game_id, "peer": peer, "utc": clock.stamp()[0], "body": dict(body)}
        stored = self._recorder.store.execute(insert(reports).values(row))
        if book.closed:
            self._settle(book)
        try:
            await asyncio.wrap_future(stored)
        except Exception as error:
            book.reports.pop(peer, None)
            raise UploadError(503, "The report could not be stored.") from error

    def _settle(self, book: _Book, ended: bool = False) -> "Future[None]":
        verdict = judge(book.peers, book.reports, left=book.left, first_difference=book.copies.difference)
        values: dict[str, Any] = {
            "verdict": verdict.name,
            "verdict_frame": verdict.frame,
            "verdict_reason": verdict.reason,
            "chain_hash": verdict.chain_hash or None,
            "frames": verdict.last_frame + 1 if book.reports else book.copies.frames,
            "left_early": sorted(book.left),
            "checksums_compared": book.copies.checksums_compared,
        }
        if ended:
            utc, ms = clock.stamp()
            values |= {"ended_utc": utc, "ended_ms": ms}
        change = update(games).where(games.c.game_id == book.game_id).values(values)
        return self._recorder.store.execute(change)

    async def _book(self, game_id: str) -> _Book:
        if game_id in self._books:
            return self._books[game_id]
        # Two uploads that meet here must not each read the game and then overwrite the other's additions.
        if game_id not in self._opening:
            self._opening[game_id] = asyncio.create_task(self._reopen(game_id))
        book = await self._opening[game_id]
        if book is None:
            raise UploadError(404, "There is no such game.")
        return book

    async def _reopen(self, game_id: str) -> _Book | None:
        try:
            book = await asyncio.wrap_future(self._recorder.store.submit(partial(_load, game_id)))
            if book is not None:
                book.touched = clock.now()
                self._books[game_id] = book
            return book
        finally:
            del self._opening[game_id]

    def _unended(self, connection: Connection) -> list[str]:
        chosen = select(games.c.game_id).where(
            games.c.study == self._recorder.study, games.c.ended_utc.is_(None)
        )
        return list(connection.execute(chosen).scalars())


def _load(game_id: str, connection: Connection) -> _Book | None:
    game = connection.execute(select(games).where(games.c.game_id == game_id)).one_or_none()
    if game is None:
        return None
    sizes = tuple(game.input_sizes)
    peers = tuple(seat["player_id"] for seat in game.seats if seat["participant_id"] is not None)
    began = datetime.fromisoformat(game.started_utc).timestamp()
    book = _Book(
        game_id, sizes, peers, InputCopies(len(peers)), game.fps, began, left=set(game.left_early or ())
    )
    book.closed = game.ended_utc is not None
    for row in connection.execute(
        select(batches).where(batches.c.game_id == game_id).order_by(batches.c.utc, batches.c.number)
    ):
        book.batches[row.peer, row.number] = row.sha256
        book.copies.add(decode(row.body, len(sizes), sizes))
    for row in connection.execute(select(reports).where(reports.c.game_id == game_id)):
        book.reports[row.peer] = read_report(row.body)
    return book
