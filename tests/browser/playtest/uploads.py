"""The uploads of one browser as they left the page, to be compared with the export."""

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from coplay.data.batches import FrameBatch, decode

_GAME = re.compile(r"/api/games/([^/]+)/(batches|report)$")


@dataclass
class GameUploads:
    """The bodies that one peer sent about one game.

    Attributes:
        bodies: The encoded batches, repeats included.
        reports: The decoded reports, repeats included.
    """

    bodies: list[bytes] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)

    def batches(self, n_players: int, input_sizes: tuple[int, ...]) -> list[FrameBatch]:
        """Return each batch once, ordered by number."""
        decoded = (decode(body, n_players, input_sizes) for body in self.bodies)
        return [batch for _, batch in sorted({batch.number: batch for batch in decoded}.items())]

    def inputs(self, n_players: int, input_sizes: tuple[int, ...]) -> bytes:
        """Return the input log of this peer: every player's input of frame 0, of frame 1, and so on."""
        log = b""
        for batch in self.batches(n_players, input_sizes):
            if batch.frames:
                assert batch.first_frame * sum(input_sizes) == len(log), "a gap between two batches"
            log += batch.inputs
        return log

    def checksums(self, n_players: int, input_sizes: tuple[int, ...]) -> dict[int, int]:
        """Return frame → checksum of the agreed state before that frame."""
        return {
            frame: value for batch in self.batches(n_players, input_sizes) for frame, value in batch.checksums
        }


class Uploads:
    """The batches and reports that one browser posts, by game."""

    def __init__(self) -> None:
        self.games: dict[str, GameUploads] = defaultdict(GameUploads)

    def see(self, url: str, body: bytes | None) -> None:
        """Record one POST request of the page."""
        match = _GAME.search(url.partition("?")[0])
        if match is None or body is None:
            return
        game, kind = match.groups()
        if kind == "batches":
            self.games[game].bodies.append(body)
        else:
            self.games[game].reports.append(json.loads(body))
