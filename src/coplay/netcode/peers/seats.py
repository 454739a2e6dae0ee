"""Who writes each player's inputs, and what becomes of a seat whose peer has left.

A seat is written by the peer that owns it. When that peer leaves, the seat is *orphaned*: the remaining peers
fill each other in, and nothing is written. It is *settled* once all of them know of the same leaves and hold
the same last input; from the next frame on its fate takes hold:

    end      the game ends with that frame
    default  every later input is the default; nobody needs to say so
    bot      the lowest remaining peer writes on, as soon as all others have settled, too

When the peer that writes on leaves as well, the seat is orphaned again.

Nobody but a running writer ever adds to a seat, and a writer begins only when everyone has reported the same
end, after hearing of the same leaves. So no frame of a seat is ever written twice.

Source: the newest input that any survivor holds, after GekkoNet; its settlement is ours.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from coplay.netcode.config import Fate, SessionConfig
from coplay.netcode.input_queue import NO_FRAME, InputQueue
from coplay.netcode.peers.link import RemotePeer

NOBODY = 0xFFFF


@dataclass(frozen=True, slots=True)
class Cut:
    """The end of a player's own inputs: that player's peer left."""

    player: int
    """Whose seat."""
    last_frame: int
    """The last frame with an input of the peer that left; -1 for none."""
    fate: Fate
    """What the seat does from the next frame on."""


class Seats:
    """The seats of one game, as one peer knows them.

    Args:
        config: The session's rules.
        queues: This peer's inputs, per player.
    """

    __slots__ = (
        "_fates",
        "_me",
        "_queues",
        "cuts",
        "defaulted",
        "left_players",
        "only_ends",
        "orphans",
        "settled_players",
        "truncated_at",
        "unhosted",
        "writers",
        "written_by",
    )

    def __init__(self, config: SessionConfig, queues: Sequence[InputQueue]) -> None:
        self._queues = queues
        self._fates = config.fates
        self._me = config.peer
        self.writers = list(config.owners)
        """Per player, the peer that writes its inputs, or did before it left; `NOBODY` for a default."""
        self.written_by: dict[int, int] = {}
        """By peer, the bitmask of the players that it writes."""
        self.left_players = 0
        """Bitmask of the players whose own peer left, as this peer knows."""
        self.orphans = 0
        """Bitmask of the players that nobody writes, until their end is settled."""
        self.settled_players = 0
        """Bitmask of the players with a settled end."""
        self.defaulted = 0
        """Bitmask of the players with the default from some frame on."""
        self.unhosted = 0
        """Bitmask of the players that this peer shall write as soon as all others have settled."""
        self.cuts: dict[int, Cut] = {}
        """By player, where the person's inputs end."""
        self.only_ends = all(fate == "end" for fate in config.fates)
        """Whether nobody ever plays on in the seat of one who left: then no two sides can come to differ."""
        self.truncated_at = NO_FRAME
        """The last frame of the game, once a leave ends it."""
        self._index()

    def _index(self) -> None:
        self.written_by.clear()
        for player, writer in enumerate(self.writers):
            if not self.orphans >> player & 1:
                self.written_by[writer] = self.written_by.get(writer, 0) | 1 << player

    def leave(self, link: RemotePeer) -> None:
        """Take note that a peer left: from now on nothing of it counts but what the remaining peers hold."""
        self.left_players |= link.player_mask
        for player, writer in enumerate(self.writers):
            if writer == link.peer:
                self.orphans |= 1 << player
                self.settled_players &= ~(1 << player)
        self._index()

    def settle(self, running: Sequence[RemotePeer]) -> tuple[list[Cut], int]:
        """Settle the orphans on whose end all remaining peers agree.

        Args:
            running: The links to all remaining peers.

        Returns:
            The cuts that are new, and the first frame that was stepped with another input than the default
            which is now known to be right, or `NO_FRAME`.
        """
        news: list[Cut] = []
        wrong = NO_FRAME
        for queue in self._queues:
            player, bit = queue.player, queue.bit
            if not self.orphans & bit:
                continue
            last = queue.held
            for link in running:
                if link.left_players != self.left_players or link.last[player] != last:
                    break
            else:
                fate = self._fates[player]
                self.orphans &= ~bit
                self.settled_players |= bit
                if player not in self.cuts:
                    self.cuts[player] = Cut(player, last, fate)
                    news.append(self.cuts[player])
                if fate == "end":
                    self.truncated_at = min(self.truncated_at, last)
                elif fate == "default":
                    wrong = min(wrong, queue.close())
                    self.defaulted |= bit
                    self.writers[player] = NOBODY
                else:
                    self._hand_over(player, running)
        self._index()
        return news, wrong

    def _hand_over(self, player: int, running: Sequence[RemotePeer]) -> None:
        host = min([self._me, *(link.peer for link in running)])
        self.writers[player] = host
        if host == self._me:
            self.unhosted |= 1 << player

    def begin_hosting(self, running: Sequence[RemotePeer]) -> list[InputQueue]:
        """Return the seats that this peer writes from now on, because all others have settled them."""
        begun = []
        for queue in self._queues:
            if self.unhosted & queue.bit and all(link.settled_players & queue.bit for link in running):
                self.unhosted &= ~queue.bit
                begun.append(queue)
        return begun

    def agreed(self, running: Sequence[RemotePeer]) -> int:
        """Return the last frame whose every input is known to be held by every running peer."""
        frame = NO_FRAME
        for queue in self._queues:
            if queue.last < frame:
                frame = queue.last
        if not self.defaulted:
            for link in running:
                for last in link.last:
                    if last < frame:
                        frame = last
            return frame
        for link in running:
            for player, last in enumerate(link.last):
                if last < frame and not self.defaulted >> player & 1:
                    frame = last
        return frame

    def leaves_before(self, last_frame: int) -> list[tuple[int, int]]:
        """Return the cuts that a log up to `last_frame` contains, as pairs of (player, last frame)."""
        return [(cut.player, cut.last_frame) for cut in self.cuts.values() if cut.last_frame < last_frame]

    def restore(self, writers: Sequence[int], cuts: Sequence[Cut], left: Collection[int]) -> None:
        """Take over what another peer has settled (a peer that comes back).

        Args:
            writers: Per player, who writes it; `NOBODY` for a default.
            cuts: Where persons' inputs ended.
            left: The peers that are known to have left.
        """
        self.writers = list(writers)
        self.cuts = {cut.player: cut for cut in cuts}
        for cut in cuts:
            self.settled_players |= 1 << cut.player
            if cut.fate == "default":
                self.defaulted |= 1 << cut.player
        self.orphans = sum(1 << player for player, writer in enumerate(writers) if writer in left)
        self.settled_players &= ~self.orphans
        self._index()
