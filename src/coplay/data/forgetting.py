"""Erasing a person from a data directory, and reporting what was removed.

Rows that are only about this person are removed: their row, answers, events, recruiter parameters, and their
browser's copies and reports of games. A game that somebody else played, too, keeps the other copies of the
input log, so that it can still be replayed, with a blank seat that names nobody.
"""

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, update
from sqlalchemy.exc import DBAPIError

from coplay.data.database.engines import (
    DATABASE_FILE,
    DATABASE_VARIABLE,
    open_engine,
    plain_reason,
    require_data,
)
from coplay.data.database.store import Store
from coplay.data.database.tables import batches, events, games, groups, metadata, participants, reports
from coplay.errors import UsageError


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed, or would be removed."""

    participants: tuple[str, ...]
    """The ids of the erased participants."""
    rows: dict[str, int]
    """How many rows were removed, by table of the database; only tables with any."""
    games_with_blank_seats: tuple[str, ...]
    """Games that others played, too; they stay, without the person's id and copies."""
    games_removed: tuple[str, ...]
    """Games that nobody else played; they are removed."""
    traces: str | None
    """Where the database may still hold deleted bytes, in a sentence; None if nowhere."""


def forget(data: Path, participant_id: str, *, dry_run: bool = False) -> Forgotten:
    """Erase one person from all studies of a data directory.

    Args:
        data: The data directory.
        participant_id: The person's id.
        dry_run: Only return what would be removed.

    Raises:
        StoreError: There is no data in `data`.
        UsageError: Nobody has this id, or the person is in a game that has not ended.
    """

    def chosen(connection: Connection) -> list[str]:
        found = connection.execute(
            select(participants.c.participant_id).where(participants.c.participant_id == participant_id)
        ).scalars()
        if not list(found) and not _mentioned(connection, participant_id):
            raise UsageError(
                f"there is no participant {participant_id[:80]!r} in {data}",
                "Ids are in the column participant_id of the exported tables.",
            )
        return [participant_id]

    return _forget(data, chosen, dry_run)


def forget_older_than(data: Path, age: timedelta, *, dry_run: bool = False) -> Forgotten:
    """Erase everyone whose arrival, events and end are all older than `age`.

    Args:
        data: The data directory.
        age: How long data are kept.
        dry_run: Only return who and what would be removed.

    Raises:
        StoreError: There is no data in `data`.
        UsageError: One of these people is in a game that has not ended.
    """
    limit = (datetime.now(UTC) - age).isoformat()

    def chosen(connection: Connection) -> list[str]:
        seen: dict[str, str] = {}
        last_event = select(events.c.participant_id, func.max(events.c.utc)).group_by(events.c.participant_id)
        rows = connection.execute(
            select(participants.c.participant_id, participants.c.arrived_utc, participants.c.finished_utc)
        )
        for who, arrived, finished in rows:
            seen[who] = max(seen.get(who, ""), arrived, finished or "")
        for who, last in connection.execute(last_event):
            if who in seen:
                seen[who] = max(seen[who], last)
        return sorted(who for who, last in seen.items() if last < limit)

    return _forget(data, chosen, dry_run)


def _forget(data: Path, chosen: Callable[[Connection], list[str]], dry_run: bool) -> Forgotten:
    require_data(data)
    store = Store(data)
    try:

        def work(connection: Connection) -> Forgotten:
            if connection.dialect.name == "sqlite":
                # Otherwise SQLite only marks deleted rows as free, and their bytes stay in the file.
                connection.exec_driver_sql("PRAGMA secure_delete=ON")
            erasure = _Erasure(connection)
            # A dry run does the same work, so that it reports exactly what a real one removes.
            savepoint = connection.begin_nested()
            people = chosen(connection)
            for who in people:
                erasure.erase(who)
            if dry_run:
                savepoint.rollback()
            else:
                savepoint.commit()
            return erasure.result(people)

        found = store.submit(work).result()
    finally:
        store.close()
    traces = None if dry_run or not found.participants else _purge(data, found.rows)
    return Forgotten(
        found.participants, found.rows, found.games_with_blank_seats, found.games_removed, traces
    )


class _Erasure:
    """The removal of people in one transaction, with a count of what was removed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: Counter[str] = Counter()
        # Dicts as ordered sets of game ids.
        self._blank: dict[str, None] = {}
        self._removed: dict[str, None] = {}

    def result(self, people: list[str]) -> Forgotten:
        blank = tuple(game_id for game_id in self._blank if game_id not in self._removed)
        return Forgotten(tuple(people), dict(+self._rows), blank, tuple(self._removed), None)

    def erase(self, who: str) -> None:
        """Remove one person from every table.

        Raises:
            UsageError: The person is in a game that has not ended.
        """
        for game in self._connection.execute(select(games)).all():
            seats = [seat for seat in game.seats if seat["participant_id"] == who]
            if seats:
                if game.ended_utc is None:
                    raise UsageError(
                        f"{who} is in game {game.game_id}, which has not ended",
                        "Wait for its end. If the server crashed during the game, start and stop it once.",
                    )
                self._leave_game(game, who, seats)
        for group in self._connection.execute(select(groups)).all():
            if who in group.members:
                self._leave_group(group, who)
        # Any table with a participant in it, so that a table added later is not forgotten here.
        for table in metadata.sorted_tables:
            if "participant_id" in table.c:
                self._delete(table, table.c.participant_id == who)

    def _leave_game(self, game: Any, who: str, seats: list[dict[str, Any]]) -> None:
        for seat in seats:
            for table in (batches, reports):
                own = (table.c.game_id == game.game_id) & (table.c.peer == seat["player_id"])
                self._delete(table, own)
        left = [
            {**seat, "participant_id": None} if seat["participant_id"] == who else seat for seat in game.seats
        ]
        if any(seat["participant_id"] is not None for seat in left):
            here = games.c.game_id == game.game_id
            self._connection.execute(update(games).where(here).values(seats=left))
            self._blank[game.game_id] = None
            return
        for table in metadata.sorted_tables:
            if "game_id" in table.c:
                self._delete(table, table.c.game_id == game.game_id)
        self._removed[game.game_id] = None

    def _leave_group(self, group: Any, who: str) -> None:
        members = [None if member == who else member for member in group.members]
        here = groups.c.group_id == group.group_id
        if any(member is not None for member in members):
            self._connection.execute(update(groups).where(here).values(members=members))
        else:
            self._delete(groups, here)

    def _delete(self, table: Table, where: Any) -> None:
        self._rows[table.name] += self._connection.execute(delete(table).where(where)).rowcount


def _mentioned(connection: Connection, who: str) -> bool:
    """Return True if any table names the person, even if they have no row in `participants`."""
    return any(
        connection.execute(select(table.c.participant_id).where(table.c.participant_id == who)).first()
        for table in metadata.sorted_tables
        if "participant_id" in table.c
    )


def _purge(data: Path, rows: Collection[str]) -> str | None:
    """Remove deleted bytes from the database's files, and return where some may remain."""
    if os.environ.get(DATABASE_VARIABLE):
        return _purge_postgres(data, sorted({*rows, games.name, groups.name}))
    connection = sqlite3.connect(data / DATABASE_FILE, timeout=5)
    try:
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:
            connection.execute("VACUUM")
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:
        busy = 1
    finally:
        connection.close()
    return (
        "the database is in use: its write-ahead log is truncated when the server next stops"
        if busy
        else None
    )


def _purge_postgres(data: Path, tables: Sequence[str]) -> str:
    # Deleted rows stay in a table's file until other rows overwrite them, which may never happen: autovacuum
    # starts when a fifth of a table is dead. Only a full vacuum rewrites the file.
    vacuum = f"VACUUM FULL {', '.join(tables)}"
    engine = open_engine(data)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # A full vacuum locks each table: while it waits for the lock, a running study can store nothing.
            connection.exec_driver_sql("SET lock_timeout = '2s'")
            connection.exec_driver_sql(vacuum)
    except DBAPIError as error:
        return f"the database's files still hold the deleted rows ({plain_reason(error)}): run {vacuum}"
    finally:
        engine.dispose()
    return "PostgreSQL's write-ahead log still holds the deleted rows, until it is recycled"
