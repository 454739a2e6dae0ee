"""A peer that performs every effect, and checks the netcode's invariants at each."""

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from tests.netcode.simulation.footprint import ALONE, LINK, footprint
from tests.netcode.simulation.repairs import Repairs
from tests.netcode.simulation.toy_game import Script, State, ToyGame

from coplay.netcode import (
    Checksum,
    CompareState,
    Confirm,
    Event,
    Examine,
    ExportState,
    ImportState,
    LoadState,
    PeerLeft,
    PeerReturned,
    RollbackSession,
    SaveState,
    SendDatagram,
    SessionConfig,
    Step,
    StepAgain,
)
from coplay.netcode.input_queue import RING
from coplay.netcode.phases.pacing import STALL_INTERVAL_S
from coplay.netcode.wire.format import MAX_DATAGRAM, PLAY
from coplay.netcode.wire.play import decode_play

Kind = TypeVar("Kind")
_WEIGHED_EVERY = 128
_READ_EVERY = 16
_STEADY_S = 0.4


class BrokenInvariantError(AssertionError):
    """Raised when the netcode breaks one of its invariants.

    Args:
        invariant: A short name; a failing scenario is shrunk while this stays the same.
        message: What happened.
    """

    def __init__(self, invariant: str, message: object) -> None:
        super().__init__(f"{invariant}: {message}")
        self.invariant = invariant


class ToyPeer:
    """One process: a session, a simulation, a clock of its own.

    Args:
        config: Of the session.
        game: The simulation.
        script: What the players of this peer press.
        send: Gives a datagram to the network: (from, to, bytes).
        now: Network seconds.
        clock_offset: This peer's clock when the network's is at 0, in seconds.
        clock_rate: How fast this peer's clock runs.
        lateness: How late, at most, this peer's timer fires, in seconds.
        state_size: How many bytes a state takes that another peer is given, at least.
        chance: Draws a number from 0 to 1, for the lateness.
    """

    def __init__(
        self,
        config: SessionConfig,
        game: ToyGame,
        script: Script,
        send: Callable[[int, int, bytes], None],
        *,
        now: float = 0.0,
        clock_offset: float = 0.0,
        clock_rate: float = 1.0,
        lateness: float = 0.0,
        state_size: int = 0,
        chance: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.config = config
        self.game = game
        self.script = script
        self.clock_offset = clock_offset
        self.clock_rate = clock_rate
        self.lateness = lateness
        self.frozen_until = 0.0
        self.held_back: list[tuple[int, bytes]] = []
        """What came in while the peer was frozen."""
        self.log: list[tuple[bytes, ...]] = []
        self.confirms: list[Confirm] = []
        self.events: list[Event] = []
        self.states: dict[int, State] = {}
        self.shown: dict[int, tuple[bytes, ...]] = {}
        """Per frame that is not confirmed, the inputs of its first step."""
        self.stepped: dict[int, tuple[tuple[bytes, ...], int]] = {}
        """Per frame that is not confirmed, the inputs of its newest step, and which are predicted."""
        self.checksums: dict[int, int] = {}
        self.first_frame = 0
        """The first frame that this process played: later than 0 after a restart."""
        self.resynced: list[int] = []
        """How many frames were confirmed whenever a state was taken over from another peer."""
        self.adopted_through = -1
        """The last frame that was stepped again from another peer's state after it had been confirmed."""
        self.depths: Counter[int] = Counter()
        """How many rollbacks went back by so many frames."""
        self.largest_datagram = 0
        self.datagrams = 0
        self.datagram_bytes = 0
        self.confirmed = -1
        self.next_frame = 0
        self.wake_at = now
        """When the session wants to be called, on the network's clock."""
        self.gone: set[int] = set()
        """The peers that this one counts as left."""
        self._send = send
        self._chance = chance
        self._sizes = [len(value) for value in config.default_inputs]
        self._rolled_back = False
        self._jumped = False
        self._ticks = 0
        self._ticked_at = self._told_at = self.local(now)
        self._state_size = state_size
        self._others = set(config.owners) - {config.peer}
        self.seats = [seat for seat, owner in enumerate(config.owners) if owner == config.peer]
        self.given: dict[int, list[bytes]] = {seat: [] for seat in self.seats}
        """Per own seat, the inputs that everybody must end up with."""
        self.session = RollbackSession(config, self.local(now))
        self._repairs = Repairs(self.session, game, self.states, state_size)
        self._absent: set[int] = set()
        """The peers that restarted and have not sent a play datagram yet."""
        self.corrupt_at: int | None = None
        self.honest = True
        """Whether nobody forges what the others say: then it is known who plays."""

    def corrupt(self, frame: int) -> None:
        """Have a bit of the state before this frame flipped, whenever that state is come to."""
        self.corrupt_at = self._repairs.corrupt_at = frame

    @property
    def loads(self) -> int:
        """How often an earlier state was loaded to step again."""
        return self.depths.total()

    def local(self, now: float) -> float:
        """Return this peer's clock."""
        return now * self.clock_rate + self.clock_offset

    def receive(self, peer: int, data: bytes, now: float) -> None:
        """Take a datagram, unless frozen."""
        if now < self.frozen_until:
            self.held_back.append((peer, data))
            return
        self._take(peer, data, now)
        self._set_timer(now)

    def _take(self, peer: int, data: bytes, now: float) -> None:
        absent = peer in self._absent
        packets = self.session.stats.peers[peer].packets_received if absent else 0
        self.session.receive_datagram(peer, data, self.local(now))
        if absent and data and data[0] & 15 == PLAY:
            taken = self.session.stats.peers[peer].packets_received > packets
            self._absent -= {peer} if taken else set()
        self._perform()

    def tell_left(self, peer: int, now: float, *, certain: bool = True) -> None:
        """Report, as the server, that a peer is gone, or a mere suspicion."""
        self.session.peer_left(peer, self.local(now), certain=certain)
        self._perform()
        self._set_timer(now)

    def tell_returned(self, peer: int, epoch: int, now: float) -> None:
        """Report, as the server, that a peer's process restarted."""
        self.session.peer_returned(peer, epoch, self.local(now))
        self._perform()
        self._set_timer(now)

    def leave(self, now: float) -> None:
        """Say goodbye."""
        self.session.leave(self.local(now))
        self._perform()
        self._set_timer(now)

    def freeze(self, now: float, until: float) -> None:
        """Do nothing at all for a while, like a tab that sleeps."""
        self.frozen_until = until
        self._set_timer(now)

    def jump(self, seconds: float) -> None:
        """Put this peer's clock forwards or, when negative, backwards."""
        self.clock_offset += seconds
        self._jumped = True

    def change_delay(self, delay: int) -> None:
        """Give this peer's seats another input delay, if the game runs."""
        if self.session.phase == "running":
            self.session.change_delay(delay, self._ticked_at)

    def tick(self, now: float) -> None:
        """Do what is due, and give the inputs of the next frame."""
        session = self.session
        if self.held_back:
            held_back, self.held_back = self.held_back, []
            for peer, data in held_back:
                self._take(peer, data, now)
        local = self.local(now)
        frame, phase = session.current_frame, session.phase
        for seat in session.local_players:
            session.add_local_input(seat, self.script(seat, frame), local)
        # After a jump or a long sleep the session may have its own view of what is due.
        steady = not self._jumped and 0 <= local - self._ticked_at < _STEADY_S
        self._jumped = False
        self._ticked_at = local
        due = steady and phase == "running" and frame > 0 and session.next_deadline() <= local
        session.tick(local)
        after = session.current_frame
        running = session.phase == "running"
        if after > frame:
            if running and after > frame + 1:
                raise BrokenInvariantError("one frame a tick", f"{frame} to {after}")
            self._note_given(frame)
        told = self._perform()
        self._set_timer(now)
        if phase != "running" or not running:
            return
        if not steady or Counter(told) == Counter(self._others - self.gone - self._absent):
            self._told_at = local
        elif due and self.honest and (told or after > frame or local - self._told_at >= STALL_INTERVAL_S):
            # In a long stall, arriving datagrams are polled for immediately and answered a little later.
            raise BrokenInvariantError("one datagram a tick to every running peer", f"{frame}: {told}")
        window = self.config.max_prediction
        confirmed = session.confirmed_frame
        if after > confirmed + window + 1:
            raise BrokenInvariantError("window", f"at {after} with {confirmed} confirmed")
        if session.published_frame > confirmed:
            raise BrokenInvariantError("published is confirmed", (session.published_frame, confirmed))
        if confirmed < self.confirmed:
            raise BrokenInvariantError("nothing certain is taken back", (self.confirmed, confirmed))
        self.confirmed = confirmed
        if len(self.states) > min(after - session.published_frame, RING) + 3:
            raise BrokenInvariantError("bounded states", len(self.states))
        self._ticks += 1
        if self._ticks % _WEIGHED_EVERY == 0:
            self.check_footprint()

    def check_footprint(self) -> int:
        """Check that the session's memory is bounded; return how many things it holds."""
        # The log is kept whole, for peers that come back and for the hash at the end.
        log = sum(self._sizes) * len(self.log) + 4 * len(self.checksums)
        # Rings of inputs; and, per peer, what is known of it and what it is given when it comes back.
        rings = 3 * RING * (sum(self._sizes) + len(self._sizes))
        links = len(self._others) * (LINK + log + 2 * self._state_size)
        held = footprint(self.session) - log
        if held > ALONE + rings + links:
            raise BrokenInvariantError("bounded memory", (held, ALONE, rings, links))
        return held

    def of(self, kind: type[Kind]) -> list[Kind]:
        """Return the events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def _set_timer(self, now: float) -> None:
        # As a real timer does, it waits for a time, not until one: a clock that jumps does not move it.
        wait = (self.session.next_deadline() - self.local(now)) / self.clock_rate
        # A timer is never early: the nanosecond is what rounding may take away.
        self.wake_at = now + max(wait, 0.0) + 1e-9
        if self.lateness:
            self.wake_at += self.lateness * self._chance()
        if self.wake_at < self.frozen_until:
            self.wake_at = self.frozen_until

    def _note_given(self, frame: int) -> None:
        """What was held when `frame` was stepped takes effect after the delay."""
        at = frame + self.session.delay
        for seat, inputs in self.given.items():
            while len(inputs) < at:
                inputs.append(inputs[-1] if inputs else self.config.default_inputs[seat])
            if len(inputs) == at:
                inputs.append(self.script(seat, frame))

    def _perform(self) -> list[int]:
        """Perform the effects; return to whom datagrams of the game went."""
        session, told = self.session, []
        # Answers to some effects ask for more.
        while effects := session.effects():
            for effect in effects:
                kind = type(effect)
                if kind is SendDatagram:
                    self._sent(effect.data)
                    if effect.data[0] & 15 == PLAY:
                        told.append(effect.peer)
                    self._send(self.config.peer, effect.peer, effect.data)
                elif kind is SaveState:
                    self._save(effect.frame)
                elif kind is Step:
                    self._step(effect)
                elif kind is StepAgain:
                    self._step_again(effect)
                elif kind is Confirm:
                    self._confirm(effect)
                elif kind is LoadState:
                    self._load(effect.frame)
                elif kind is Checksum:
                    self._checksum(effect.frame)
                else:
                    self._repair(effect)
        events = session.events()
        if events:
            self.events += events
            for event in events:
                if isinstance(event, PeerLeft):
                    self.gone.add(event.peer)
                elif isinstance(event, PeerReturned):
                    self._absent.add(event.peer)
        return told

    def _repair(self, effect: object) -> None:
        match effect:
            case Examine():
                self._repairs.examine(effect)
            case ExportState():
                self._repairs.export_state(effect)
            case CompareState():
                self._repairs.compare(effect)
            case ImportState():
                self._import(effect)
            case _:
                raise BrokenInvariantError("known effects", effect)

    def _import(self, effect: ImportState) -> None:
        session, frame = self.session, effect.frame
        state = self._repairs.import_state(effect)
        if state is None:
            return
        self.game.state = state
        if frame >= len(self.log) - 1:
            self.states[frame] = state
        self.next_frame = frame
        # The corrupted state is replaced now.
        self.corrupt_at = self._repairs.corrupt_at = None
        if session.phase == "hello":
            self._repairs.begin_with(frame, state)
            session.state_imported(frame, state.over)
            # The session holds the whole log; frames before the snapshot are not confirmed again.
            timeline = session._timeline
            self.log = list(timeline.logged_inputs(0, frame))
            self.first_frame = frame
            self.checksums = dict(timeline.log.checksums)
            self.given = {}
        else:
            self.adopted_through = len(self.log) - 1
            self.resynced.append(len(self.log))
            session.state_imported(frame, state.over)

    def _save(self, frame: int) -> None:
        if frame != self.next_frame:
            raise BrokenInvariantError("saves the current frame", (frame, self.next_frame))
        game = self.game
        if frame == self.corrupt_at:
            game.state = game.state.corrupted()
        if frame >= len(self.log) - 1:
            self.states[frame] = game.state
        self.session.state_saved(frame, over=game.state.over)

    def _step(self, effect: Step) -> None:
        frame, inputs = effect.frame, effect.inputs
        if frame != self.next_frame:
            raise BrokenInvariantError("steps the current frame", (frame, self.next_frame))
        if frame <= self.adopted_through:
            self.game.step(inputs)
            self.next_frame = frame + 1
            return
        if frame < len(self.log):
            raise BrokenInvariantError("never steps what is confirmed", (frame, len(self.log)))
        if self._rolled_back:
            self._rolled_back = False
            before, predicted = self.stepped[frame]
            wrong = [seat for seat, value in enumerate(before) if value != inputs[seat]]
            if not wrong or not all(predicted >> seat & 1 for seat in wrong):
                raise BrokenInvariantError("rolls back for a wrong prediction only", (frame, before, inputs))
        if frame not in self.shown:
            self.shown[frame] = inputs
        self.stepped[frame] = inputs, effect.predicted
        self.game.step(inputs)
        self.next_frame = frame + 1

    def _step_again(self, effect: StepAgain) -> None:
        if not effect.inputs:
            raise BrokenInvariantError("steps again at least one frame", effect)
        frames = zip(effect.inputs, effect.predicted, strict=True)
        for frame, (inputs, predicted) in enumerate(frames, start=effect.frame):
            self._step(Step(frame, inputs, predicted))
            self._save(frame + 1)

    def _load(self, frame: int) -> None:
        if frame not in self.states:
            raise BrokenInvariantError("loads only what was saved", frame)
        if frame >= self.next_frame:
            raise BrokenInvariantError("never loads the current frame or a later one", frame)
        if frame < len(self.log):
            raise BrokenInvariantError("never loads what is confirmed", (frame, len(self.log)))
        if self.session.phase == "running":
            if frame <= self.confirmed:
                raise BrokenInvariantError("never loads what cannot change", (frame, self.confirmed))
            self.depths[self.next_frame - frame] += 1
            self._rolled_back = True
        self.game.state = self.states[frame]
        self.next_frame = frame

    def _confirm(self, effect: Confirm) -> None:
        frame, inputs = effect.frame, effect.inputs
        if frame != len(self.log):
            raise BrokenInvariantError("confirms once and in order", (frame, len(self.log)))
        if self.stepped.pop(frame)[0] != inputs:
            raise BrokenInvariantError("confirms what was stepped last", frame)
        if frame + 1 not in self.states:
            raise BrokenInvariantError("confirms what is saved", frame)
        shown = self.shown.pop(frame)
        for player, after in enumerate(effect.corrected_after):
            if shown[player] != inputs[player] and not after:
                raise BrokenInvariantError("reports corrections", frame)
            if after and not effect.predicted >> player & 1:
                raise BrokenInvariantError("corrects only predictions", frame)
        for seat, given in self.given.items():
            if inputs[seat] != given[frame]:
                raise BrokenInvariantError("own inputs are kept", (frame, seat, inputs[seat], given[frame]))
        self.log.append(inputs)
        self.confirms.append(effect)
        self.states.pop(frame - 2, None)

    def _checksum(self, frame: int) -> None:
        if frame != len(self.log):
            raise BrokenInvariantError("hashes a state as soon as it is final", (frame, len(self.log)))
        value = self.game.checksum(self.states[frame])
        self.checksums[frame] = value
        self._repairs.keep(frame, self.states[frame])
        self.session.checksum_computed(frame, value)

    def _sent(self, data: bytes) -> None:
        size = len(data)
        if size > self.largest_datagram:
            self.largest_datagram = size
            if size > MAX_DATAGRAM:
                raise BrokenInvariantError("datagrams fit", size)
        self.datagrams += 1
        self.datagram_bytes += size
        if self.datagrams % _READ_EVERY == 0 and data[0] & 15 == PLAY and self.session.phase == "running":
            # What it tells others that it holds, it has itself corrected for.
            held = min(decode_play(data, self._sizes).last)
            if self.session.confirmed_frame < min(held, self.session.current_frame - 1):
                raise BrokenInvariantError("wrong predictions are corrected immediately", held)


def configure(peer: int, owners: tuple[int, ...], **changes: object) -> SessionConfig:
    """Return a config with small, usual values."""
    values: dict[str, object] = {
        "owners": owners,
        "peer": peer,
        "default_inputs": (b"\0",) * len(owners),
        "fps": 60.0,
        "delay": 0,
        "digest": {"environment": "toy", "seed": "7"},
    }
    values.update(changes)
    return SessionConfig(**values)  # type: ignore[arg-type]
