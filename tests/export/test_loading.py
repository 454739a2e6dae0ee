"""Tables as DataFrames, with the types that the codebook names, whoever reads them."""

import duckdb
import pandas
import pyarrow.parquet as pq
import pytest

import coplay
from coplay.data.codebook import type_name
from coplay.data.schema import TABLES
from coplay.errors import UsageError
from coplay.export.tables.exporting import export_tables

DTYPES = {"int64": "Int64", "bool": "boolean", "string": "string", "double": "float64"}
DUCK = {"int64": "BIGINT", "bool": "BOOLEAN", "string": "VARCHAR", "double": "DOUBLE", "binary": "BLOB"}


@pytest.fixture
def out(data, tmp_path):
    export_tables(data, tmp_path / "out")
    return tmp_path / "out"


def test_frames_have_the_types_of_the_codebook(out):
    tables = coplay.load(out)
    assert list(tables) == sorted(TABLES)
    book = tables.codebook.set_index(["table", "column"])["type"]
    for name in tables:
        for column, dtype in tables[name].dtypes.items():
            assert str(dtype) == DTYPES.get(book[name, column], "object"), (name, column)


def test_pandas_pyarrow_and_duckdb_read_the_types_of_the_codebook(out):
    book = coplay.load(out).codebook
    for name, rows in book.groupby("table"):
        file = out / f"{name}.parquet"
        types = dict(zip(rows["column"], rows["type"], strict=True))
        assert {f.name: type_name(f.type) for f in pq.read_schema(file)} == types
        assert list(pandas.read_parquet(file).columns) == list(types)
        seen = duckdb.sql(f"describe select * from '{file}'").fetchall()
        for column, kind, *_ in seen:
            expected = DUCK.get(types[column])
            assert kind == expected if expected else kind.endswith("[]"), (name, column, kind)


def test_missing_values_stay_missing_and_lists_stay_lists(out):
    tables = coplay.load(str(out))
    assert tables.games["verdict_frame"].isna().all()
    assert list(tables.games["seats"][0][1].values()) == [1, "bob", 1]
    assert [len(returns) for returns in tables.episodes["returns"]] == [2] * len(tables.episodes)


def test_data_directory_is_loaded_without_leaving_anything(data):
    before = {path.name for path in data.iterdir() if not path.name.endswith(("-wal", "-shm"))}
    assert coplay.load(data).games["verdict"][0] == "identical"
    after = {path.name for path in data.iterdir() if not path.name.endswith(("-wal", "-shm"))}
    assert after == before


def test_folder_that_is_no_export_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"no participants\.parquet") as caught:
        coplay.load(tmp_path)
    assert "coplay export" in caught.value.hint


def test_without_pandas_the_extra_is_named(out, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match="pandas") as caught:
        coplay.load(out)
    assert caught.value.hint == "pip install 'coplay[pandas]'"
