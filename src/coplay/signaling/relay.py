"""Who may send which signal to whom.

The relay trusts nothing in a message: the sender's seat comes from the table of games, by the identity
that the server established when the socket was opened.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from coplay.signaling.addresses import without_addresses
from coplay.signaling.bucket import Buckets
from coplay.signaling.messages import MalformedSignalError, read_signal

SIGNALS_A_SECOND: Final = 30.0
SIGNAL_BURST: Final = 120.0
OFFERS_A_SECOND: Final = 2.0
OFFER_BURST: Final = 16.0  # a game of eight begins with seven offers


@dataclass(frozen=True, slots=True)
class Relayed:
    """Send this.

    Attributes:
        member: To whom; the identity given to `open_game`.
        message: `{type, from_player_id, game_id, payload}`.
    """

    member: str
    message: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """Send nothing.

    Attributes:
        reason: One word: `malformed`, `rate`, `not_member`, `no_target`, `spoofed`, `role`, `epoch`.
        detail: A sentence for the log.
        kick: Whether the sender's socket should be closed: no page of ours does this.
    """

    reason: str
    detail: str
    kick: bool = False


class SignalRelay:
    """Relays the signals of all games of one server.

    Args:
        hide_addresses: Whether players must not learn each other's addresses.

    Attributes:
        refused: How often each reason was given.
        refused_by: The same for each (member, reason).
        relayed: How many signals passed.
    """

    def __init__(self, hide_addresses: bool = False) -> None:
        self._hide_addresses = hide_addresses
        self.refused: Counter[str] = Counter()
        self.refused_by: Counter[tuple[str, str]] = Counter()
        self.relayed = 0
        self._games: dict[str, dict[int, str]] = {}
        self._epochs: dict[tuple[str, int, int], int] = {}
        self._signals = Buckets(SIGNALS_A_SECOND, SIGNAL_BURST)
        self._offers = Buckets(OFFERS_A_SECOND, OFFER_BURST)

    def open_game(self, game_id: str, seats: Mapping[int, str]) -> None:
        """Let the members of a game signal to each other.

        Args:
            game_id: The game.
            seats: player_id → who sits there.
        """
        self._games[game_id] = dict(seats)

    def remove_player(self, game_id: str, player_id: int) -> None:
        """Someone left for good; the game is forgotten with its last player."""
        seats = self._games.get(game_id, {})
        member = seats.pop(player_id, None)
        if member is not None and not any(member in others.values() for others in self._games.values()):
            self._signals.forget(member)
            self._offers.forget(member)
        if not seats:
            self._games.pop(game_id, None)
            for pair in [pair for pair in self._epochs if pair[0] == game_id]:
                del self._epochs[pair]

    def epoch(self, game_id: str, one: int, other: int) -> int:
        """The connection epoch of two players; 0 until it is raised."""
        return self._epochs.get((game_id, min(one, other), max(one, other)), 0)

    def raise_epoch(self, game_id: str, one: int, other: int) -> int:
        """Begin a new connection of two players: what belongs to the former one is out of date. Returns
        the epoch.
        """
        epoch = self.epoch(game_id, one, other) + 1
        self._epochs[game_id, min(one, other), max(one, other)] = epoch
        return epoch

    def restore_epoch(self, game_id: str, one: int, other: int, epoch: int) -> None:
        """Go on from an epoch that was issued before the server was restarted."""
        pair = (game_id, min(one, other), max(one, other))
        self._epochs[pair] = max(epoch, self._epochs.get(pair, 0))

    def relay(self, member: str, message: object, now: float) -> Relayed | Refused:
        """Decide about one signal.

        Args:
            member: Who sent it, as established by the server.
            message: What they sent.
            now: Monotonic seconds.
        """
        answer = self._decided(member, message, now)
        if isinstance(answer, Refused):
            self.refused[answer.reason] += 1
            self.refused_by[member, answer.reason] += 1
        else:
            self.relayed += 1
        return answer

    def _decided(self, member: str, message: object, now: float) -> Relayed | Refused:
        if not self._signals.take(member, now):
            return Refused("rate", f"more than {SIGNALS_A_SECOND:.0f} signals a second")
        try:
            signal = read_signal(message)
        except MalformedSignalError as error:
            return Refused("malformed", str(error))
        seats = self._games.get(signal.game_id, {})
        sender = next((player for player, who in seats.items() if who == member), None)
        if sender is None:
            return Refused("not_member", "the sender has no seat in this game")
        if signal.claimed_player_id is not None and signal.claimed_player_id != sender:
            return Refused(
                "spoofed", f"player {sender} said to be {signal.claimed_player_id!r:.20}", kick=True
            )
        target = seats.get(signal.target_player_id)
        if target is None or target == member:
            return Refused("no_target", "the target has no seat in this game, or is the sender")
        # The lower player_id offers, the higher answers: offers never cross.
        if (signal.type == "offer" and sender > signal.target_player_id) or (
            signal.type == "answer" and sender < signal.target_player_id
        ):
            return Refused("role", f"player {sender} may not send this {signal.type}")
        if signal.payload.get("epoch", 0) > self.epoch(signal.game_id, sender, signal.target_player_id):
            return Refused("epoch", "an epoch that the server never issued")
        if signal.type == "offer" and not self._offers.take(member, now):
            return Refused("rate", f"more than {OFFERS_A_SECOND:.0f} offers a second")
        payload = signal.payload
        if self._hide_addresses:
            payload = without_addresses(signal.type, payload)
        stamped = {
            "type": signal.type,
            "from_player_id": sender,
            "game_id": signal.game_id,
            "payload": payload,
        }
        return Relayed(target, stamped)
