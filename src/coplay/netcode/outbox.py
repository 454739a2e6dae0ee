"""Writes the datagrams: one per peer, with all that the peer may not know."""

from collections.abc import Iterable, Sequence

from coplay.netcode.agreement import Closing
from coplay.netcode.effects import Effect, SendDatagram
from coplay.netcode.link import PeerLink
from coplay.netcode.packets import (
    BYE,
    MAX_CHECKSUMS,
    MAX_DATAGRAM,
    PLAY,
    encode_status,
    put_inputs,
    put_play,
)
from coplay.netcode.peers import Peers
from coplay.netcode.timeline import Timeline

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

    def __init__(self, timeline: Timeline, peers: Peers, fps: float, effects: list[Effect]) -> None:
        self._timeline = timeline
        self._peers = peers
        self._fps = fps
        self._effects = effects

    def send(self, datagrams: Iterable[tuple[PeerLink, bytes]]) -> None:
        """Send finished datagrams."""
        for link, data in datagrams:
            link.sent(len(data))
            self._effects.append(SendDatagram(link.peer, data))

    def send_bye(self, links: Sequence[PeerLink], now: float) -> None:
        """Tell peers that this one does not play with them any more."""
        self.send([(link, bytes(link.header(BYE, now))) for link in links])

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

    def send_play(self, now: float, closing: Closing | None = None) -> None:
        """Tell every running peer all that it may not know."""
        timeline, peers = self._timeline, self._peers
        frame, checksums, sources = timeline.frame, timeline.checksums, peers.sources
        status = encode_status(
            frame, [queue.last for queue in timeline.queues], peers.confirmation.left_players
        )
        for link in peers.running:
            due, held = checksums.unacked(link, MAX_CHECKSUMS)
            data = link.header(PLAY, now, held)
            put_play(data, link.advantage, status, due, closing.section(link) if closing else None)
            blocks = len(sources)
            for queue in sources:
                first = link.last[queue.player] + 1
                if first <= queue.last:
                    room = (MAX_DATAGRAM - len(data)) // blocks
                    put_inputs(data, queue.player, frame, first, queue.inputs_from(first), room)
                blocks -= 1
            link.sent(len(data))
            self._effects.append(SendDatagram(link.peer, bytes(data)))
        checksums.drop_acked(peers.running)
