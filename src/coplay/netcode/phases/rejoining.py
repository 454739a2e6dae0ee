"""How a peer whose process restarted rejoins a game that the others are playing.

It exchanges hellos with all of them. From one that plays it fetches a snapshot: the log, the seats and a
state. Then it plays, but adds no inputs yet: its previous process may have sent inputs that only the others
hold. It first waits until every other peer has reported which of these inputs it holds, and until all of them
have arrived here. Otherwise a frame could get two different inputs.
"""

from coplay.netcode.peers.roster import Roster
from coplay.netcode.phases.hello import HelloPhase
from coplay.netcode.phases.inbox import DatagramInbox
from coplay.netcode.phases.transfers import StateTransfers

REJOIN_TIMEOUT_S = 30.0
"""How long to try to get a snapshot."""
HELLO_WAIT_S = 0.5
"""How long to wait for the hellos of all peers before the first request; one may have left long ago."""


class RejoinPhase:
    """The steps by which one restarted peer rejoins its game.

    Args:
        roster: The remote peers.
        hello: The hello phase.
        transfers: Fetches the snapshot.
        inbox: Accepts inputs of this peer's own seats while they are restored.
    """

    def __init__(
        self, roster: Roster, hello: HelloPhase, transfers: StateTransfers, inbox: DatagramInbox
    ) -> None:
        self._roster = roster
        self._hello = hello
        self._transfers = transfers
        self._inbox = inbox
        self._since: float | None = None
        self._attempts = 0

    def tick(self, now: float) -> str | None:
        """Request the snapshot when that is due; return the reason if the rejoin has failed."""
        transfers, hello = self._transfers, self._hello
        if hello.state_is_lost:
            return "No remaining peer has the state of the game."
        if transfers.receiving:
            transfers.request_pieces(now)
        if not hello.game_is_running:
            return None
        if self._since is None:
            self._since = now
        waited = now - self._since
        if waited > REJOIN_TIMEOUT_S:
            return "This peer could not come back: no other peer sent it the state of the game."
        if transfers.idle and (hello.all_hellos_received or waited > HELLO_WAIT_S):
            senders = [remote for remote in self._roster.running if remote.playing]
            # Each attempt asks another peer, because a sender may itself be stuck.
            transfers.request_snapshot(senders[self._attempts % len(senders)], now)
            self._attempts += 1
            transfers.request_pieces(now)
        return None

    def restore_inputs(self) -> None:
        """Accept the inputs of this peer's own seats from the others, until they are restored."""
        self._inbox.restoring = sum(queue.bit for queue in self._roster.own_queues)

    def inputs_restored(self) -> bool:
        """Return True, and end the restoring, once all own inputs that any other peer holds are here."""
        for remote in self._roster.running:
            # Before a peer's first play datagram, it is not known which inputs that peer holds.
            if remote.frame < 0 or any(
                remote.last[queue.player] > queue.last for queue in self._roster.own_queues
            ):
                return False
        self._inbox.restoring = 0
        return True
