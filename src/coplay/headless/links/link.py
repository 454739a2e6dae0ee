"""One link to one other player, as data: which state it comes into, and what it wants done.

Knows no clock and no connection: every call carries `now` in monotonic seconds, and `effects` gives what the
caller (peer_connections) has to do. It speaks with a page's link (web/src/connection), with one difference:
the connections of this side cannot be restarted, so where a page looks for a new path for the same
connection, this side makes a new one.

    idle ──▸ signaling ──▸ connecting ──▸ connected
                 │  ▲           │             │ failed, silent, asked to
                 ▼  │           ▼             ▼
              relayed ◂──── rebuilding ◂───────
"""

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

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
_HELD_CANDIDATES = 64

State = Literal["idle", "signaling", "connecting", "connected", "rebuilding", "relayed", "closed"]


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """Make connection number `connection`, with its channel."""

    connection: int


@dataclass(frozen=True, slots=True)
class CloseConnection:
    """Close connection number `connection`."""

    connection: int


@dataclass(frozen=True, slots=True)
class MakeDescription:
    """Make the local description: an answer to `offer`, or an offer if that is empty."""

    connection: int
    offer: str


@dataclass(frozen=True, slots=True)
class AcceptAnswer:
    """Take the other's answer."""

    connection: int
    sdp: str


@dataclass(frozen=True, slots=True)
class AddCandidates:
    """Try these `RTCIceCandidateInit`s of the other."""

    connection: int
    candidates: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class SendSignal:
    """Send a signal through the server."""

    kind: str
    payload: Payload


LinkEffect = OpenConnection | CloseConnection | MakeDescription | AcceptAnswer | AddCandidates | SendSignal


class PeerLink:
    """The link of this player to one other.

    Args:
        offers: Whether this side makes the offers; of two players the lower does.
        epoch: The signaling epoch of the pair.
        name: Begins this side's message ids; differs from everybody else's.
        fps: Frames a second of the game, 1 or more.
    """

    def __init__(self, offers: bool, epoch: int, name: str, fps: float) -> None:
        self.state: State = "idle"
        self.connection = 0  # 0 for none
        self.relay = RelaySwitch()
        self._offers = offers
        self._epoch = epoch
        self._fps = fps
        self._post = SignalDelivery(name)
        self._silence = Silence(fps)
        self._effects: list[LinkEffect] = []
        self._deadline: float | None = None
        self._opened = 0
        self._negotiation = 0
        self._local = ""  # our description, once it is made
        self._remote = ""  # theirs, of the connection that we have or had last
        self._accepted = -1  # the negotiation whose remote description was taken
        self._held: list[tuple[int, dict[str, Any]]] = []
        self._tries = 0
        self._rebuilds = 0
        self._retrying = False
        self._connected_at = 0.0

    def effects(self) -> list[LinkEffect]:
        """What is to be done since the last call, in order."""
        effects, self._effects = self._effects, []
        return effects

    # What the game and the server say

    def start(self, now: float) -> None:
        """Begin to connect."""
        if self.state == "idle":
            self.relay.soon(now)
            self._build(now, ask=False)

    def enter_epoch(self, epoch: int, now: float) -> None:
        """The other player's process began anew, and knows nothing of what there was."""
        if epoch <= self._epoch:
            return
        self._drop()
        self._post.clear()
        self.relay.end()
        self._epoch, self._negotiation, self._remote, self._held = epoch, 0, "", []
        self._rebuilds, self._retrying = 0, False
        self._silence = Silence(self._fps)
        self._enter("idle", now + _DEBOUNCE_S)

    def socket_back(self, now: float) -> None:
        """The socket to the server is open again."""
        self._post.hasten(now)
        if self.state == "relayed":
            self._retry(now)

    def close(self, now: float) -> None:
        """Close for good, with a goodbye."""
        if self.state not in ("idle", "closed"):
            self._send("bye", {}, now)
        self._end()

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self.state == "closed":
            return
        for kind, payload in self._post.due(self._epoch, self._negotiation, now):
            self._effects.append(SendSignal(kind, payload))
        if self.state == "connected" and self._silence.doubtful:
            self.relay.at_once(now)
            if self._silence.dead:
                self._rebuild(now)
        if self._deadline is None or now < self._deadline:
            return
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

    def spoke(self, now: float) -> None:
        """A datagram is being sent to the other player."""
        self._silence.spoke(now)

    def heard(self, now: float, *, direct: bool) -> None:
        """A datagram of the other player came, directly or through the server."""
        doubted = self._silence.doubtful
        self._silence.heard(direct=direct)
        if direct and doubted and self.state == "connected":
            self.relay.direct(now)
        if not direct and self.state != "closed":
            self.relay.heard(now)

    # What the other player signals

    def receive(self, kind: str, payload: Payload, now: float) -> None:
        """Take one signal; those that break the rules, or are of another epoch, change nothing."""
        if not _is_stamped(payload) or payload["epoch"] != self._epoch or self.state == "closed":
            return
        if not self._post.receive(kind, payload, now):
            return
        match kind:
            case "offer":
                self._take_offer(payload, now)
            case "answer":
                self._take_answer(payload, now)
            case "ice-candidate":
                self._take_candidates(payload)
            case "restart-request" | "rebuild-request":
                self._take_request(kind, payload["negotiation"], now)
            case "bye":
                self._end()

    def _take_offer(self, payload: Payload, now: float) -> None:
        sdp, negotiation = payload.get("sdp"), payload["negotiation"]
        if self._offers or not isinstance(sdp, str) or negotiation < self._negotiation:
            return
        if negotiation == self._negotiation and negotiation > 0:
            if self._local:
                self._send("answer", {"sdp": self._local}, now)
            return
        self._negotiation = negotiation
        if self.state == "connected" or self.state == "relayed":
            self.relay.at_once(now)
        if self._remote and _fingerprint(self._remote) == _fingerprint(sdp):
            # A restart of what we have, or had: only a new connection helps.
            self._drop()
            self._enter("signaling", now + _ANSWER_S)
            self._send("rebuild-request", {"reason": "restarts are not possible here"}, now)
            return
        self._open()
        self._remote, self._accepted = sdp, negotiation
        self._enter("connecting", now + _CONNECT_S)
        self._effects.append(MakeDescription(self.connection, sdp))
        self._release_candidates()

    def _take_answer(self, payload: Payload, now: float) -> None:
        sdp, negotiation = payload.get("sdp"), payload["negotiation"]
        if not self._offers or not isinstance(sdp, str) or not self._local:
            return
        if negotiation != self._negotiation or self._accepted == negotiation:
            return
        self._remote, self._accepted = sdp, negotiation
        self._enter("connecting", now + _CONNECT_S)
        self._effects.append(AcceptAnswer(self.connection, sdp))
        self._release_candidates()

    def _take_candidates(self, payload: Payload) -> None:
        given = payload.get("candidate")
        several = given if isinstance(given, list) else [given]
        negotiation = payload["negotiation"]
        self._held += [(negotiation, each) for each in several if isinstance(each, dict)]
        if self._accepted == self._negotiation:
            self._release_candidates()
        self._held = self._held[:_HELD_CANDIDATES]

    def _release_candidates(self) -> None:
        due = tuple(candidate for negotiation, candidate in self._held if negotiation == self._negotiation)
        self._held = [each for each in self._held if each[0] > self._negotiation]
        if due and self.connection:
            self._effects.append(AddCandidates(self.connection, due))

    def _take_request(self, kind: str, negotiation: int, now: float) -> None:
        if not self._offers or self.state in ("idle", "rebuilding"):
            return
        if negotiation < self._negotiation:
            # Made before our last offer came there, which may be lost: say it again.
            if self.state == "signaling":
                self._resend_offer(now)
        elif self.state == "relayed":
            self._retry(now)
        elif kind == "rebuild-request" or self.state == "connected":
            self._rebuild(now)

    # What the connection says

    def described(self, connection: int, sdp: str, now: float) -> None:
        """Our description is made: tell it."""
        if connection == self.connection:
            self._local = sdp
            self._send("offer" if self._offers else "answer", {"sdp": sdp}, now)

    def opened(self, connection: int, now: float) -> None:
        """The channel opened, which proves the path."""
        if connection != self.connection:
            return
        self._enter("connected", None)
        self._silence = Silence(self._fps)
        self._retrying, self._connected_at = False, now
        self.relay.direct(now)

    def broke(self, connection: int, now: float) -> None:
        """The channel closed, the connection failed, or a step of its negotiation did."""
        if connection == self.connection:
            self._rebuild(now)

    # The link's life

    def _build(self, now: float, *, ask: bool = True) -> None:
        """Begin a new connection; the answering side has none until the offer comes, and may ask for one."""
        self._drop()
        self._enter("signaling", now + _ANSWER_S)
        self._tries = 0
        if self._offers:
            self._negotiation += 1
            self._open()
            self._held = [each for each in self._held if each[0] >= self._negotiation]
            self._effects.append(MakeDescription(self.connection, ""))
        elif ask:
            self._send("rebuild-request", {"reason": "no connection"}, now)

    def _unanswered(self, now: float) -> None:
        if self._tries >= _RESENDS:
            self._relayed(now)
            return
        self._tries += 1
        self._deadline = now + _ANSWER_S
        if self._offers:
            self._resend_offer(now)
        else:
            self._send("rebuild-request", {"reason": "no offer"}, now)

    def _resend_offer(self, now: float) -> None:
        if self._local:
            self._send("offer", {"sdp": self._local}, now)

    def _rebuild(self, now: float) -> None:
        """This connection will not come back: make another, after a while."""
        if self.state == "connected":
            self.relay.at_once(now)
            if now - self._connected_at >= STABLE_S:
                self._rebuilds = 0
        self._drop()
        if self._retrying or self._rebuilds >= len(_REBUILD_WAITS_S):
            self._relayed(now)
            return
        self._enter("rebuilding", now + _REBUILD_WAITS_S[self._rebuilds])
        self._rebuilds += 1

    def _relayed(self, now: float) -> None:
        self._drop()
        self._enter("relayed", now + (_RETRY_S if self._retrying else _RETRY_FIRST_S))
        self._rebuilds, self._retrying = 0, False
        self.relay.at_once(now)

    def _retry(self, now: float) -> None:
        self._retrying = True
        self._build(now)

    def _end(self) -> None:
        self._drop()
        self._post.clear()
        self.relay.end()
        self._enter("closed", None)

    def _open(self) -> None:
        self._drop()
        self._opened += 1
        self.connection = self._opened
        self._effects.append(OpenConnection(self.connection))

    def _drop(self) -> None:
        if self.connection:
            self._effects.append(CloseConnection(self.connection))
        self.connection, self._local, self._accepted = 0, "", -1

    def _enter(self, state: State, deadline: float | None) -> None:
        self.state, self._deadline = state, deadline

    def _send(self, kind: str, content: Payload, now: float) -> None:
        payload = self._post.send(kind, content, self._epoch, self._negotiation, now)
        self._effects.append(SendSignal(kind, payload))


def _is_stamped(payload: object) -> bool:
    return (
        isinstance(payload, dict)
        and type(payload.get("epoch")) is int
        and type(payload.get("negotiation")) is int
        and isinstance(payload.get("message_id"), str)
    )


def _fingerprint(sdp: str) -> str:
    """Each connection has a certificate of its own: another fingerprint is another connection."""
    found = re.search(r"^a=fingerprint:\S+ (\S+)", sdp, re.MULTILINE)
    return found[1].upper() if found else ""
