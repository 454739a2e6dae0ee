"""Which datagrams the server passes on, for players whose browsers cannot reach each other.

A datagram is worth nothing a moment later: what is over the budget, or does not fit, is dropped and counted.

| Bytes from a page | Type | Is |
|---|---|---|
| 0 | u8 | the player that it is for |
| 1 … | | the datagram, 1 to 1,200 bytes |

The receiving page gets the same, with the sender's player first.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from coplay.signaling.bucket import Buckets

MAX_DATAGRAM_BYTES: Final = 1200
DATAGRAMS_A_SECOND: Final = 120.0
DATAGRAM_BURST: Final = 120.0


@dataclass(frozen=True, slots=True)
class Passed:
    """Send this.

    Attributes:
        target: To which player.
        data: The sender's player, then the datagram.
    """

    target: int
    data: bytes


class DatagramRelay:
    """Relays the datagrams of all games of one server.

    Attributes:
        relayed: How many passed.
        dropped: How many did not, by reason: `rate`, `malformed`, `not_member`, `no_target`; whoever delivers
            them adds `pressure`.
    """

    def __init__(self) -> None:
        self.relayed = 0
        self.dropped: Counter[str] = Counter()
        self._buckets = Buckets(DATAGRAMS_A_SECOND, DATAGRAM_BURST)

    def relay(self, sender: int, members: Mapping[int, str], data: object, now: float) -> Passed | None:
        """Decide about one datagram; None if it is dropped.

        Args:
            sender: The player whose page it came from, as established by the server.
            members: player_id → participant, of those who are in the sender's game.
            data: What came; anything at all.
            now: Monotonic seconds.
        """
        if sender not in members:
            return self._dropped("not_member")
        if not self._buckets.take(members[sender], now):
            return self._dropped("rate")
        if not isinstance(data, bytes | bytearray) or not 2 <= len(data) <= 1 + MAX_DATAGRAM_BYTES:
            return self._dropped("malformed")
        target = data[0]
        if target == sender or target not in members:
            return self._dropped("no_target")
        self.relayed += 1
        return Passed(target, bytes((sender,)) + bytes(data[1:]))

    def forget(self, member: str) -> None:
        """A participant's game is over."""
        self._buckets.forget(member)

    def _dropped(self, reason: str) -> Passed | None:
        self.dropped[reason] += 1
        return None
