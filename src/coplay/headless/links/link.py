"""The life cycle of a link to one other player: a state machine without a clock or a connection.

Every call carries `now` in monotonic seconds, and `effects` returns what the caller (game_links) has to do.
The other side may be a page, whose link is web/src/links/life. There is one difference: aiortc cannot restart
ICE, so where a page looks for a new path for the same connection, this side opens a new connection. What both
sides must do alike is pinned by protocol/vectors/link.json.

    idle ──▸ signaling ──▸ connecting ──▸ connected
                 │  ▲           │             │ failed, silent, asked to
                 ▼  │           ▼             ▼
              relayed ◂──── rebuilding ◂───────
"""

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from coplay.headless.links.link_effects import (
    AcceptAnswer,
    AddCandidates,
    CloseConnection,
    LinkEffect,
    MakeDescription,
    OpenConnection,
    SendSignal,
)
from coplay.headless.links.relaying import STABLE_S, RelaySwitch
from coplay.headless.links.signal_delivery import Payload, SignalDelivery
from coplay.headless.links.silence import Silence

_ANSWER_S: Final = 3.0
_RESENDS: Final = 3
_CONNECT_S: Final = 10.0
_DEBOUNCE_S: Final = 0.2
_RETRY_FIRST_S: Final = 30.0
_RETRY_S: Final = 60.0
_REBUILD_WAITS_S: Final = (0.0, 0.3, 1.2, 2.7, 4.8, 7.0)
# Bounds the memory that the other player's candidates can occupy.
_EARLY_CANDIDATES: Final = 64
_CANDIDATE_AGE_S: Final = 30.0

State = Literal["idle", "signaling", "connecting", "connected", "rebuilding", "relayed", "closed"]


@dataclass(frozen=True, slots=True)
class _EarlyCandidate:
    """A candidate that came before the description it belongs to."""

    negotiation: int
    candidate: dict[str, Any]
    arrived_at: float


class PeerLink:
    """The link from this player to one other.

    Args:
        offers: True if this side makes the offers. Of two players the one with the lower id does, so that
            offers never cross.
        epoch: The signaling epoch of the pair.
        name: Prefix of this side's message ids; no other peer or process may use the same.
        fps: Frames per second of the game, 1 or more.

    Attributes:
        state: Where it is in its life.
        connection: Number of the connection in use, counted from 1; 0 for none.
        relay: Decides whether datagrams also go through the server.
    """

    def __init__(self, offers: bool, epoch: int, name: str, fps: float) -> None:
        self.state: State = "idle"
        self.connection = 0
        self.relay = RelaySwitch()
        self._offers = offers
        self._epoch = epoch
        self._fps = fps
        self._delivery = SignalDelivery(name)
        self._silence = Silence(fps)
        self._effects: list[LinkEffect] = []
        self._deadline: float | None = None
        self._opened = 0
        self._negotiation = 0
        self._local_sdp: str | None = None
        self._remote_sdp: str | None = None  # kept after the connection, to recognize a restart of it
        self._accepted: int | None = None  # the negotiation whose remote description was taken
        self._early_candidates: list[_EarlyCandidate] = []
        self._tries = 0
        self._rebuilds = 0
        self._retrying = False
        self._connected_at = 0.0
        self._closed_here = False

    def effects(self) -> list[LinkEffect]:
        """Return the effects since the last call, to be performed in order."""
        effects, self._effects = self._effects, []
        return effects

    # From the game and the server

    def start(self, now: float) -> None:
        """Begin to connect."""
        if self.state == "idle":
            self.relay.need_soon(now)
            self._build(now, ask=False)

    def enter_epoch(self, epoch: int, now: float) -> None:
        """Start over in a higher epoch, because the other player's page or process is a new one."""
        if epoch <= self._epoch or self._closed_here:
            return
        self._drop_connection()
        self._delivery.clear()
        self.relay.reset()
        self._epoch, self._negotiation, self._remote_sdp, self._early_candidates = epoch, 0, None, []
        self._rebuilds, self._retrying = 0, False
        self._silence = Silence(self._fps)
        # A page may be reloaded several times in quick succession: connect in the last epoch only.
        self._enter("idle", now + _DEBOUNCE_S)

    def socket_reopened(self, now: float) -> None:
        """Resend unacknowledged signals after the socket to the server was closed for a while."""
        self._delivery.resend_all(now)
        if self.state == "relayed":
            self._retry(now)

    def close(self, now: float) -> None:
        """Close for good, with a goodbye."""
        if self.state not in ("idle", "closed"):
            self._send("bye", {}, now)
        self._closed_here = True
        self._end()

    def tick(self, now: float) -> None:
        """Do the work that is due."""
        if self.state == "closed":
            return
        for kind, payload in self._delivery.take_due(self._epoch, self._negotiation, now):
            self._effects.append(SendSignal(kind, payload))
        if self.state == "connected" and self._silence.is_suspect:
            self.relay.need_now(now)
            if self._silence.is_dead:
                self._rebuild(now)
        if self._deadline is not None and now >= self._deadline:
            self._deadline_passed(now)

    def _deadline_passed(self, now: float) -> None:
        match self.state:
            case "idle":
                self.start(now)
            case "signaling":
                self._unanswered(now)
            case "connecting":
                self._rebuild(now)
            case "rebuilding":
                self._build(now)
            case "relayed":
                self._retry(now)

    def datagram_sent(self, now: float) -> None:
        """Record that a datagram was sent to the other player."""
        self._silence.datagram_sent(now)

    def datagram_received(self, now: float, *, direct: bool) -> None:
        """Record that a datagram from the other player arrived.

        Args:
            now: Monotonic seconds.
            direct: True if it came over the direct path, False if through the server.
        """
        was_suspect = self._silence.is_suspect
        self._silence.datagram_received(direct=direct)
        if direct and was_suspect and self.state == "connected":
            self.relay.direct_path_opened(now)
        if not direct and self.state != "closed":
            self.relay.relayed_datagram_received(now)

    # From the other player

    def receive(self, kind: str, payload: Payload, now: float) -> None:
        """Process one signal; malformed ones and those of another epoch are dropped."""
        if not _is_stamped(payload) or payload["epoch"] != self._epoch or self.state == "closed":
            return
        if not self._delivery.receive(kind, payload, now):
            return
        match kind:
            case "offer":
                self._receive_offer(payload, now)
            case "answer":
                self._receive_answer(payload, now)
            case "ice-candidate":
                self._receive_candidates(payload, now)
            case "restart-request" | "rebuild-request":
                self._receive_request(kind, payload["negotiation"], now)
            case "bye":
                self._end()

    def _receive_offer(self, payload: Payload, now: float) -> None:
        sdp, negotiation = payload.get("sdp"), payload["negotiation"]
        if self._offers or not isinstance(sdp, str) or negotiation < self._negotiation:
            return
        if negotiation == self._negotiation and negotiation > 0:
            # A repeated offer: our answer was lost or is still in flight. Resending it covers both cases.
            if self._local_sdp is not None:
                self._send("answer", {"sdp": self._local_sdp}, now)
            return
        self._negotiation = negotiation
        if self.state == "connected" or self.state == "relayed":
            self.relay.need_now(now)
        if self._remote_sdp is not None and _fingerprint(self._remote_sdp) == _fingerprint(sdp):
            # An ICE restart of the connection that we have or had. aiortc does not support that, so request
            # a new connection.
            self._drop_connection()
            self._enter("signaling", now + _ANSWER_S)
            self._send("rebuild-request", {"reason": "restarts are not possible here"}, now)
            return
        self._open_connection()
        self._remote_sdp, self._accepted = sdp, negotiation
        self._enter("connecting", now + _CONNECT_S)
        self._effects.append(MakeDescription(self.connection, sdp))
        self._flush_candidates(now)

    def _receive_answer(self, payload: Payload, now: float) -> None:
        sdp, negotiation = payload.get("sdp"), payload["negotiation"]
        if not self._offers or not isinstance(sdp, str) or self._local_sdp is None:
            return
        if negotiation != self._negotiation or self._accepted == negotiation:
            return
        self._remote_sdp, self._accepted = sdp, negotiation
        self._enter("connecting", now + _CONNECT_S)
        self._effects.append(AcceptAnswer(self.connection, sdp))
        self._flush_candidates(now)

    def _receive_candidates(self, payload: Payload, now: float) -> None:
        given = payload.get("candidate")
        candidates = given if isinstance(given, list) else [given]
        negotiation = payload["negotiation"]
        self._early_candidates += [
            _EarlyCandidate(negotiation, each, now) for each in candidates if isinstance(each, dict)
        ]
        if self._accepted == self._negotiation:
            self._flush_candidates(now)
        self._early_candidates = self._early_candidates[:_EARLY_CANDIDATES]

    def _flush_candidates(self, now: float) -> None:
        """Add the candidates that waited for their remote description, in the order they came."""
        early = [each for each in self._early_candidates if now - each.arrived_at <= _CANDIDATE_AGE_S]
        due = tuple(each.candidate for each in early if each.negotiation == self._negotiation)
        self._early_candidates = [each for each in early if each.negotiation > self._negotiation]
        if due and self.connection:
            self._effects.append(AddCandidates(self.connection, due))

    def _receive_request(self, kind: str, negotiation: int, now: float) -> None:
        if not self._offers or self.state in ("idle", "rebuilding"):
            return
        if negotiation < self._negotiation:
            # The request was sent before our last offer arrived. That offer may be lost, so resend it.
            if self.state == "signaling":
                self._resend_offer(now)
        elif self.state == "relayed":
            self._retry(now)
        elif kind == "rebuild-request" or self.state == "connected":
            self._rebuild(now)

    # From the connection; callbacks of earlier connections are ignored

    def description_made(self, connection: int, sdp: str, now: float) -> None:
        """Send the local description that a connection made."""
        if connection == self.connection:
            self._local_sdp = sdp
            self._send("offer" if self._offers else "answer", {"sdp": sdp}, now)

    def channel_opened(self, connection: int, now: float) -> None:
        """Become connected: an open channel proves the path in both directions."""
        if connection != self.connection:
            return
        self._enter("connected", None)
        self._silence = Silence(self._fps)
        self._retrying, self._connected_at = False, now
        self.relay.direct_path_opened(now)

    def connection_failed(self, connection: int, now: float) -> None:
        """Rebuild: the channel closed, the connection failed, or a step of its negotiation did."""
        if connection == self.connection:
            self._rebuild(now)

    # The states

    def _build(self, now: float, *, ask: bool = True) -> None:
        """Start a new connection. The answering side waits for the offer, and may ask for one."""
        self._drop_connection()
        self._enter("signaling", now + _ANSWER_S)
        self._tries = 0
        if self._offers:
            self._negotiation += 1
            self._open_connection()
            self._early_candidates = [
                each for each in self._early_candidates if each.negotiation >= self._negotiation
            ]
            self._effects.append(MakeDescription(self.connection, None))
        elif ask:
            self._send("rebuild-request", {"reason": "no connection"}, now)

    def _unanswered(self, now: float) -> None:
        if self._tries >= _RESENDS:
            self._play_relayed(now)
            return
        self._tries += 1
        self._deadline = now + _ANSWER_S
        if self._offers:
            self._resend_offer(now)
        else:
            self._send("rebuild-request", {"reason": "no offer"}, now)

    def _resend_offer(self, now: float) -> None:
        if self._local_sdp is not None:
            self._send("offer", {"sdp": self._local_sdp}, now)

    def _rebuild(self, now: float) -> None:
        """Drop the connection, and open another after a back-off."""
        if self.state == "connected":
            self.relay.need_now(now)
            # Only a stable connection resets the back-off, or a flapping one would never be given up.
            if now - self._connected_at >= STABLE_S:
                self._rebuilds = 0
        self._drop_connection()
        if self._retrying or self._rebuilds >= len(_REBUILD_WAITS_S):
            self._play_relayed(now)
            return
        self._enter("rebuilding", now + _REBUILD_WAITS_S[self._rebuilds])
        self._rebuilds += 1

    def _play_relayed(self, now: float) -> None:
        """Rely on the server, and try a direct path again later."""
        self._drop_connection()
        self._enter("relayed", now + (_RETRY_S if self._retrying else _RETRY_FIRST_S))
        self._rebuilds, self._retrying = 0, False
        self.relay.need_now(now)

    def _retry(self, now: float) -> None:
        self._retrying = True
        self._build(now)

    def _end(self) -> None:
        self._drop_connection()
        self._delivery.clear()
        self.relay.reset()
        self._enter("closed", None)

    def _open_connection(self) -> None:
        self._drop_connection()
        self._opened += 1
        self.connection = self._opened
        self._effects.append(OpenConnection(self.connection))

    def _drop_connection(self) -> None:
        if self.connection:
            self._effects.append(CloseConnection(self.connection))
        self.connection, self._local_sdp, self._accepted = 0, None, None

    def _enter(self, state: State, deadline: float | None) -> None:
        self.state, self._deadline = state, deadline

    def _send(self, kind: str, content: Payload, now: float) -> None:
        payload = self._delivery.stamp(kind, content, self._epoch, self._negotiation, now)
        self._effects.append(SendSignal(kind, payload))


def _is_stamped(payload: object) -> bool:
    """Return True if a payload has the fields that everything else relies on."""
    # `type` instead of `isinstance`, which would let True pass for an epoch.
    return (
        isinstance(payload, dict)
        and type(payload.get("epoch")) is int
        and type(payload.get("negotiation")) is int
        and isinstance(payload.get("message_id"), str)
    )


def _fingerprint(sdp: str) -> str:
    """Return the certificate's fingerprint: every connection has its own, and a restart keeps it."""
    found = re.search(r"^a=fingerprint:\S+ (\S+)", sdp, re.MULTILINE)
    return found[1].upper() if found else ""
