"""How a peer whose process began anew gets back into a game that the others play already.

It greets all others as in any hello. From one of them that plays it learns the whole log, the seats and a
state; then it plays, and once every other has said what it holds of this peer's own inputs, and that is here
again, it gives inputs again. What anyone may have been given is never given a second time, with another
value.
"""

from coplay.netcode.peers.roster import Roster
from coplay.netcode.phases.hello import HelloPhase
from coplay.netcode.phases.inbox import Inbox
from coplay.netcode.phases.repairing import Repairing

CATCH_UP_S = 30.0
"""How long it tries to learn what the others know."""
MEET_S = 0.5
"""How long it waits to meet all of them first; one may have left long ago."""


class CatchingUp:
    """The way back of one session.

    Args:
        peers: The links.
        handshake: The hello.
        recovery: Brings what the others know.
        inbox: Told which seats the others give back.
    """

    def __init__(self, peers: Roster, handshake: HelloPhase, recovery: Repairing, inbox: Inbox) -> None:
        self._peers = peers
        self._handshake = handshake
        self._recovery = recovery
        self._inbox = inbox
        self._since: float | None = None
        self._tries = 0

    def tick(self, now: float) -> str:
        """Learn what there is to learn; return why that is in vain, if it is."""
        recovery, handshake = self._recovery, self._handshake
        if handshake.lost:
            return "Nobody is left who knows how the game stood."
        if recovery.receiving:
            recovery.request(now)
        if not handshake.late:
            return ""
        if self._since is None:
            self._since = now
        waited = now - self._since
        if waited > CATCH_UP_S:
            return "This peer could not come back: nobody told it how the game stands."
        if recovery.idle and (handshake.all_greeted or waited > MEET_S):
            givers = [link for link in self._peers.running if link.playing]
            recovery.ask_memory(givers[self._tries % len(givers)], now)
            self._tries += 1
            recovery.request(now)
        return ""

    def arrived(self) -> None:
        """The state is loaded: what is missing now is only what others hold of the own seats."""
        self._inbox.restoring = sum(queue.bit for queue in self._peers.own)

    def restored(self) -> bool:
        """Whether all inputs of the own seats that anyone holds have just become known here."""
        for link in self._peers.running:
            if link.frame < 0 or any(link.last[queue.player] > queue.last for queue in self._peers.own):
                return False
        self._inbox.restoring = 0
        return True
