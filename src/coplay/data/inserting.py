"""Inserts many rows in one statement, and says of each whether its key was there already.

A statement costs a round trip to the database, and with it a wait for Python's lock: a thousand rows a second
cannot have one each.
"""

from collections.abc import Hashable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite


def insert_missing(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], column: str
) -> list[Any]:
    """Insert the rows whose primary key is not there yet; of several with one key, the first.

    Args:
        connection: In a transaction.
        table: Where to.
        rows: All with the same columns.
        column: One that is never null.

    Returns:
        For each row, `column` of the row that was there before it; None if it was inserted.
    """
    names = [part.name for part in table.primary_key.columns]
    keys: list[Hashable] = [tuple(row[name] for name in names) for row in rows]
    first: dict[Hashable, int] = {}
    for place, key in enumerate(keys):
        first.setdefault(key, place)
    statement = _insert_missing(table, connection.dialect.name)
    answers = connection.execute(statement, [rows[place] for place in first.values()])
    inserted = {tuple(answer) for answer in answers}
    new = {place for key, place in first.items() if key in inserted}
    others = {key for place, key in enumerate(keys) if place not in new}
    there = _read(connection, table, others, column) if others else {}
    return [None if place in new else there[key] for place, key in enumerate(keys)]


def _read(connection: Connection, table: Table, keys: set[Hashable], column: str) -> dict[Hashable, Any]:
    parts = table.primary_key.columns
    wanted = select(*parts, table.c[column]).where(tuple_(*parts).in_(list(keys)))
    return {tuple(row[:-1]): row[-1] for row in connection.execute(wanted)}


@cache
def _insert_missing(table: Table, dialect: str) -> Any:
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing().returning(*table.primary_key.columns)
