"""Hears from uploads that a page plays on."""

import json
from collections.abc import Callable

from coplay.server.ledger import Ledger
from coplay.server.recorder import Recorder


class ListeningLedger(Ledger):
    """A ledger that tells of every batch that it has taken.

    Args:
        recorder: Writes things down.

    Attributes:
        heard: Is called with the game, the peer, the batch's number, and how many frames are in it.
    """

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self.heard: Callable[[str, int, int, int], None] = lambda *_: None

    async def add_batch(self, game_id: str, peer: int, body: bytes) -> int:
        """Take a batch; see `Ledger`."""
        number = await super().add_batch(game_id, peer, body)
        self.heard(game_id, peer, number, _frames(body))
        return number


def _frames(body: bytes) -> int:
    """How many frames are in a batch that has been read before."""
    length = int.from_bytes(body[:4], "little")
    return int(json.loads(body[4 : 4 + length])["frames"])
