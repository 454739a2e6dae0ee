"""A person who is erased is nowhere any more, and what others played with them still is."""

import os
from collections.abc import Callable
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from sqlalchemy import insert, make_url, update

from coplay.cli import main
from coplay.data.database import tables as records
from coplay.data.database.store import DATABASE_VARIABLE, Store
from coplay.data.schema import TABLES
from coplay.export.tables.exporting import export_tables

GAME = "0123456789abcdef0123"


@pytest.fixture
def data(meeting, tmp_path: Path, database: str) -> Path:
    """One game of two people, on each kind of database."""
    meeting.store(tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def everything(data: Path, request: pytest.FixtureRequest, database: str) -> Callable[[], bytes]:
    """All bytes of the data directory, and of the database's files."""

    def read() -> bytes:
        files = files_of(data)
        if database == "sqlite":
            return files
        name = make_url(os.environ[DATABASE_VARIABLE]).database
        return files + request.getfixturevalue("postgres").bytes_of(name)

    return read


def run(*words: str):
    return CliRunner().invoke(main, list(words))


def files_of(data: Path) -> bytes:
    return b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())


def test_erased_person_is_in_no_file_of_the_data(data, everything, database):
    assert b"bob" in everything()
    answer = run("forget", "bob", "--data", str(data))
    assert answer.exit_code == 0, answer.stderr
    removed = {
        line.split()[1]: int(line.split()[0]) for line in answer.stdout.splitlines() if line[:1] == " "
    }
    assert removed == {"participants": 1, "recruitment": 1, "events": 1, "batches": 4, "reports": 1}
    assert f"game {GAME} stays with those who played it, with a blank seat" in answer.stdout
    assert "exports and backups" in answer.stdout
    assert ("write-ahead log" in answer.stdout) == (database == "postgresql")
    for said in (b"bob", b"prolific-bob", b"Browser of bob"):
        assert said not in everything()
    assert b"prolific-ada" in everything()


def test_game_of_the_others_still_replays_and_exports_with_a_blank_seat(data, tmp_path):
    run("forget", "bob", "--data", str(data))
    replayed = run("replay", GAME, "--data", str(data))
    assert replayed.exit_code == 0, replayed.stderr
    assert "120 frames replayed" in replayed.stdout
    export_tables(data, tmp_path / "out")
    (game,) = pq.read_table(tmp_path / "out" / "games.parquet").to_pylist()
    assert [(seat["participant_id"], seat["owner"]) for seat in game["seats"]] == [("ada", 0), (None, 1)]
    (group,) = pq.read_table(tmp_path / "out" / "groups.parquet").to_pylist()
    assert group["members"] == ["ada", None]
    assert run("report", str(tmp_path / "r.html"), "--data", str(data)).exit_code == 0


def test_game_goes_when_its_last_person_does(data):
    run("forget", "bob", "--data", str(data))
    answer = run("forget", "ada", "--data", str(data))
    assert f"game {GAME} removed: nobody else played it" in answer.stdout
    store = Store(data)
    left = {
        table.name: store.submit(lambda c, t=table: len(c.execute(t.select()).all())).result()
        for table in records.metadata.sorted_tables
    }
    store.close()
    assert not any(count for name, count in left.items() if name in TABLES or name in ("batches", "reports"))


def test_dry_run_says_the_same_and_removes_nothing(data):
    before = run("forget", "bob", "--data", str(data), "--dry-run")
    assert before.exit_code == 0
    assert "would be removed" in before.stdout
    after = run("forget", "bob", "--data", str(data))
    assert [line for line in before.stdout.splitlines() if line[:1] == " "] == [
        line for line in after.stdout.splitlines() if line[:1] == " "
    ]


def test_retention_takes_those_who_were_last_heard_of_before(data, meeting):
    meeting.store(data, "a" * 20, people=("eve", "bob"))
    store = Store(data)
    table = records.participants
    now = "2999-01-01T00:00:00.000+00:00"
    store.execute(update(table).where(table.c.participant_id == "bob").values(finished_utc=now)).result()
    event = {
        "study": "meeting",
        "participant_id": "eve",
        "utc": now,
        "ms": 0.0,
        "kind": "hidden",
        "detail": {},
    }
    store.execute(insert(records.events).values(event)).result()
    store.close()
    answer = run("forget", "--older-than", "1 day", "--data", str(data))
    assert answer.exit_code == 0, answer.stderr
    assert "coplay: ada: these rows removed" in answer.stdout
    again = run("forget", "--older-than", "1 day", "--data", str(data))
    assert "nobody is that old" in again.stdout


def test_person_in_a_running_game_is_not_erased(data, everything):
    store = Store(data)
    store.execute(update(records.games).values(ended_utc=None)).result()
    store.close()
    answer = run("forget", "ada", "--data", str(data))
    assert answer.exit_code == 2
    assert "has not ended" in answer.stderr
    assert b"prolific-ada" in everything()


def test_database_that_is_in_use_is_erased_from_all_the_same_and_its_traces_are_told(data, database):
    """As while the study runs: somebody else's transaction holds the tables."""
    if database == "sqlite":
        pytest.skip("only PostgreSQL keeps old rows in its files: SQLite's log is cut when the server stops")
    with psycopg.connect(os.environ[DATABASE_VARIABLE]) as other:
        other.execute("SELECT * FROM participants")
        answer = run("forget", "bob", "--data", str(data))
    assert answer.exit_code == 0, answer.stderr
    assert (
        "the database's files still hold the deleted rows (canceling statement due to lock timeout)"
        in answer.stdout
    )
    assert "run VACUUM FULL batches, events, games, groups, participants" in answer.stdout
    assert "there is no participant" in run("forget", "bob", "--data", str(data)).stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody"], "no participant 'nobody'"),
        ([], "name one participant"),
        (["ada", "--older-than", "1 day"], "name one participant"),
        (["--older-than", "soon"], "'soon'"),
        (["--older-than", "99999999 years"], "longer"),
    ],
)
def test_what_cannot_be_erased_is_a_plain_error(data, words, said):
    answer = run("forget", *words, "--data", str(data))
    assert answer.exit_code == 2
    assert said in answer.stderr
    assert "hint:" in answer.stderr


def test_second_export_after_an_erasure_asks_for_a_new_folder(data, tmp_path):
    export_tables(data, tmp_path / "out")
    run("forget", "bob", "--data", str(data))
    answer = run("export", str(tmp_path / "out"), "--data", str(data))
    assert answer.exit_code == 2
    assert "participant bob, who is not in this data" in answer.stderr
    assert run("export", str(tmp_path / "out"), "--data", str(data), "--overwrite").exit_code == 0
    assert b"bob" not in files_of(tmp_path / "out")


def test_datasheet_says_what_is_stored_where_and_how_it_goes(data, tmp_path):
    answer = run("datasheet", str(tmp_path / "sheet.md"), "--data", str(data), "--retention", "5 years")
    assert answer.exit_code == 0, answer.stderr
    text = (tmp_path / "sheet.md").read_text("utf-8")
    assert "2 participants, 1 game; arrivals: 2026-01-01 to 2026-01-01" in text
    assert "`PROLIFIC_PID`, for 2 people" in text
    assert str(data) in text
    assert "Kept for: 5 years." in text
    assert '--older-than "5 years"' in text
    for name, columns in TABLES.items():
        assert f"### {name}" in text
        assert all(f"| `{column.name}` |" in text for column in columns)
    assert not any(said in text for said in ("ada", "bob", "prolific-"))
    assert sorted(os.listdir(tmp_path)) == ["data", "sheet.md"]
