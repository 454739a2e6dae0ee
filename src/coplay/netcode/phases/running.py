"""The running phase: once per frame time, correct wrong predictions, confirm, step a frame, and send.

Source: the tick after GGPO's Peer2PeerBackend.
"""

from collections import deque
from collections.abc import Sequence

from coplay.netcode.config import SessionConfig
from coplay.netcode.events import Event, Stalled
from coplay.netcode.history.timeline import GameEnd, Timeline
from coplay.netcode.input_queue import RING, InputQueue
from coplay.netcode.peers.roster import Roster
from coplay.netcode.phases.inbox import DatagramInbox
from coplay.netcode.phases.leaving import LeaveAgreement
from coplay.netcode.phases.outbox import DatagramOutbox
from coplay.netcode.phases.pacing import FramePacer
from coplay.netcode.phases.rejoining import RejoinPhase
from coplay.netcode.phases.repairing import DesyncRepair
from coplay.netcode.phases.transfers import StateTransfers
from coplay.netcode.time_sync import frame_time_factor


class RunningPhase:
    """The work of one peer while its game runs.

    Args:
        config: The rules of the game.
        timeline: The frames of the game.
        roster: The remote peers.
        leaves: Settles the seats of peers that left.
        repair: Handles desyncs.
        transfers: Fetches states after a desync.
        inbox: Knows which own seats are being restored after a restart.
        rejoining: Knows when they are restored.
        outbox: Sends datagrams.
        pacer: Knows when the next frame is due.
        events: List to which events are appended.
    """

    def __init__(
        self,
        config: SessionConfig,
        timeline: Timeline,
        roster: Roster,
        leaves: LeaveAgreement,
        repair: DesyncRepair,
        transfers: StateTransfers,
        inbox: DatagramInbox,
        rejoining: RejoinPhase,
        outbox: DatagramOutbox,
        pacer: FramePacer,
        events: deque[Event],
    ) -> None:
        self._max_prediction = config.max_prediction
        self._timeline = timeline
        self._roster = roster
        self._leaves = leaves
        self._repair = repair
        self._transfers = transfers
        self._inbox = inbox
        self._rejoining = rejoining
        self._outbox = outbox
        self._pacer = pacer
        self._events = events
        # Local inputs must stay in the ring until every peer holds them, as they may have to be sent again.
        self._max_unacknowledged = RING - 1 - max(config.max_delay, config.delay or 0)
        self.delay = config.delay or 0
        """The input delay, in frames."""
        self.actions: dict[int, bytes] = {}
        """By player whose seat this peer writes, the action that is held."""
        self.reset_actions(roster.own_queues)

    def reset_actions(self, queues: Sequence[InputQueue]) -> None:
        """Hold the default action in the seats of the given queues, and none in others."""
        self.actions = {queue.player: queue.default for queue in queues}

    def run_frame(self, now: float) -> GameEnd | None:  # noqa: C901 (the whole tick in one place, in order)
        """Do the work of one frame time.

        Returns:
            `over` if the simulation ended the game, `stopped` if a leave or a desync did, None while it goes
            on.
        """
        timeline, roster, repair = self._timeline, self._roster, self._repair
        seats = roster.seats
        if not timeline.check_saved():
            return None
        if seats.orphans or seats.takeovers:
            self._settle_leaves(now)
        if self._inbox.restoring and self._rejoining.inputs_restored():
            for queue in roster.own_queues:
                self._start_inputs(queue)
        if repair.active:
            must_end = repair.tick(now)
            self._transfers.request_pieces(now)
            if must_end:
                return "stopped"
            if repair.start_import():
                # Nothing is stepped in this frame time: the caller imports the state before the next one.
                self._pacer.advance(now, 1.0)
                self._outbox.send_play(now, None, repair.detail_for)
                return None
        acknowledged = seats.acknowledged_frame(roster.acknowledging)
        final_frame = roster.final_frame()
        # Publishing comes before the rollback: what it confirms is not affected by a wrong prediction.
        end = timeline.publish(acknowledged, final_frame)
        if end:
            return end
        # A due rollback is done even if the window then forbids a new frame.
        if timeline.first_incorrect < timeline.frame:
            timeline.roll_back()
        if self._step(acknowledged, final_frame):
            self._pacer.advance(now, frame_time_factor(roster.frames_ahead()))
        elif self._pacer.stall(now):
            self._events.append(Stalled(timeline.frame, roster.blocking_peers(timeline.received_frame)))
        elif self._pacer.polled_early:
            # A link on which the game stalls may be congested: do not send more than usual.
            return None
        self._outbox.sample_advantages(now)
        self._outbox.send_play(now, None, repair.detail_for if repair.active else None)
        return None

    def _step(self, acknowledged: int, final_frame: int) -> bool:
        """Step a frame; return False if the prediction window does not allow it."""
        timeline = self._timeline
        frame = timeline.frame
        # The window counts from the inputs that arrived here, not from those that all peers are known to
        # hold: these come a round trip later, which would stall games on links that prediction can bridge.
        # That is safe, because a leave never cuts inputs that any remaining peer holds.
        if frame > min(
            timeline.received_frame + self._max_prediction, acknowledged + self._max_unacknowledged
        ):
            return False
        if frame <= final_frame:
            if not self._inbox.restoring:
                for queue in self._roster.own_queues:
                    timeline.note_incorrect(queue.add_local(frame + self.delay, self.actions[queue.player]))
            timeline.advance()
        return True

    def _settle_leaves(self, now: float) -> None:
        self._timeline.note_incorrect(self._leaves.settle(now))
        for queue in self._roster.own_queues:
            if queue.player not in self.actions:
                self._start_inputs(queue)

    def _start_inputs(self, queue: InputQueue) -> None:
        """Start to write a seat: repeat its last input up to the current frame.

        Otherwise the game could stall forever: at the prediction window no frame is stepped, so no input
        would be added.
        """
        self.actions[queue.player] = queue.last_input
        self._timeline.note_incorrect(
            queue.add_local(self._timeline.frame + self.delay - 1, queue.last_input)
        )
