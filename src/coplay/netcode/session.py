"""One game between peers, as a state machine without I/O.

Everything revolves around `RollbackSession.tick`: it corrects wrong predictions, confirms frames, steps one
more frame if that is due and the prediction window allows it, and sends each peer everything that it may not
have received yet.

    hello ──▶ running ──▶ closing ──▶ closed
      │  ▲       └─────────────────────▲ ▲    (this peer leaves)
      │  rejoining (this peer restarted, the others are playing)
      └──────────────────────────────────┘    (a mismatch, a leave)

The session only routes calls: each phase, and each concern that spans phases, has its own class.

Source: requests apart from events after ggrs; explicit time after aioquic.
"""

from collections import deque
from collections.abc import Sequence
from math import inf
from typing import Literal

from coplay.errors import SessionMisuseError
from coplay.netcode.config import SessionConfig
from coplay.netcode.effects import Effect, SaveState
from coplay.netcode.events import DelayChosen, Event, HelloMismatch, LogVerdict, Rejoined, Running
from coplay.netcode.history.rejoin_snapshot import RejoinSnapshot
from coplay.netcode.history.timeline import Timeline
from coplay.netcode.peers.roster import Roster
from coplay.netcode.peers.seats import Cut
from coplay.netcode.phases.closing import EXCLUDED_REASON, ClosingPhase
from coplay.netcode.phases.hello import HelloPhase
from coplay.netcode.phases.inbox import DatagramInbox
from coplay.netcode.phases.leaving import LeaveAgreement
from coplay.netcode.phases.outbox import DatagramOutbox
from coplay.netcode.phases.pacing import FramePacer, SteadyClock
from coplay.netcode.phases.rejoining import RejoinPhase
from coplay.netcode.phases.repairing import DesyncRepair
from coplay.netcode.phases.running import RunningPhase
from coplay.netcode.phases.transfers import StateTransfers
from coplay.netcode.stats import SessionStats

SessionPhase = Literal["hello", "running", "closing", "closed"]

_MAX_EVENTS = 1024
"""How many events wait for the caller; beyond that, the oldest are dropped."""


class RollbackSession:
    """The session of one peer in one game.

    After every call, perform `effects()` in order: they may begin with a load.

    Args:
        config: The rules of the game.
        now: Monotonic seconds, with the same origin as in every other call.
    """

    def __init__(self, config: SessionConfig, now: float) -> None:
        self._config = config
        self._effects: list[Effect] = []
        self._events: deque[Event] = deque(maxlen=_MAX_EVENTS)
        # At a low frame rate, several frame times between two calls are normal and must not count as a jump.
        self._clock = SteadyClock(now, max(0.5, 4 / config.fps))
        self._timeline = Timeline(config, self._effects)
        self._sizes = [queue.size for queue in self._timeline.queues]
        self._roster = Roster(config, self._timeline.queues, self._events, now)
        self._leaves = LeaveAgreement(config, self._roster, self._events)
        self._hello = HelloPhase(config, self._roster.running)
        self._outbox = DatagramOutbox(self._timeline, self._roster, config.fps, self._effects)
        self._closing = ClosingPhase(self._timeline, self._roster, self._leaves, self._outbox, self._events)
        self._repair = DesyncRepair(config, self._timeline, self._roster, self._effects, self._events)
        self._transfers = StateTransfers(
            self._timeline, self._roster, self._repair, self._outbox, self._effects
        )
        self._pacer = FramePacer(config.fps)
        self._inbox = DatagramInbox(
            self._timeline,
            self._roster,
            self._leaves,
            self._hello,
            self._repair,
            self._transfers,
            self._closing,
            self._outbox,
            self._pacer,
            self._events,
        )
        self._rejoining = RejoinPhase(self._roster, self._hello, self._transfers, self._inbox)
        self._running = RunningPhase(
            config,
            self._timeline,
            self._roster,
            self._leaves,
            self._repair,
            self._transfers,
            self._inbox,
            self._rejoining,
            self._outbox,
            self._pacer,
            self._events,
        )
        self._phase: SessionPhase = "hello"

    # Input

    def add_local_input(self, player_id: int, action: bytes, now: float) -> None:
        """Set the action of a local player, which is held from the next frame on until it is replaced.

        Args:
            player_id: One of `local_players`.
            action: Encoded action; exactly as long as the player's default input.
            now: Monotonic seconds.

        Raises:
            SessionMisuseError: Another peer supplies the player's inputs, or the action has the wrong length.
        """
        if player_id not in self._running.actions:
            raise SessionMisuseError(
                f"Player {player_id} is not played by peer {self._config.peer}.",
                "Add inputs for `local_players` only.",
            )
        if len(action) != self._sizes[player_id]:
            raise SessionMisuseError(
                f"The input of player {player_id} is {len(action)} bytes long, not {self._sizes[player_id]}.",
                "Pass an input of that length, the same as the player's default input.",
            )
        self._running.actions[player_id] = action

    def receive_datagram(self, peer: int, data: bytes, now: float) -> None:
        """Process one datagram from a peer. Duplicates and reordering are harmless.

        Args:
            peer: The sender, as established by the link.
            data: Untrusted bytes; layout in protocol/datagrams.md.
            now: When it arrived, in monotonic seconds.

        Raises:
            UnknownPeerError: `peer` is not part of the game. Malformed `data` never raises; it is reported as
                `DatagramRejected`.
        """
        remote = self._roster.remote(peer)
        now = self._clock.read(now)
        # Inputs are kept as slices of the datagram: those of a mutable buffer could change later.
        if type(data) is not bytes:
            data = bytes(data)
        # A game that has ended here is still served: a peer that restarted may need its state.
        serving = self._phase in ("running", "closing") or self.draining
        self._inbox.receive(remote, data, now, serving=serving)
        if self._phase == "hello":
            self._check_hello(now)
        elif self._leaves.excluded:
            self._leave_if_excluded(now)

    def peer_left(self, peer: int, now: float, *, certain: bool = True) -> None:
        """Count a peer as gone for good; the remaining peers agree on the last frame of its inputs.

        Args:
            peer: The peer that left.
            now: Monotonic seconds.
            certain: True if an authority that all peers hear reported it, such as a server. Otherwise a
                minority of the peers ends its game instead of continuing without the peer.

        Raises:
            UnknownPeerError: `peer` is not part of the game.
        """
        remote = self._roster.remote(peer)
        now = self._clock.read(now)
        if self._phase != "closed":
            self._leaves.add(remote, certain=certain)
        if self._phase == "hello":
            self._check_hello(now)

    def peer_returned(self, peer: int, epoch: int, now: float) -> None:
        """Accept a restarted process of a peer. The game stalls at the prediction window until it plays.

        Args:
            peer: The peer whose process restarted.
            epoch: Number of the new connection, 0 to 255.
            now: Monotonic seconds.

        Raises:
            UnknownPeerError: `peer` is not part of the game.
        """
        remote = self._roster.remote(peer)
        now = self._clock.read(now)
        self._transfers.forget(peer)
        self._roster.restart(remote, epoch, now)

    def leave(self, now: float) -> None:
        """Leave the game.

        Goodbyes go to the other peers for half a second and are not acknowledged: keep calling `tick` until
        `next_deadline()` is infinite.
        """
        now = self._clock.read(now)
        if self._phase == "closed":
            return
        self._closing.leave(now)
        self._close("truncated", "This peer left.")

    def state_saved(self, frame: int, over: bool = False) -> None:
        """Answer `SaveState`.

        Args:
            frame: The frame that the saved state is about to step.
            over: True if the game has ended in this state. The answer may change after a rollback.

        Raises:
            SessionMisuseError: Another state was to be saved next.
        """
        # After the last frame, answers to earlier effects no longer matter.
        if self._phase == "running":
            self._timeline.state_saved(frame, over)

    def checksum_computed(self, frame: int, value: int) -> None:
        """Answer `Checksum`.

        Args:
            frame: The frame of the effect.
            value: A 64-bit hash of the state, equal at all peers that hold the same state.

        Raises:
            SessionMisuseError: Another checksum was to be computed next, or the value does not fit 64 bits.
        """
        checksums = self._timeline.checksums
        if not 0 <= value < 1 << 64:
            raise SessionMisuseError(f"The checksum of frame {frame} does not fit 64 bits.")
        if not checksums.add(frame, value):
            raise SessionMisuseError(
                f"No checksum of frame {frame} was requested, or an earlier one is still due.",
                "Answer each Checksum once, in order.",
            )
        self._timeline.log.checksums.append((frame, value))
        self._repair.compare_pending(frame, self._clock.latest)
        # The last step, because the digest of the log covers this checksum.
        self._closing.hash_log(self._clock.latest)

    def examined(self, frame: int, values: Sequence[int]) -> None:
        """Answer `Examine`.

        Args:
            frame: The frame of the effect.
            values: The checksum after each step; empty if the first state is not kept any more.
        """
        self._repair.examined(frame, values)

    def state_exported(self, peer: int, data: bytes | None) -> None:
        """Answer `ExportState`.

        Args:
            peer: The peer of the effect.
            data: The serialized state, at most 8 MiB; None if there is no such state.
        """
        self._transfers.state_exported(peer, data, self._running.delay)

    def state_imported(self, frame: int, over: bool = False) -> None:
        """Answer `ImportState`: the state is restored, and saved for `frame`.

        Args:
            frame: The frame of the effect.
            over: True if the game has ended in this state.
        """
        # A pending snapshot means that the state came with it, to rejoin; otherwise it repairs a desync.
        if self._transfers.snapshot is None:
            self._repair.state_imported(frame, over)
        else:
            self._rejoin(self._transfers.snapshot, over)

    def state_refused(self, frame: int) -> None:
        """Answer `ImportState`: the bytes are not a state of this game."""
        if self._transfers.snapshot is None:
            self._repair.state_refused()
        else:
            self._close("truncated", "This peer could not come back: the state that it received is unusable.")

    def state_compared(self, frame: int, paths: Sequence[str]) -> None:
        """Answer `CompareState`.

        Args:
            frame: The frame of the effect.
            paths: Paths of the parts that differ, in the order of the state walk.
        """
        self._repair.state_compared(frame, paths)

    def tick(self, now: float) -> None:
        """Do the work that is due, with at most one new frame.

        Call it at `next_deadline()`. An earlier call is harmless.

        Raises:
            SessionMisuseError: The effects of an earlier tick were not performed.
        """
        now = self._clock.read(now)
        phase = self._phase
        if phase == "running":
            if now >= self._pacer.due_at and (end := self._running.run_frame(now)):
                self._phase = "closing"
                self._closing.begin(now, stopped=end == "stopped")
        elif phase == "hello":
            self._outbox.send(self._hello.tick(now))
            self._check_hello(now)
            if self._phase == "hello" and (failure := self._rejoining.tick(now)):
                self._close("truncated", failure)
        else:
            self._closing.tick(now, self._repair.reason)
            if self._closing.closed:
                self._phase = "closed"
        if self._phase in ("running", "closing"):
            self._roster.check_silence(now)
            self._leave_if_excluded(now)

    # Output

    def effects(self) -> list[Effect]:
        """Return the effects since the last call, in the order in which they must be performed."""
        drained = self._effects.copy()
        self._effects.clear()
        return drained

    def events(self) -> list[Event]:
        """Return the events since the last call; they may be ignored."""
        drained = list(self._events)
        self._events.clear()
        return drained

    def next_deadline(self) -> float:
        """Return when to call `tick` next, in the caller's seconds; infinity if nothing is left to do."""
        phase = self._phase
        if phase == "running":
            return self._clock.caller_time(self._pacer.due_at)
        if phase == "hello":
            due = self._hello.next_send
            if self._transfers.receiving:
                due = min(due, self._transfers.next_request)
            return self._clock.caller_time(due)
        if phase == "closing" or self.draining:
            return self._clock.caller_time(self._closing.next_send)
        return inf

    @property
    def current_frame(self) -> int:
        """Frames stepped; the next one has this number."""
        return self._timeline.frame

    @property
    def confirmed_frame(self) -> int:
        """The last stepped frame for which all inputs have arrived, so that it cannot change; -1 at first.

        The game runs at most `max_prediction` frames ahead of it. The frame is given to `Confirm` once all
        running peers hold its inputs, about a round trip later.
        """
        return self._timeline.confirmed

    @property
    def published_frame(self) -> int:
        """The last frame given to `Confirm`; -1 at first."""
        return self._timeline.published

    @property
    def oldest_compared(self) -> int:
        """The last frame whose state is known to be equal at all running peers; -1 at first.

        `Examine` never starts before it, so the caller may drop older states.
        """
        return min(
            (remote.equal_through for remote in self._roster.running), default=self._timeline.published
        )

    @property
    def cuts(self) -> list[Cut]:
        """The ends of the inputs of peers that left, in the order of players."""
        return [cut for _, cut in sorted(self._roster.seats.cuts.items())]

    @property
    def local_players(self) -> tuple[int, ...]:
        """The players whose inputs this peer supplies: its own, and those taken over from peers that left."""
        return tuple(queue.player for queue in self._roster.own_queues)

    @property
    def phase(self) -> SessionPhase:
        """The phase of the session: `hello`, `running`, `closing` or `closed`."""
        return self._phase

    @property
    def draining(self) -> bool:
        """True if a closed session still needs `tick`, because some peer may lack its last datagrams."""
        return self._phase == "closed" and self._closing.is_draining(self._clock.latest)

    @property
    def delay(self) -> int:
        """The input delay in frames; not chosen before `DelayChosen`."""
        return self._running.delay

    def change_delay(self, delay: int, now: float) -> None:
        """Change the input delay of the local players from the next frame on.

        A longer delay repeats the last input over the gap; a shorter one drops the inputs that overlap.

        Args:
            delay: Frames, 0 to the larger of `max_delay` and `delay` of the configuration.
            now: Monotonic seconds.

        Raises:
            SessionMisuseError: The delay is out of range, or the game does not run.
        """
        if self._phase != "running":
            raise SessionMisuseError(
                f"The input delay cannot be changed in the {self._phase} phase.",
                "Change it while the game runs.",
            )
        longest = max(self._config.max_delay, self._config.delay or 0)
        if not 0 <= delay <= longest:
            raise SessionMisuseError(
                f"An input delay of {delay} frames is out of range.", f"Choose one from 0 to {longest}."
            )
        if delay != self._running.delay:
            self._running.delay = delay
            self._events.append(DelayChosen(delay))

    @property
    def stats(self) -> SessionStats:
        """Statistics of the session so far."""
        timeline = self._timeline
        return SessionStats.with_totals(
            {remote.peer: remote.stats for remote in self._roster.remotes.values()},
            frame=timeline.frame,
            confirmed_frame=timeline.confirmed,
            published_frame=timeline.published,
            rollbacks=timeline.rollbacks,
            max_rollback_frames=timeline.max_rollback_frames,
            resimulated_frames=timeline.resimulated_frames,
            stalled_frames=self._pacer.stalled_frames,
        )

    # Transitions

    def _check_hello(self, now: float) -> None:
        """Leave the hello phase if the game can start, or cannot start any more."""
        roster, hello = self._roster, self._hello
        if self._inbox.mismatch is not None:
            peer, field = self._inbox.mismatch
            self._events.append(HelloMismatch(peer, field))
            self._close("mismatch", f"Peer {peer} has another {field} than this peer.")
        elif self._leaves.excluded:
            self._leave_if_excluded(now)
        elif roster.seats.left_players and not self._config.rejoining:
            # A game starts with all its peers or not at all; only a peer that rejoins may find some gone.
            self._closing.leave(now)
            self._close("truncated", "A peer left before the game began.")
        elif hello.delay is not None:
            self._start_running(hello.delay, hello.start_at)
            self._events.append(Running())
            self._timeline.start()

    def _start_running(self, delay: int, start_at: float) -> None:
        self._phase = "running"
        self._hello.playing = True
        self._running.delay = delay
        self._pacer.start(start_at)
        self._events.append(DelayChosen(delay))

    def _rejoin(self, snapshot: RejoinSnapshot, over: bool) -> None:
        """Continue from a snapshot whose state the caller has imported."""
        now, roster = self._clock.latest, self._roster
        # The seats come first: they decide which queues this peer writes and which actions it holds.
        roster.restore(snapshot.writers, snapshot.cuts)
        self._timeline.restore(snapshot, over)
        self._running.reset_actions(roster.own_queues)
        self._transfers.snapshot = None
        self._rejoining.restore_inputs()
        self._hello.join_running_game(snapshot.delay, now)
        self._start_running(snapshot.delay, now)
        self._events += (Rejoined(snapshot.frame), Running())
        self._effects.append(SaveState(snapshot.frame))

    def _leave_if_excluded(self, now: float) -> None:
        """End the game with the last published frame if the other peers continue without this one.

        The others hold that frame, too; later ones may differ from theirs.
        """
        if not self._leaves.excluded or self._phase not in ("hello", "running"):
            return
        if self._phase == "hello":
            self._close("truncated", EXCLUDED_REASON)
        else:
            self._phase = "closing"
            self._closing.begin(now, stopped=True, excluded=True)

    def _close(self, verdict: LogVerdict, reason: str) -> None:
        self._phase = "closed"
        self._transfers.stop()
        self._closing.close(verdict, reason)
