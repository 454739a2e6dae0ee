"""Real-time multiplayer experiments from Gymnasium and PettingZoo environments."""

from pathlib import Path
from typing import TYPE_CHECKING

from coplay.errors import CoplayError
from coplay.study import Study, keys, load_study, scenes
from coplay.study.canvas import Canvas

if TYPE_CHECKING:
    from coplay.export.loading import ExportedTables

__all__ = ["Canvas", "CoplayError", "Study", "keys", "load", "load_study", "scenes"]


def load(path: Path | str) -> "ExportedTables":
    """Read the tables of an export, or of a data directory, as DataFrames: `coplay.load("out").games`.

    Args:
        path: The folder that `coplay export` wrote, or the data directory of a study.

    Raises:
        UsageError: It is neither, or pandas is not installed.
    """
    # Browsers import this package, too, and have none of what reads tables.
    from coplay.export.loading import load as load_tables

    return load_tables(path)
