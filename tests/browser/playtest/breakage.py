"""Breaks what a participant's page is connected by, and tells how the game came through."""

from itertools import pairwise
from pathlib import Path

from playtest.agreement import INPUT_SIZES
from playtest.chromium import Chromium

_SCRIPT = (Path(__file__).parent / "breakage.js").read_text("utf-8")


class Breakage:
    """The ways of one participant, to be broken and mended.

    Args:
        participant: Whose page has not been opened yet.
    """

    def __init__(self, participant: Chromium) -> None:
        self._participant = participant
        participant.page.add_init_script(_SCRIPT)

    def block_datagrams(self) -> None:
        """Pages opened from now on find no path to another browser, as in a network without UDP."""
        # Only relayed paths are allowed, and there is no relay.
        self._participant.page.add_init_script("breakage.configuration = { iceTransportPolicy: 'relay' }")

    def cut_datagrams(self, cut: bool) -> None:
        """Lose all that is sent directly, or nothing any more. The peer's has to be cut, too."""
        self._participant.run("window.coplay.conditions({ latency_ms: 0, loss: args[0] })", 1 if cut else 0)

    def close_connections(self) -> None:
        """Close every peer connection behind the page's back."""
        self._participant.run("breakage.closeConnections()")

    def cut_socket(self, cut: bool) -> None:
        """Let the server be out of reach for the page's socket, or in reach again."""
        self._participant.run("breakage.cutSocket(args[0])", cut)

    def links(self) -> list[str]:
        """By which ways the game travelled, in order: `direct`, `relay`."""
        return list(self._participant.run("return breakage.links"))

    def longest_wait_ms(self, game_id: str) -> float:
        """The longest time without a newly confirmed frame, as this participant's page uploaded it."""
        batches = self._participant.uploads.games[game_id].batches(len(INPUT_SIZES), INPUT_SIZES)
        confirmed_at_ms = [at_ms for batch in batches for at_ms in batch.confirmed_at_ms]
        return max(after - before for before, after in pairwise(confirmed_at_ms))
