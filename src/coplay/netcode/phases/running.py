"""The frames of a game that runs: in each frame's time, correct, give out, step, tell.

Source: the tick after GGPO's Peer2PeerBackend.
"""

from collections import deque
from collections.abc import Sequence

from coplay.netcode.config import SessionConfig
from coplay.netcode.events import Event, Stalled
from coplay.netcode.history.timeline import Timeline
from coplay.netcode.input_queue import RING, InputQueue
from coplay.netcode.peers.roster import Roster
from coplay.netcode.phases.catching_up import CatchingUp
from coplay.netcode.phases.inbox import Inbox
from coplay.netcode.phases.outbox import Outbox
from coplay.netcode.phases.pacing import FramePacer
from coplay.netcode.phases.repairing import Repairing
from coplay.netcode.time_sync import pace


class RunningPhase:
    """What one peer does while its game runs.

    Args:
        config: The session's rules.
        timeline: The frames.
        peers: The links.
        recovery: The repairs.
        inbox: Knows which own seats the others still give back.
        returning: Knows when they have.
        outbox: Tells the others.
        pacer: When the next frame is due.
        events: Where events are put.
    """

    def __init__(
        self,
        config: SessionConfig,
        timeline: Timeline,
        peers: Roster,
        recovery: Repairing,
        inbox: Inbox,
        returning: CatchingUp,
        outbox: Outbox,
        pacer: FramePacer,
        events: deque[Event],
    ) -> None:
        self._max_prediction = config.max_prediction
        self._timeline = timeline
        self._peers = peers
        self._recovery = recovery
        self._inbox = inbox
        self._returning = returning
        self._outbox = outbox
        self._pacer = pacer
        self._events = events
        # Our own inputs must fit the ring until everyone holds them.
        self._longest_span = RING - 1 - max(config.max_delay, config.delay or 0)
        self.delay = config.delay or 0
        """The input delay, in frames."""
        self.actions: dict[int, bytes] = {}
        """Per player whose inputs this peer gives, the action that is held."""
        self.take_seats(peers.own)

    def take_seats(self, queues: Sequence[InputQueue]) -> None:
        """Hold nothing yet, in any of these seats."""
        self.actions = {queue.player: queue.default for queue in queues}

    def slot(self, now: float) -> str:
        """Do what is due in one frame's time.

        Returns:
            Empty while the game goes on, `over` when the simulation ended it, `stopped` when a leave did, or
            states that differ.
        """
        timeline, peers, recovery = self._timeline, self._peers, self._recovery
        seats = peers.seats
        if not timeline.check_saved():
            return ""
        if seats.orphans or seats.unhosted:
            self._settle(now)
        if self._inbox.restoring and self._returning.restored():
            for queue in peers.own:
                self._fill(queue)
        if recovery.busy:
            if recovery.tick(now):
                return "stopped"
            if recovery.adopt_now():
                # The caller answers before the next frame is due.
                self._pacer.frame_passed(now, 1.0)
                self._outbox.send_play(now, None, recovery.detail_for)
                return ""
        agreed = seats.agreed(peers.reporting)
        stop_at = peers.stop_at()
        end = timeline.publish(agreed, stop_at)
        if end:
            return end
        if timeline.first_wrong < timeline.frame:
            timeline.roll_back()
        if self._advance(agreed, stop_at):
            self._pacer.frame_passed(now, pace(peers.frames_ahead()))
        elif self._pacer.stall(now):
            self._events.append(Stalled(timeline.frame, peers.waited_for(timeline.received_frame)))
        elif self._pacer.early:
            # A link on which play waits for long may be full already.
            return ""
        self._outbox.compare_clocks(now)
        self._outbox.send_play(now, None, recovery.detail_for if recovery.busy else None)
        return ""

    def _advance(self, agreed: int, stop_at: int) -> bool:
        """Step a frame, unless that would be too far ahead of the others."""
        timeline = self._timeline
        frame = timeline.frame
        # Guesses are counted from what is here, not from what is known to be everywhere: that takes a round
        # trip, and play would stall on links it can run well on. A leave cuts no earlier than what is here.
        if frame > min(timeline.received_frame + self._max_prediction, agreed + self._longest_span):
            return False
        if frame <= stop_at:
            if not self._inbox.restoring:
                for queue in self._peers.own:
                    timeline.mark_wrong(queue.give(frame + self.delay, self.actions[queue.player]))
            timeline.advance()
        return True

    def _settle(self, now: float) -> None:
        peers = self._peers
        self._timeline.mark_wrong(peers.settle(now))
        for queue in peers.own:
            if queue.player not in self.actions:
                self._fill(queue)

    def _fill(self, queue: InputQueue) -> None:
        """Begin to give a seat's inputs. Play may be waiting for nothing else: so far they were its last."""
        self.actions[queue.player] = queue.last_input
        self._timeline.mark_wrong(queue.give(self._timeline.frame + self.delay - 1, queue.last_input))
