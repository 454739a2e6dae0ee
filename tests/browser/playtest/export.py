"""The tables that `coplay export` writes, as a researcher reads them."""

import subprocess
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet

from playtest.server import COPLAY


class Export:
    """The Parquet tables of one data directory.

    Args:
        data: The directory that `coplay run --data` was given.
        folder: The folder of the export; must not exist.

    Raises:
        AssertionError: `coplay export` failed; the message is its output.
    """

    def __init__(self, data: Path, folder: Path) -> None:
        self._folder = folder
        run_coplay("export", str(folder), "--data", str(data), folder=data.parent)

    def rows(self, table: str, **wanted: Any) -> list[dict[str, Any]]:
        """Return the rows of a table whose columns have these values."""
        rows = parquet.read_table(self._folder / f"{table}.parquet").to_pylist()
        return [row for row in rows if all(row[column] == value for column, value in wanted.items())]


def run_coplay(*arguments: str, folder: Path, timeout_s: float = 180) -> str:
    """Run the command line to its end.

    Args:
        arguments: The arguments of `coplay`.
        folder: The working directory, to which a log of unexpected errors is written.
        timeout_s: The longest time that it may take.

    Returns:
        The output of the command.

    Raises:
        AssertionError: The exit code was not 0.
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
