"""Breaks the connections of a participant's page, and measures the effect on the game."""

from itertools import pairwise
from pathlib import Path

from playtest.agreement import INPUT_SIZES
from playtest.chromium import Chromium

_SCRIPT = (Path(__file__).parent / "breakage.js").read_text("utf-8")


class Breakage:
    """The connections of one participant, which can be broken and restored.

    Args:
        participant: A participant whose page has not been opened yet.
    """

    def __init__(self, participant: Chromium) -> None:
        self._participant = participant
        participant.page.add_init_script(_SCRIPT)

    def block_datagrams(self) -> None:
        """Give pages that are opened from now on no path to another browser, as in a network without UDP."""
        # Only relayed paths are allowed, and there is no relay.
        self._participant.page.add_init_script("breakage.configuration = { iceTransportPolicy: 'relay' }")

    def cut_datagrams(self, cut: bool) -> None:
        """Drop all datagrams sent on direct connections, or stop dropping them. Cut the peer's, too."""
        self._participant.run("window.coplay.conditions({ latency_ms: 0, loss: args[0] })", 1 if cut else 0)

    def close_connections(self) -> None:
        """Close every peer connection without the page's knowledge."""
        self._participant.run("breakage.closeConnections()")

    def cut_socket(self, cut: bool) -> None:
        """Make the server unreachable for the page's socket, or reachable again."""
        self._participant.run("breakage.cutSocket(args[0])", cut)

    def links(self) -> list[str]:
        """Return the links that carried the game, in order: `direct`, `turn`, `relay`."""
        return list(self._participant.run("return breakage.links"))

    def longest_wait_ms(self, game_id: str) -> float:
        """Return the longest time without a newly confirmed frame, from this page's uploads."""
        batches = self._participant.uploads.games[game_id].batches(len(INPUT_SIZES), INPUT_SIZES)
        confirmed_at_ms = [at_ms for batch in batches for at_ms in batch.confirmed_at_ms]
        return max(after - before for before, after in pairwise(confirmed_at_ms))
