"""A data sheet for an ethics board: what is stored about people, where, for how long, and how it is erased.

It is generated from the schema and the data, so that it describes what is really stored. Its text is in
`datasheet.md`.

Source: Gebru et al., Datasheets for Datasets, https://doi.org/10.1145/3458723
"""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any, Final

from sqlalchemy import make_url

from coplay.data.database import tables as records
from coplay.data.database.store import DATABASE_FILE, DATABASE_VARIABLE
from coplay.data.schema import TABLES, Column
from coplay.export.atomic_writing import write_text_atomically
from coplay.export.reading import DataReader, open_data

_ABOUT: Final[Mapping[str, str]] = {
    "participants": "one row for each person",
    "groups": "one row for each group of people who were matched",
    "games": "one row for each game",
    "episodes": "one row for each episode of a game",
    "steps": "one row for each step of the environment and player; derived from the inputs",
    "inputs": "one row for each frame and player: the keys that were pressed, as an action",
    "responses": "one row for each answer to a question; empty if no scene asks any",
    "events": "one row for each event of a person's page, such as arrived, hidden, reconnected, left",
    "net": "one row for each second and player: how good the connection was",
}


def write_datasheet(data: Path, out: Path, *, retention: str = "") -> None:
    """Write the data sheet as Markdown.

    Args:
        data: A data directory; the study may be running.
        out: The file; an earlier one is replaced in one step.
        retention: How long data will be kept, in words; empty if that is not decided yet.

    Raises:
        StoreError: There is no data in `data`.
        CoplayError: `out` cannot be written.
    """
    with open_data(data) as reader:
        words = _words(reader, data, retention)
    template = Template(resources.files(__package__).joinpath("datasheet.md").read_text("utf-8"))
    write_text_atomically(out, template.substitute(words))


def _words(reader: DataReader, data: Path, retention: str) -> dict[str, str]:
    people = reader.rows(records.participants)
    studies = sorted({f"{row['study']} (version {row['version']})" for row in people})
    arrivals = sorted(row["arrived_utc"][:10] for row in people)
    return {
        "studies": ", ".join(studies) or "an empty study",
        "today": f"{datetime.now(UTC):%Y-%m-%d}",
        "people": _counted(len(people), "participant"),
        "games": _counted(len(reader.games()), "game"),
        "period": f"{arrivals[0]} to {arrivals[-1]}" if arrivals else "nobody has arrived yet",
        "recruited": _recruited(reader.rows(records.recruitment)),
        "retention": retention or "**not decided yet** (state it with `--retention`)",
        "age": retention or "2 years",
        "places": "\n".join(f"- {place}" for place in _places(data)),
        "tables": "\n\n".join(_table(name, columns) for name, columns in TABLES.items()),
    }


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _recruited(links: Sequence[Mapping[str, Any]]) -> str:
    names = sorted({name for row in links for name in row["params"]})
    if not names:
        return "No ids of recruiters are stored."
    listed = ", ".join(f"`{name}`" for name in names)
    count = len({row["participant_id"] for row in links})
    return f"Recruiters' links carried {listed}, for {count} people; they are kept apart from all other data."


def _places(data: Path) -> list[str]:
    address = os.environ.get(DATABASE_VARIABLE)
    folder = data.resolve()
    if address:
        url = make_url(address)
        return [
            f"In the PostgreSQL database `{url.database}` on `{url.host or 'this machine'}`.",
            f"The study's code and the lists of programs are in `{folder}` on the study's server.",
        ]
    size = sum(file.stat().st_size for file in data.glob(f"{DATABASE_FILE}*")) / 2**20
    return [
        f"In one folder on the study's server, `{folder}`: an SQLite database of {size:.1f} MB.",
        "The database is not encrypted: use an encrypted disk that only the study's staff can read.",
    ]


def _table(name: str, columns: tuple[Column, ...]) -> str:
    lines = [f"### {name}: {_ABOUT[name]}", "", "| Column | Meaning | Unit |", "|---|---|---|"]
    for column in columns:
        lines.append(f"| `{column.name}` | {column.meaning.replace('|', '/')} | {column.unit} |")
    return "\n".join(lines)
