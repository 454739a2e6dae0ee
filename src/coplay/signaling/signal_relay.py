"""Decides who may send which signal to whom.

Nothing in a message is trusted: the sender's seat is looked up by the identity that the server established
when the socket was opened.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from coplay.signaling.addresses import without_addresses
from coplay.signaling.signals import MalformedSignalError, Signal, read_signal
from coplay.signaling.token_buckets import RateLimiter

SIGNALS_PER_SECOND: Final = 30.0
SIGNAL_BURST: Final = 120.0
OFFERS_PER_SECOND: Final = 2.0
OFFER_BURST: Final = 16.0  # a game of eight players begins with seven offers


RefusalReason = Literal["malformed", "rate", "not_member", "no_target", "spoofed", "role", "epoch"]


@dataclass(frozen=True, slots=True)
class RelayedSignal:
    """A signal to send to another player.

    Attributes:
        member: The recipient, as named to `open_game`.
        message: `{type, from_player_id, game_id, payload}`.
    """

    member: str
    message: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RefusedSignal:
    """A signal that must not be sent.

    Attributes:
        reason: Which rule it breaks.
        detail: A clause for the log and for the sender.
        kick: True if the sender's socket should be closed, because no page of ours sends such a signal.
    """

    reason: RefusalReason
    detail: str
    kick: bool = False


class SignalRelay:
    """The signaling rules of all games of one server: a check and an address for every signal.

    Args:
        hide_addresses: True if players must not learn each other's addresses.

    Attributes:
        refused: How many signals were refused, by reason.
        refused_by: The same by (member, reason).
        relayed: How many signals passed.
    """

    def __init__(self, hide_addresses: bool = False) -> None:
        self._hide_addresses = hide_addresses
        self.refused: Counter[str] = Counter()
        self.refused_by: Counter[tuple[str, str]] = Counter()
        self.relayed = 0
        self._games: dict[str, dict[int, str]] = {}
        self._epochs: dict[tuple[str, int, int], int] = {}
        self._signal_limiter = RateLimiter(SIGNALS_PER_SECOND, SIGNAL_BURST)
        self._offer_limiter = RateLimiter(OFFERS_PER_SECOND, OFFER_BURST)

    def open_game(self, game_id: str, seats: Mapping[int, str]) -> None:
        """Allow the members of a game to signal to each other.

        Args:
            game_id: The game's id.
            seats: `player_id` → member, an opaque identity that `relay` is given as well.
        """
        self._games[game_id] = dict(seats)

    def remove_player(self, game_id: str, player_id: int) -> None:
        """Remove a player who left for good. Forget the game when its last player is removed."""
        seats = self._games.get(game_id, {})
        member = seats.pop(player_id, None)
        # A member may sit in several games, which share one rate limit.
        if member is not None and not any(member in others.values() for others in self._games.values()):
            self._signal_limiter.forget(member)
            self._offer_limiter.forget(member)
        if not seats:
            self._games.pop(game_id, None)
            for pair in [pair for pair in self._epochs if pair[0] == game_id]:
                del self._epochs[pair]

    def epoch(self, game_id: str, one: int, other: int) -> int:
        """Return the connection epoch of two players; 0 until it is raised."""
        return self._epochs.get(_pair(game_id, one, other), 0)

    def raise_epoch(self, game_id: str, one: int, other: int) -> int:
        """Begin a new connection of two players and return its epoch; lower epochs become stale."""
        epoch = self.epoch(game_id, one, other) + 1
        self._epochs[_pair(game_id, one, other)] = epoch
        return epoch

    def restore_epoch(self, game_id: str, one: int, other: int, epoch: int) -> None:
        """Restore an epoch that was issued before the server was restarted. Epochs are never lowered."""
        self._epochs[_pair(game_id, one, other)] = max(epoch, self.epoch(game_id, one, other))

    def relay(self, member: str, message: object, now: float) -> RelayedSignal | RefusedSignal:
        """Check one signal and address it.

        Args:
            member: The sender, as established by the server.
            message: The message as the sender sent it; any type.
            now: Monotonic seconds.
        """
        outcome = self._check(member, message, now)
        if isinstance(outcome, RefusedSignal):
            self.refused[outcome.reason] += 1
            self.refused_by[member, outcome.reason] += 1
        else:
            self.relayed += 1
        return outcome

    def _check(self, member: str, message: object, now: float) -> RelayedSignal | RefusedSignal:
        # Counted before anything is parsed, so that a flood of malformed signals costs little.
        if not self._signal_limiter.take(member, now):
            return RefusedSignal("rate", f"more than {SIGNALS_PER_SECOND:.0f} signals a second")
        try:
            signal = read_signal(message)
        except MalformedSignalError as error:
            return RefusedSignal("malformed", str(error))
        seats = self._games.get(signal.game_id, {})
        sender = next((player for player, who in seats.items() if who == member), None)
        if sender is None:
            return RefusedSignal("not_member", "the sender has no seat in this game")
        if signal.claimed_player_id is not None and signal.claimed_player_id != sender:
            detail = f"player {sender} claimed to be {signal.claimed_player_id!r:.20}"
            return RefusedSignal("spoofed", detail, kick=True)
        target = seats.get(signal.target_player_id)
        if target is None or target == member:
            return RefusedSignal("no_target", "the target has no seat in this game, or is the sender")
        # The lower player_id offers and the higher answers, so that two offers never cross.
        if (signal.type == "offer" and sender > signal.target_player_id) or (
            signal.type == "answer" and sender < signal.target_player_id
        ):
            return RefusedSignal("role", f"player {sender} may not send this {signal.type}")
        # A made-up higher epoch would make the recipient drop the genuine signals as stale.
        if signal.payload.get("epoch", 0) > self.epoch(signal.game_id, sender, signal.target_player_id):
            return RefusedSignal("epoch", "an epoch that the server never issued")
        if signal.type == "offer" and not self._offer_limiter.take(member, now):
            return RefusedSignal("rate", f"more than {OFFERS_PER_SECOND:.0f} offers a second")
        return RelayedSignal(target, self._stamped(signal, sender))

    def _stamped(self, signal: Signal, sender: int) -> dict[str, Any]:
        payload = without_addresses(signal.type, signal.payload) if self._hide_addresses else signal.payload
        return {
            "type": signal.type,
            "from_player_id": sender,
            "game_id": signal.game_id,
            "payload": payload,
        }


def _pair(game_id: str, one: int, other: int) -> tuple[str, int, int]:
    return game_id, min(one, other), max(one, other)
