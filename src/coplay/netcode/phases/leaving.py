"""How the remaining peers agree that a peer left, and on the last frame of its inputs.

A leave is *certain* if the peer itself or an authority such as the server reported it, and *suspected* if
only another peer did. After a network partition each side suspects that the other one left. Only the side
with a quorum may continue, or the log would fork.
"""

from collections import deque

from coplay.netcode.config import SessionConfig
from coplay.netcode.events import Event, PeerLeft, SeatCut
from coplay.netcode.input_queue import NO_FRAME
from coplay.netcode.peers.remote_peer import RemotePeer
from coplay.netcode.peers.roster import Roster

QUORUM_TIMEOUT_S = 5.0
"""How long a minority waits for certainty about the leaves before it ends its game."""


class LeaveAgreement:
    """The leaves that this peer knows of, and the decision whether the game may continue without those peers.

    Args:
        config: The rules of the game.
        roster: The remote peers.
        events: List to which events are appended.
    """

    def __init__(self, config: SessionConfig, roster: Roster, events: deque[Event]) -> None:
        self._roster = roster
        self._events = events
        self._local_peer = config.peer
        self._own_players = sum(queue.bit for queue in roster.own_queues)
        self._without_quorum_since: float | None = None
        self.first_leave: str | None = None
        """The first leave, in one sentence; None until a peer leaves."""
        self.excluded = False
        """True if the other peers continue without this one."""

    def add(self, remote: RemotePeer, *, certain: bool) -> None:
        """Count a peer as left.

        Args:
            remote: The peer that left.
            certain: True if the peer itself said so, or an authority that all peers hear.
        """
        roster = self._roster
        if remote.left:
            remote.leave_suspected = remote.leave_suspected and not certain
            roster.update_queues()
            return
        remote.left = True
        remote.leave_suspected = not certain
        roster.running.remove(remote)
        roster.seats.orphan(remote)
        # What the others report as settled so far was settled without knowledge of this leave.
        for other in roster.running:
            other.settled_players = 0
        roster.update_queues()
        self._events.append(PeerLeft(remote.peer))
        self.first_leave = self.first_leave or f"Peer {remote.peer} left."

    def receive_report(self, remote: RemotePeer, left: int, settled: int, *, fresh: bool) -> None:
        """Process the leaves that another peer reports.

        Args:
            remote: The reporting peer.
            left: Bitmask of the players whose peer left.
            settled: Bitmask of the players whose last input is settled at the reporting peer.
            fresh: True if this is the newest report of that peer.
        """
        if left & self._own_players:
            self.excluded = True
            return
        remote.left_players |= left
        # A copy, because `add` removes the peer from the list.
        for other in list(self._roster.running):
            if other is not remote and left & other.player_mask:
                self.add(other, certain=False)
        if fresh:
            # A settlement counts only if it was made with knowledge of the same leaves.
            same_leaves = remote.left_players == self._roster.seats.left_players
            remote.settled_players = settled if same_leaves else 0

    @property
    def has_quorum(self) -> bool:
        """True if the remaining peers outnumber those that are only suspected to have left.

        With equal numbers, the side with the lowest peer has the quorum.
        """
        suspected = [remote.peer for remote in self._roster.remotes.values() if remote.leave_suspected]
        if not suspected:
            return True
        remaining = [self._local_peer, *(remote.peer for remote in self._roster.running)]
        if len(remaining) == len(suspected):
            return min(remaining) < min(suspected)
        return len(remaining) > len(suspected)

    def settle(self, now: float) -> int:
        """Settle orphaned seats, and take over those that this peer will write.

        Returns:
            The first stepped frame whose input turned out wrong, or `NO_FRAME`.
        """
        roster, seats = self._roster, self._roster.seats
        wrong = NO_FRAME
        # If every leave ends the game, both sides of a partition stop, so the log cannot fork.
        if seats.every_leave_ends or self.has_quorum:
            self._without_quorum_since = None
            cuts, wrong = seats.settle(roster.running)
            self._events += [SeatCut(cut.player, cut.last_frame, cut.fate) for cut in cuts]
        elif self._without_quorum_since is None:
            self._without_quorum_since = now
        elif now - self._without_quorum_since > QUORUM_TIMEOUT_S:
            self.excluded = True
        if seats.takeovers:
            roster.own_queues += seats.take_over(roster.running)
        roster.update_queues()
        return wrong
