"""Whether datagrams to another player go through the server as well.

They do while the direct path cannot be trusted, and while the other player relays to us: it would not if it
heard us directly. Both paths carry every datagram meanwhile; the netcode drops duplicates. All times are
monotonic seconds.
"""

from typing import Final

RELAY_AFTER_S: Final = 2.5
STABLE_S: Final = 3.0
_MIRROR_S: Final = 1.5
_MIRROR_AT_MOST_S: Final = 10.0
_NO_MIRROR_S: Final = 2.5
_NEVER: Final = float("inf")


class RelaySwitch:
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
