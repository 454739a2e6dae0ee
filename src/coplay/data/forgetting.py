"""Erases a person from a data directory, and says what was removed.

What is theirs alone goes: their row, answers, events, what their recruiter sent, their browser's copies and
reports of games. What others did with them stays theirs: a game that somebody else played keeps that one's
copy of the input log, so that it can still be replayed, with a blank seat in it that names nobody.
"""

import os
import sqlite3
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, update
from sqlalchemy.exc import DBAPIError

from coplay.data.database.engines import open_engine, plain_reason
from coplay.data.database.store import DATABASE_FILE, DATABASE_VARIABLE, Store
from coplay.data.database.tables import batches, events, games, groups, metadata, participants, reports
from coplay.errors import StoreError, UsageError


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed, or would be."""

    participants: tuple[str, ...]
    """Who."""
    rows: dict[str, int]
    """Rows removed, by table of the store; empty ones left out."""
    games_with_blank_seats: tuple[str, ...]
    """Games that others played too, and that stay without the person's name and copies."""
    games_removed: tuple[str, ...]
    """Games in which nobody else was."""
    traces: str
    """Where the database may still hold bytes of it for a while; empty if nowhere."""


def forget(data: Path, participant_id: str, *, dry_run: bool = False) -> Forgotten:
    """Erase one person.

    Args:
        data: The data directory.
        participant_id: Whom, in all studies that are in it.
        dry_run: Only say what would be removed.

    Raises:
        StoreError: There is no data in `data`.
        UsageError: Nobody has this id, or they are in a game that has not ended.
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
    """Erase everyone of whom the last sign is older than `age`: their arrival, an event, their end.

    Args:
        data: The data directory.
        age: How long data are kept.
        dry_run: Only say who and what would be removed.

    Raises:
        StoreError: There is no data in `data`.
        UsageError: One of them is in a game that has not ended.
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


def _forget(data: Path, chosen: Any, dry_run: bool) -> Forgotten:
    if not os.environ.get(DATABASE_VARIABLE) and not (data / DATABASE_FILE).is_file():
        raise StoreError(f"there is no data in {data}", "Name the data directory of a study: --data DIR.")
    store = Store(data)
    try:

        def work(connection: Connection) -> Forgotten:
            if connection.dialect.name == "sqlite":
                # What is deleted is overwritten, not only marked as free.
                connection.exec_driver_sql("PRAGMA secure_delete=ON")
            erasing = _Erasure(connection)
            savepoint = connection.begin_nested()
            people = chosen(connection)
            for who in people:
                erasing.erase(who)
            if dry_run:
                savepoint.rollback()
            else:
                savepoint.commit()
            return erasing.result(people)

        found = store.submit(work).result()
    finally:
        store.close()
    traces = "" if dry_run or not found.participants else _scrub(data, found.rows)
    return Forgotten(
        found.participants, found.rows, found.games_with_blank_seats, found.games_removed, traces
    )


class _Erasure:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: Counter[str] = Counter()
        self._blank: dict[str, None] = {}
        self._removed: dict[str, None] = {}

    def result(self, people: list[str]) -> Forgotten:
        blank = tuple(game_id for game_id in self._blank if game_id not in self._removed)
        return Forgotten(tuple(people), dict(+self._rows), blank, tuple(self._removed), "")

    def erase(self, who: str) -> None:
        """Remove one person from every table."""
        for game in self._connection.execute(select(games)).all():
            seats = [seat for seat in game.seats if seat["participant_id"] == who]
            if seats:
                if game.ended_utc is None:
                    raise UsageError(
                        f"{who} is in game {game.game_id}, which has not ended",
                        "Wait for its end. If the server died meanwhile, start and stop it once.",
                    )
                self._leave_game(game, who, seats)
        for group in self._connection.execute(select(groups)).all():
            if who in group.members:
                self._leave_group(group, who)
        # Whatever table has a person in it, also one that this code does not know of.
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
    """Whether any table knows the person, as after an erasure that was broken off."""
    return any(
        connection.execute(select(table.c.participant_id).where(table.c.participant_id == who)).first()
        for table in metadata.sorted_tables
        if "participant_id" in table.c
    )


def _scrub(data: Path, rows: Collection[str]) -> str:
    """Leave no copy of what was deleted in the database's files; says where one may be."""
    if os.environ.get(DATABASE_VARIABLE):
        return _scrub_postgres(data, sorted({*rows, games.name, groups.name}))
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
    return "the database is in use: its write-ahead log is cut when the server next stops" if busy else ""


def _scrub_postgres(data: Path, tables: Sequence[str]) -> str:
    # Deleted rows stay in a table's file until there is something to write over them, which may be never: a
    # table is vacuumed once a fifth of it is dead. Only a full vacuum writes the file anew.
    vacuum = f"VACUUM FULL {', '.join(tables)}"
    engine = open_engine(data)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # Meanwhile nothing can be stored, and who uploads is told to come later.
            connection.exec_driver_sql("SET lock_timeout = '2s'")
            connection.exec_driver_sql(vacuum)
    except DBAPIError as error:
        return f"the database's files still hold it ({plain_reason(error)}): run {vacuum}"
    finally:
        engine.dispose()
    return "PostgreSQL's write-ahead log still has it, until that is written over"
