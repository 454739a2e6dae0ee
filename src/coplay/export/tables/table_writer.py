"""Writing tables in two passes: the type of a column may be known only after the last game was read."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from coplay.data.schema import Column
from coplay.export.tables.column_types import as_csv, cast, common_type

_ROWS_IN_MEMORY = 200_000


class TableWriter:
    """A writer that collects rows in temporary files, called parts, and writes the tables at the end.

    Args:
        folder: A folder for the parts; `finish` removes it.
        tables: The columns of each table. A column without a type gets one that fits all of its values.

    Attributes:
        counts: The number of rows of each table so far.
    """

    def __init__(self, folder: Path, tables: Mapping[str, Sequence[Column]]) -> None:
        self._folder = folder
        self._tables = tables
        self._waiting: dict[str, list[pa.Table]] = {name: [] for name in tables}
        self._files: dict[str, list[Path]] = {name: [] for name in tables}
        self._types: dict[str, dict[str, pa.DataType]] = {
            name: {column.name: column.type or pa.null() for column in columns}
            for name, columns in tables.items()
        }
        self.counts = dict.fromkeys(tables, 0)
        folder.mkdir(parents=True)

    def add_rows(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows as dicts; columns that a row lacks become missing values."""
        if rows:
            self.add(
                table, {column.name: [row.get(column.name) for row in rows] for column in self._tables[table]}
            )

    def add(self, table: str, columns: Mapping[str, Any]) -> None:
        """Add rows as columns, which may be lists, numpy arrays or Arrow arrays of the same length."""
        arrays, names = [], []
        for column in self._tables[table]:
            values = columns.get(column.name)
            names.append(column.name)
            if isinstance(values, pa.Array | pa.ChunkedArray):
                arrays.append(values)
            elif values is None:
                arrays.append(pa.nulls(len(next(iter(columns.values()))), column.type))
            else:
                arrays.append(pa.array(values, column.type))
        self.add_table(table, pa.table(arrays, names=names))

    def add_table(self, table: str, rows: pa.Table) -> None:
        """Add rows as an Arrow table that has all columns in order."""
        if not rows.num_rows:
            return
        types = self._types[table]
        for column in self._tables[table]:
            if column.type is None:
                types[column.name] = common_type(types[column.name], rows.schema.field(column.name).type)
        self.counts[table] += rows.num_rows
        waiting = self._waiting[table]
        waiting.append(rows)
        if sum(part.num_rows for part in waiting) > _ROWS_IN_MEMORY:
            self._flush(table)

    def _flush(self, table: str) -> None:
        for rows in self._waiting[table]:
            file = self._folder / f"{table}-{len(self._files[table])}.parquet"
            pq.write_table(rows, file, compression="lz4")
            self._files[table].append(file)
        self._waiting[table].clear()

    def schema(self, table: str) -> pa.Schema:
        """Return the schema that fits the rows of a table so far."""
        types = self._types[table]
        # A column without any value has no type yet; text can hold it.
        known = {name: pa.string() if pa.types.is_null(kind) else kind for name, kind in types.items()}
        return pa.schema(list(known.items()))

    def finish(
        self, out: Path, formats: Sequence[str], progress: Callable[[float], None]
    ) -> dict[str, pa.Schema]:
        """Write every table to `out` and remove the parts.

        Args:
            out: The folder of the tables.
            formats: The formats: `parquet`, `csv`, or both.
            progress: Called with the fraction of the work that is done, 0 to 1.

        Returns:
            The schema with which each table was written.
        """
        total, done = sum(self.counts.values()) or 1, 0
        schemas = {}
        for table in self._tables:
            schema = schemas[table] = self.schema(table)
            writers = [_WRITERS[kind](out / f"{table}.{kind}", schema) for kind in formats]
            for rows in self._parts(table):
                whole = pa.table(
                    [_chunks_cast(rows[name], schema.field(name).type) for name in schema.names],
                    schema=schema,
                )
                for writer in writers:
                    writer.write(whole)
                done += rows.num_rows
                progress(done / total)
            for writer in writers:
                writer.close()
        shutil.rmtree(self._folder)
        return schemas

    def _parts(self, table: str) -> Any:
        for file in self._files[table]:
            yield pq.read_table(file)
        yield from self._waiting[table]


class _ParquetFile:
    def __init__(self, file: Path, schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(file, schema, compression="zstd")

    def write(self, rows: pa.Table) -> None:
        self._writer.write_table(rows)

    def close(self) -> None:
        self._writer.close()


class _CsvFile:
    def __init__(self, file: Path, schema: pa.Schema) -> None:
        flat = [(field.name, as_csv(pa.nulls(0, field.type)).type) for field in schema]
        self._schema = pa.schema(
            [(name, pa.string() if pa.types.is_null(kind) else kind) for name, kind in flat]
        )
        self._writer = pacsv.CSVWriter(file, self._schema)

    def write(self, rows: pa.Table) -> None:
        columns = [as_csv(column.combine_chunks()) for column in rows.columns]
        flat = [cast(column, field.type) for column, field in zip(columns, self._schema, strict=True)]
        self._writer.write_table(pa.table(flat, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


_WRITERS: dict[str, Any] = {"parquet": _ParquetFile, "csv": _CsvFile}


def _chunks_cast(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    return pa.chunked_array([cast(chunk, wanted) for chunk in column.chunks], wanted)
