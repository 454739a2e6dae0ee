"""The outgoing datagrams: one per remote peer and frame, with everything it may not have received yet."""

from collections.abc import Callable, Iterable, Sequence

from coplay.netcode.effects import Effect, SendDatagram
from coplay.netcode.history.agreement import LogAgreement
from coplay.netcode.history.timeline import Timeline
from coplay.netcode.peers.remote_peer import RemotePeer
from coplay.netcode.peers.roster import Roster
from coplay.netcode.wire.format import BYE, MAX_CHECKSUMS, MAX_DATAGRAM, OUT, PLAY
from coplay.netcode.wire.play import encode_status, put_inputs, put_play

_EXTRAPOLATION_LIMIT_S = 0.25
"""For this long a silent peer is assumed to keep stepping frames."""


class DatagramOutbox:
    """The outgoing datagrams of one session.

    Args:
        timeline: The frames of the game.
        roster: The remote peers.
        fps: Frames per second.
        effects: List to which `SendDatagram` effects are appended.
    """

    def __init__(self, timeline: Timeline, roster: Roster, fps: float, effects: list[Effect]) -> None:
        self._timeline = timeline
        self._roster = roster
        self._fps = fps
        self._effects = effects

    def send(self, datagrams: Iterable[tuple[RemotePeer, bytes]]) -> None:
        """Send complete datagrams, given as pairs of (receiver, bytes)."""
        for remote, data in datagrams:
            remote.count_sent(len(data))
            self._effects.append(SendDatagram(remote.peer, data))

    def send_bye(self, remotes: Sequence[RemotePeer], now: float) -> None:
        """Notify peers that this one leaves the game."""
        self.send([(remote, bytes(remote.start_datagram(BYE, now))) for remote in remotes])

    def send_out(self, remote: RemotePeer, now: float) -> None:
        """Notify a peer that it counts as left and that the others continue without it."""
        self.send([(remote, bytes(remote.start_datagram(OUT, now)))])

    def sample_advantages(self, now: float) -> None:
        """Add one time-sync sample for each running peer; call it once per frame, right after the step."""
        frame = self._timeline.frame
        for remote in self._roster.running:
            if remote.frame < 0:
                continue
            age = now - remote.frame_received_at
            if age > _EXTRAPOLATION_LIMIT_S:
                age = _EXTRAPOLATION_LIMIT_S
            remote.advantage = local = remote.frame + (remote.rtt / 2 + age) * self._fps - frame
            remote.time_sync.add(local, remote.remote_advantage)

    def send_play(
        self,
        now: float,
        agreement: LogAgreement | None = None,
        detail_for: Callable[[RemotePeer, float], tuple[int, list[int]] | None] | None = None,
    ) -> None:
        """Send a play datagram to every running peer.

        Args:
            now: Seconds.
            agreement: Provides the closing section once the game has ended.
            detail_for: Provides the detail section for a peer during a desync.
        """
        timeline, roster = self._timeline, self._roster
        frame, checksums, seats = timeline.frame, timeline.checksums, roster.seats
        left = seats.left_players
        status = encode_status(frame, [queue.last_given for queue in timeline.queues], left)
        settled = seats.settled_players & left
        for remote in roster.running:
            if remote.catching_up:
                continue
            due, held = checksums.unacked_by(remote, MAX_CHECKSUMS)
            data = remote.start_datagram(PLAY, now, held)
            put_play(
                data,
                remote.advantage,
                status,
                due,
                agreement.section(remote) if agreement else None,
                settled,
                detail_for(remote, now) if detail_for else None,
            )
            queues = roster.sent_queues
            if remote.restarted:
                # Inputs that the restarted peer supplied earlier exist only at the other peers.
                queues = queues + roster.queues_written_by(remote)
            blocks = len(queues)
            for queue in queues:
                first = remote.last[queue.player] + 1
                if first <= queue.last_given:
                    # Each block gets an equal share of the remaining room, so that no seat starves another.
                    room = (MAX_DATAGRAM - len(data)) // blocks
                    put_inputs(data, queue.player, frame, first, queue.inputs_from(first), room)
                blocks -= 1
            remote.count_sent(len(data))
            self._effects.append(SendDatagram(remote.peer, bytes(data)))
        checksums.drop_acked(roster.running)
