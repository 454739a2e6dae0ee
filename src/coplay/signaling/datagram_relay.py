"""Decides which datagrams the server relays between players whose browsers cannot reach each other.

A late datagram is useless, so a datagram that is over the budget or malformed is dropped and counted, and
never queued.

| Bytes from a page | Type | Meaning |
|---|---|---|
| 0 | u8 | `player_id` of the recipient |
| 1 … | | the datagram, 1 to 1,200 bytes |

The recipient's page gets the same layout, with the sender's `player_id` in byte 0.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from coplay.signaling.token_buckets import RateLimiter

MAX_DATAGRAM_BYTES: Final = 1200
DATAGRAMS_PER_SECOND: Final = 120.0
DATAGRAM_BURST: Final = 120.0


@dataclass(frozen=True, slots=True)
class RelayedDatagram:
    """A datagram to send to another player.

    Attributes:
        target: The recipient's `player_id`.
        data: The sender's `player_id` as one byte, then the datagram.
    """

    target: int
    data: bytes


class DatagramRelay:
    """The datagram rules of all games of one server.

    Attributes:
        relayed: How many datagrams passed.
        dropped: How many did not, by reason: `rate`, `malformed`, `not_member`, `no_target`. The caller that
            delivers datagrams adds `pressure`.
    """

    def __init__(self) -> None:
        self.relayed = 0
        self.dropped: Counter[str] = Counter()
        self._limiter = RateLimiter(DATAGRAMS_PER_SECOND, DATAGRAM_BURST)

    def relay(
        self, sender: int, members: Mapping[int, str], data: object, now: float
    ) -> RelayedDatagram | None:
        """Check one datagram and address it. Return None if it is dropped.

        Args:
            sender: The `player_id` of the page that sent it, as established by the server.
            members: `player_id` → participant, for everyone in the sender's game.
            data: The bytes as the page sent them; any type.
            now: Monotonic seconds.
        """
        if sender not in members:
            return self._dropped("not_member")
        if not self._limiter.take(members[sender], now):
            return self._dropped("rate")
        if not isinstance(data, bytes | bytearray) or not 2 <= len(data) <= 1 + MAX_DATAGRAM_BYTES:
            return self._dropped("malformed")
        target = data[0]
        if target == sender or target not in members:
            return self._dropped("no_target")
        self.relayed += 1
        return RelayedDatagram(target, bytes((sender,)) + bytes(data[1:]))

    def forget(self, member: str) -> None:
        """Drop the rate limit of a participant whose game is over."""
        self._limiter.forget(member)

    def _dropped(self, reason: str) -> RelayedDatagram | None:
        self.dropped[reason] += 1
        return None
