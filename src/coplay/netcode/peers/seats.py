"""The seats of a game: which peer supplies each player's inputs, and what happens after that peer left.

A seat is written by the peer that owns it. After that peer left, the seat is *orphaned*: nobody writes it,
and the remaining peers send each other the inputs that they hold. It is *settled* once all of them know of
the same leaves and hold the same last input. From the next frame on its fate applies:

    end      the game ends with that frame
    default  every later input is the default input; no peer sends it
    bot      the lowest remaining peer writes the seat, as soon as all others have settled it, too

If that peer leaves as well, the seat is orphaned again.

Only a running writer ever adds inputs to a seat, and a new writer starts only after every peer has reported
the same last frame with knowledge of the same leaves. So no frame of a seat is ever written twice.

Source: the newest input that any survivor holds, after GekkoNet; the settlement is our own.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from coplay.netcode.config import Fate, SessionConfig
from coplay.netcode.input_queue import NO_FRAME, InputQueue
from coplay.netcode.peers.remote_peer import RemotePeer

NOBODY = 0xFFFF
"""The writer of a seat that gets its default input; above every peer's number."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The end of the inputs of a player whose peer left."""

    player: int
    """The player whose peer left."""
    last_frame: int
    """The last frame with an input from the peer that left; -1 for none."""
    fate: Fate
    """What happens to the seat from the next frame on."""


class Seats:
    """The writers and the settled ends of all seats, as this peer knows them.

    Args:
        config: The rules of the game.
        queues: Per player, the input queue of this peer.
    """

    __slots__ = (
        "_fates",
        "_local_peer",
        "_queues",
        "cuts",
        "defaulted",
        "every_leave_ends",
        "left_players",
        "masks_by_writer",
        "orphans",
        "settled_players",
        "takeovers",
        "truncated_at",
        "writers",
    )

    def __init__(self, config: SessionConfig, queues: Sequence[InputQueue]) -> None:
        self._queues = queues
        self._fates = config.fates
        self._local_peer = config.peer
        self.writers = list(config.owners)
        """Per player, the peer that writes the seat, or did until it left; `NOBODY` for a default seat."""
        self.masks_by_writer: dict[int, int] = {}
        """By peer, bitmask of the players whose seats it writes."""
        self.left_players = 0
        """Bitmask of the players whose original peer left."""
        self.orphans = 0
        """Bitmask of the players whose seats are orphaned."""
        self.settled_players = 0
        """Bitmask of the players whose seats are settled."""
        self.defaulted = 0
        """Bitmask of the players whose inputs are the default from some frame on."""
        self.takeovers = 0
        """Bitmask of the players whose seats this peer will write once all others have settled them."""
        self.cuts: dict[int, Cut] = {}
        """By player, the end of the inputs of the original peer."""
        self.every_leave_ends = all(fate == "end" for fate in config.fates)
        """True if every leave ends the game, so that a network partition cannot fork the log."""
        self.truncated_at = NO_FRAME
        """The last frame of the game if a leave ends it; else `NO_FRAME`."""
        self._update_masks()

    def _update_masks(self) -> None:
        self.masks_by_writer.clear()
        for player, writer in enumerate(self.writers):
            if not self.orphans >> player & 1:
                self.masks_by_writer[writer] = self.masks_by_writer.get(writer, 0) | 1 << player

    def orphan(self, remote: RemotePeer) -> None:
        """Orphan the seats of a peer that left: their inputs then come from the remaining peers only."""
        self.left_players |= remote.player_mask
        for player, writer in enumerate(self.writers):
            if writer == remote.peer:
                self.orphans |= 1 << player
                self.settled_players &= ~(1 << player)
        self._update_masks()

    def settle(self, running: Sequence[RemotePeer]) -> tuple[list[Cut], int]:
        """Settle the orphaned seats on whose last frame all remaining peers agree.

        Args:
            running: All remaining peers.

        Returns:
            The new cuts, and the first frame that was stepped with another input than the default that now
            applies, or `NO_FRAME`.
        """
        new_cuts: list[Cut] = []
        wrong = NO_FRAME
        for queue in self._queues:
            player, bit = queue.player, queue.bit
            if not self.orphans & bit:
                continue
            last = queue.last_given
            for remote in running:
                # A peer that does not know of the same leaves may still accept inputs from a peer that left.
                if remote.left_players != self.left_players or remote.last[player] != last:
                    break
            else:
                fate = self._fates[player]
                self.orphans &= ~bit
                self.settled_players |= bit
                # A seat that is orphaned again keeps its cut: the end of the original peer's inputs.
                if player not in self.cuts:
                    self.cuts[player] = Cut(player, last, fate)
                    new_cuts.append(self.cuts[player])
                if fate == "end":
                    self.truncated_at = min(self.truncated_at, last)
                elif fate == "default":
                    wrong = min(wrong, queue.fill_with_default())
                    self.defaulted |= bit
                    self.writers[player] = NOBODY
                else:
                    self._assign_bot_host(player, running)
        self._update_masks()
        return new_cuts, wrong

    def _assign_bot_host(self, player: int, running: Sequence[RemotePeer]) -> None:
        host = min([self._local_peer, *(remote.peer for remote in running)])
        self.writers[player] = host
        if host == self._local_peer:
            self.takeovers |= 1 << player

    def take_over(self, running: Sequence[RemotePeer]) -> list[InputQueue]:
        """Return the queues of seats that all others have settled, so that this peer writes them now."""
        taken = []
        for queue in self._queues:
            if self.takeovers & queue.bit and all(remote.settled_players & queue.bit for remote in running):
                self.takeovers &= ~queue.bit
                taken.append(queue)
        return taken

    def acknowledged_frame(self, running: Sequence[RemotePeer]) -> int:
        """Return the last frame for which every given peer and this one hold all inputs."""
        frame = NO_FRAME
        for queue in self._queues:
            if queue.last < frame:
                frame = queue.last
        # This runs every frame: without defaulted seats the inner loop needs no mask.
        if not self.defaulted:
            for remote in running:
                for last in remote.last:
                    if last < frame:
                        frame = last
            return frame
        for remote in running:
            for player, last in enumerate(remote.last):
                if last < frame and not self.defaulted >> player & 1:
                    frame = last
        return frame

    def leaves_before(self, last_frame: int) -> list[tuple[int, int]]:
        """Return the cuts in a log up to `last_frame`, as pairs of (player, last frame of the player)."""
        return [(cut.player, cut.last_frame) for cut in self.cuts.values() if cut.last_frame < last_frame]

    def restore(self, writers: Sequence[int], cuts: Sequence[Cut], left: Collection[int]) -> None:
        """Restore the seats from the snapshot of another peer, to rejoin a game.

        Args:
            writers: Per player, the peer that writes the seat; `NOBODY` for a seat with the default input.
            cuts: The settled ends of the inputs of original peers.
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
        self._update_masks()
