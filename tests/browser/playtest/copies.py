"""Each peer's copy of a game, as the server stored it, for peers in browsers and headless peers."""

import json
import sqlite3
from contextlib import closing
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Any

from coplay.data.batches import FrameBatch, decode
from coplay.data.database.packing import unpack


class Copies:
    """The copies of one game.

    Args:
        data: The data directory of the server.
        game_id: The game's id.
    """

    def __init__(self, data: Path, game_id: str) -> None:
        with closing(sqlite3.connect(f"file:{data / 'coplay.sqlite'}?mode=ro", uri=True)) as database:
            asked = database.execute("SELECT input_sizes FROM games WHERE game_id = ?", (game_id,))
            (sizes,) = asked.fetchone()
            rows = database.execute(
                "SELECT peer, body FROM batches WHERE game_id = ? ORDER BY peer, number", (game_id,)
            ).fetchall()
        self._input_sizes: tuple[int, ...] = tuple(json.loads(sizes))
        self._batches: dict[int, list[FrameBatch]] = {}
        for peer, body in rows:
            batch = decode(unpack(body), len(self._input_sizes), self._input_sizes)
            self._batches.setdefault(peer, []).append(batch)

    @property
    def peers(self) -> list[int]:
        """The players whose pages uploaded a copy."""
        return list(self._batches)

    def inputs(self, peer: int) -> dict[int, bytes]:
        """Return frame → all players' inputs in a peer's copy; the last frames may be missing."""
        size = sum(self._input_sizes)
        found: dict[int, bytes] = {}
        for batch in self._batches[peer]:
            for position in range(batch.frames):
                inputs = batch.inputs[size * position : size * (position + 1)]
                # A reloaded page may upload frames again that the page before it had uploaded.
                assert found.setdefault(batch.first_frame + position, inputs) == inputs
        return found

    def checksums(self, peer: int) -> dict[int, int]:
        """Return frame → checksum of the agreed state before that frame, in a peer's copy."""
        return {frame: value for batch in self._batches[peer] for frame, value in batch.checksums}

    def events(self, peer: int, kind: str) -> list[dict[str, Any]]:
        """Return the events of one kind that a peer uploaded, with `t_ms` of its clock and `detail`."""
        return [row for batch in self._batches[peer] for row in batch.events if row["kind"] == kind]

    def longest_wait_ms(self, peer: int, first: int = 0, last: float = inf) -> float:
        """Return the longest time that a page of a peer waited for the next confirmed frame.

        Args:
            peer: The peer.
            first: Only waits for frames after this one count.
            last: Only waits for frames up to this one count.
        """
        waits_ms = [0.0]
        for incarnation in {batch.incarnation for batch in self._batches[peer]}:
            confirmed_at_ms = [
                at_ms
                for batch in self._batches[peer]
                if batch.incarnation == incarnation
                for frame, at_ms in enumerate(batch.confirmed_at_ms, batch.first_frame)
                if first <= frame <= last
            ]
            waits_ms += [after - before for before, after in pairwise(confirmed_at_ms)]
        return max(waits_ms)
