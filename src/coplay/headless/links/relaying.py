"""The decision whether datagrams to another player go through the server as well.

They do while the direct path cannot be trusted, and while the other player relays to us, which it would not
do if it received our datagrams directly. Then both paths carry every datagram, and the netcode drops
duplicates. All times are monotonic seconds. The page's counterpart is web/src/links/life/relaying.ts.
"""

from typing import Final

RELAY_AFTER_S: Final = 2.5
STABLE_S: Final = 3.0
_MIRROR_S: Final = 1.5
_MIRROR_AT_MOST_S: Final = 10.0
_NO_MIRROR_S: Final = 2.5
_NEVER: Final = float("inf")


class RelaySwitch:
    """Decides when one link is relayed."""

    def __init__(self) -> None:
        self._was_on = False
        self._from = self._until = _NEVER
        self._mirror_since = self._mirror_until = self._no_mirror_until = -_NEVER

    def need_soon(self, now: float) -> None:
        """Relay after a moment, unless a direct path opens before."""
        self._until = _NEVER
        if self._from == _NEVER:
            self._from = now + RELAY_AFTER_S

    def need_now(self, now: float) -> None:
        """Relay from now on: the direct path failed, or is suspected to have failed."""
        self._until, self._from = _NEVER, min(self._from, now)

    def direct_path_opened(self, now: float) -> None:
        """Stop relaying once the direct path has been stable for a while."""
        if self._from > now:
            self._from = _NEVER
        else:
            self._until = now + STABLE_S

    def relayed_datagram_received(self, now: float) -> None:
        """Relay back for a while, because our direct datagrams may not reach the other player."""
        if self._from <= now or now < self._no_mirror_until:
            return
        if self._mirror_until <= now:
            self._mirror_since = now
        # The total is bounded: a peer that relays for its own reasons must not keep us relaying forever.
        self._mirror_until = min(now, self._mirror_since + _MIRROR_AT_MOST_S) + _MIRROR_S

    def reset(self) -> None:
        """Stop relaying: the link is closed, or starts over."""
        self._from = self._until = _NEVER
        self._mirror_since = self._mirror_until = self._no_mirror_until = -_NEVER

    def is_on(self, now: float) -> bool:
        """Return True if datagrams are to be relayed now."""
        if self._until <= now:
            self._from = self._until = _NEVER
        on = self._from <= now or self._mirror_until > now
        if self._was_on and not on:
            # What still arrives may be the other player's reaction to our own relaying: without this pause,
            # two peers would keep each other relaying forever.
            self._no_mirror_until = now + _NO_MIRROR_S
        self._was_on = on
        return on
