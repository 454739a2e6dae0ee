"""Inserting many rows in one statement, and finding which of their keys existed already.

A statement costs a round trip to the database and a wait for Python's global lock, so a thousand rows a
second cannot have one each.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite


def insert_missing(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], column: str
) -> list[Any]:
    """Insert the rows whose primary key does not exist yet; of several rows with one key, the first.

    Args:
        connection: A connection in a transaction.
        table: The table.
        rows: The rows, all with the same columns.
        column: The name of a column that is never null.

    Returns:
        For each row None if it was inserted, or else the value of `column` in the row that was there before.
    """
    names = [part.name for part in table.primary_key.columns]
    keys: list[Hashable] = [tuple(row[name] for name in names) for row in rows]
    first: dict[Hashable, int] = {}
    for place, key in enumerate(keys):
        first.setdefault(key, place)
    # With DO NOTHING, RETURNING lists only the rows that were inserted.
    inserted = {tuple(key) for key in _insert(connection, table, [rows[place] for place in first.values()])}
    new = {place for key, place in first.items() if key in inserted}
    existing = {key for place, key in enumerate(keys) if place not in new}
    values = _read(connection, table, existing, column) if existing else {}
    return [None if place in new else values[key] for place, key in enumerate(keys)]


def _read(connection: Connection, table: Table, keys: set[Hashable], column: str) -> dict[Hashable, Any]:
    parts = table.primary_key.columns
    wanted = select(*parts, table.c[column]).where(tuple_(*parts).in_(list(keys)))
    return {tuple(row[:-1]): row[-1] for row in connection.execute(wanted)}


def _insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> Iterable[Row[Any]]:
    """Insert rows with distinct keys, and return the keys of those that did not exist."""
    if connection.dialect.name == "sqlite":
        return connection.execute(_insert_values(table), rows)
    # One array for each column: the statement is the same for any number of rows, so that it is parsed and
    # planned only once.
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
