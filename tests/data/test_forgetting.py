"""A person is erased from every table, and what others did with them stays."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, insert, select

from coplay.data.database import tables as records
from coplay.data.database.engines import DATABASE_FILE
from coplay.data.database.store import Store
from coplay.data.forgetting import Forgotten, forget, forget_older_than
from coplay.errors import StoreError, UsageError

GAME, ALONE, RUNNING = "a" * 20, "b" * 20, "c" * 20
LONG_AGO, RECENTLY = "2020-01-01T00:00:00.000+00:00", "2999-01-01T00:00:00.000+00:00"


def person(who: str, arrived: str = LONG_AGO, finished: str | None = None) -> dict[str, Any]:
    return {
        "study": "s", "participant_id": who, "version": "1", "arrived_utc": arrived, "arrived_ms": 0.0,
        "finished_utc": finished, "browser": f"browser of {who}", "secret_hash": "", "scene": 0,
    }  # fmt: skip


def game(game_id: str, *people: str, ended: str | None = LONG_AGO) -> dict[str, Any]:
    return {
        "game_id": game_id, "study": "s", "version": "1", "scene": 0, "label": "",
        "seats": [{"player_id": p, "participant_id": who, "owner": p} for p, who in enumerate(people)],
        "input_sizes": [1] * len(people), "codecs": [], "seed": 1, "env": "e", "code_hash": "",
        "lock_hash": "", "fps": 30.0, "window": 8, "episodes": 1, "countdown_frames": 0,
        "started_utc": LONG_AGO, "started_ms": 0.0, "ended_utc": ended,
    }  # fmt: skip


def group(group_id: str, *people: str) -> dict[str, Any]:
    return {
        "group_id": group_id, "study": "s", "scene": 0, "members": list(people), "formed_utc": "",
        "formed_ms": 0.0,
    }  # fmt: skip


def event(who: str, utc: str = LONG_AGO) -> dict[str, Any]:
    return {"study": "s", "participant_id": who, "utc": utc, "ms": 0.0, "kind": "hidden", "detail": {}}


def batch(game_id: str, peer: int) -> dict[str, Any]:
    return {
        "game_id": game_id, "peer": peer, "number": 0, "first_frame": 0, "frames": 1, "utc": "",
        "sha256": "", "body": b"",
    }  # fmt: skip


def write(data: Path, rows: list[tuple[Table, dict[str, Any]]]) -> None:
    store = Store(data)
    for table, row in rows:
        store.execute(insert(table).values(row)).result()
    store.close()


def read(data: Path, table: Table) -> list[Any]:
    store = Store(data)
    rows = store.submit(lambda connection: connection.execute(select(table)).all()).result()
    store.close()
    return list(rows)


@pytest.fixture
def data(tmp_path: Path, database: str) -> Iterator[Path]:
    """Ada and Bob, who played together; Ada also played alone."""
    rows: list[tuple[Table, dict[str, Any]]] = [
        (records.participants, person("ada")),
        (records.participants, person("bob")),
        (records.recruitment, {"study": "s", "participant_id": "ada", "utc": "", "params": {"id": "x"}}),
        (records.groups, group("both", "ada", "bob")),
        (records.groups, group("one", "ada")),
        (records.games, game(GAME, "ada", "bob")),
        (records.games, game(ALONE, "ada")),
        (records.events, event("ada")),
        (records.events, event("bob")),
        *((records.batches, batch(game_id, peer)) for game_id, peer in ((GAME, 0), (GAME, 1), (ALONE, 0))),
        (records.reports, {"game_id": GAME, "peer": 0, "utc": "", "body": {}}),
        (records.reports, {"game_id": GAME, "peer": 1, "utc": "", "body": {}}),
    ]
    write(tmp_path, rows)
    return tmp_path


def erased(found: Forgotten) -> dict[str, Any]:
    return {
        "rows": found.rows,
        "blank": found.games_with_blank_seats,
        "removed": found.games_removed,
    }


ADAS = {
    "rows": {
        "participants": 1,
        "recruitment": 1,
        "groups": 1,
        "games": 1,
        "events": 1,
        "batches": 2,
        "reports": 1,
    },
    "blank": (GAME,),
    "removed": (ALONE,),
}


def test_person_is_in_no_table_and_the_shared_game_has_a_blank_seat(data: Path, database: str) -> None:
    found = forget(data, "ada")
    assert erased(found) == ADAS
    assert ("write-ahead log" in (found.traces or "")) == (database == "postgresql")
    for table in records.metadata.sorted_tables:
        assert "ada" not in repr(read(data, table)), table.name
    (left,) = read(data, records.games)
    assert [seat["participant_id"] for seat in left.seats] == [None, "bob"]
    assert [row.members for row in read(data, records.groups)] == [[None, "bob"]]
    assert [(row.game_id, row.peer) for row in read(data, records.batches)] == [(GAME, 1)]


def test_dry_run_returns_the_same_and_removes_nothing(data: Path) -> None:
    before = {table.name: read(data, table) for table in records.metadata.sorted_tables}
    found = forget(data, "ada", dry_run=True)
    assert erased(found) == ADAS
    assert found.traces is None
    assert {table.name: read(data, table) for table in records.metadata.sorted_tables} == before


def test_game_is_removed_with_its_last_person(data: Path) -> None:
    forget(data, "ada")
    found = forget(data, "bob")
    assert (found.games_with_blank_seats, found.games_removed) == ((), (GAME,))
    assert not any(read(data, table) for table in records.metadata.sorted_tables)


def test_person_without_a_row_whom_an_event_names_is_erased(data: Path) -> None:
    write(data, [(records.events, event("eve"))])
    assert forget(data, "eve").rows == {"events": 1}


def test_unknown_person_is_a_plain_error(data: Path) -> None:
    with pytest.raises(UsageError, match="no participant 'nobody'"):
        forget(data, "nobody")


def test_person_in_a_running_game_is_not_erased(data: Path) -> None:
    write(data, [(records.games, game(RUNNING, "bob", ended=None))])
    with pytest.raises(UsageError, match="has not ended"):
        forget(data, "bob")
    assert len(read(data, records.participants)) == 2


def test_folder_without_data_is_refused_and_gets_none(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no data"):
        forget(tmp_path, "ada")
    assert not list(tmp_path.iterdir())


def test_last_sign_of_a_person_is_their_arrival_their_end_or_an_event(tmp_path: Path, database: str) -> None:
    write(
        tmp_path,
        [
            (records.participants, person("old")),
            (records.participants, person("arrived", arrived=RECENTLY)),
            (records.participants, person("finished", finished=RECENTLY)),
            (records.participants, person("active")),
            (records.events, event("active", RECENTLY)),
            (records.events, event("unknown")),
        ],
    )
    assert forget_older_than(tmp_path, timedelta(days=1)).participants == ("old",)
    again = forget_older_than(tmp_path, timedelta(days=1))
    assert (again.participants, again.traces) == ((), None)
    left = {row.participant_id for row in read(tmp_path, records.participants)}
    assert left == {"arrived", "finished", "active"}


def test_sqlite_file_that_another_connection_reads_keeps_traces_and_says_so(tmp_path: Path) -> None:
    write(tmp_path, [(records.participants, person("ada"))])
    reader = Store(tmp_path)
    try:
        # A transaction that reads an old state keeps the write-ahead log from being truncated.
        connection = reader._engine.connect()
        connection.exec_driver_sql("BEGIN")
        connection.execute(select(records.participants)).all()
        assert "write-ahead log is truncated when" in (forget(tmp_path, "ada").traces or "")
        connection.close()
    finally:
        reader.close()
    assert b"browser of ada" not in (tmp_path / DATABASE_FILE).read_bytes()
