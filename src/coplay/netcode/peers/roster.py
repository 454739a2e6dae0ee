"""The remote peers of a game: which run, which are silent, and which are restarting."""

from collections import deque
from collections.abc import Sequence

from coplay.errors import UnknownPeerError
from coplay.netcode.config import SessionConfig
from coplay.netcode.events import Event, PeerBack, PeerReturned, PeerSuspected
from coplay.netcode.input_queue import InputQueue
from coplay.netcode.peers.remote_peer import RemotePeer
from coplay.netcode.peers.seats import Cut, Seats

SUSPECT_S = 1.0
"""A peer that has been silent for longer is suspected to be gone."""
SILENCE_CHECK_INTERVAL_S = 0.1


class Roster:
    """The remote peers of one game, and the queues whose inputs this peer sends.

    Args:
        config: The rules of the game.
        queues: Per player, the input queue of this peer.
        events: List to which events are appended.
        now: Seconds.
    """

    def __init__(
        self, config: SessionConfig, queues: Sequence[InputQueue], events: deque[Event], now: float
    ) -> None:
        self._queues = queues
        self._events = events
        self._next_check = now
        self._players = len(config.owners)
        self._local_peer = config.peer
        self.remotes: dict[int, RemotePeer] = {}
        players = range(self._players)
        for peer in sorted(set(config.owners) - {config.peer}):
            seats = tuple(player for player in players if config.owners[player] == peer)
            remote = RemotePeer(peer, seats, self._players, config.epochs.get(peer, 0), now)
            # Another peer may have restarted before this process did; then it needs its earlier inputs back.
            remote.restarted = config.rejoining
            self.remotes[peer] = remote
        self.running = list(self.remotes.values())
        """All remote peers that have not left."""
        self.acknowledging = list(self.running)
        """The peers that must hold a frame's inputs before it is published.

        These are the running peers, and peers that are only suspected to have left, until their seats are
        settled: such a peer may still play on the other side of a network partition.
        """
        self.seats = Seats(config, queues)
        self.own_queues = [queue for queue in queues if config.owners[queue.player] == config.peer]
        """The queues of the seats that this peer writes."""
        self.sent_queues = list(self.own_queues)
        """The queues whose inputs this peer sends: those that it writes, and those of orphaned seats."""

    def remote(self, peer: int) -> RemotePeer:
        """Return the remote peer with a number.

        Raises:
            UnknownPeerError: The peer is not part of the game.
        """
        try:
            return self.remotes[peer]
        except KeyError:
            raise UnknownPeerError(
                f"Peer {peer} is not part of this game.", "Name a peer that owns a seat, other than this one."
            ) from None

    def update_queues(self) -> None:
        """Recompute `sent_queues` and `acknowledging` after seats changed or a peer left."""
        orphans = self.seats.orphans
        self.sent_queues = self.own_queues + [queue for queue in self._queues if orphans & queue.bit]
        self.acknowledging = [
            remote
            for remote in self.remotes.values()
            if not remote.left or (remote.leave_suspected and orphans & remote.player_mask)
        ]

    def queues_written_by(self, remote: RemotePeer) -> list[InputQueue]:
        """Return the queues of the seats that a remote peer writes."""
        mask = self.seats.masks_by_writer.get(remote.peer, 0)
        return [queue for queue in self._queues if mask & queue.bit]

    def restore(self, writers: Sequence[int], cuts: Sequence[Cut]) -> None:
        """Restore the seats from the snapshot of another peer, as `Seats.restore` does."""
        left = {remote.peer for remote in self.remotes.values() if remote.left}
        self.seats.restore(writers, cuts, left)
        self.own_queues = [
            queue for queue in self._queues if self.seats.writers[queue.player] == self._local_peer
        ]
        self.update_queues()

    def restart(self, remote: RemotePeer, epoch: int, now: float) -> None:
        """Reset a remote peer whose process restarted.

        A peer that counts as left stays left; it is notified when its first datagram arrives.
        """
        remote.reset(self._players, epoch, now)
        if remote.left:
            return
        remote.catching_up = remote.restarted = True
        self._events.append(PeerReturned(remote.peer))

    def clear_suspicion(self, remote: RemotePeer) -> None:
        """Report a suspected peer as back, because a datagram came from it."""
        if remote.suspected:
            remote.suspected = False
            self._events.append(PeerBack(remote.peer))

    def check_silence(self, now: float) -> None:
        """Report peers as suspected that have been silent for a second; checks ten times a second."""
        if now < self._next_check:
            return
        self._next_check = now + SILENCE_CHECK_INTERVAL_S
        for remote in self.running:
            if not remote.suspected and now - remote.received_at > SUSPECT_S:
                remote.suspected = True
                self._events.append(PeerSuspected(remote.peer))

    def final_frame(self) -> int:
        """Return the last frame of the game if a leave or a closing peer sets one, else `NO_FRAME`."""
        frame = self.seats.truncated_at
        # For a peer that is closing the game has ended, so no later frame can be agreed on.
        for remote in self.running:
            if remote.chain_last_frame < frame:
                frame = remote.chain_last_frame
        return frame

    def blocking_peers(self, received: int) -> tuple[int, ...]:
        """Return the peers that a stalled game waits for, when all inputs up to `received` have arrived."""
        missing = [
            remote.peer
            for remote in self.running
            if any(
                queue.last <= received
                for queue in self._queues
                if self.seats.writers[queue.player] == remote.peer
            )
        ]
        # With all inputs here, some peer has not acknowledged this peer's inputs.
        return tuple(missing or (remote.peer for remote in self.running))

    def frames_ahead(self) -> float:
        """Return how many frames this peer is ahead of the remote peer that is furthest behind."""
        ahead = None
        for remote in self.running:
            frames = remote.time_sync.frames_ahead
            if ahead is None or frames > ahead:
                ahead = frames
        return ahead or 0.0
