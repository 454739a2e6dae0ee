"""Each peer's copy of a game, as the server stored it: of any browser, and of who has none."""

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
        game_id: Which game.
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
        """Whose copies there are."""
        return list(self._batches)

    def inputs(self, peer: int) -> dict[int, bytes]:
        """Frame → all players' inputs, as this peer has them; a page that goes takes some along."""
        size = sum(self._input_sizes)
        found: dict[int, bytes] = {}
        for batch in self._batches[peer]:
            for position in range(batch.frames):
                inputs = batch.inputs[size * position : size * (position + 1)]
                # A page that was loaded anew may give again what the page before it gave.
                assert found.setdefault(batch.first_frame + position, inputs) == inputs
        return found

    def checksums(self, peer: int) -> dict[int, int]:
        """The checksum of the agreed state before each compared frame, as this peer has it."""
        return {frame: value for batch in self._batches[peer] for frame, value in batch.checksums}

    def events(self, peer: int, kind: str) -> list[dict[str, Any]]:
        """What this peer told of one kind of event: `ms` of its monotonic clock, and `detail`."""
        return [row for batch in self._batches[peer] for row in batch.events if row["kind"] == kind]

    def longest_wait_ms(self, peer: int, first: int = 0, last: float = inf) -> float:
        """The longest time that a page of this peer had to wait for the next confirmed frame.

        Args:
            peer: Whose.
            first: The wait for a frame after this one.
            last: Up to this one.
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
