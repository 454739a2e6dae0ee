"""The effects of a link's life: what the caller has to do with connections and signals."""

from dataclasses import dataclass
from typing import Any

from coplay.headless.links.signal_delivery import Payload


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """Open connection number `connection`, with its channel."""

    connection: int


@dataclass(frozen=True, slots=True)
class CloseConnection:
    """Close connection number `connection`."""

    connection: int


@dataclass(frozen=True, slots=True)
class MakeDescription:
    """Make the local description: the answer to `offer`, or an offer if `offer` is None."""

    connection: int
    offer: str | None


@dataclass(frozen=True, slots=True)
class AcceptAnswer:
    """Set the other player's answer as the remote description."""

    connection: int
    sdp: str


@dataclass(frozen=True, slots=True)
class AddCandidates:
    """Add these `RTCIceCandidateInit`s of the other player."""

    connection: int
    candidates: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class SendSignal:
    """Send a signal through the server."""

    kind: str
    payload: Payload


LinkEffect = OpenConnection | CloseConnection | MakeDescription | AcceptAnswer | AddCandidates | SendSignal
