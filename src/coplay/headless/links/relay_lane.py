"""Whether datagrams to another player go through the server as well, and how many of them.

They do while the direct path cannot be trusted, and while the other player does it: they would not if they
heard us directly. Both lanes carry everything meanwhile; the game's protocol knows duplicates. All times are
monotonic seconds.
"""

from collections.abc import Callable
from typing import Final

RELAY_AFTER_S: Final = 2.5
STABLE_S: Final = 3.0
_MIRROR_S: Final = 1.5
_MIRROR_AT_MOST_S: Final = 10.0
_NO_MIRROR_S: Final = 2.5
_DATAGRAMS_A_SECOND: Final = 115
_SLACK_S: Final = 0.004
_SILENT_S: Final = 0.8
_AWAKE_S: Final = 0.1
_NEVER: Final = float("inf")


class RelayNeed:
    """Decides when one link is to be relayed."""

    def __init__(self) -> None:
        self._on = False
        self._from = self._until = _NEVER
        self._mirror_since = self._mirror_until = self._no_mirror_until = -_NEVER

    def soon(self, now: float) -> None:
        """There is no direct path for now, but may be in a moment."""
        self._until = _NEVER
        if self._from == _NEVER:
            self._from = now + RELAY_AFTER_S

    def at_once(self, now: float) -> None:
        """The direct path failed, or is suspected to."""
        self._until, self._from = _NEVER, min(self._from, now)

    def direct(self, now: float) -> None:
        """There is a direct path; when it stays, the relay ends."""
        if self._from > now:
            self._from = _NEVER
        else:
            self._until = now + STABLE_S

    def heard(self, now: float) -> None:
        """A datagram came through the server."""
        if self._from <= now or now < self._no_mirror_until:
            return
        if self._mirror_until <= now:
            self._mirror_since = now
        self._mirror_until = min(now, self._mirror_since + _MIRROR_AT_MOST_S) + _MIRROR_S

    def end(self) -> None:
        """The link is closed, or begins anew."""
        self._from = self._until = _NEVER
        self._mirror_since = self._mirror_until = self._no_mirror_until = -_NEVER

    def on(self, now: float) -> bool:
        """Whether to relay now."""
        if self._until <= now:
            self._from = self._until = _NEVER
        on = self._from <= now or self._mirror_until > now
        if self._on and not on:
            # What still comes may be the echo of our own: two peers would keep each other at it for ever.
            self._no_mirror_until = now + _NO_MIRROR_S
        self._on = on
        return on


class Silence:
    """Notices that nothing comes over a direct path any more.

    Peers that play send a datagram each frame, so our own sending is the clock: while this process is busy
    nobody could have been heard. Before anything came at all there is nothing to miss.

    Args:
        fps: How many datagrams a second are sent and expected.
    """

    def __init__(self, fps: float) -> None:
        self._step = max(_AWAKE_S, 1.5 / fps)
        self._limit = max(_SILENT_S, 4.0 / fps)
        self._met = False
        self._unheard = 0.0
        self._spoke: float | None = None

    @property
    def doubtful(self) -> bool:
        """Whether nothing has come for too long."""
        return self._unheard > self._limit

    @property
    def dead(self) -> bool:
        """Whether it lasts so long that it is more than a hiccup."""
        return self._unheard > self._limit + 1.5

    def heard(self, *, direct: bool) -> None:
        """A datagram came."""
        # Whom we hear through the server sends over the direct path as well.
        self._met = True
        if direct:
            self._unheard = 0.0

    def spoke(self, now: float) -> None:
        """We send one."""
        if self._met and self._spoke is not None:
            self._unheard += min(now - self._spoke, self._step)
        self._spoke = now


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
