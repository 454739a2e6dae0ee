"""One game between peers, as a state machine without I/O.

Everything revolves around `RollbackSession.tick`: it corrects wrong guesses, gives out what is certain, steps
one more frame when that is due and the prediction window allows, and tells every peer all that it may not
know yet.

    hello ──▶ running ──▶ closing ──▶ closed
      │  ▲        └──────────────────▶ (a leave)
      │  catching up (a peer that begins anew while the others play)
      └──────────────────────────────▶ (a mismatch, a leave)

Source: requests apart from events after ggrs; explicit time after aioquic.
"""

from collections import deque
from collections.abc import Sequence
from math import inf

from coplay.errors import SessionMisuseError
from coplay.netcode.config import SessionConfig
from coplay.netcode.effects import Effect, SaveState
from coplay.netcode.events import (
    DelayChosen,
    Event,
    HelloMismatch,
    Rejoined,
    Running,
)
from coplay.netcode.history.rejoin_snapshot import RejoinSnapshot
from coplay.netcode.history.timeline import Timeline
from coplay.netcode.peers.roster import Roster
from coplay.netcode.peers.seats import Cut
from coplay.netcode.phases.catching_up import CatchingUp
from coplay.netcode.phases.closing import ClosingPhase
from coplay.netcode.phases.hello import HelloPhase
from coplay.netcode.phases.inbox import Inbox
from coplay.netcode.phases.outbox import Outbox
from coplay.netcode.phases.pacing import FramePacer, SteadyClock
from coplay.netcode.phases.repairing import Repairing
from coplay.netcode.phases.running import RunningPhase
from coplay.netcode.stats import SessionStats

_KEPT_EVENTS = 1024


class RollbackSession:
    """One peer's part in one game.

    After every call, perform `effects()` in order: they may begin with a load.

    Args:
        config: The rules of the game.
        now: Monotonic seconds, same origin as in every other call.
    """

    def __init__(self, config: SessionConfig, now: float) -> None:
        self._config = config
        self._effects: list[Effect] = []
        self._events: deque[Event] = deque(maxlen=_KEPT_EVENTS)
        self._clock = SteadyClock(now, max(0.5, 4 / config.fps))
        self._timeline = Timeline(config, self._effects)
        self._sizes = [queue.size for queue in self._timeline.queues]
        self._peers = Roster(config, self._timeline.queues, self._events, now)
        self._handshake = HelloPhase(config, self._peers.running)
        self._outbox = Outbox(self._timeline, self._peers, config.fps, self._effects)
        self._ending = ClosingPhase(self._timeline, self._peers, self._outbox, self._events)
        self._recovery = Repairing(
            config, self._timeline, self._peers, self._outbox, self._effects, self._events
        )
        self._pacer = FramePacer(config.fps)
        self._inbox = Inbox(
            self._timeline,
            self._peers,
            self._handshake,
            self._recovery,
            self._ending,
            self._outbox,
            self._pacer,
            self._events,
        )
        self._returning = CatchingUp(self._peers, self._handshake, self._recovery, self._inbox)
        self._play = RunningPhase(
            config,
            self._timeline,
            self._peers,
            self._recovery,
            self._inbox,
            self._returning,
            self._outbox,
            self._pacer,
            self._events,
        )
        self._phase = "hello"

    # What comes in

    def add_local_input(self, player_id: int, action: bytes, now: float) -> None:
        """Hold an action for an own seat, from the next frame on until it is replaced.

        Args:
            player_id: A seat that this peer owns.
            action: Encoded; exactly as long as the seat's default input.
            now: Monotonic seconds.

        Raises:
            SessionMisuseError: The seat is another peer's, or the action has a wrong length.
        """
        if player_id not in self._play.actions:
            raise SessionMisuseError(f"Player {player_id} is not played by peer {self._config.peer}.")
        if len(action) != self._sizes[player_id]:
            raise SessionMisuseError(
                f"The input of player {player_id} is {len(action)} bytes long, not {self._sizes[player_id]}."
            )
        self._play.actions[player_id] = action

    def receive_datagram(self, peer: int, data: bytes, now: float) -> None:
        """Take one datagram from a peer. Duplicates and reordering are harmless.

        Args:
            peer: Who sent it, as established by the link.
            data: Layout in protocol/datagrams.md.
            now: Monotonic seconds; when it arrived.

        Raises:
            UnknownPeerError: `peer` never joined. Malformed `data` never raises; it becomes
                `DatagramRejected`.
        """
        link = self._peers.link(peer)
        now = self._clock.read(now)
        if type(data) is not bytes:
            data = bytes(data)
        serving = self._phase in ("running", "closing") or self.lingering
        self._inbox.receive(link, data, now, serving=serving)
        if self._phase == "hello":
            self._look_after_hello(now)
        elif self._peers.excluded:
            self._leave_if_excluded(now)

    def peer_left(self, peer: int, now: float, *, certain: bool = True) -> None:
        """Take note that a peer is gone for good. The remaining peers agree on where its inputs end.

        Args:
            peer: Who left.
            now: Monotonic seconds.
            certain: Whether that is the word of an authority that all peers hear, such as a server. If not,
                and play would go on without the peer, a minority of the peers ends its game instead.

        Raises:
            UnknownPeerError: `peer` never joined.
        """
        link = self._peers.link(peer)
        now = self._clock.read(now)
        if self._phase != "closed":
            self._peers.leave(link, certain=certain)
        if self._phase == "hello":
            self._look_after_hello(now)

    def peer_returned(self, peer: int, epoch: int, now: float) -> None:
        """Take note that the process of a peer began anew and wants to play on. Play waits for it.

        Args:
            peer: Who.
            epoch: The number of the new connection, 0 to 255.
            now: Monotonic seconds.

        Raises:
            UnknownPeerError: `peer` never joined.
        """
        link = self._peers.link(peer)
        now = self._clock.read(now)
        self._recovery.forget(peer)
        self._peers.come_back(link, epoch, now)

    def leave(self, now: float) -> None:
        """Leave the game.

        The other peers are told, best effort, for half a second; keep ticking until then.
        """
        now = self._clock.read(now)
        if self._phase == "closed":
            return
        self._ending.say_goodbye(now)
        self._ending.closing = None
        self._close("truncated", "This peer left.")

    def state_saved(self, frame: int, over: bool = False) -> None:
        """Answer `SaveState`.

        Args:
            frame: The frame that the saved state is about to step.
            over: Whether the game has ended in this state. May be answered differently after a rollback.

        Raises:
            SessionMisuseError: It is not the next state that was asked for.
        """
        if self._phase == "running":
            self._timeline.state_saved(frame, over)

    def checksum_computed(self, frame: int, value: int) -> None:
        """Answer `Checksum`.

        Args:
            frame: The frame of the effect.
            value: A 64-bit hash of the state, equal at all peers that hold the same state.

        Raises:
            SessionMisuseError: It was not the one asked for, or does not fit 64 bits.
        """
        checksums = self._timeline.checksums
        if not 0 <= value < 1 << 64:
            raise SessionMisuseError(f"The checksum of frame {frame} does not fit 64 bits.")
        if not checksums.add(frame, value):
            raise SessionMisuseError(
                f"No checksum of frame {frame} was asked for, or an earlier one is still due."
            )
        self._timeline.chain.checksums.append((frame, value))
        for link in self._peers.links.values():
            if frame in link.pending_checksums:
                theirs = link.pending_checksums.pop(frame)
                self._recovery.compare(link, frame, theirs, self._clock.latest)
        self._ending.seal(self._clock.latest)

    def examined(self, frame: int, values: Sequence[int]) -> None:
        """Answer `Examine`.

        Args:
            frame: The frame of the effect.
            values: The checksum after each step; empty when the state to begin with is not kept any more.
        """
        self._recovery.examined(frame, values)

    def state_exported(self, peer: int, data: bytes | None) -> None:
        """Answer `ExportState`.

        Args:
            peer: Of the effect.
            data: The state, at most 8 MiB; None when there is none.
        """
        self._recovery.state_exported(peer, data, self._play.delay)

    def state_imported(self, frame: int, over: bool = False) -> None:
        """Answer `ImportState`: the state is the current one now, and saved for `frame`.

        Args:
            frame: The frame of the effect.
            over: Whether the game has ended in this state.
        """
        if self._recovery.memory is None:
            self._recovery.state_imported(frame, over)
        else:
            self._play_on(self._recovery.memory, over)

    def state_refused(self, frame: int) -> None:
        """Answer `ImportState`: the bytes are no state of this game."""
        if self._recovery.memory is None:
            self._recovery.state_refused()
        else:
            self._close("truncated", "This peer could not come back: the state it was given is unusable.")

    def state_compared(self, frame: int, paths: Sequence[str]) -> None:
        """Answer `CompareState`.

        Args:
            frame: The frame of the effect.
            paths: Names of what differs, in the order of the walk.
        """
        self._recovery.state_compared(frame, paths)

    def tick(self, now: float) -> None:
        """Do what is due: at most one new frame. Call it at `next_deadline()`, or earlier at no cost.

        Raises:
            SessionMisuseError: The effects of an earlier tick were not performed.
        """
        now = self._clock.read(now)
        phase = self._phase
        if phase == "running":
            if now >= self._pacer.due_at and (end := self._play.slot(now)):
                self._phase = "closing"
                self._ending.begin(now, stopped=end == "stopped")
        elif phase == "hello":
            self._outbox.send(self._handshake.tick(now))
            self._look_after_hello(now)
            if self._phase == "hello" and (in_vain := self._returning.tick(now)):
                self._close("truncated", in_vain)
        else:
            self._ending.tick(now, self._recovery.explanation)
            if self._ending.closed:
                self._phase = "closed"
        if self._phase in ("running", "closing"):
            self._peers.check_silence(now)
            self._leave_if_excluded(now)

    # What goes out

    def effects(self) -> list[Effect]:
        """Return what must be done, in order, and forget it."""
        drained = self._effects.copy()
        self._effects.clear()
        return drained

    def events(self) -> list[Event]:
        """Return what happened since the last call; may be ignored."""
        drained = list(self._events)
        self._events.clear()
        return drained

    def next_deadline(self) -> float:
        """Return when to call `tick` next, in the caller's seconds; infinite when nothing is left to do."""
        phase = self._phase
        if phase == "running":
            return self._clock.caller_time(self._pacer.due_at)
        if phase == "hello":
            due = self._handshake.next_send
            if self._recovery.receiving:
                due = min(due, self._recovery.next_want)
            return self._clock.caller_time(due)
        if phase == "closing" or self.lingering:
            return self._clock.caller_time(self._ending.next_send)
        return inf

    @property
    def current_frame(self) -> int:
        """Frames stepped; the next one has this number."""
        return self._timeline.frame

    @property
    def confirmed_frame(self) -> int:
        """The last stepped frame whose every input is here, so that it cannot change again; -1 at first.

        Play runs at most `max_prediction` frames ahead of this one. A frame is given out by `Confirm` once
        all running peers hold its inputs, about a round trip later.
        """
        return self._timeline.confirmed

    @property
    def published_frame(self) -> int:
        """The last frame given out by `Confirm`; -1 at first."""
        return self._timeline.published

    @property
    def oldest_compared(self) -> int:
        """The last frame whose state is known to be equal at all running peers; -1 at first. `Examine` begins
        nowhere before it, so that the caller may forget older states."""
        return min((link.equal_through for link in self._peers.running), default=self._timeline.published)

    @property
    def cuts(self) -> list[Cut]:
        """Where the inputs of those who left end, in the order of players."""
        return [cut for _, cut in sorted(self._peers.seats.cuts.items())]

    @property
    def written(self) -> tuple[int, ...]:
        """The players whose inputs this peer gives: of its own seats, and of those that fell to it since."""
        return tuple(queue.player for queue in self._peers.own)

    @property
    def phase(self) -> str:
        """`hello`, `running`, `closing` or `closed`."""
        return self._phase

    @property
    def lingering(self) -> bool:
        """Whether a closed session should still be ticked, for peers that have not heard its end."""
        return self._phase == "closed" and self._ending.lingering(self._clock.latest)

    @property
    def delay(self) -> int:
        """The input delay in frames; not settled before `DelayChosen`."""
        return self._play.delay

    def change_delay(self, delay: int, now: float) -> None:
        """Give this peer's seats another input delay, from the next frame on.

        A longer delay repeats the last input over the gap; a shorter one drops what overlaps.

        Raises:
            SessionMisuseError: The delay does not fit the input queue, or play has not begun.
        """
        if self._phase != "running":
            raise SessionMisuseError("The input delay can be changed only while the game runs.")
        if delay < 0 or delay > max(self._config.max_delay, self._config.delay or 0):
            raise SessionMisuseError(f"An input delay of {delay} frames is out of range.")
        if delay != self._play.delay:
            self._play.delay = delay
            self._events.append(DelayChosen(delay))

    @property
    def stats(self) -> SessionStats:
        """What was counted so far."""
        timeline = self._timeline
        return SessionStats.over(
            {link.peer: link.stats for link in self._peers.links.values()},
            frame=timeline.frame,
            confirmed_frame=timeline.confirmed,
            published_frame=timeline.published,
            rollbacks=timeline.rollbacks,
            max_rollback_frames=timeline.max_rollback_frames,
            resimulated_frames=timeline.resimulated_frames,
            stalled_frames=self._pacer.stalled_frames,
        )

    # The hello

    def _look_after_hello(self, now: float) -> None:
        """Begin, or give up, once that is due."""
        peers, handshake = self._peers, self._handshake
        if self._inbox.mismatch is not None:
            peer, field = self._inbox.mismatch
            self._events.append(HelloMismatch(peer, field))
            self._close("mismatch", f"Peer {peer} has another {field} than this peer.")
        elif peers.excluded:
            self._leave_if_excluded(now)
        elif peers.seats.left_players and not self._config.rejoining:
            # A game that has not begun does not begin without everyone.
            self._ending.say_goodbye(now)
            self._close("truncated", "A peer left before the game began.")
        elif handshake.delay is not None:
            self._run(handshake.delay, handshake.start_at)
            self._events.append(Running())
            self._timeline.start()

    def _run(self, delay: int, start_at: float) -> None:
        self._phase = "running"
        self._handshake.playing = True
        self._play.delay = delay
        self._pacer.start(start_at)
        self._events.append(DelayChosen(delay))

    def _play_on(self, memory: RejoinSnapshot, over: bool) -> None:
        """All that the others know is here, and the state is loaded: go on from there."""
        now, peers = self._clock.latest, self._peers
        peers.restore(memory)
        self._timeline.recall(memory, over)
        self._play.take_seats(peers.own)
        self._recovery.memory = None
        self._returning.arrived()
        self._handshake.catch_up(memory.delay, now)
        self._run(memory.delay, now)
        self._events += (Rejoined(memory.frame), Running())
        self._effects.append(SaveState(memory.frame))

    # Leaves

    def _leave_if_excluded(self, now: float) -> None:
        """The others go on without this peer: what was given out so far is all that it may keep."""
        if not self._peers.excluded or self._phase not in ("hello", "running"):
            return
        if self._phase == "hello":
            self._close("truncated", "The others went on without this peer.")
        else:
            self._phase = "closing"
            self._ending.begin(now, stopped=True, alone=True)

    def _close(self, verdict: str, reason: str) -> None:
        self._phase = "closed"
        self._recovery.stop()
        self._ending.close(verdict, reason)
