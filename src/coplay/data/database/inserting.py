"""Inserts many rows in one statement, and says of each whether its key was there already.

A statement costs a round trip to the database, and with it a wait for Python's lock: a thousand rows a second
cannot have one each.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, func, select, tuple_
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
    inserted = {tuple(key) for key in _insert(connection, table, [rows[place] for place in first.values()])}
    new = {place for key, place in first.items() if key in inserted}
    others = {key for place, key in enumerate(keys) if place not in new}
    there = _read(connection, table, others, column) if others else {}
    return [None if place in new else there[key] for place, key in enumerate(keys)]


def _read(connection: Connection, table: Table, keys: set[Hashable], column: str) -> dict[Hashable, Any]:
    parts = table.primary_key.columns
    wanted = select(*parts, table.c[column]).where(tuple_(*parts).in_(list(keys)))
    return {tuple(row[:-1]): row[-1] for row in connection.execute(wanted)}


def _insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> Iterable[Row[Any]]:
    """Answers the keys of those that were inserted."""
    if connection.dialect.name == "sqlite":
        return connection.execute(_insert_values(table), rows)
    # The number of rows is no part of the statement, which is parsed and planned once.
    arrays = {name: [row[name] for row in rows] for name in rows[0]}
    return connection.execute(_insert_arrays(table, tuple(arrays)), arrays)


@cache
def _insert_values(table: Table) -> Any:
    return sqlite.insert(table).on_conflict_do_nothing().returning(*table.primary_key.columns)


@cache
def _insert_arrays(table: Table, names: tuple[str, ...]) -> Any:
    arrays = [bindparam(name, type_=postgresql.ARRAY(table.c[name].type)) for name in names]
    rows = select(func.unnest(*arrays).table_valued(*names).render_derived())
    insert = postgresql.insert(table).from_select(names, rows, include_defaults=False)
    return insert.on_conflict_do_nothing().returning(*table.primary_key.columns)
