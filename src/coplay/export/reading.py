"""Reads a data directory, a game at a time, so that no study must fit into memory."""

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
    """Everything that the store has of a game."""

    row: Mapping[str, Any]
    """Its row of the store's table."""
    bodies: tuple[bytes, ...]
    """Its batches, by peer and number."""
    reports: tuple[Mapping[str, Any], ...]
    """What its peers reported at the end."""

    @property
    def game_id(self) -> str:
        """Its id."""
        return str(self.row["game_id"])

    @property
    def people(self) -> dict[int, str | None]:
        """The participant in each seat; None in a bot's, and where somebody was erased."""
        return {seat["player_id"]: seat["participant_id"] for seat in self.row["seats"]}

    def owner(self, player: int) -> int:
        """The peer that gave a player's inputs."""
        return int({seat["player_id"]: seat["owner"] for seat in self.row["seats"]}[player])

    @property
    def digest(self) -> str:
        """Of all of it: equal as long as nothing was added or changed."""
        found = hashlib.sha256(json.dumps(dict(self.row), sort_keys=True, default=str).encode())
        for body in self.bodies:
            found.update(hashlib.sha256(body).digest())
        found.update(json.dumps(self.reports, sort_keys=True).encode())
        return found.hexdigest()

    def batches(self) -> list[FrameBatch]:
        """Its batches, decoded; one that is damaged is left out (`coplay replay` names it)."""
        sizes = tuple(self.row["input_sizes"])
        found = []
        for body in self.bodies:
            try:
                found.append(decode(body, len(sizes), sizes))
            except BatchError:
                continue
        return found

    def log(self, batches: list[FrameBatch]) -> GameLog:
        """Its log, put together from its batches."""
        return GameLog(batches, tuple(self.row["input_sizes"]))


def identity_of(game: Mapping[str, Any]) -> str:
    """A hash of what never changes about a game once it began."""
    names = ("game_id", "seed", "code_hash", "lock_hash", "started_utc", "scene", "fps")
    return hashlib.sha256(json.dumps([game[name] for name in names]).encode()).hexdigest()


class DataReader:
    """An open data directory; made by `open_data`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def rows(self, table: Table) -> list[dict[str, Any]]:
        """All rows of a small table, in the order of its key."""
        chosen = select(table).order_by(*table.primary_key.columns)
        found = self._store.submit(lambda connection: connection.execute(chosen).all()).result()
        return [dict(row._mapping) for row in found]

    def games(self) -> list[dict[str, Any]]:
        """The rows of all games, in the order they began."""
        games = records.games
        chosen = select(games).order_by(games.c.started_utc, games.c.game_id)
        found = self._store.submit(lambda connection: connection.execute(chosen).all()).result()
        return [dict(row._mapping) for row in found]

    def game(self, row: Mapping[str, Any]) -> StoredGame:
        """All of one game."""
        batches, reports = records.batches, records.reports

        def read(connection: Connection) -> StoredGame:
            bodies = connection.execute(
                select(batches.c.body)
                .where(batches.c.game_id == row["game_id"])
                .order_by(batches.c.peer, batches.c.number)
            ).scalars()
            said = connection.execute(
                select(reports.c.body).where(reports.c.game_id == row["game_id"]).order_by(reports.c.peer)
            ).scalars()
            return StoredGame(row, tuple(bodies), tuple(said))

        return self._store.submit(read).result()


@contextmanager
def open_data(data: Path) -> Iterator[DataReader]:
    """Open a data directory; the study may be running.

    Raises:
        StoreError: There is no data in it.
    """
    require_data(data)
    store = Store(data)
    try:
        yield DataReader(store)
    finally:
        store.close()
