"""Repairs: brings back a peer that began anew, finds out why states differ, and makes them equal again.

What is too large for one datagram goes by `transfer`, one at a time per receiver.
"""

from collections import deque
from collections.abc import Sequence

from coplay.netcode.config import SessionConfig
from coplay.netcode.effects import CompareState, Effect, Examine, ExportState, ImportState
from coplay.netcode.events import DesyncExplained, DesyncFound, DesyncLocated, Event, Resynced
from coplay.netcode.history.rejoin_snapshot import (
    RejoinSnapshot,
    decode_rejoin_snapshot,
    encode_rejoin_snapshot,
)
from coplay.netcode.history.timeline import Timeline
from coplay.netcode.peers.link import RemotePeer
from coplay.netcode.peers.roster import Roster
from coplay.netcode.phases.desync import DesyncInquiry, Examination
from coplay.netcode.phases.outbox import Outbox
from coplay.netcode.wire.format import STATE, MalformedDatagramError
from coplay.netcode.wire.transfer import (
    EXAMINED,
    MAX_TRANSFERS,
    PIECE,
    REFUSAL,
    REJOIN,
    RESYNC,
    WANT,
    Incoming,
    Outgoing,
    Want,
    decode_piece,
    decode_state,
    decode_want,
    encode_state,
)

MAX_RESYNCS = 8
_END_AFTER_S = 1.5


class Repairing:
    """The repairs of one session.

    Args:
        config: The session's rules.
        timeline: The frames.
        peers: The links.
        outbox: Sends datagrams.
        effects: Where effects are put.
        events: Where events are put.
    """

    def __init__(
        self,
        config: SessionConfig,
        timeline: Timeline,
        peers: Roster,
        outbox: Outbox,
        effects: list[Effect],
        events: deque[Event],
    ) -> None:
        self._config = config
        self._timeline = timeline
        self._peers = peers
        self._outbox = outbox
        self._effects = effects
        self._events = events
        self._sizes = [queue.size for queue in timeline.queues]
        self._incoming: Incoming | None = None
        self._outgoing: dict[int, Outgoing] = {}
        self._served: dict[int, int] = {}
        self._wishes: deque[tuple[int, int, int]] = deque()
        self._ident = 0
        self._inquiries: list[DesyncInquiry] = []
        self._examination: Examination | None = None
        self._adopting: tuple[int, int, bytes] | None = None
        self._comparing = -1
        self._resyncs = 0
        self._end_at: float | None = None
        self.memory: RejoinSnapshot | None = None
        """What a returning peer was told, until it has its state."""
        self.explanation = ""
        """What differs, in one sentence, once states were found to differ."""

    # Transfers

    @property
    def next_want(self) -> float:
        """When the next request of a transfer is due; only while one is under way."""
        return self._incoming.next_want if self._incoming is not None else 0.0

    @property
    def receiving(self) -> bool:
        """Whether a transfer to this peer is under way."""
        return self._incoming is not None

    @property
    def idle(self) -> bool:
        """Whether nothing is asked for, and nothing that came waits to be used."""
        return self._incoming is None and self.memory is None

    @property
    def busy(self) -> bool:
        """Whether states differ, or did a moment ago."""
        return self._examination is not None

    def ask_memory(self, link: RemotePeer, now: float) -> None:
        """Ask a peer for all that a returning one must know."""
        self._begin(link.peer, REJOIN, 0, now)

    def _begin(self, peer: int, purpose: int, frame: int, now: float) -> None:
        self._ident = (self._ident + 1) & 0xFF
        self._incoming = Incoming(peer, self._ident, purpose, frame, now)

    def request(self, now: float) -> None:
        """Ask for the pieces that are missing, when that is due."""
        incoming = self._incoming
        if incoming is None and self._wishes:
            self._begin(*self._wishes.popleft(), now)
            incoming = self._incoming
        if incoming is None or now < incoming.next_want:
            return
        link = self._peers.links[incoming.peer]
        if link.left or now > incoming.deadline:
            self._failed(incoming)
            return
        out = link.header(STATE, now)
        incoming.put_want(out, now)
        self._outbox.send([(link, bytes(out))])

    def receive(self, link: RemotePeer, body: bytes, now: float, *, serving: bool) -> None:
        """Take a datagram of a transfer.

        Args:
            link: Who sent it.
            body: What follows the header.
            now: Seconds.
            serving: Whether this peer has something to give.

        Raises:
            MalformedDatagramError: The bytes break the layout or its bounds.
        """
        kind = body[0] if body else -1
        incoming = self._incoming
        if kind == WANT:
            want = decode_want(body[1:])
            if serving:
                self._serve(link, want, now)
        elif kind == PIECE:
            ident, total, index, piece = decode_piece(body[1:])
            if incoming is None or link.peer != incoming.peer or ident != incoming.ident:
                return
            whole = incoming.receive(total, index, piece, now)
            if whole is not None:
                self._incoming = None
                self._arrived(link, incoming, whole)
        elif kind == REFUSAL and len(body) == 2:
            if incoming is not None and link.peer == incoming.peer and body[1] == incoming.ident:
                self._failed(incoming)
        else:
            raise MalformedDatagramError("unknown part of a transfer")

    def _serve(self, link: RemotePeer, want: Want, now: float) -> None:
        outgoing = self._outgoing.get(link.peer)
        if outgoing is None or outgoing.ident != want.ident or outgoing.purpose != want.purpose:
            outgoing = self._ask_state(link, want)
            if outgoing is None:
                return
        answers = []
        for body in outgoing.answers(want):
            out = link.header(STATE, now)
            out += body
            answers.append((link, bytes(out)))
        self._outbox.send(answers)

    def _ask_state(self, link: RemotePeer, want: Want) -> Outgoing | None:
        """Ask the caller for what a peer wants; None when it may not want that, or not yet."""
        config, examination = self._config, self._examination
        frame = self._timeline.published + 1
        if want.purpose == REJOIN:
            allowed = link.joining
        elif want.purpose == EXAMINED:
            frame = want.frame
            allowed = link.desync is not None and examination is not None and examination.covers(frame)
        else:
            allowed = link.desync is not None and config.on_desync == "resync" and config.peer < link.peer
        served = self._served.get(link.peer, 0)
        if not allowed or served >= MAX_TRANSFERS:
            return None
        self._served[link.peer] = served + 1
        outgoing = self._outgoing[link.peer] = Outgoing(want)
        outgoing.frame = frame
        self._effects.append(ExportState(link.peer, frame, examined=want.purpose == EXAMINED))
        return outgoing

    def stop(self) -> None:
        """The game is over here: nothing that another peer told, or still tells, is used any more."""
        self._incoming = self._adopting = self.memory = None
        self._wishes.clear()

    def forget(self, peer: int) -> None:
        """What was written for a peer is out of date: its new process counts its transfers from the start."""
        self._outgoing.pop(peer, None)

    def state_exported(self, peer: int, data: bytes | None, delay: int) -> None:
        """Take the caller's answer to `ExportState`."""
        outgoing = self._outgoing.get(peer)
        if outgoing is None or outgoing.data is not None:
            return
        timeline = self._timeline
        if data is None:
            outgoing.refused = True
        elif outgoing.purpose == REJOIN:
            outgoing.data = encode_rejoin_snapshot(
                outgoing.frame, delay, timeline.chain, self._peers.seats, timeline.queues, data
            )
        else:
            outgoing.data = encode_state(outgoing.frame, data)

    def _arrived(self, link: RemotePeer, incoming: Incoming, whole: bytes) -> None:
        if incoming.purpose == REJOIN:
            memory = decode_rejoin_snapshot(whole, self._sizes)
            self.memory = memory
            self._effects.append(ImportState(memory.frame, memory.state))
            return
        frame, state = decode_state(whole)
        if incoming.purpose == EXAMINED:
            self._comparing = link.peer
            self._effects.append(CompareState(incoming.frame, state))
        elif frame >= self._timeline.oldest_known:
            self._adopting = (link.peer, frame, state)

    def _failed(self, incoming: Incoming) -> None:
        self._incoming = None
        if incoming.purpose == EXAMINED:
            self._explained(incoming.peer, incoming.frame, ())

    # Differing states

    def compare(self, link: RemotePeer, frame: int, theirs: int, now: float) -> None:
        """Compare a peer's checksum with ours, now or as soon as we have it."""
        found = self._timeline.checksums.compare(link, frame, theirs)
        if found:
            self._events.append(DesyncFound(frame, link.peer, *found))
            self._found(link, frame, now)

    def _found(self, link: RemotePeer, frame: int, now: float) -> None:
        """Two peers differ: begin to find out where."""
        self.explanation = self.explanation or f"The states before frame {frame} differ between peers."
        self._inquiries.append(DesyncInquiry(link, frame, now))
        if self._examination is not None and self._examination.frame == frame:
            return
        first = max(0, link.equal_through)
        self._examination = Examination(frame, first, now)
        self._effects.append(Examine(first, self._timeline.inputs_of_log(first, frame)))

    def examined(self, frame: int, values: Sequence[int]) -> None:
        """Take the caller's answer to `Examine`."""
        examination = self._examination
        if examination is not None and examination.first == frame:
            examination.take(values)

    def detail_for(self, link: RemotePeer, now: float) -> tuple[int, list[int]] | None:
        """Return the checksums of the examined frames, if a peer must hear of them."""
        return None if self._examination is None else self._examination.section(link, now)

    def tick(self, now: float) -> str:
        """Go on with what is under way; return why the game must end, if it must."""
        for inquiry in list(self._inquiries):
            examination = self._examination
            if inquiry.link.left:
                self._inquiries.remove(inquiry)
            elif inquiry.locate(examination, now):
                self._inquiries.remove(inquiry)
                self._located(inquiry, now)
        if self._incoming is not None or self._wishes:
            self.request(now)
        if self._end_at is not None and now >= self._end_at:
            return self.explanation
        return ""

    def _located(self, inquiry: DesyncInquiry, now: float) -> None:
        peer, frame = inquiry.link.peer, inquiry.located
        self._events.append(DesyncLocated(frame, peer, inquiry.reproduced))
        self.explanation = f"The states before frame {frame} differ between peers."
        higher = self._config.peer > peer
        if higher and inquiry.reproduced:
            self._wishes.append((peer, EXAMINED, frame))
        elif higher:
            self._explained(peer, frame, ())
        if self._config.on_desync == "end" or self._resyncs >= MAX_RESYNCS:
            self._end_at = now + _END_AFTER_S
        elif higher and peer == min(link.peer for link in self._peers.running):
            self._wishes.append((peer, RESYNC, 0))

    def state_compared(self, frame: int, paths: Sequence[str]) -> None:
        """Take the caller's answer to `CompareState`."""
        self._explained(self._comparing, frame, tuple(paths))

    def _explained(self, peer: int, frame: int, paths: tuple[str, ...]) -> None:
        self._events.append(DesyncExplained(frame, peer, paths))
        if paths:
            self.explanation = f"The states before frame {frame} differ between peers, first in {paths[0]}."

    # Taking over a state

    def adopt_now(self) -> bool:
        """Begin to take over another peer's state, if one is here and its frame was reached."""
        if self._adopting is None or self._adopting[1] > self._timeline.frame:
            return False
        _, frame, data = self._adopting
        self._effects.append(ImportState(frame, data))
        return True

    def state_imported(self, frame: int, over: bool) -> None:
        """The caller has another peer's state now: step again from it."""
        if self._adopting is None:
            return
        peer, timeline = self._adopting[0], self._timeline
        self._adopting = None
        self._resyncs += 1
        timeline.adopt(frame, over)
        timeline.checksums.disowned_through = timeline.published + 1
        for link in self._peers.links.values():
            link.differs = False
        self._events.append(Resynced(frame, peer))

    def state_refused(self) -> None:
        """The caller cannot use another peer's state."""
        self._adopting = None
        self._resyncs = MAX_RESYNCS
