"""What every column of an export means: a codebook for people, a Psych-DS description for programs.

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
    """Write the codebook, the kinds of events, and the description.

    Args:
        folder: Where the tables are.
        tables: Their columns.
        schemas: The types that they were written with.
        name: What the data set is called.
        formats: `parquet`, `csv`, or both.
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
        "description": "Real-time experiment played with coplay; one file a table.",
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
    """How the codebook names an Arrow type; `list<double>`, whatever a file calls what is in a list."""
    return re.sub(r"\b(item|element): ", "", str(kind))
