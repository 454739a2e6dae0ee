"""Signals on their way: stamped, remembered, and sent again until the other player has acknowledged them.

The server acknowledges that it took a signal; only the other player can say that it came. Acknowledgements
ride on the next signal; when there is none, on a candidate signal without a candidate. All times are
monotonic seconds.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any, Final

Payload = dict[str, Any]

_ACK_S: Final = 0.04
_RESEND_WAITS_S: Final = (1.0, 2.0, 4.0, 8.0)
_REMEMBERED = 256
_UNACKNOWLEDGED = 64
_ACKS_A_SIGNAL = 32


@dataclass(slots=True)
class _Sent:
    kind: str
    payload: Payload
    due: float
    tries: int = 0


class SignalDelivery:
    """The signals between this player and one other.

    Args:
        name: Begins this side's message ids; differs from everybody else's.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0
        self._sent: list[_Sent] = []
        self._seen: deque[str] = deque(maxlen=_REMEMBERED)
        self._acks: list[str] = []
        self._ack_at: float | None = None

    def send(self, kind: str, content: Payload, epoch: int, negotiation: int, now: float) -> Payload:
        """Stamp a signal and remember it; returns the payload to be sent."""
        self._count += 1
        stamp = {"epoch": epoch, "negotiation": negotiation, "seq": self._count}
        payload = {**content, **stamp, "message_id": f"{self._name}-{self._count}"}
        if kind != "bye" and not _only_acknowledges(kind, payload):
            # A description or a request says all that an earlier one of its kind said.
            kept = [each for each in self._sent if kind == "ice-candidate" or each.kind != kind]
            sent = _Sent(kind, payload, now + _RESEND_WAITS_S[0])
            self._sent = [*kept, sent][-_UNACKNOWLEDGED:]
        return self._with_acks(payload, now)

    def receive(self, kind: str, payload: Payload, now: float) -> bool:
        """Take note of what a signal says about signals.

        Returns:
            Whether there is something in it for anybody else: False for a duplicate.
        """
        acks = payload.get("acks")
        if isinstance(acks, list):
            self._sent = [each for each in self._sent if each.payload["message_id"] not in acks]
        if _only_acknowledges(kind, payload):
            return False
        message_id = payload["message_id"]
        if message_id not in self._acks:
            self._acks.append(message_id)
        if self._ack_at is None:
            self._ack_at = now + _ACK_S
        if message_id in self._seen:
            return False
        self._seen.append(message_id)
        return True

    def due(self, epoch: int, negotiation: int, now: float) -> list[tuple[str, Payload]]:
        """What is to be sent again now, and acknowledgements that found nothing to ride on."""
        # What belongs to a negotiation that is over helps nobody.
        self._sent = [
            each
            for each in self._sent
            if each.payload["negotiation"] >= negotiation or each.kind.endswith("-request")
        ]
        due = [each for each in self._sent if each.due <= now]
        for each in due:
            each.tries += 1
            if each.tries < len(_RESEND_WAITS_S):
                each.due = now + _RESEND_WAITS_S[each.tries]
            else:
                self._sent.remove(each)
        again = [(each.kind, self._with_acks(each.payload, now)) for each in due]
        if self._ack_at is not None and self._ack_at <= now:
            nothing = self.send("ice-candidate", {"candidate": None}, epoch, negotiation, now)
            again.append(("ice-candidate", nothing))
        return again

    def hasten(self, now: float) -> None:
        """The way to the server is open again: what went into a dead socket is due at once."""
        for each in self._sent:
            each.due = now
        if self._acks:
            self._ack_at = now

    def clear(self) -> None:
        """Forget all signals under way, as in a new epoch; what was seen stays known."""
        self._sent, self._acks, self._ack_at = [], [], None

    def _with_acks(self, payload: Payload, now: float) -> Payload:
        acks, self._acks = self._acks[:_ACKS_A_SIGNAL], self._acks[_ACKS_A_SIGNAL:]
        self._ack_at = now + _ACK_S if self._acks else None
        return {**payload, "acks": acks} if acks else payload


def _only_acknowledges(kind: str, payload: Payload) -> bool:
    return kind == "ice-candidate" and payload.get("candidate") is None
