"""What every column of an export means: a codebook for people, a Psych-DS description for programs.

Source: https://psychds-docs.readthedocs.io
"""

import csv
import json
from collections.abc import Mapping
from pathlib import Path

from coplay.data.schema import Column

_CODEBOOK = "codebook.csv"
_DESCRIPTION = "dataset_description.json"


def write_codebook(folder: Path, tables: Mapping[str, tuple[Column, ...]], name: str) -> None:
    """Write the codebook and the description.

    Args:
        folder: Where the tables are.
        tables: Their columns.
        name: What the data set is called.
    """
    with (folder / _CODEBOOK).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["table", "column", "type", "unit", "meaning"])
        for table, columns in tables.items():
            for column in columns:
                kind = "as in the action space" if column.type is None else str(column.type)
                writer.writerow([table, column.name, kind, column.unit, column.meaning])
    description = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": name,
        "description": "Real-time experiment played with coplay; one Parquet file a table.",
        "variableMeasured": [
            {
                "@type": "PropertyValue",
                "name": f"{table}.{column.name}",
                "description": column.meaning,
                "unitText": column.unit,
            }
            for table, columns in tables.items()
            for column in columns
        ],
    }
    (folder / _DESCRIPTION).write_text(json.dumps(description, indent=2, ensure_ascii=False), "utf-8")
