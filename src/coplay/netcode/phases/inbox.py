"""Reads the datagrams of one session: what each says goes where it belongs. Garbage is counted."""

from collections import deque

from coplay.netcode.events import DatagramRejected, Event
from coplay.netcode.history.timeline import Timeline
from coplay.netcode.peers.link import RemotePeer
from coplay.netcode.peers.roster import Roster
from coplay.netcode.phases.closing import ClosingPhase
from coplay.netcode.phases.hello import FOREIGN_VERSIONS_LIMIT, HelloPhase
from coplay.netcode.phases.outbox import Outbox
from coplay.netcode.phases.pacing import FramePacer
from coplay.netcode.phases.repairing import Repairing
from coplay.netcode.wire.format import (
    BYE,
    HEADER_SIZE,
    HELLO,
    MAX_DATAGRAM,
    OUT,
    PLAY,
    STATE,
    VERSION,
    MalformedDatagramError,
)
from coplay.netcode.wire.hello import decode_hello
from coplay.netcode.wire.play import decode_play

_ANSWER_S = 0.1
_REPORTED_REJECTIONS = 16


class Inbox:
    """What comes in.

    Args:
        timeline: The frames.
        peers: The links.
        handshake: The hello.
        recovery: The repairs.
        ending: The end.
        outbox: Sends answers.
        pacer: Hears that something came in.
        events: Where events are put.
    """

    def __init__(
        self,
        timeline: Timeline,
        peers: Roster,
        handshake: HelloPhase,
        recovery: Repairing,
        ending: ClosingPhase,
        outbox: Outbox,
        pacer: FramePacer,
        events: deque[Event],
    ) -> None:
        self._timeline = timeline
        self._peers = peers
        self._handshake = handshake
        self._recovery = recovery
        self._ending = ending
        self._outbox = outbox
        self._pacer = pacer
        self._events = events
        self._sizes = [queue.size for queue in timeline.queues]
        self.restoring = 0
        """Bitmask of this peer's own seats whose inputs the others give back, after a new beginning."""
        self.mismatch: tuple[int, str] | None = None
        """Who came with another game than ours, and the name of the field that differs."""

    def receive(self, link: RemotePeer, data: bytes, now: float, *, serving: bool) -> None:
        """Read one datagram.

        Args:
            link: Who sent it.
            data: Layout in protocol/datagrams.md; anything at all may be in it.
            now: When it arrived, in steady seconds.
            serving: Whether this peer knows how the game stands, and may tell others.
        """
        try:
            if not HEADER_SIZE <= len(data) <= MAX_DATAGRAM:
                raise MalformedDatagramError(f"it has {len(data)} bytes")
            if data[0] >> 4 != VERSION:
                self._foreign_version(link, data)
                raise MalformedDatagramError(f"protocol version {data[0] >> 4}, not {VERSION}")
            if data[1] != link.epoch:
                raise MalformedDatagramError(f"epoch {data[1]}, not {link.epoch}")
            kind = data[0] & 0x0F
            if kind == PLAY:
                self._receive_play(link, data, now)
            elif kind == HELLO:
                self._receive_hello(link, data, now)
            elif kind == STATE:
                if link.receive_header(data, now) is not None and not link.left:
                    self._recovery.receive(link, data[HEADER_SIZE:], now, serving=serving)
            elif kind in (BYE, OUT) and len(data) == HEADER_SIZE:
                self._receive_farewell(link, data, now, out=kind == OUT)
            else:
                raise MalformedDatagramError(f"unknown kind {kind}")
        except MalformedDatagramError as error:
            link.rejected += 1
            if link.rejected <= _REPORTED_REJECTIONS:
                self._events.append(DatagramRejected(link.peer, str(error)))

    def _foreign_version(self, link: RemotePeer, data: bytes) -> None:
        if data[0] & 0x0F == HELLO and data[1] == link.epoch:
            link.foreign_versions += 1
            if link.foreign_versions == FOREIGN_VERSIONS_LIMIT:
                self.mismatch = (link.peer, "protocol")

    def _receive_hello(self, link: RemotePeer, data: bytes, now: float) -> None:
        hello = decode_hello(data)
        if link.receive_header(data, now) is None:
            return
        if link.left:
            self._answer_left(link, now)
            return
        field, replies = self._handshake.receive(link, hello, now)
        self._outbox.send(replies)
        if field:
            self.mismatch = (link.peer, field)

    def _receive_farewell(self, link: RemotePeer, data: bytes, now: float, *, out: bool) -> None:
        if link.receive_header(data, now) is None or link.agreed or link.left or self._ending.closed:
            return
        if out:
            self._peers.excluded = True
        else:
            self._peers.leave(link, certain=True)

    def _receive_play(self, link: RemotePeer, data: bytes, now: float) -> None:
        play = decode_play(data, self._sizes)
        if link.left:
            self._answer_left(link, now)
            return
        if not link.greeted:
            if now >= link.answer_at:
                link.answer_at = now + _ANSWER_S
                self._outbox.send(self._handshake.greet(link, now))
            raise MalformedDatagramError("play before hello")
        fresh = link.receive_header(data, now)
        if fresh is None:
            return
        link.joining = False
        if fresh:
            link.frame = play.frame
            link.frame_at = now
            link.remote_advantage = play.advantage
            self._peers.heard(link)
        last = link.last
        for player, held in enumerate(play.last):
            if held > last[player]:
                last[player] = held
        if play.left:
            self._peers.hear_of_leaves(link, play.left, play.settled, fresh=fresh)
        if play.blocks:
            seats = self._peers.seats
            writable = seats.written_by.get(link.peer, 0) | seats.orphans | self.restoring
            for player, first, values in play.blocks:
                if writable >> player & 1:
                    self._timeline.received(player, first, values)
        if play.detail_frame >= 0:
            link.detail_frame, link.detail = play.detail_frame, play.detail
        for frame, value in play.checksums:
            self._recovery.compare(link, frame, value, now)
        if play.closing >= 0:
            self._ending.receive(link, play, now)
        self._pacer.hurry(now)

    def _answer_left(self, link: RemotePeer, now: float) -> None:
        """Tell a peer that counts as left, and plays on, that it does."""
        if now >= link.answer_at and not link.agreed:
            link.answer_at = now + _ANSWER_S
            self._outbox.send_out(link, now)
