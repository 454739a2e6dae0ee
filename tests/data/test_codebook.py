"""The files that describe an export have every column and every kind of event."""

import csv
import json
from pathlib import Path

import pyarrow as pa
import pytest

from coplay.data.codebook import type_name, write_codebook
from coplay.data.event_kinds import BROWSER, SERVER
from coplay.data.schema import OBSERVED, RECRUITMENT, TABLES, Column

COLUMNS = {
    "games": (Column("game_id", pa.string(), "the game"), Column("fps", pa.float64(), "frames", "1/s")),
    "steps": (Column("action", None, "the action"),),
}
SCHEMAS = {
    "games": pa.schema([("game_id", pa.string()), ("fps", pa.float64())]),
    "steps": pa.schema([("action", pa.list_(pa.int64()))]),
}


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write_codebook(tmp_path, COLUMNS, SCHEMAS, "out", ("parquet", "csv"))
    return tmp_path


def test_codebook_has_a_row_for_each_column_with_the_written_type(written: Path) -> None:
    assert [tuple(row.values()) for row in rows_of(written / "codebook.csv")] == [
        ("games", "game_id", "string", "", "the game"),
        ("games", "fps", "double", "1/s", "frames"),
        ("steps", "action", "list<int64>", "", "the action"),
    ]


def test_every_kind_of_event_is_listed_with_its_source(written: Path) -> None:
    listed = {(row["source"], row["kind"]): row["meaning"] for row in rows_of(written / "event_kinds.csv")}
    assert listed == {
        **{("server", kind): meaning for kind, meaning in SERVER.items()},
        **{("browser", kind): meaning for kind, meaning in BROWSER.items()},
    }


def test_description_names_every_file_and_every_variable(written: Path) -> None:
    described = json.loads((written / "dataset_description.json").read_text("utf-8"))
    assert described["name"] == "out"
    assert [part["contentUrl"] for part in described["distribution"]] == [
        "games.parquet", "games.csv", "steps.parquet", "steps.csv",
    ]  # fmt: skip
    assert [(part["name"], part["unitText"]) for part in described["variableMeasured"]] == [
        ("games.game_id", ""),
        ("games.fps", "1/s"),
        ("steps.action", ""),
    ]


def test_name_of_a_nested_type_does_not_depend_on_the_names_of_list_values() -> None:
    named = pa.list_(pa.field("element", pa.list_(pa.float64())))
    assert type_name(named) == type_name(pa.list_(pa.list_(pa.float64()))) == "list<list<double>>"


@pytest.mark.parametrize("columns", [*TABLES.values(), OBSERVED, RECRUITMENT])
def test_every_column_has_a_meaning_that_is_a_phrase(columns: tuple[Column, ...]) -> None:
    for column in columns:
        assert column.meaning, column.name
        assert not column.meaning.endswith("."), column.name
    assert len({column.name for column in columns}) == len(columns)
