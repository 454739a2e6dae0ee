"""Writes the datagrams: one per peer, with all that the peer may not know."""

from collections.abc import Callable, Iterable, Sequence

from coplay.netcode.effects import Effect, SendDatagram
from coplay.netcode.history.agreement import LogAgreement
from coplay.netcode.history.timeline import Timeline
from coplay.netcode.peers.link import RemotePeer
from coplay.netcode.peers.roster import Roster
from coplay.netcode.wire.format import BYE, MAX_CHECKSUMS, MAX_DATAGRAM, OUT, PLAY
from coplay.netcode.wire.play import encode_status, put_inputs, put_play

_AGE_LIMIT_S = 0.25
"""A peer that was not heard of is taken to have played on for so long."""


class Outbox:
    """Turns a session's knowledge into datagrams.

    Args:
        timeline: The frames.
        peers: The links.
        fps: Frames per second.
        effects: Where datagrams are put.
    """

    def __init__(self, timeline: Timeline, peers: Roster, fps: float, effects: list[Effect]) -> None:
        self._timeline = timeline
        self._peers = peers
        self._fps = fps
        self._effects = effects

    def send(self, datagrams: Iterable[tuple[RemotePeer, bytes]]) -> None:
        """Send finished datagrams."""
        for link, data in datagrams:
            link.sent(len(data))
            self._effects.append(SendDatagram(link.peer, data))

    def send_bye(self, links: Sequence[RemotePeer], now: float) -> None:
        """Tell peers that this one does not play with them any more."""
        self.send([(link, bytes(link.header(BYE, now))) for link in links])

    def send_out(self, link: RemotePeer, now: float) -> None:
        """Tell a peer that the others go on without it."""
        self.send([(link, bytes(link.header(OUT, now)))])

    def compare_clocks(self, now: float) -> None:
        """Take one sample of who is ahead; due right after each frame time."""
        frame = self._timeline.frame
        for link in self._peers.running:
            if link.frame < 0:
                continue
            age = now - link.frame_at
            if age > _AGE_LIMIT_S:
                age = _AGE_LIMIT_S
            link.advantage = local = link.frame + (link.rtt / 2 + age) * self._fps - frame
            link.time_sync.add(local, link.remote_advantage)

    def send_play(
        self,
        now: float,
        closing: LogAgreement | None = None,
        detail_for: Callable[[RemotePeer, float], tuple[int, list[int]] | None] | None = None,
    ) -> None:
        """Tell every running peer all that it may not know.

        Args:
            now: Seconds.
            closing: The end of the game, once it has ended.
            detail_for: The checksums of examined frames that a peer must hear of, while states differ.
        """
        timeline, peers = self._timeline, self._peers
        frame, checksums, seats = timeline.frame, timeline.checksums, peers.seats
        left = seats.left_players
        status = encode_status(frame, [queue.held for queue in timeline.queues], left)
        settled = seats.settled_players & left
        for link in peers.running:
            if link.joining:
                continue
            due, held = checksums.unacked(link, MAX_CHECKSUMS)
            data = link.header(PLAY, now, held)
            put_play(
                data,
                link.advantage,
                status,
                due,
                closing.section(link) if closing else None,
                settled,
                detail_for(link, now) if detail_for else None,
            )
            sources = peers.sources
            if link.returned:
                # What it gave before it began anew, only the others hold.
                sources = sources + peers.written_by(link)
            blocks = len(sources)
            for queue in sources:
                first = link.last[queue.player] + 1
                if first <= queue.held:
                    room = (MAX_DATAGRAM - len(data)) // blocks
                    put_inputs(data, queue.player, frame, first, queue.inputs_from(first), room)
                blocks -= 1
            link.sent(len(data))
            self._effects.append(SendDatagram(link.peer, bytes(data)))
        checksums.drop_acked(peers.running)
