"""Stores what peers upload about games, compares the copies, and keeps each game's verdict up to date.

Uploads are also accepted for games that are over, so that those delayed by a crash or a restart are not lost.
An upload is acknowledged only once it is committed, and everything in memory can be derived from the store.
"""

import asyncio
import hashlib
from collections.abc import Callable, Collection, Coroutine, Mapping
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
from coplay.server.refusals import RETRY_AFTER_S, STORE_TIMEOUT_S, RequestRefusedError
from coplay.server.uploads.game_data import GameData, read_game_data, unended_games

EVICT_AFTER_S: Final = 600.0
"""How long the data of a closed game stay in memory after its last upload."""
MAX_CONFLICT_EVENTS: Final = 16
"""How many conflicting uploads of one game are recorded; more would let a flood fill the store."""


class Ledger:
    """The uploaded data of all games of a study.

    Args:
        event_log: Records differences and conflicts.
        clock: The source of time.
        running: Games that continue after a restart. All other games without an end are closed.
    """

    def __init__(self, event_log: EventLog, clock: Clock, running: Collection[str] = ()) -> None:
        self._event_log = event_log
        self._clock = clock
        self._store = event_log.store
        self._games: dict[str, GameData] = {}
        self._restoring: dict[str, asyncio.Task[GameData | None]] = {}
        for game_id in self._store.submit(partial(unended_games, event_log.study)).result():
            # The server died during the game. Its peers may still upload the rest, which updates the verdict.
            restored = self._store.submit(partial(read_game_data, game_id, self._clock.now())).result()
            if restored is not None:
                game_data = self._keep(*restored)
                if game_id not in running:
                    self.close(game_id, game_data.left)

    def open(self, game_id: str, input_sizes: tuple[int, ...], peers: tuple[int, ...], fps: float) -> None:
        """Begin to take uploads of a new game.

        Args:
            game_id: The game.
            input_sizes: Bytes of each player's input.
            peers: The players whose pages upload.
            fps: Frames a second.
        """
        self._games[game_id] = GameData(
            game_id, input_sizes, peers, fps, self._clock.wall(), self._clock.now()
        )

    def close(self, game_id: str, left: Collection[int]) -> "Future[None]":
        """Record the end of a game. The future is done when the end is stored.

        Args:
            game_id: The game.
            left: The players who left before the end.
        """
        game_data = self._games[game_id]
        game_data.left = set(left)
        game_data.closed = True
        game_data.used_at = self._clock.now()
        return self._write_verdict(game_data, ended=True)

    def has_report(self, game_id: str, peer: int) -> bool:
        """Return True if a peer has reported the end of a game."""
        game_data = self._games.get(game_id)
        return game_data is not None and peer in game_data.reports

    def has_frames(self, game_id: str, peer: int) -> bool:
        """Return True if a peer has uploaded a batch of a game."""
        game_data = self._games.get(game_id)
        return game_data is not None and peer in game_data.uploaders

    def evict(self, now: float) -> None:
        """Drop closed games without recent uploads from memory; a later upload restores them from the store.

        Args:
            now: Monotonic seconds.
        """
        for game_id, game_data in list(self._games.items()):
            if game_data.closed and not game_data.in_flight and now - game_data.used_at > EVICT_AFTER_S:
                del self._games[game_id]

    # Uploads

    def check_room(self, size: int) -> None:
        """Check, before an upload is read, that it can be stored soon.

        Args:
            size: The bytes of this upload and of all others that are being received.

        Raises:
            RequestRefusedError: The database is unavailable, full or too slow; the client should retry.
        """
        if self._store.trouble or not self._store.has_room(size):
            raise _unavailable("The study's server cannot store data at the moment.")

    async def add_batch(
        self, game_id: str, peer: int, body: bytes, incarnation: int | None = None
    ) -> FrameBatch:
        """Store a batch and return it, decoded. Storing the same batch again is harmless.

        Args:
            game_id: The game.
            peer: The player whose page uploads.
            body: The encoded batch.
            incarnation: How many pages had the seat before this one; None if that is not known.

        Raises:
            RequestRefusedError: The batch is not of this game, peer and page, or cannot be stored now.
        """
        game_data = await self._game_data(game_id)
        _check_seat(game_data, peer)
        batch = _read_batch(game_data, peer, body, incarnation, self._clock.wall())
        digest = hashlib.sha256(body).hexdigest()
        store = partial(self._store_batch, game_data, batch, body, digest)
        await self._share(game_data, (peer, batch.number, digest), store)
        return batch

    async def add_report(self, game_id: str, peer: int, body: Mapping[str, Any]) -> None:
        """Store a peer's report of the end of a game. The first report of a peer counts.

        Args:
            game_id: The game.
            peer: The player whose page reports.
            body: The report, as `read_report` takes it.

        Raises:
            RequestRefusedError: The report does not belong to this game, or cannot be stored now.
        """
        game_data = await self._game_data(game_id)
        _check_seat(game_data, peer)
        try:
            report = read_report(body, len(game_data.input_sizes))
        except ValueError as error:
            raise RequestRefusedError(400, f"The report cannot be read: {error}.") from error
        if report.last_frame > game_data.max_frames(self._clock.wall()):
            raise RequestRefusedError(400, "The report is from the future.")
        store = partial(self._store_report, game_data, peer, dict(body))
        await self._share(game_data, (peer, report), store)

    async def _share(
        self, game_data: GameData, key: tuple[Any, ...], store: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """Store an upload, or wait for the same one that is already in flight."""
        task = game_data.in_flight.get(key)
        if task is None:
            # A separate task: a page that closes while it waits cancels its request, which must not stop the
            # work halfway.
            task = game_data.in_flight[key] = asyncio.create_task(store())
            task.add_done_callback(partial(_landed, game_data, key))
        # `wait` does not cancel the task at the timeout, so that a retry finds it in flight or done.
        done, _ = await asyncio.wait((task,), timeout=STORE_TIMEOUT_S)
        if not done:
            raise _unavailable("The study's server is slow to store data.")
        if error := task.exception():
            raise _unavailable("This could not be stored.") from error

    async def _store_batch(self, game_data: GameData, batch: FrameBatch, body: bytes, digest: str) -> None:
        row = {
            "game_id": game_data.game_id,
            "peer": batch.peer,
            "number": batch.number,
            "first_frame": batch.first_frame,
            "frames": batch.frames,
            "utc": self._clock.stamp()[0],
            "sha256": digest,
            "body": body,
        }
        stored_digest = await asyncio.wrap_future(self._store.insert(batches, row, "sha256", len(body)))
        game_data.uploaders.add(batch.peer)
        game_data.used_at = self._clock.now()
        if stored_digest is None:
            difference = game_data.copies.add(batch)
            if difference is not None:
                await asyncio.wrap_future(self._record_difference(game_data, difference))
        elif stored_digest != digest and game_data.conflicts < MAX_CONFLICT_EVENTS:
            game_data.conflicts += 1
            conflict = self._event_log.event(
                "batch_conflict",
                game_id=game_data.game_id,
                player_id=batch.peer,
                number=batch.number,
                sha256=digest,
                stored_sha256=stored_digest,
            )
            await asyncio.wrap_future(conflict)
        if game_data.closed:
            await asyncio.wrap_future(self._write_verdict(game_data))

    async def _store_report(self, game_data: GameData, peer: int, body: dict[str, Any]) -> None:
        row = {"game_id": game_data.game_id, "peer": peer, "utc": self._clock.stamp()[0], "body": body}
        stored_body = await asyncio.wrap_future(self._store.insert(reports, row, "body"))
        game_data.used_at = self._clock.now()
        players = len(game_data.input_sizes)
        report = read_report(body, players)
        if stored_body is None:
            game_data.reports[peer] = report
        elif read_report(stored_body, players) != report and game_data.conflicts < MAX_CONFLICT_EVENTS:
            game_data.conflicts += 1
            conflict = self._event_log.event(
                "report_conflict", game_id=game_data.game_id, player_id=peer, report=body
            )
            await asyncio.wrap_future(conflict)
        if game_data.closed:
            await asyncio.wrap_future(self._write_verdict(game_data))

    # Game data

    def _write_verdict(self, game_data: GameData, ended: bool = False) -> "Future[None]":
        columns = game_data.verdict_columns()
        if columns == game_data.written_columns and not ended:
            return self._store.submit(lambda _: None)
        game_data.written_columns = dict(columns)
        if ended:
            utc, ms = self._clock.stamp()
            columns |= {"ended_utc": utc, "ended_ms": ms}
        changed = update(games).where(games.c.game_id == game_data.game_id).values(columns)
        return self._store.execute(changed)

    def _record_difference(self, game_data: GameData, difference: CopyDifference) -> "Future[None]":
        return self._event_log.event(
            "copies_differ",
            game_id=game_data.game_id,
            player_id=difference.peer,
            frame=difference.frame,
            reference_player_id=difference.reference_peer,
            sha256=difference.sha256,
            reference_sha256=difference.reference_sha256,
        )

    async def _game_data(self, game_id: str) -> GameData:
        if game_id in self._games:
            return self._games[game_id]
        # Shared: of two uploads that each read the game, the second would overwrite what the first added.
        if game_id not in self._restoring:
            self._restoring[game_id] = asyncio.create_task(self._restore(game_id))
        # Shielded: one request that is cancelled must not fail the others that wait for the same game.
        game_data = await asyncio.shield(self._restoring[game_id])
        if game_data is None:
            raise RequestRefusedError(404, "There is no such game.")
        return game_data

    async def _restore(self, game_id: str) -> GameData | None:
        try:
            read = partial(read_game_data, game_id, self._clock.now())
            restored = await asyncio.wrap_future(self._store.submit(read))
            return None if restored is None else self._keep(*restored)
        finally:
            del self._restoring[game_id]

    def _keep(self, game_data: GameData, unrecorded: list[CopyDifference]) -> GameData:
        self._games[game_data.game_id] = game_data
        # The server died after it had stored a batch and before it had recorded the difference.
        for difference in unrecorded:
            self._record_difference(game_data, difference)
        return game_data


def _unavailable(message: str) -> RequestRefusedError:
    return RequestRefusedError(503, message, retry_after_s=RETRY_AFTER_S)


def _check_seat(game_data: GameData, peer: int) -> None:
    # The page of a participant whose data were erased may still be open, and would upload all of it again.
    if peer not in game_data.peers:
        raise RequestRefusedError(410, "This seat of the game no longer belongs to anyone.")


def _read_batch(
    game_data: GameData, peer: int, body: bytes, incarnation: int | None, wall: float
) -> FrameBatch:
    try:
        batch = decode(body, len(game_data.input_sizes), game_data.input_sizes)
    except BatchError as error:
        raise RequestRefusedError(400, f"The batch cannot be read: {error}.") from error
    if batch.peer != peer:
        raise RequestRefusedError(403, "The batch is another player's.")
    # A page that could use the numbers of another page of its seat could block that page's batches.
    if incarnation is not None and batch.incarnation != incarnation:
        raise RequestRefusedError(403, "The batch has a number of another page.")
    last_frame = max([batch.first_frame + batch.frames, *(frame for frame, _ in batch.checksums)])
    if last_frame > game_data.max_frames(wall):
        raise RequestRefusedError(400, "The batch is from the future.")
    return batch


def _landed(game_data: GameData, key: tuple[Any, ...], task: "asyncio.Task[None]") -> None:
    del game_data.in_flight[key]
    # Every waiting request may be gone; asyncio would warn about an exception that was never retrieved.
    if not task.cancelled():
        task.exception()
