"""Reading a data directory one game at a time, because a study need not fit into memory."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, select

from coplay.data.batches import BatchError, FrameBatch, decode
from coplay.data.database import tables as records
from coplay.data.database.engines import require_data
from coplay.data.database.store import Store
from coplay.data.games.game_log import GameLog


@dataclass(frozen=True, slots=True)
class StoredGame:
    """Everything that the database has of one game."""

    row: Mapping[str, Any]
    """The row of the table `games`."""
    bodies: tuple[bytes, ...]
    """The bytes of the batches, ordered by peer and number."""
    reports: tuple[Mapping[str, Any], ...]
    """The peers' reports of the end, as they were uploaded."""

    @property
    def game_id(self) -> str:
        """The game's id."""
        return str(self.row["game_id"])

    @property
    def people(self) -> dict[int, str | None]:
        """The participant in each seat; None in a bot's seat, and for a person who was erased."""
        return {seat["player_id"]: seat["participant_id"] for seat in self.row["seats"]}

    def owner(self, player: int) -> int:
        """Return the peer that produced a player's inputs."""
        return int({seat["player_id"]: seat["owner"] for seat in self.row["seats"]}[player])

    @property
    def digest(self) -> str:
        """A hash of the row, the batches and the reports, which changes whenever one of them does."""
        digest = hashlib.sha256(json.dumps(dict(self.row), sort_keys=True, default=str).encode())
        for body in self.bodies:
            digest.update(hashlib.sha256(body).digest())
        digest.update(json.dumps(self.reports, sort_keys=True).encode())
        return digest.hexdigest()

    def batches(self) -> list[FrameBatch]:
        """Decode the batches, leaving out damaged ones, which `coplay replay` reports."""
        sizes = tuple(self.row["input_sizes"])
        batches = []
        for body in self.bodies:
            try:
                batches.append(decode(body, len(sizes), sizes))
            except BatchError:
                continue
        return batches

    def log(self, batches: list[FrameBatch]) -> GameLog:
        """Merge decoded batches into the log of the game."""
        return GameLog(batches, tuple(self.row["input_sizes"]))


def identity_of(game: Mapping[str, Any]) -> str:
    """Return a hash of the columns of a game that never change after its start.

    Args:
        game: A row of the table `games`.
    """
    names = ("game_id", "seed", "code_hash", "lock_hash", "started_utc", "scene", "fps")
    return hashlib.sha256(json.dumps([game[name] for name in names]).encode()).hexdigest()


class DataReader:
    """A data directory that is open for reading; `open_data` makes one."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def rows(self, table: Table) -> list[dict[str, Any]]:
        """Return all rows of a small table, ordered by its primary key."""
        query = select(table).order_by(*table.primary_key.columns)
        rows = self._store.submit(lambda connection: connection.execute(query).all()).result()
        return [dict(row._mapping) for row in rows]

    def games(self) -> list[dict[str, Any]]:
        """Return the rows of all games, ordered by their start."""
        games = records.games
        query = select(games).order_by(games.c.started_utc, games.c.game_id)
        rows = self._store.submit(lambda connection: connection.execute(query).all()).result()
        return [dict(row._mapping) for row in rows]

    def game(self, row: Mapping[str, Any]) -> StoredGame:
        """Return everything about one game.

        Args:
            row: The game's row, one of `games()`.
        """
        batches, reports = records.batches, records.reports

        def read(connection: Connection) -> StoredGame:
            bodies = connection.execute(
                select(batches.c.body)
                .where(batches.c.game_id == row["game_id"])
                .order_by(batches.c.peer, batches.c.number)
            ).scalars()
            uploaded = connection.execute(
                select(reports.c.body).where(reports.c.game_id == row["game_id"]).order_by(reports.c.peer)
            ).scalars()
            return StoredGame(row, tuple(bodies), tuple(uploaded))

        return self._store.submit(read).result()


@contextmanager
def open_data(data: Path) -> Iterator[DataReader]:
    """Open a data directory for reading; the study may be running.

    Raises:
        StoreError: There is no data in `data`.
    """
    require_data(data)
    store = Store(data)
    try:
        yield DataReader(store)
    finally:
        store.close()
