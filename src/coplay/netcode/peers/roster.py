"""Who takes part: the links to the other peers, who still runs, who is silent, who left, who came back."""

from collections import deque
from collections.abc import Sequence

from coplay.errors import UnknownPeerError
from coplay.netcode.config import SessionConfig
from coplay.netcode.events import Event, PeerBack, PeerLeft, PeerReturned, PeerSuspected, SeatCut
from coplay.netcode.history.rejoin_snapshot import RejoinSnapshot
from coplay.netcode.input_queue import NO_FRAME, InputQueue
from coplay.netcode.peers.link import RemotePeer
from coplay.netcode.peers.seats import Seats

SUSPECT_S = 1.0
CHECK_S = 0.1
QUORUM_S = 5.0
"""How long a minority waits for word that those who left are really gone."""


class Roster:
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
        self._players = len(config.owners)
        self._me = config.peer
        self.links: dict[int, RemotePeer] = {}
        players = range(self._players)
        for peer in sorted(set(config.owners) - {config.peer}):
            seats = tuple(player for player in players if config.owners[player] == peer)
            self.links[peer] = link = RemotePeer(peer, seats, self._players, config.epochs.get(peer, 0), now)
            # Others may have begun anew before this process did, and need back what they gave.
            link.returned = config.rejoining
        self.running = list(self.links.values())
        """The links to all peers that have not left."""
        self.reporting = list(self.running)
        """Those whose word is waited for before a frame is given out: also one that is only suspected to be
        gone, until the end of its inputs is settled."""
        self.seats = Seats(config, queues)
        self.own = [queue for queue in queues if config.owners[queue.player] == config.peer]
        """The seats that this peer writes."""
        self.sources = list(self.own)
        """The seats whose inputs this peer sends: its own, and orphans."""
        self.end_reason = ""
        """Who left first, in one sentence."""
        self.excluded = False
        """Whether the others go on without this peer."""
        self._unsure_since: float | None = None
        self._own_mask = sum(queue.bit for queue in self.own)

    def link(self, peer: int) -> RemotePeer:
        """Return the link to a peer.

        Raises:
            UnknownPeerError: It never joined.
        """
        try:
            return self.links[peer]
        except KeyError:
            raise UnknownPeerError(f"Peer {peer} is not part of this game.") from None

    def leave(self, link: RemotePeer, *, certain: bool) -> bool:
        """Count a peer as gone.

        Args:
            link: Who.
            certain: Whether that is the word of someone who must know: the peer itself, or an authority that
                all peers hear.

        Returns:
            Whether that was news.
        """
        if link.left:
            link.doubtful = link.doubtful and not certain
            self._find_sources()
            return False
        link.left = True
        link.doubtful = not certain
        self.running.remove(link)
        self.seats.leave(link)
        for other in self.running:
            other.settled_players = 0
        self._find_sources()
        self._events.append(PeerLeft(link.peer))
        self.end_reason = self.end_reason or f"Peer {link.peer} left."
        return True

    def hear_of_leaves(self, link: RemotePeer, left: int, settled: int, *, fresh: bool) -> None:
        """Take another peer's word for who left.

        Args:
            link: Who says so.
            left: Bitmask of the players whose peer left.
            settled: Bitmask of those whose end is settled, to it.
            fresh: Whether it is the newest that was heard of it.
        """
        if left & self._own_mask:
            self.excluded = True
            return
        link.left_players |= left
        for other in list(self.running):
            if other is not link and left & other.player_mask:
                self.leave(other, certain=False)
        if fresh:
            link.settled_players = settled if link.left_players == self.seats.left_players else 0

    @property
    def quorate(self) -> bool:
        """Whether those that remain may go on: they outnumber those that are only suspected to have left."""
        doubtful = [link.peer for link in self.links.values() if link.doubtful]
        if not doubtful:
            return True
        remaining = [self._me, *(link.peer for link in self.running)]
        if len(remaining) == len(doubtful):
            return min(remaining) < min(doubtful)
        return len(remaining) > len(doubtful)

    def settle(self, now: float) -> int:
        """Settle what can be settled, and take over what falls to this peer.

        Returns:
            The first stepped frame that turned out wrong, or `NO_FRAME`.
        """
        seats = self.seats
        if seats.only_ends or self.quorate:
            self._unsure_since = None
            cuts, wrong = seats.settle(self.running)
            self._events += [SeatCut(cut.player, cut.last_frame, cut.fate) for cut in cuts]
        else:
            wrong = NO_FRAME
            if self._unsure_since is None:
                self._unsure_since = now
            elif now - self._unsure_since > QUORUM_S:
                self.excluded = True
        if seats.unhosted:
            self.own += seats.begin_hosting(self.running)
        self._find_sources()
        return wrong

    def _find_sources(self) -> None:
        orphans = self.seats.orphans
        self.sources = self.own + [queue for queue in self._queues if orphans & queue.bit]
        self.reporting = [
            link
            for link in self.links.values()
            if not link.left or (link.doubtful and orphans & link.player_mask)
        ]

    def written_by(self, link: RemotePeer) -> list[InputQueue]:
        """Return the seats that a peer writes."""
        mask = self.seats.written_by.get(link.peer, 0)
        return [queue for queue in self._queues if mask & queue.bit]

    def restore(self, memory: RejoinSnapshot) -> None:
        """Take over who writes which seat, from a peer that knows (a peer that comes back)."""
        left = {link.peer for link in self.links.values() if link.left}
        self.seats.restore(memory.writers, memory.cuts, left)
        self.own = [queue for queue in self._queues if self.seats.writers[queue.player] == self._me]
        self._find_sources()

    def come_back(self, link: RemotePeer, epoch: int, now: float) -> None:
        """The process at the other end of a link began anew: what is known of the old one is void. One that
        counts as left will be told so."""
        link.begin(self._players, epoch, now)
        if link.left:
            return
        link.joining = link.returned = True
        self._events.append(PeerReturned(link.peer))

    def heard(self, link: RemotePeer) -> None:
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
        frame = self.seats.truncated_at
        for link in self.running:
            if link.chain_last_frame < frame:
                frame = link.chain_last_frame
        return frame

    def waited_for(self, received: int) -> tuple[int, ...]:
        """Return the peers whose inputs after frame `received` would let play go on."""
        late = [
            link.peer
            for link in self.running
            if any(
                queue.last <= received
                for queue in self._queues
                if self.seats.writers[queue.player] == link.peer
            )
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
