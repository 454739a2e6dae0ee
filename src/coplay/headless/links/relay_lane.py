"""The path through the server for datagrams, within the server's rate limit."""

from collections.abc import Callable
from typing import Final

_DATAGRAMS_A_SECOND: Final = 115
"""Slightly below the server's limit of 120 per player."""
_SLACK_S: Final = 0.004
"""How early a datagram may be, because frames are not exactly periodic."""


class RelayLane:
    """Sends datagrams through the server; all relayed peers get an equal share of the rate limit.

    Args:
        send: Sends one datagram to a peer through the server.
    """

    def __init__(self, send: Callable[[int, bytes], None]) -> None:
        self._send = send
        self._free_at: dict[int, float] = {}

    def set(self, peer: int, on: bool) -> None:
        """Turn relaying to a peer on or off."""
        if not on:
            self._free_at.pop(peer, None)
        else:
            self._free_at.setdefault(peer, 0.0)

    def send(self, peer: int, data: bytes, now: float) -> None:
        """Send one datagram, or drop it if the peer is not relayed to or its share is spent."""
        free_at = self._free_at.get(peer)
        if free_at is None or now < free_at - _SLACK_S:
            return
        # Unused time does not accumulate, so that there is never a burst.
        self._free_at[peer] = max(free_at, now - _SLACK_S) + len(self._free_at) / _DATAGRAMS_A_SECOND
        self._send(peer, data)
