"""Takes what peers upload about games: stores it, compares the copies, and keeps each game's verdict up to
date.

A game need not be running: what arrives after a crash or a restart is taken the same way, from the store.
What is acknowledged is committed; whatever else is kept in mind can be derived from that.
"""

import asyncio
import hashlib
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any, Final

from sqlalchemy import update

from coplay.data.batches import BatchError, FrameBatch, decode
from coplay.data.database.tables import batches, games, reports
from coplay.data.games.copies import CopyDifference
from coplay.data.games.reports import read_report
from coplay.server.clock import Clock
from coplay.server.event_log import EventLog
from coplay.server.uploads.game_data import GameData, read_game_data, unended_games

FORGET_AFTER_S: Final = 600.0
PATIENCE_S: Final = 2.5
"""An upload that is not stored by then is answered with "later"; it may still be stored meanwhile."""
RETRY_AFTER_S: Final = 3
MOST_CONFLICTS: Final = 16
"""Of one game that are worth an event each."""


class UploadError(Exception):
    """An upload that is refused.

    Args:
        status: HTTP status.
        message: A sentence.
        retry_after_s: When to try again; 0 for never.
    """

    def __init__(self, status: int, message: str, retry_after_s: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after_s = retry_after_s


class Ledger:
    """The data of all games of a study.

    Args:
        event_log: Writes things down.
        clock: The time.
        running: Games that go on after a restart; others that nobody ended are ended now.

    Attributes:
        heard: Is called with the game, the peer, the batch's number, and how many frames are in it, for every
            batch that is acknowledged.
    """

    def __init__(self, event_log: EventLog, clock: Clock, running: Collection[str] = ()) -> None:
        self.heard: Callable[[str, int, int, int], None] = lambda *_: None
        self._event_log = event_log
        self._clock = clock
        self._store = event_log.store
        self._books: dict[str, GameData] = {}
        self._opening: dict[str, asyncio.Task[GameData | None]] = {}
        for game_id in self._store.submit(partial(unended_games, event_log.study)).result():
            # The process died with the game; its peers may still bring their data, which settles it again.
            found = self._store.submit(partial(read_game_data, game_id, self._clock.now())).result()
            if found is not None:
                book = self._keep(*found)
                if game_id not in running:
                    self.close(game_id, book.left)

    def open(self, game_id: str, input_sizes: tuple[int, ...], peers: tuple[int, ...], fps: float) -> None:
        """A game begins."""
        self._books[game_id] = GameData(
            game_id, input_sizes, peers, fps, self._clock.wall(), self._clock.now()
        )

    def close(self, game_id: str, left: "tuple[int, ...] | set[int]") -> "Future[None]":
        """A game is over; `left` are the peers who went before its end."""
        book = self._books[game_id]
        book.left = set(left)
        book.closed = True
        book.touched = self._clock.now()
        return self._settle(book, ended=True)

    def has_report(self, game_id: str, peer: int) -> bool:
        """Whether a peer has reported the end of a game."""
        book = self._books.get(game_id)
        return book is not None and peer in book.reports

    def has_frames(self, game_id: str, peer: int) -> bool:
        """Whether a peer has uploaded anything of a game."""
        book = self._books.get(game_id)
        return book is not None and peer in book.brought

    def forget(self, now: float) -> None:
        """Let go of games that nobody has brought anything about for a while; they are read again when
        needed."""
        for game_id, book in list(self._books.items()):
            if book.closed and not book.taking and now - book.touched > FORGET_AFTER_S:
                del self._books[game_id]

    # Uploads

    def check_room(self, size: int) -> None:
        """Make sure that an upload can be stored soon, before it is read.

        Args:
            size: Bytes that it and all others that are just arriving may have.

        Raises:
            UploadError: The database is away, full or too slow; to be tried again later.
        """
        if self._store.trouble or not self._store.has_room(size):
            raise UploadError(503, "The study's server cannot store data at the moment.", RETRY_AFTER_S)

    async def add_batch(self, game_id: str, peer: int, body: bytes, incarnation: int | None = None) -> int:
        """Take a batch; answers its number once it is stored. The same batch again is answered the same way.

        Args:
            game_id: The game.
            peer: Who uploads.
            body: The batch, encoded.
            incarnation: Which page of theirs uploads; None if that is not known.

        Raises:
            UploadError: It is no batch of this game, peer and page, or it cannot be stored now.
        """
        book = await self._book(game_id)
        _require_seat(book, peer)
        batch = _read_batch(book, peer, body, incarnation, self._clock.wall())
        digest = hashlib.sha256(body).hexdigest()
        work = partial(self._take_batch, book, batch, body, digest)
        await self._once(book, (peer, batch.number, digest), work)
        self.heard(game_id, peer, batch.number, batch.frames)
        return batch.number

    async def add_report(self, game_id: str, peer: int, body: Mapping[str, Any]) -> None:
        """Take a peer's report of the end; answers once it is stored. The first one counts.

        Raises:
            UploadError: It is no report of this game, or it cannot be stored now.
        """
        book = await self._book(game_id)
        _require_seat(book, peer)
        try:
            report = read_report(body, len(book.input_sizes))
        except ValueError as error:
            raise UploadError(400, f"The report cannot be read: {error}.") from error
        if report.last_frame > book.most_frames(self._clock.wall()):
            raise UploadError(400, "The report is from the future.")
        work = partial(self._take_report, book, peer, dict(body))
        await self._once(book, (peer, report), work)

    async def _once(self, book: GameData, key: tuple[Any, ...], work: Any) -> None:
        task = book.taking.get(key)
        if task is None:
            # A task of its own: a page that closes while it waits must not take half of the work along.
            task = book.taking[key] = asyncio.create_task(work())
            task.add_done_callback(partial(_taken, book, key))
        done, _ = await asyncio.wait((task,), timeout=PATIENCE_S)
        if not done:
            raise UploadError(503, "The study's server is slow to store data.", RETRY_AFTER_S)
        if error := task.exception():
            raise UploadError(503, "This could not be stored.", RETRY_AFTER_S) from error

    async def _take_batch(self, book: GameData, batch: FrameBatch, body: bytes, digest: str) -> None:
        row = {
            "game_id": book.game_id,
            "peer": batch.peer,
            "number": batch.number,
            "first_frame": batch.first_frame,
            "frames": batch.frames,
            "utc": self._clock.stamp()[0],
            "sha256": digest,
            "body": body,
        }
        known = await asyncio.wrap_future(self._store.insert(batches, row, "sha256", len(body)))
        book.brought.add(batch.peer)
        book.touched = self._clock.now()
        if known is None:
            difference = book.copies.add(batch)
            if difference is not None:
                await asyncio.wrap_future(self._tell_difference(book, difference))
        elif known != digest and book.conflicts < MOST_CONFLICTS:
            book.conflicts += 1
            conflict = self._event_log.event(
                "batch_conflict",
                game_id=book.game_id,
                player_id=batch.peer,
                number=batch.number,
                sha256=digest,
                stored_sha256=known,
            )
            await asyncio.wrap_future(conflict)
        if book.closed:
            await asyncio.wrap_future(self._settle(book))

    async def _take_report(self, book: GameData, peer: int, body: dict[str, Any]) -> None:
        row = {"game_id": book.game_id, "peer": peer, "utc": self._clock.stamp()[0], "body": body}
        known = await asyncio.wrap_future(self._store.insert(reports, row, "body"))
        book.touched = self._clock.now()
        report, players = read_report(body, len(book.input_sizes)), len(book.input_sizes)
        if known is None:
            book.reports[peer] = report
        elif read_report(known, players) != report and book.conflicts < MOST_CONFLICTS:
            book.conflicts += 1
            conflict = self._event_log.event(
                "report_conflict", game_id=book.game_id, player_id=peer, report=body
            )
            await asyncio.wrap_future(conflict)
        if book.closed:
            await asyncio.wrap_future(self._settle(book))

    # Books

    def _settle(self, book: GameData, ended: bool = False) -> "Future[None]":
        values = book.verdict_columns()
        if values == book.settled and not ended:
            return self._store.submit(lambda _: None)
        book.settled = dict(values)
        if ended:
            utc, ms = self._clock.stamp()
            values |= {"ended_utc": utc, "ended_ms": ms}
        return self._store.execute(update(games).where(games.c.game_id == book.game_id).values(values))

    def _tell_difference(self, book: GameData, difference: CopyDifference) -> "Future[None]":
        return self._event_log.event(
            "copies_differ",
            game_id=book.game_id,
            player_id=difference.peer,
            frame=difference.frame,
            reference_player_id=difference.reference_peer,
            sha256=difference.sha256,
            reference_sha256=difference.reference_sha256,
        )

    async def _book(self, game_id: str) -> GameData:
        if game_id in self._books:
            return self._books[game_id]
        # Two uploads that meet here must not each read the game and then overwrite the other's additions.
        if game_id not in self._opening:
            self._opening[game_id] = asyncio.create_task(self._reopen(game_id))
        book = await asyncio.shield(self._opening[game_id])
        if book is None:
            raise UploadError(404, "There is no such game.")
        return book

    async def _reopen(self, game_id: str) -> GameData | None:
        try:
            found = await asyncio.wrap_future(
                self._store.submit(partial(read_game_data, game_id, self._clock.now()))
            )
            return None if found is None else self._keep(*found)
        finally:
            del self._opening[game_id]

    def _keep(self, book: GameData, untold: list[CopyDifference]) -> GameData:
        self._books[book.game_id] = book
        # The server died between store_health a batch and telling of it.
        for difference in untold:
            self._tell_difference(book, difference)
        return book


def _require_seat(book: GameData, peer: int) -> None:
    """A person who was erased may still have a page that would bring everything again."""
    if peer not in book.peers:
        raise UploadError(410, "This seat of the game is nobody's any more.")


def _read_batch(book: GameData, peer: int, body: bytes, incarnation: int | None, wall: float) -> FrameBatch:
    try:
        batch = decode(body, len(book.input_sizes), book.input_sizes)
    except BatchError as error:
        raise UploadError(400, f"The batch cannot be read: {error}.") from error
    if batch.peer != peer:
        raise UploadError(403, "The batch is another player's.")
    if incarnation is not None and batch.incarnation != incarnation:
        raise UploadError(403, "The batch has a number of another page.")
    last = max([batch.first_frame + batch.frames, *(frame for frame, _ in batch.checksums)])
    if last > book.most_frames(wall):
        raise UploadError(400, "The batch is from the future.")
    return batch


def _taken(book: GameData, key: tuple[Any, ...], task: "asyncio.Task[None]") -> None:
    del book.taking[key]
    # Who asked may be gone; asyncio would complain of an error that nobody looked at.
    if not task.cancelled():
        task.exception()
