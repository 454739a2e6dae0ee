"""Who takes part: the links to the other peers, who still runs, who is silent, who left."""

from collections import deque
from collections.abc import Sequence

from coplay.errors import UnknownPeerError
from coplay.netcode.agreement import Confirmation
from coplay.netcode.config import SessionConfig
from coplay.netcode.events import Event, PeerBack, PeerLeft, PeerSuspected
from coplay.netcode.input_queue import InputQueue
from coplay.netcode.link import PeerLink

SUSPECT_S = 1.0
CHECK_S = 0.1


class Peers:
    """The other peers of one game.

    Args:
        config: The session's rules.
        queues: This peer's inputs, per player.
        events: Where events are put.
        now: Seconds.
    """

    def __init__(
        self, config: SessionConfig, queues: Sequence[InputQueue], events: deque[Event], now: float
    ) -> None:
        self._queues = queues
        self._events = events
        self._next_check = now
        self.links: dict[int, PeerLink] = {}
        players = range(len(config.owners))
        for peer in sorted(set(config.owners) - {config.peer}):
            seats = tuple(player for player in players if config.owners[player] == peer)
            self.links[peer] = PeerLink(peer, seats, len(config.owners), config.epoch, now)
        self.running = list(self.links.values())
        """The links to all peers that have not left."""
        self.own = [queue for queue in queues if config.owners[queue.player] == config.peer]
        """The seats that this peer supplies."""
        self.sources = list(self.own)
        """The seats whose inputs this peer sends: its own, and those of peers that left."""
        self.confirmation = Confirmation(queues, self.running)
        self.end_reason = ""
        """Who left first, in one sentence."""
        self._own_mask = sum(queue.bit for queue in self.own)

    def link(self, peer: int) -> PeerLink:
        """Return the link to a peer.

        Raises:
            UnknownPeerError: It never joined.
        """
        try:
            return self.links[peer]
        except KeyError:
            raise UnknownPeerError(f"Peer {peer} is not part of this game.") from None

    def leave(self, link: PeerLink) -> bool:
        """Count a peer as gone; return whether that was news."""
        if link.left:
            return False
        link.left = True
        self.running.remove(link)
        self.confirmation.leave(link)
        self.sources += [self._queues[seat] for seat in link.seats]
        self._events.append(PeerLeft(link.peer))
        self.end_reason = self.end_reason or f"Peer {link.peer} left."
        return True

    def hear_of_leaves(self, link: PeerLink, left: int) -> None:
        """Take another peer's word for who left.

        Args:
            link: Who says so.
            left: Bitmask of the players whose peer left.
        """
        if left & self._own_mask:
            # They go on without us: to us, it is they who left.
            self.leave(link)
            return
        link.left_players |= left
        for other in list(self.running):
            if other is not link and left & other.player_mask:
                self.leave(other)

    def heard(self, link: PeerLink) -> None:
        """Take back a suspicion."""
        if link.suspected:
            link.suspected = False
            self._events.append(PeerBack(link.peer))

    def check_silence(self, now: float) -> None:
        """Suspect who was not heard of for a second; looks ten times a second."""
        if now < self._next_check:
            return
        self._next_check = now + CHECK_S
        for link in self.running:
            if not link.suspected and now - link.heard_at > SUSPECT_S:
                link.suspected = True
                self._events.append(PeerSuspected(link.peer))

    def stop_at(self) -> int:
        """Return the last frame of the game, as far as a leave or a peer that has ended sets one."""
        frame = self.confirmation.truncated_at
        for link in self.running:
            if link.chain_last_frame < frame:
                frame = link.chain_last_frame
        return frame

    def waited_for(self, received: int) -> tuple[int, ...]:
        """Return the peers whose inputs after frame `received` would let play go on."""
        late = [
            link.peer
            for link in self.running
            if any(self._queues[seat].last <= received for seat in link.seats)
        ]
        # All inputs are here: then somebody does not acknowledge ours.
        return tuple(late or (link.peer for link in self.running))

    def frames_ahead(self) -> float:
        """Return how many frames this peer is ahead of the one that is furthest behind."""
        ahead = None
        for link in self.running:
            frames = link.time_sync.frames_ahead
            if ahead is None or frames > ahead:
                ahead = frames
        return ahead or 0.0
