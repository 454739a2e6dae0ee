"""SDP and ICE messages between two peers, which the server relays."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, TypeAlias

from coplay.messages.encoding import Nullable

SignalType: TypeAlias = Literal[
    "offer", "answer", "ice-candidate", "restart-request", "rebuild-request", "bye"
]
"""The kind of a signal; meanings in protocol/connections.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IceCandidate:
    """An ICE candidate, as `RTCIceCandidate.toJSON()` returns it."""

    candidate: str | None = None
    """The candidate line; the empty string marks the end of candidates."""
    sdpMid: Annotated[str | None, Nullable()] = None
    """The media section that it belongs to."""
    sdpMLineIndex: Annotated[int | None, Nullable()] = None
    """The index of the media section."""
    usernameFragment: Annotated[str | None, Nullable()] = None
    """The ufrag of the description that it belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalPayload:
    """The part of a signal that the two peers exchange; the server checks it and passes it on."""

    epoch: int
    """Signaling epoch of the pair; issued by the server."""
    negotiation: int
    """Number of the offer that this belongs to, from 1; 0 in a request before the epoch's first offer."""
    seq: int
    """Number of this signal among those of its sender to this peer, from 1."""
    message_id: str
    """Unique among the sender's signals; 1 to 64 characters."""
    sdp: str | None = None
    """The description in an offer or answer; at most 16 KiB."""
    candidate: Annotated[IceCandidate | tuple[IceCandidate, ...] | None, Nullable()] = None
    """Candidates, at most 32; null in a signal that carries `acks` alone."""
    acks: tuple[str, ...] | None = None
    """The `message_id`s that the sender has received."""
    reason: str | None = None
    """The reason in a word, for people who read logs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingSignal:
    """The data of the event `webrtc_signal` from a page."""

    EVENT: ClassVar = "webrtc_signal"

    type: SignalType
    """The kind of signal."""
    game_id: str
    """The game in which both players have a seat."""
    target_player_id: int
    """The seat of the peer that it is for."""
    payload: SignalPayload
    """The content for the peer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingSignal:
    """The data of the event `webrtc_signal` to a page."""

    EVENT: ClassVar = "webrtc_signal"

    type: SignalType
    """The kind of signal."""
    from_player_id: int
    """The seat of the sender, stamped by the server."""
    game_id: str
    """The game in which both players have a seat."""
    payload: SignalPayload
    """The content from the sender."""
