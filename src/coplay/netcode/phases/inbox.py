"""The incoming datagrams: decodes them, passes each part to its handler, and drops malformed ones."""

from collections import deque

from coplay.netcode.events import DatagramRejected, Event
from coplay.netcode.history.timeline import Timeline
from coplay.netcode.peers.remote_peer import RemotePeer
from coplay.netcode.peers.roster import Roster
from coplay.netcode.phases.closing import ClosingPhase
from coplay.netcode.phases.hello import HelloPhase
from coplay.netcode.phases.leaving import LeaveAgreement
from coplay.netcode.phases.outbox import DatagramOutbox
from coplay.netcode.phases.pacing import FramePacer
from coplay.netcode.phases.repairing import DesyncRepair
from coplay.netcode.phases.transfers import StateTransfers
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

FOREIGN_VERSIONS_LIMIT = 3
"""Hellos of another version before the game ends: one alone may be a damaged or forged datagram."""
_REPLY_INTERVAL_S = 0.1
"""At most one reply to unexpected datagrams of a peer in this time."""
_REPORTED_REJECTIONS = 16


class DatagramInbox:
    """The incoming datagrams of one session.

    Args:
        timeline: Takes inputs.
        roster: The remote peers.
        leaves: Takes reports of leaves.
        hello: Takes hellos.
        repair: Takes checksums.
        transfers: Takes pieces of states, and requests for them.
        closing: Takes closing sections.
        outbox: Sends replies.
        pacer: Polls a stalled game when a datagram came in.
        events: List to which events are appended.
    """

    def __init__(
        self,
        timeline: Timeline,
        roster: Roster,
        leaves: LeaveAgreement,
        hello: HelloPhase,
        repair: DesyncRepair,
        transfers: StateTransfers,
        closing: ClosingPhase,
        outbox: DatagramOutbox,
        pacer: FramePacer,
        events: deque[Event],
    ) -> None:
        self._timeline = timeline
        self._roster = roster
        self._leaves = leaves
        self._hello = hello
        self._repair = repair
        self._transfers = transfers
        self._closing = closing
        self._outbox = outbox
        self._pacer = pacer
        self._events = events
        self._sizes = [queue.size for queue in timeline.queues]
        self.restoring = 0
        """Bitmask of this peer's own seats whose inputs are taken from other peers, after a restart."""
        self.mismatch: tuple[int, str] | None = None
        """A peer with another configuration, and the name of the first field that differs."""

    def receive(self, remote: RemotePeer, data: bytes, now: float, *, serving: bool) -> None:
        """Process one datagram.

        Args:
            remote: The sender.
            data: Untrusted bytes; layout in protocol/datagrams.md.
            now: When it arrived, in steady seconds.
            serving: True if this peer has a state of the game that it can send to others.
        """
        try:
            if not HEADER_SIZE <= len(data) <= MAX_DATAGRAM:
                raise MalformedDatagramError(f"it has {len(data)} bytes")
            if data[0] >> 4 != VERSION:
                self._count_foreign_version(remote, data)
                raise MalformedDatagramError(f"protocol version {data[0] >> 4}, not {VERSION}")
            if data[1] != remote.epoch:
                raise MalformedDatagramError(f"epoch {data[1]}, not {remote.epoch}")
            kind = data[0] & 0x0F
            if kind == PLAY:
                self._receive_play(remote, data, now)
            elif kind == HELLO:
                self._receive_hello(remote, data, now)
            elif kind == STATE:
                self._receive_state(remote, data, now, serving=serving)
            elif kind in (BYE, OUT) and len(data) == HEADER_SIZE:
                self._receive_farewell(remote, data, now, out=kind == OUT)
            else:
                raise MalformedDatagramError(f"unknown kind {kind}")
        except MalformedDatagramError as error:
            remote.rejected += 1
            if remote.rejected <= _REPORTED_REJECTIONS:
                self._events.append(DatagramRejected(remote.peer, str(error)))

    def _count_foreign_version(self, remote: RemotePeer, data: bytes) -> None:
        if data[0] & 0x0F == HELLO and data[1] == remote.epoch:
            remote.foreign_versions += 1
            if remote.foreign_versions == FOREIGN_VERSIONS_LIMIT:
                self.mismatch = (remote.peer, "protocol")

    def _receive_hello(self, remote: RemotePeer, data: bytes, now: float) -> None:
        hello = decode_hello(data)
        if remote.receive_header(data, now) is None:
            return
        if remote.left:
            self._reply_to_left(remote, now)
            return
        field, replies = self._hello.receive(remote, hello, now)
        self._outbox.send(replies)
        if field is not None:
            self.mismatch = (remote.peer, field)

    def _receive_farewell(self, remote: RemotePeer, data: bytes, now: float, *, out: bool) -> None:
        # After its verdict, or after ours, a goodbye changes nothing: the log is agreed.
        if (
            remote.receive_header(data, now) is None
            or remote.has_verdict
            or remote.left
            or self._closing.closed
        ):
            return
        if out:
            self._leaves.excluded = True
        else:
            self._leaves.add(remote, certain=True)

    def _receive_state(self, remote: RemotePeer, data: bytes, now: float, *, serving: bool) -> None:
        if remote.receive_header(data, now) is not None and not remote.left:
            self._transfers.receive(remote, data[HEADER_SIZE:], now, serving=serving)

    def _receive_play(  # noqa: C901 (one step per part of the datagram, in one call for speed)
        self, remote: RemotePeer, data: bytes, now: float
    ) -> None:
        play = decode_play(data, self._sizes)
        if remote.left:
            self._reply_to_left(remote, now)
            return
        if not remote.hello_received:
            # The peer's configuration is not checked yet. Its header is not processed, because the next
            # datagram would then acknowledge checksums that are dropped here.
            if now >= remote.reply_after:
                remote.reply_after = now + _REPLY_INTERVAL_S
                self._outbox.send(self._hello.request_hello(remote, now))
            raise MalformedDatagramError("play before hello")
        fresh = remote.receive_header(data, now)
        if fresh is None:
            return
        remote.catching_up = False
        if fresh:
            remote.frame = play.frame
            remote.frame_received_at = now
            remote.remote_advantage = play.advantage
            self._roster.clear_suspicion(remote)
        # Datagrams may be reordered, and a peer never loses inputs that it holds: keep the maximum.
        last = remote.last
        for player, held in enumerate(play.last):
            if held > last[player]:
                last[player] = held
        # Leaves come before inputs: they decide from whom a seat's inputs are accepted.
        if play.left:
            self._leaves.receive_report(remote, play.left, play.settled, fresh=fresh)
        if play.blocks:
            seats = self._roster.seats
            # Only the writer may supply a seat's inputs, or another peer could forge them.
            accepted = seats.masks_by_writer.get(remote.peer, 0) | seats.orphans | self.restoring
            for player, first, values in play.blocks:
                if accepted >> player & 1:
                    self._timeline.add_inputs(player, first, values)
        if play.detail_frame >= 0:
            remote.detail_frame, remote.detail = play.detail_frame, play.detail
        for frame, value in play.checksums:
            self._repair.compare_checksum(remote, frame, value, now)
        if play.closing >= 0:
            self._closing.receive(remote, play, now)
        self._pacer.poll_soon(now)

    def _reply_to_left(self, remote: RemotePeer, now: float) -> None:
        """Notify a peer that counts as left, but still sends, that the others continue without it."""
        if now >= remote.reply_after and not remote.has_verdict:
            remote.reply_after = now + _REPLY_INTERVAL_S
            self._outbox.send_out(remote, now)
