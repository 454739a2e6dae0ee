"""Writes a data directory as Parquet tables, with a codebook and a Psych-DS description."""

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, Row, select

from coplay.data import records
from coplay.data.actions import ActionTable
from coplay.data.batches import STEPPED, TERMINATED, TRUNCATED, FrameBatch, decode
from coplay.data.codebook import write_codebook
from coplay.data.gamelog import GameLog
from coplay.data.schema import RECRUITMENT, TABLES, Column, arrow_schema
from coplay.data.store import DATABASE_FILE, DATABASE_VARIABLE, Store
from coplay.envs.taming import derive_seed
from coplay.errors import StoreError, UsageError

Rows = dict[str, list[dict[str, Any]]]


def export_tables(
    data: Path,
    out: Path,
    *,
    overwrite: bool = False,
    recruitment: bool = False,
    progress: Callable[[float], None] = lambda fraction: None,
) -> dict[str, int]:
    """Write all tables.

    Args:
        data: A data directory; the study may be running.
        out: Folder for the tables; made when missing.
        overwrite: Whether tables of an earlier export may be replaced.
        recruitment: Whether to write what recruiters' links carried, too.
        progress: Told how much is done, 0 to 1.

    Returns:
        Rows by table.

    Raises:
        StoreError: There is no data in `data`.
        UsageError: `out` holds an earlier export, or something else than a folder.
    """
    if not os.environ.get(DATABASE_VARIABLE) and not (data / DATABASE_FILE).is_file():
        raise StoreError(f"there is no data in {data}", "Name the data directory of a study: --data DIR.")
    tables = {**TABLES, **({"recruitment": RECRUITMENT} if recruitment else {})}
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file", "Name a folder for the tables.")
    if not overwrite and any((out / f"{name}.parquet").exists() for name in tables):
        raise UsageError(f"{out} holds an earlier export", "Name another folder, or add --overwrite.")
    # Complete or not at all: a broken export never looks like a whole one.
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    store = Store(data)
    try:
        counts = store.submit(lambda connection: _write(connection, partial, tables, progress)).result()
        write_codebook(partial, tables, out.name)
        out.mkdir(parents=True, exist_ok=True)
        for file in partial.iterdir():
            file.replace(out / file.name)
    finally:
        store.close()
        shutil.rmtree(partial, ignore_errors=True)
    return counts


class _Writer:
    """Writes tables row group by row group, so that no study must fit into memory."""

    def __init__(self, folder: Path, tables: Mapping[str, tuple[Column, ...]], action: pa.DataType) -> None:
        self._schemas = {name: arrow_schema(columns, action) for name, columns in tables.items()}
        self._writers = {
            name: pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd")
            for name, schema in self._schemas.items()
        }
        self.counts = dict.fromkeys(tables, 0)

    def add(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write some rows; columns that a row does not have are missing values."""
        if rows:
            columns = {field.name: [row.get(field.name) for row in rows] for field in self._schemas[name]}
            self.add_columns(name, columns)

    def add_columns(self, name: str, columns: Mapping[str, Any]) -> None:
        """Write some columns."""
        table = pa.table(dict(columns), schema=self._schemas[name])
        self._writers[name].write_table(table)
        self.counts[name] += table.num_rows

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()


def _write(
    connection: Connection,
    folder: Path,
    tables: Mapping[str, tuple[Column, ...]],
    progress: Callable[[float], None],
) -> dict[str, int]:
    games = connection.execute(select(records.games).order_by(records.games.c.started_utc)).all()
    actions = ActionTable([space for game in games for space in game.codecs])
    writer = _Writer(folder, tables, actions.type)
    try:
        writer.add(
            "participants",
            [_json_texts(row, "condition", "consent") for row in _all(connection, records.participants)],
        )
        writer.add("groups", [dict(row._mapping) for row in _all(connection, records.groups)])
        writer.add(
            "events",
            [{**_json_texts(row, "detail"), "source": "server"} for row in _all(connection, records.events)],
        )
        if "recruitment" in tables:
            writer.add(
                "recruitment", [_json_texts(row, "params") for row in _all(connection, records.recruitment)]
            )
        for number, game in enumerate(games):
            _write_game(connection, writer, game, actions)
            progress((number + 1) / len(games))
    finally:
        writer.close()
    return writer.counts


def _write_game(connection: Connection, writer: _Writer, game: Row[Any], actions: ActionTable) -> None:
    sizes = tuple(game.input_sizes)
    stored = connection.execute(
        select(records.batches.c.body)
        .where(records.batches.c.game_id == game.game_id)
        .order_by(records.batches.c.peer, records.batches.c.number)
    ).scalars()
    batches = [decode(body, len(sizes), sizes) for body in stored]
    reports = connection.execute(
        select(records.reports.c.body).where(records.reports.c.game_id == game.game_id)
    )
    log = GameLog(batches, sizes)
    writer.add("games", [_game_row(game, log, [body for (body,) in reports])])
    _write_frames(writer, game, log, actions)
    people = {seat["player_id"]: seat["participant_id"] for seat in game.seats}
    for batch in batches:
        writer.add("events", list(_browser_events(game, batch, people)))
        writer.add("net", list(_net_rows(game, batch, people)))


def _game_row(game: Row[Any], log: GameLog, reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    delays = {report.get("delay") for report in reports if _whole(report.get("delay")) is not None}
    logs = [
        {"player_id": peer, "frames": int(copy.has.sum()), "sha256": copy.sha256()}
        for peer, copy in log.peers.items()
    ]
    row = {**game._mapping, "logs": logs}
    row["input_delay"] = delays.pop() if len(delays) == 1 else None
    return row


def _write_frames(writer: _Writer, game: Row[Any], log: GameLog, actions: ActionTable) -> None:
    frames = log.has.nonzero()[0]
    if not len(frames):
        return
    stepped = np.any(log.flags & STEPPED, axis=1)
    steps = (log.has & stepped).nonzero()[0]
    at_step = stepped[log.has]
    owners = {seat["player_id"]: seat["owner"] for seat in game.seats}
    for player, space in enumerate(game.codecs):
        inputs = log.inputs_of(player)
        decoded = actions.decoded(space, inputs)
        guessed, lasted = log.guesses(player, owners[player])
        writer.add_columns(
            "inputs",
            {
                "game_id": [game.game_id] * len(frames),
                "frame": frames,
                "player_id": [player] * len(frames),
                "action": decoded,
                "input": inputs,
                "confirmed_at_ms": log.confirmed_at_ms(owners[player]),
                "shown_as_predicted": guessed,
                "corrected_after_frames": lasted,
            },
        )
        writer.add_columns(
            "steps",
            {
                "game_id": [game.game_id] * len(steps),
                "episode": log.episodes[steps],
                "frame": steps,
                "player_id": [player] * len(steps),
                "action": [action for action, used in zip(decoded, at_step, strict=True) if used],
                "reward": log.rewards[steps, player],
                "terminated": (log.flags[steps, player] & TERMINATED).astype(bool),
                "truncated": (log.flags[steps, player] & TRUNCATED).astype(bool),
            },
        )
    writer.add(
        "episodes",
        [_episode_row(game, log, steps, int(episode)) for episode in sorted(set(log.episodes[steps]))],
    )


def _episode_row(game: Row[Any], log: GameLog, steps: Any, episode: int) -> dict[str, Any]:
    own = steps[log.episodes[steps] == episode]
    last = log.flags[own[-1]]
    ended = (
        "terminated"
        if np.any(last & TERMINATED)
        else "truncated"
        if np.any(last & TRUNCATED)
        else "unfinished"
    )
    return {
        "game_id": game.game_id,
        "episode": episode,
        "seed": derive_seed(game.seed, "episode", episode) & 0x7FFFFFFF,
        "first_frame": int(own[0]),
        "last_frame": int(own[-1]),
        "ended_how": ended,
        "returns": log.rewards[own].sum(axis=0).tolist(),
    }


def _browser_events(game: Row[Any], batch: FrameBatch, people: Mapping[int, str]) -> Any:
    for event in batch.events:
        yield {
            "study": game.study,
            "participant_id": people.get(batch.peer),
            "game_id": game.game_id,
            "player_id": batch.peer,
            "source": "browser",
            "utc": _text(event.get("utc")),
            "ms": _number(event.get("t_ms")),
            "kind": _text(event.get("kind")),
            "detail": json.dumps(event.get("detail", {})),
        }


def _net_rows(game: Row[Any], batch: FrameBatch, people: Mapping[int, str]) -> Any:
    counts = (
        "rollbacks",
        "resimulated_frames",
        "stalled_frames",
        "packets_sent",
        "bytes_sent",
        "buffered_amount",
    )
    for row in batch.net:
        common = {
            "game_id": game.game_id,
            "participant_id": people.get(batch.peer),
            "player_id": batch.peer,
            "utc": _text(row.get("utc")),
            "ms": _number(row.get("t_ms")),
            **{name: _whole(row.get(name)) for name in counts},
        }
        peers = row.get("peers")
        links = peers if isinstance(peers, dict) and peers else {str(row.get("peer", "")): row}
        for peer, link in links.items():
            if isinstance(link, dict):
                yield {
                    **common,
                    "peer": int(peer) if peer.isdecimal() else None,
                    **{name: _number(link.get(name)) for name in ("rtt_ms", "jitter_ms", "loss")},
                    "link": _text(link.get("link", row.get("link"))),
                }


def _all(connection: Connection, table: Any) -> Sequence[Row[Any]]:
    return connection.execute(select(table).order_by(*table.primary_key.columns)).all()


def _json_texts(row: Row[Any], *names: str) -> dict[str, Any]:
    values = dict(row._mapping)
    for name in names:
        values[name] = None if values[name] is None else json.dumps(values[name])
    return values


# What browsers sent is not believed: a value of another type is a missing value.


def _text(value: object) -> str | None:
    return value[:1000] if isinstance(value, str) else None


def _number(value: object) -> float | None:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**62
    return float(value) if usable else None  # type: ignore[arg-type]


def _whole(value: object) -> int | None:
    number = _number(value)
    return None if number is None else int(number)
