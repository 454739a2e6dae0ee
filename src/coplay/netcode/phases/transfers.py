"""Transfers of states between peers: fetches one for this peer, and serves the others.

Serving makes the caller serialize a state. A peer therefore gets a state only when it needs one, and only a
limited number of states per game.
"""

from collections.abc import Sequence

from coplay.netcode.effects import Effect, ExportState, ImportState
from coplay.netcode.history.rejoin_snapshot import (
    RejoinSnapshot,
    decode_rejoin_snapshot,
    encode_rejoin_snapshot,
)
from coplay.netcode.history.timeline import Timeline
from coplay.netcode.peers.remote_peer import RemotePeer
from coplay.netcode.peers.roster import Roster
from coplay.netcode.phases.outbox import DatagramOutbox
from coplay.netcode.phases.repairing import DesyncRepair
from coplay.netcode.wire.format import STATE, MalformedDatagramError
from coplay.netcode.wire.transfer import (
    EXAMINED,
    MAX_TRANSFERS,
    PIECE,
    REFUSAL,
    REJOIN,
    WANT,
    IncomingTransfer,
    OutgoingTransfer,
    Want,
    decode_piece,
    decode_state,
    decode_want,
    encode_state,
)


class StateTransfers:
    """The transfers of one session: at most one incoming, and one outgoing for each remote peer.

    Args:
        timeline: The frames of the game.
        roster: The remote peers.
        repair: Requests states after a desync, and takes them.
        outbox: Sends datagrams.
        effects: List to which effects are appended.
    """

    def __init__(
        self,
        timeline: Timeline,
        roster: Roster,
        repair: DesyncRepair,
        outbox: DatagramOutbox,
        effects: list[Effect],
    ) -> None:
        self._timeline = timeline
        self._roster = roster
        self._repair = repair
        self._outbox = outbox
        self._effects = effects
        self._sizes: Sequence[int] = [queue.size for queue in timeline.queues]
        self._incoming: IncomingTransfer | None = None
        self._outgoing: dict[int, OutgoingTransfer] = {}
        self._served: dict[int, int] = {}
        self._ident = 0
        self.snapshot: RejoinSnapshot | None = None
        """The snapshot to rejoin with, from its arrival until the caller has imported its state."""

    @property
    def receiving(self) -> bool:
        """True while a transfer to this peer is in progress."""
        return self._incoming is not None

    @property
    def idle(self) -> bool:
        """True if no transfer to this peer is in progress and no snapshot waits for its import."""
        return self._incoming is None and self.snapshot is None

    @property
    def next_request(self) -> float:
        """When the next request is due, in seconds; 0 without a transfer to this peer."""
        return self._incoming.next_request if self._incoming is not None else 0.0

    # The receiving side

    def request_snapshot(self, remote: RemotePeer, now: float) -> None:
        """Start to fetch the snapshot to rejoin with from a peer."""
        self._start(remote.peer, REJOIN, 0, now)

    def _start(self, peer: int, purpose: int, frame: int, now: float) -> None:
        # One byte on the wire: enough to tell the pieces of this transfer from stale ones of the last.
        self._ident = (self._ident + 1) & 0xFF
        self._incoming = IncomingTransfer(peer, self._ident, purpose, frame, now)

    def request_pieces(self, now: float) -> None:
        """Request missing pieces when that is due, or start the next transfer that the repair asks for."""
        incoming = self._incoming
        if incoming is None and self._repair.requests:
            self._start(*self._repair.requests.popleft(), now)
            incoming = self._incoming
        if incoming is None or now < incoming.next_request:
            return
        remote = self._roster.remotes[incoming.peer]
        if remote.left or now > incoming.deadline:
            self._fail(incoming)
            return
        data = remote.start_datagram(STATE, now)
        incoming.put_want(data, now)
        self._outbox.send([(remote, bytes(data))])

    def receive(self, remote: RemotePeer, body: bytes, now: float, *, serving: bool) -> None:
        """Process a datagram of a transfer.

        Args:
            remote: The sender.
            body: The bytes after the header.
            now: Seconds.
            serving: True if this peer has a state that it can send.

        Raises:
            MalformedDatagramError: The bytes break the layout or its bounds.
        """
        kind = body[0] if body else -1
        incoming = self._incoming
        if kind == WANT:
            want = decode_want(body[1:])
            if serving:
                self._serve(remote, want, now)
        elif kind == PIECE:
            ident, total, index, piece = decode_piece(body[1:])
            # Drop stale pieces, and those of a peer that was not asked.
            if incoming is None or remote.peer != incoming.peer or ident != incoming.ident:
                return
            whole = incoming.receive(total, index, piece, now)
            if whole is not None:
                self._incoming = None
                self._complete(incoming, whole)
        elif kind == REFUSAL and len(body) == 2:
            if incoming is not None and remote.peer == incoming.peer and body[1] == incoming.ident:
                self._fail(incoming)
        else:
            raise MalformedDatagramError("unknown part of a transfer")

    def _complete(self, incoming: IncomingTransfer, whole: bytes) -> None:
        if incoming.purpose == REJOIN:
            self.snapshot = decode_rejoin_snapshot(whole, self._sizes)
            self._effects.append(ImportState(self.snapshot.frame, self.snapshot.state))
            return
        frame, state = decode_state(whole)
        if incoming.purpose == EXAMINED:
            self._repair.compare_state(incoming.peer, incoming.frame, state)
        else:
            self._repair.take_state(incoming.peer, frame, state)

    def _fail(self, incoming: IncomingTransfer) -> None:
        self._incoming = None
        if incoming.purpose == EXAMINED:
            self._repair.report_paths(incoming.peer, incoming.frame, ())

    # The sending side

    def _serve(self, remote: RemotePeer, want: Want, now: float) -> None:
        outgoing = self._outgoing.get(remote.peer)
        if outgoing is None or outgoing.ident != want.ident or outgoing.purpose != want.purpose:
            outgoing = self._start_outgoing(remote, want)
            if outgoing is None:
                return
        answers = []
        for body in outgoing.answers(want):
            data = remote.start_datagram(STATE, now)
            data += body
            answers.append((remote, bytes(data)))
        self._outbox.send(answers)

    def _start_outgoing(self, remote: RemotePeer, want: Want) -> OutgoingTransfer | None:
        """Request a state from the caller; return None if the peer may not have one now."""
        allowed = remote.catching_up if want.purpose == REJOIN else self._repair.may_serve(remote, want)
        served = self._served.get(remote.peer, 0)
        if not allowed or served >= MAX_TRANSFERS:
            return None
        self._served[remote.peer] = served + 1
        outgoing = self._outgoing[remote.peer] = OutgoingTransfer(want)
        examined = want.purpose == EXAMINED
        outgoing.frame = want.frame if examined else self._timeline.published + 1
        self._effects.append(ExportState(remote.peer, outgoing.frame, examined=examined))
        return outgoing

    def state_exported(self, peer: int, data: bytes | None, delay: int) -> None:
        """Process the answer to `ExportState`; None means that there is no such state."""
        outgoing = self._outgoing.get(peer)
        if outgoing is None or outgoing.data is not None:
            return
        timeline = self._timeline
        if data is None:
            outgoing.refused = True
        elif outgoing.purpose == REJOIN:
            outgoing.data = encode_rejoin_snapshot(
                outgoing.frame, delay, timeline.log, self._roster.seats, timeline.queues, data
            )
        else:
            outgoing.data = encode_state(outgoing.frame, data)

    def forget(self, peer: int) -> None:
        """Drop the transfer to a peer whose process restarted: its transfer numbers start over."""
        self._outgoing.pop(peer, None)

    def stop(self) -> None:
        """Drop transfers and received states, because the game is over at this peer."""
        self._incoming = self.snapshot = None
        self._repair.stop()
