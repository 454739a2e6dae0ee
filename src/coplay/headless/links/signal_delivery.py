"""Reliable delivery of signals: they are stamped, and resent until the other player acknowledges them.

The server acknowledges that it took a signal; only the other player can acknowledge that it arrived.
Acknowledgements are part of the next signal or, if there is none soon, of an `ice-candidate` signal whose
candidate is null. All times are monotonic seconds. The page's counterpart is
web/src/links/life/signalDelivery.ts.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any, Final

Payload = dict[str, Any]

_ACK_S: Final = 0.04
_RESEND_WAITS_S: Final = (1.0, 2.0, 4.0, 8.0)
_REMEMBERED: Final = 256
_UNACKNOWLEDGED: Final = 64
_ACKS_A_SIGNAL: Final = 32


@dataclass(slots=True)
class _UnacknowledgedSignal:
    kind: str
    payload: Payload
    due: float
    tries: int = 0


class SignalDelivery:
    """The signals in flight between this player and one other.

    Args:
        name: Prefix of this side's message ids; no other peer or process may use the same.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0
        self._unacknowledged: list[_UnacknowledgedSignal] = []
        self._seen: deque[str] = deque(maxlen=_REMEMBERED)
        self._acks: list[str] = []
        self._ack_at: float | None = None

    def stamp(self, kind: str, content: Payload, epoch: int, negotiation: int, now: float) -> Payload:
        """Return the payload to send, and remember it until it is acknowledged.

        Args:
            kind: The signal's type.
            content: What the payload carries in addition to the stamp: `sdp`, `candidate` or `reason`.
            epoch: The pair's current signaling epoch.
            negotiation: The current negotiation.
            now: Monotonic seconds.
        """
        self._count += 1
        stamp = {"epoch": epoch, "negotiation": negotiation, "seq": self._count}
        payload = {**content, **stamp, "message_id": f"{self._name}-{self._count}"}
        if kind != "bye" and not _only_acknowledges(kind, payload):
            # A new description or request replaces an earlier one of its kind; candidates add up.
            kept = [sent for sent in self._unacknowledged if kind == "ice-candidate" or sent.kind != kind]
            sent = _UnacknowledgedSignal(kind, payload, now + _RESEND_WAITS_S[0])
            self._unacknowledged = [*kept, sent][-_UNACKNOWLEDGED:]
        return self._with_acks(payload, now)

    def receive(self, kind: str, payload: Payload, now: float) -> bool:
        """Process a signal's acknowledgements, and acknowledge the signal itself.

        Returns:
            True if the link has to look at the signal; False for a duplicate and for mere acknowledgements.
        """
        acks = payload.get("acks")
        if isinstance(acks, list):
            self._unacknowledged = [s for s in self._unacknowledged if s.payload["message_id"] not in acks]
        if _only_acknowledges(kind, payload):
            return False
        message_id = payload["message_id"]
        # A duplicate is acknowledged again: it came because the first acknowledgement was lost.
        if message_id not in self._acks:
            self._acks.append(message_id)
        if self._ack_at is None:
            self._ack_at = now + _ACK_S
        if message_id in self._seen:
            return False
        self._seen.append(message_id)
        return True

    def take_due(self, epoch: int, negotiation: int, now: float) -> list[tuple[str, Payload]]:
        """Return the signals to resend now, and acknowledgements that no other signal has carried.

        Args:
            epoch: The pair's current signaling epoch.
            negotiation: The current negotiation.
            now: Monotonic seconds.
        """
        # Descriptions and candidates of an earlier negotiation are stale; requests always count.
        self._unacknowledged = [
            sent
            for sent in self._unacknowledged
            if sent.payload["negotiation"] >= negotiation or sent.kind.endswith("-request")
        ]
        due = [sent for sent in self._unacknowledged if sent.due <= now]
        for sent in due:
            sent.tries += 1
            if sent.tries < len(_RESEND_WAITS_S):
                sent.due = now + _RESEND_WAITS_S[sent.tries]
            else:
                self._unacknowledged.remove(sent)
        signals = [(sent.kind, self._with_acks(sent.payload, now)) for sent in due]
        if self._ack_at is not None and self._ack_at <= now:
            acks_only = self.stamp("ice-candidate", {"candidate": None}, epoch, negotiation, now)
            signals.append(("ice-candidate", acks_only))
        return signals

    def resend_all(self, now: float) -> None:
        """Make everything due now, because signals that were sent into a dead socket are lost."""
        for sent in self._unacknowledged:
            sent.due = now
        if self._acks:
            self._ack_at = now

    def clear(self) -> None:
        """Drop the signals in flight, as in a new epoch, but remember which ones were received."""
        self._unacknowledged, self._acks, self._ack_at = [], [], None

    def _with_acks(self, payload: Payload, now: float) -> Payload:
        acks, self._acks = self._acks[:_ACKS_A_SIGNAL], self._acks[_ACKS_A_SIGNAL:]
        self._ack_at = now + _ACK_S if self._acks else None
        return {**payload, "acks": acks} if acks else payload


def _only_acknowledges(kind: str, payload: Payload) -> bool:
    return kind == "ice-candidate" and payload.get("candidate") is None
