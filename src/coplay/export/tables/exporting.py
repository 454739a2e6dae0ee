"""The export of a data directory as tables, with a codebook and a Psych-DS description."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from coplay.data.codebook import write_codebook
from coplay.data.database import tables as records
from coplay.data.games.actions import ActionDecoder
from coplay.data.schema import OBSERVED, RECRUITMENT, TABLES, Column
from coplay.errors import CoplayError, UsageError
from coplay.export.atomic_writing import atomic_folder, finish_interrupted
from coplay.export.observations import ObservedGame, observation_columns, observe_game
from coplay.export.reading import DataReader, StoredGame, identity_of, open_data
from coplay.export.tables.earlier_export import EarlierExport, ExportManifest
from coplay.export.tables.game_rows import (
    browser_events,
    episode_rows,
    game_row,
    input_columns,
    net_rows,
    step_columns,
)
from coplay.export.tables.participant_rows import participant_rows
from coplay.export.tables.table_writer import TableWriter
from coplay.runtime import ReportProgress, silent

TableFormat = Literal["parquet", "csv", "both"]
FORMATS: Final[dict[str, tuple[str, ...]]] = {
    "parquet": ("parquet",),
    "csv": ("csv",),
    "both": ("parquet", "csv"),
}
_DERIVED_TABLES: Final = ("inputs", "steps", "episodes", "net")
_PARTS_FOLDER: Final = ".parts"


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What an export wrote."""

    rows: dict[str, int]
    """The number of rows, by table."""
    new_rows: dict[str, int]
    """How many rows more there are than in the earlier export in the same folder, by table."""
    unobserved: dict[str, str]
    """The games whose observations could not be derived completely, and why."""


def export_tables(
    data: Path,
    out: Path,
    *,
    formats: TableFormat = "parquet",
    overwrite: bool = False,
    recruiter_ids: bool = False,
    observations: bool = False,
    progress: ReportProgress = silent,
) -> ExportSummary:
    """Write all tables of a data directory.

    A second export into the same folder adds what is new and reuses the rest, so that observations, which
    take a replay, are only derived for new games.

    Args:
        data: A data directory; the study may be running.
        out: The folder of the tables; created if it does not exist. It is complete or unchanged, even if the
            process is killed.
        formats: The formats of the tables.
        overwrite: True to replace an earlier export even if it holds other rows.
        recruiter_ids: Whether to write the table `recruitment`, which identifies people.
        observations: Whether to replay every game for the columns `observation`, `final_observation` and
            `info`.
        progress: Called with the current stage of the work, and its fraction.

    Raises:
        StoreError: There is no data in `data`.
        UsageError: `out` has rows that differ from those of `data`, or files that are not from an export.
    """
    tables: dict[str, Sequence[Column]] = dict(TABLES)
    if observations:
        tables["steps"] = (*TABLES["steps"], *OBSERVED)
    if recruiter_ids:
        tables["recruitment"] = RECRUITMENT
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file", "Name a folder for the tables.")
    with open_data(data) as reader:
        finish_interrupted(out)
        earlier = None if overwrite else EarlierExport(out, tables)
        options = {"formats": formats, "observations": observations, "recruiter_ids": recruiter_ids}
        with atomic_folder(out) as folder:
            export = _ExportRun(
                data,
                reader,
                TableWriter(folder / _PARTS_FOLDER, tables),
                earlier,
                ExportManifest(options),
                progress,
            )
            export.add_people(recruiter_ids)
            export.add_games(observations)
            schemas = export.tables.finish(
                folder, FORMATS[formats], lambda fraction: progress("Writing the tables", fraction)
            )
            write_codebook(folder, tables, schemas, out.resolve().name, FORMATS[formats])
            export.manifest.write(folder)
            counts = export.tables.counts
            before = {name: 0 if earlier is None else earlier.count(name) for name in tables}
    return ExportSummary(counts, {name: counts[name] - before[name] for name in tables}, export.unobserved)


class _ExportRun:
    """One export in progress: the data that it reads, and the tables written so far."""

    def __init__(
        self,
        data: Path,
        reader: DataReader,
        tables: TableWriter,
        earlier: EarlierExport | None,
        manifest: ExportManifest,
        progress: ReportProgress,
    ) -> None:
        self.tables = tables
        self.manifest = manifest
        self.unobserved: dict[str, str] = {}
        self._data = data
        self._reader = reader
        self._earlier = earlier
        self._progress = progress

    def add_people(self, recruiter_ids: bool) -> None:
        """Write the tables that are not about games."""
        reader, tables = self._reader, self.tables
        people = reader.rows(records.participants)
        for row in people:
            self.manifest.participants[f"{row['study']}/{row['participant_id']}"] = row["arrived_utc"]
        events = reader.rows(records.events)
        rows = participant_rows(people, events)
        tables.add_rows("participants", [_with_json(row, "condition", "consent") for row in rows])
        tables.add_rows("groups", reader.rows(records.groups))
        tables.add_rows("events", [{**_with_json(row, "detail"), "source": "server"} for row in events])
        responses = records.metadata.tables.get("responses")
        if responses is not None:
            tables.add_rows("responses", [_with_json(row, "value") for row in reader.rows(responses)])
        if recruiter_ids:
            links = reader.rows(records.recruitment)
            tables.add_rows("recruitment", [_with_json(row, "params") for row in links])

    def add_games(self, observations: bool) -> None:
        """Write the tables of games, one game at a time."""
        rows = self._reader.games()
        for row in rows:
            self.manifest.games[row["game_id"]] = {"identity": identity_of(row), "digest": ""}
        if self._earlier is not None:
            self._earlier.check(self.manifest)
        actions = ActionDecoder([space for row in rows for space in row["codecs"]])
        for number, row in enumerate(rows):
            self._progress("Reading the games", number / len(rows))
            stored = self._reader.game(row)
            self.manifest.games[stored.game_id]["digest"] = stored.digest
            if not self._reuse(stored, actions):
                self._derive(stored, actions, observations)

    def _reuse(self, stored: StoredGame, actions: ActionDecoder) -> bool:
        earlier, tables = self._earlier, self.tables
        if earlier is None or not earlier.has(stored.game_id, stored.digest):
            return False
        rows = {table: earlier.rows(table, stored.game_id) for table in _DERIVED_TABLES}
        # A new game may have widened the type of all actions.
        if rows["inputs"].schema.field("action").type != actions.type:
            return False
        tables.add_table("games", earlier.rows("games", stored.game_id))
        for table, found in rows.items():
            tables.add_table(table, found)
        batches = stored.batches()
        tables.add_rows("events", list(browser_events(stored, batches)))
        return True

    def _derive(self, stored: StoredGame, actions: ActionDecoder, observations: bool) -> None:
        tables, batches = self.tables, stored.batches()
        log = stored.log(batches)
        tables.add_rows("games", [game_row(stored, log)])
        tables.add_rows("events", list(browser_events(stored, batches)))
        tables.add_rows("net", list(net_rows(stored, batches)))
        if not log.has.any():
            return
        tables.add_rows("episodes", list(episode_rows(stored, log)))
        observed = self._observe(stored) if observations else None
        for player in range(len(stored.row["codecs"])):
            inputs = input_columns(stored, log, actions, player)
            if self._earlier is not None:
                self._earlier.check_inputs(stored.game_id, inputs)
            tables.add("inputs", inputs)
            steps = dict(step_columns(stored, log, player, inputs))
            if observed is not None and player < len(observed.players):
                steps |= observation_columns(observed.players[player], steps["frame"], observed.frames)
            if len(steps["frame"]):
                tables.add("steps", steps)

    def _observe(self, stored: StoredGame) -> ObservedGame | None:
        """Return the replayed game, or None if it cannot be replayed; other columns are written anyway."""
        try:
            observed = observe_game(self._data, stored.game_id, progress=self._progress)
        except CoplayError as error:
            self.unobserved[stored.game_id] = error.message
            return None
        if observed.replay.difference is not None:
            self.unobserved[stored.game_id] = str(observed.replay.difference)
        return observed


def _with_json(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    values = dict(row)
    for name in names:
        values[name] = None if values.get(name) is None else json.dumps(values[name])
    return values
