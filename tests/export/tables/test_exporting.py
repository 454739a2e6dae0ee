"""Tables are written completely, describe themselves, and are never silently replaced by other ones."""

import csv
import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select, update

from coplay.data.batches import decode, encode
from coplay.data.codebook import type_name
from coplay.data.database import tables as records
from coplay.data.database.store import Store
from coplay.data.schema import TABLES
from coplay.errors import UsageError
from coplay.export.observations import ObservedGame, observe_game
from coplay.export.tables.exporting import export_tables

GAMES = ("0123456789abcdef0123", "fedcba9876543210fedc")
FRAMES = 120


def column(out: Path, table: str, name: str) -> list:
    return pq.read_table(out / f"{table}.parquet")[name].to_pylist()


def test_every_table_is_written_with_the_types_of_its_schema(data, tmp_path):
    done = export_tables(data, tmp_path / "out")
    assert set(done.rows) == set(TABLES)
    for name, columns in TABLES.items():
        schema = pq.read_schema(tmp_path / "out" / f"{name}.parquet")
        assert [field.name for field in schema] == [column.name for column in columns]
        assert all(schema.field(c.name).type == c.type for c in columns if c.type is not None)
    assert done.rows["inputs"] == 2 * FRAMES
    assert column(tmp_path / "out", "games", "input_delay") == [2]
    assert {row["ended_how"] for row in pq.read_table(tmp_path / "out" / "episodes.parquet").to_pylist()} == {
        "terminated"
    }


def test_codebook_has_every_column_with_the_type_that_is_in_the_file(data, tmp_path):
    out = tmp_path / "out"
    export_tables(data, out, recruiter_ids=True, observations=True)
    with (out / "codebook.csv").open(encoding="utf-8") as file:
        book = {(row["table"], row["column"]): row for row in csv.DictReader(file)}
    there = {
        (file.stem, field.name): type_name(field.type)
        for file in out.glob("*.parquet")
        for field in pq.read_schema(file)
    }
    assert {key: row["type"] for key, row in book.items()} == there
    assert all(row["meaning"] for row in book.values())
    described = json.loads((out / "dataset_description.json").read_text("utf-8"))
    assert {(part["name"]) for part in described["variableMeasured"]} == {".".join(key) for key in there}
    assert {part["contentUrl"] for part in described["distribution"]} == {
        f.name for f in out.glob("*.parquet")
    }


def test_csv_holds_the_same_values_with_nested_ones_as_json(data, tmp_path):
    out = tmp_path / "out"
    export_tables(data, out, formats="both")
    with (out / "episodes.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [json.loads(row["returns"]) for row in rows] == column(out, "episodes", "returns")
    with (out / "inputs.csv").open(encoding="utf-8") as file:
        assert [row["input"] for row in csv.DictReader(file)] == [
            value.hex() for value in column(out, "inputs", "input")
        ]
    only = tmp_path / "only"
    export_tables(data, only, formats="csv")
    assert not list(only.glob("*.parquet"))
    assert (only / "net.csv").read_bytes() == (out / "net.csv").read_bytes()


def test_observations_are_those_of_the_replay_and_stay_arrays(data, tmp_path):
    out = tmp_path / "out"
    done = export_tables(data, out, observations=True)
    assert done.unobserved == {}
    rows = [row for row in pq.read_table(out / "steps.parquet").to_pylist() if row["player_id"] == 0]
    previous = None
    for row in rows:
        places = np.array(row["observation"]["places"])
        if previous is not None and row["episode"] == previous["episode"]:
            moved = places - np.array(previous["observation"]["places"])
            assert moved[0] == previous["action"] - 1
            assert row["observation"]["turn"] == previous["observation"]["turn"] + 1
            gap = json.loads(previous["info"])["gap"]
            assert gap == places[1] - places[0]
        else:
            assert row["observation"]["turn"] == 0
        assert (row["final_observation"] is None) == (not row["terminated"])
        previous = row
    final = [row["final_observation"]["places"] for row in rows if row["terminated"]]
    assert final
    assert all(left >= right for left, right in final)
    kind = duckdb.sql(f"select observation.places from '{out}/steps.parquet'").types[0]
    assert str(kind) == "FLOAT[]"


def test_second_export_adds_new_games_and_replays_no_old_one(data, meeting, tmp_path, monkeypatch):
    out = tmp_path / "out"
    export_tables(data, out, observations=True)
    first = pq.read_table(out / "steps.parquet")
    meeting.store(data, GAMES[1], people=("eve", "bob"), started_utc="2026-01-02T00:00:00.000+00:00")
    replayed = []

    def counted(data: Path, game_id: str, **rest: object) -> ObservedGame:
        replayed.append(game_id)
        return observe_game(data, game_id, **rest)

    monkeypatch.setattr("coplay.export.tables.exporting.observe_game", counted)
    done = export_tables(data, out, observations=True)
    assert replayed == [GAMES[1]]
    assert done.new_rows["participants"] == 1
    assert done.new_rows["games"] == 1
    both = pq.read_table(out / "steps.parquet")
    assert both.slice(0, first.num_rows).equals(first)
    fresh = tmp_path / "fresh"
    export_tables(data, fresh, observations=True)
    for table in TABLES:
        assert pq.read_table(out / f"{table}.parquet").equals(pq.read_table(fresh / f"{table}.parquet")), (
            table
        )


def test_export_over_other_data_is_refused_and_changes_nothing(data, meeting, tmp_path):
    out = tmp_path / "out"
    export_tables(data, out)
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    meeting.store(tmp_path / "other", people=("zoe", "bob"))
    with pytest.raises(UsageError, match="participant ada"):
        export_tables(tmp_path / "other", out)
    meeting.store(tmp_path / "third", seed=78)
    with pytest.raises(UsageError, match=GAMES[0]):
        export_tables(tmp_path / "third", out)
    with pytest.raises(UsageError, match="other options"):
        export_tables(data, out, formats="csv")
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before
    export_tables(tmp_path / "other", out, overwrite=True)
    assert column(out, "participants", "participant_id") == ["bob", "zoe"]


def test_export_over_another_input_of_the_same_frame_is_refused(data, tmp_path):
    out = tmp_path / "out"
    export_tables(data, out)
    store, table = Store(data), records.batches
    for peer in (0, 1):
        here = (table.c.peer == peer) & (table.c.number == 1)
        body = store.submit(lambda c, h=here: c.execute(table.select().where(h)).one().body).result()
        batch = decode(body, 2, (1, 1))
        changed = bytearray(batch.inputs)
        changed[2 * 4 + 1] = (changed[2 * 4 + 1] + 1) % 3
        object.__setattr__(batch, "inputs", bytes(changed))
        store.execute(update(table).where(here).values(body=encode(batch))).result()
    store.close()
    with pytest.raises(UsageError, match="another input of player 1 in frame 34"):
        export_tables(data, out)


def test_edited_and_foreign_tables_are_not_replaced(data, tmp_path):
    out = tmp_path / "out"
    export_tables(data, out)
    with (out / "codebook.csv").open("a") as file:
        file.write("mine\n")
    with pytest.raises(UsageError, match=r"codebook\.csv was changed"):
        export_tables(data, out)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "games.csv").write_text("mine")
    with pytest.raises(UsageError, match=r"games\.csv exists already"):
        export_tables(data, foreign)
    assert (foreign / "games.csv").read_text() == "mine"


def test_notes_beside_the_tables_stay(data, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    export_tables(data, out)
    export_tables(data, out)
    assert (out / "notes.txt").read_text() == "mine"


def test_killed_export_leaves_nothing_half_written(data, tmp_path):
    out = tmp_path / "out"
    program = (
        "import os, signal, sys; from pathlib import Path; from coplay.export.tables import exporting\n"
        "exporting.write_codebook = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "exporting.export_tables(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    killed = subprocess.run([sys.executable, "-c", program, data, out], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not out.exists()
    export_tables(data, out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]


def test_what_a_recruiter_sent_is_exported_on_request_alone(data, tmp_path):
    export_tables(data, tmp_path / "out", formats="both")
    assert b"prolific-ada" not in b"".join(f.read_bytes() for f in (tmp_path / "out").iterdir())
    export_tables(data, tmp_path / "more", recruiter_ids=True)
    assert any("prolific-ada" in params for params in column(tmp_path / "more", "recruitment", "params"))


def test_game_that_cannot_be_replayed_has_tables_all_the_same(data, tmp_path):
    (bundle,) = (data / "bundles").iterdir()
    bundle.unlink()
    done = export_tables(data, tmp_path / "out", observations=True)
    assert "is missing" in done.unobserved[GAMES[0]]
    assert set(column(tmp_path / "out", "steps", "observation")) == {None}
    assert len(column(tmp_path / "out", "steps", "reward")) > 0


def test_kinds_of_events_are_written_one_way_and_explained(data, tmp_path):
    store, table = Store(data), records.batches
    batch = decode(stored_body(store), 2, (1, 1))
    told = [{"utc": "", "t_ms": 1.0, "kind": kind, "detail": {}} for kind in ("DelayChosen", "link_open")]
    body = encode(replace(batch, events=told))
    store.execute(update(table).where(table.c.peer == 0, table.c.number == 0).values(body=body)).result()
    store.close()
    export_tables(data, tmp_path / "out")
    kinds = set(pq.read_table(tmp_path / "out" / "events.parquet")["kind"].to_pylist())
    assert {"delay_chosen", "link_open", "joined"} <= kinds
    with (tmp_path / "out" / "event_kinds.csv").open(encoding="utf-8") as file:
        explained = {(row["source"], row["kind"]) for row in csv.DictReader(file)}
    assert {("browser", "delay_chosen"), ("server", "left_game")} <= explained


def stored_body(store):
    first = select(records.batches.c.body).where(records.batches.c.peer == 0, records.batches.c.number == 0)
    return store.submit(lambda connection: connection.execute(first).scalar_one()).result()


def test_export_of_another_version_is_not_added_to(data, tmp_path):
    export_tables(data, tmp_path / "out")
    manifest = tmp_path / "out" / "export.json"
    manifest.write_text(manifest.read_text("utf-8").replace('"format": 2', '"format": 1', 1))
    with pytest.raises(UsageError, match="another version"):
        export_tables(data, tmp_path / "out")
    export_tables(data, tmp_path / "out", overwrite=True)
