"""The tables of an export as pandas DataFrames."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from coplay.data.codebook import CODEBOOK
from coplay.data.database.store import DATABASE_FILE
from coplay.data.schema import TABLES
from coplay.errors import UsageError
from coplay.export.optional_packages import require_package

if TYPE_CHECKING:
    import pandas


class ExportedTables:
    """The tables of an export, each a `pandas.DataFrame` in an attribute: `games`, `steps`, `net` and others.

    Integers are `Int64`, booleans `boolean` and texts `string`, so that missing values stay missing; floats
    are `float64`. Lists are numpy arrays, and structs are dicts.

    Attributes:
        codebook: The type, unit and meaning of every column.
    """

    participants: "pandas.DataFrame"
    groups: "pandas.DataFrame"
    games: "pandas.DataFrame"
    episodes: "pandas.DataFrame"
    steps: "pandas.DataFrame"
    inputs: "pandas.DataFrame"
    responses: "pandas.DataFrame"
    events: "pandas.DataFrame"
    net: "pandas.DataFrame"
    codebook: "pandas.DataFrame"

    def __init__(self, folder: Path) -> None:
        pandas = require_package("pandas", "pandas")
        self._names = [file.stem for file in sorted(folder.glob("*.parquet"))]
        for name in self._names:
            setattr(self, name, _frame(pq.read_table(folder / f"{name}.parquet")))
        self.codebook = pandas.read_csv(folder / CODEBOOK, dtype="string", keep_default_na=False)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the tables."""
        return iter(self._names)

    def __getitem__(self, name: str) -> "pandas.DataFrame":
        """Return a table by its name."""
        if name not in self._names:
            raise KeyError(name)
        frame: pandas.DataFrame = getattr(self, name)
        return frame

    def __repr__(self) -> str:
        return "\n".join(f"{len(self[name]):>9}  {name}" for name in self)


def load(path: Path | str) -> ExportedTables:
    """Read all tables of an export into memory.

    Args:
        path: The folder of an export in Parquet, or a data directory, which is first exported into a
            temporary folder, without observations.

    Raises:
        UsageError: `path` is neither, or pandas is not installed.
    """
    require_package("pandas", "pandas")
    folder = Path(path)
    if (folder / DATABASE_FILE).is_file():
        from coplay.export.tables.exporting import export_tables

        with tempfile.TemporaryDirectory(prefix="coplay-") as temporary:
            export_tables(folder, Path(temporary) / "out")
            return ExportedTables(Path(temporary) / "out")
    if missing := [name for name in TABLES if not (folder / f"{name}.parquet").is_file()]:
        raise UsageError(
            f"{folder} is not an export: it has no {missing[0]}.parquet",
            "Make one: coplay export OUT --data DIR (--format parquet or both).",
        )
    return ExportedTables(folder)


def _frame(table: pa.Table) -> "pandas.DataFrame":
    import pandas

    kinds: dict[Any, Any] = {
        pa.int64(): pandas.Int64Dtype(),
        pa.bool_(): pandas.BooleanDtype(),
        pa.string(): pandas.StringDtype(),
    }
    frame: pandas.DataFrame = table.to_pandas(types_mapper=kinds.get)
    return frame
