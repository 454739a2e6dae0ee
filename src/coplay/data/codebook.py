"""The description of an export: a codebook for people, a Psych-DS file for programs.

Source: https://psychds-docs.readthedocs.io
"""

import csv
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from coplay.data.event_kinds import BROWSER, SERVER
from coplay.data.schema import Column

CODEBOOK = "codebook.csv"
EVENT_KINDS = "event_kinds.csv"
DESCRIPTION = "dataset_description.json"
_MIME = {"parquet": "application/vnd.apache.parquet", "csv": "text/csv"}


def write_codebook(
    folder: Path,
    tables: Mapping[str, Sequence[Column]],
    schemas: Mapping[str, pa.Schema],
    name: str,
    formats: Sequence[str],
) -> None:
    """Write the codebook, the list of event kinds, and the Psych-DS description.

    Args:
        folder: The folder of the tables.
        tables: The columns of each table.
        schemas: The types with which each table was written.
        name: The name of the data set.
        formats: The formats in which the tables were written: `parquet`, `csv`, or both.
    """
    with (folder / CODEBOOK).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["table", "column", "type", "unit", "meaning"])
        for table, columns in tables.items():
            for column in columns:
                kind = type_name(schemas[table].field(column.name).type)
                writer.writerow([table, column.name, kind, column.unit, column.meaning])
    with (folder / EVENT_KINDS).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["source", "kind", "meaning"])
        writer.writerows(("server", *row) for row in SERVER.items())
        writer.writerows(("browser", *row) for row in BROWSER.items())
    description = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": name,
        "description": "A real-time experiment that was played with coplay; one file for each table.",
        "schemaVersion": "Psych-DS 0.4.0",
        "dateModified": datetime.now(UTC).isoformat(timespec="seconds"),
        "distribution": [
            {
                "@type": "DataDownload",
                "name": table,
                "contentUrl": f"{table}.{kind}",
                "encodingFormat": _MIME[kind],
            }
            for table in tables
            for kind in formats
        ],
        "variableMeasured": [
            {
                "@type": "PropertyValue",
                "name": f"{table}.{column.name}",
                "description": column.meaning,
                "unitText": column.unit,
                "valueReference": type_name(schemas[table].field(column.name).type),
            }
            for table, columns in tables.items()
            for column in columns
        ],
    }
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=2, ensure_ascii=False), "utf-8")


def type_name(kind: pa.DataType) -> str:
    """Return the codebook's name of an Arrow type, such as `list<double>`."""
    # Parquet files and Arrow differ in the name of a list's values.
    return re.sub(r"\b(item|element): ", "", str(kind))
