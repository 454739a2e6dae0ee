"""The path through the server for datagrams, within the server's rate limit."""

from collections.abc import Callable
from typing import Final

_DATAGRAMS_A_SECOND: Final = 115
_SLACK_S: Final = 0.004


class RelayLane:
    """Keeps within what the server takes of one player; peers that share it get an even part each.

    Args:
        send: Sends one datagram to a peer through the server.
    """

    def __init__(self, send: Callable[[int, bytes], None]) -> None:
        self._send = send
        self._free: dict[int, float] = {}

    def set(self, peer: int, on: bool) -> None:
        """Use the lane for this peer, or not any more."""
        if not on:
            self._free.pop(peer, None)
        else:
            self._free.setdefault(peer, 0.0)

    def send(self, peer: int, data: bytes, now: float) -> None:
        """Send one datagram, or lose it."""
        free = self._free.get(peer)
        if free is None or now < free - _SLACK_S:
            return
        self._free[peer] = max(free, now - _SLACK_S) + len(self._free) / _DATAGRAMS_A_SECOND
        self._send(peer, data)
