"""What the researcher gets: the tables that `coplay export` writes."""

import subprocess
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet

from playtest.server import COPLAY


class Export:
    """The Parquet tables of one data directory.

    Args:
        data: The directory that `coplay run --data` was given.
        folder: Where to export to; must not exist.

    Raises:
        AssertionError: `coplay export` failed; carries what it said.
    """

    def __init__(self, data: Path, folder: Path) -> None:
        self._folder = folder
        run_coplay("export", str(folder), "--data", str(data), folder=data.parent)

    def rows(self, table: str, **wanted: Any) -> list[dict[str, Any]]:
        """The rows of a table whose columns have these values."""
        rows = parquet.read_table(self._folder / f"{table}.parquet").to_pylist()
        return [row for row in rows if all(row[column] == value for column, value in wanted.items())]


def run_coplay(*arguments: str, folder: Path, timeout_s: float = 180) -> str:
    """Run the command line to its end.

    Args:
        arguments: What follows `coplay`.
        folder: The working directory; a log of errors would be left there.
        timeout_s: How long it may take.

    Returns:
        What it printed.

    Raises:
        AssertionError: Its exit code was not 0.
    """
    done = subprocess.run(
        [str(COPLAY), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, (
        f"coplay {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    )
    return done.stdout
