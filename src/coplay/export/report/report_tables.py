"""The tables of an export as a report reads them, and the figures of one game that several sections need."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

ReportRow = dict[str, Any]


class Share(float):
    """A part of a whole, 0 to 1; shown in per cent."""


# Only the columns that are shown: a large study has a million rows of `net`.
_COLUMNS: Final[dict[str, list[str] | None]] = {
    "participants": None,
    "groups": None,
    "games": None,
    "episodes": None,
    "events": ["participant_id", "game_id", "source", "utc", "kind"],
    "net": [
        *("game_id", "player_id", "peer", "ms", "rtt_ms", "jitter_ms", "loss", "link"),
        *("rollbacks", "resimulated_frames", "stalled_frames"),
    ],
}


@dataclass(frozen=True, slots=True)
class ReportTables:
    """The tables of an export, as rows."""

    tables: dict[str, list[ReportRow]]

    @classmethod
    def read(cls, folder: Path) -> "ReportTables":
        """Read the tables and columns that a report needs.

        Args:
            folder: An export in Parquet.
        """
        return cls(
            {
                name: pq.read_table(folder / f"{name}.parquet", columns=columns).to_pylist()
                for name, columns in _COLUMNS.items()
            }
        )

    def __getitem__(self, name: str) -> list[ReportRow]:
        return self.tables[name]

    def label(self, game: ReportRow) -> str:
        """Return the name of a game's scene as the report shows it."""
        return str(game["label"] or f"scene {game['scene']}")

    def scene(self, index: int | None) -> str:
        """Return the name of a scene, or only its number where the data do not name it."""
        games = {game["scene"]: self.label(game) for game in self["games"]}
        lobbies = {group["scene"] for group in self["groups"]}
        name = games.get(index, "lobby" if index in lobbies else "")
        return f"{name} (scene {index})" if name and name != f"scene {index}" else f"scene {index}"


def frames_of(game: ReportRow) -> int:
    """Return the number of frames of a game, or of its uploaded frames if it has not ended."""
    return int(game["frames"] or max((log["frames"] for log in game["logs"] or []), default=0))


def minutes_of(game: ReportRow) -> float:
    """Return how many minutes of a game were played."""
    return float(frames_of(game) / game["fps"] / 60)


def unique_prefix_length(ids: Iterable[str]) -> int:
    """Return how many leading characters distinguish the ids of games; at least six."""
    known = set(ids)
    length = 6
    while length < 20 and len({text[:length] for text in known}) < len(known):
        length += 1
    return length
