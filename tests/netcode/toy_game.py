"""A deterministic game whose state depends on every input, and a peer that plays it strictly by the rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from coplay.netcode import (
    Checksum,
    Confirm,
    Event,
    LoadState,
    RollbackSession,
    SaveState,
    SendDatagram,
    SessionConfig,
    Step,
)

_MULTIPLIER = 6364136223846793005
_MASK = (1 << 64) - 1

Kind = TypeVar("Kind")
Script = Callable[[int, int], bytes]
"""(player, frame) -> the input that the player wants to give at that frame."""


@dataclass(frozen=True, slots=True)
class State:
    """Two numbers and an end: enough to notice any input that is missing, wrong or in another order."""

    frame: int = 0
    mix: int = 1
    over: bool = False


class ToyGame:
    """Ends after `frames`, or from frame `frames // 2` on by chance that hangs on the inputs."""

    def __init__(self, frames: int, *, chance_end: bool = False) -> None:
        self.frames = frames
        self.chance_end = chance_end
        self.state = State(over=frames == 0)

    def step(self, inputs: tuple[bytes, ...]) -> None:
        state = self.state
        if state.over:
            return
        mix = ((state.mix ^ int.from_bytes(b"".join(inputs), "little")) * _MULTIPLIER + state.frame) & _MASK
        mix ^= mix >> 29
        frame = state.frame + 1
        over = frame >= self.frames or (self.chance_end and 2 * frame > self.frames and mix % 23 == 0)
        self.state = State(frame, mix, over)

    def checksum(self, state: State) -> int:
        return state.mix ^ state.frame


def held_keys(seed: int, sizes: tuple[int, ...], hold: int = 6) -> Script:
    """Inputs that are held for up to `2 * hold` frames, like keys."""
    tables: dict[int, list[bytes]] = {}
    generators = {player: Random(seed * 1000 + player) for player in range(len(sizes))}

    def script(player: int, frame: int) -> bytes:
        table = tables.setdefault(player, [])
        random = generators[player]
        while len(table) <= frame:
            table += [random.randbytes(sizes[player])] * random.randint(1, 2 * hold)
        return table[frame]

    return script


def unique_inputs(seed: int, sizes: tuple[int, ...]) -> Script:
    """Another input in every frame: repeating the last one is always wrong."""

    def script(player: int, frame: int) -> bytes:
        return (
            ((frame * 2654435761 + player * 97 + seed) & 0xFFFFFFFF)
            .to_bytes(4, "little")[: sizes[player]]
            .ljust(sizes[player], b"\1")
        )

    return script


@dataclass
class ToyPeer:
    """Performs effects in order and asserts, at every one, what the netcode promises."""

    config: SessionConfig
    game: ToyGame
    script: Script
    send: Callable[[int, int, bytes], None]
    clock_offset: float = 0.0
    clock_rate: float = 1.0
    made_at: float = 0.0
    corrupt_at: int | None = None
    """Flips a bit of the state before this frame."""
    log: list[tuple[bytes, ...]] = field(default_factory=list)
    confirms: list[Confirm] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    states: dict[int, State] = field(default_factory=dict)
    shown: dict[int, tuple[bytes, ...]] = field(default_factory=dict)
    checksums: dict[int, int] = field(default_factory=dict)
    loads: int = 0
    largest_datagram: int = 0
    stepped: dict[int, tuple[tuple[bytes, ...], int]] = field(default_factory=dict)
    confirmed: int = -1
    datagrams: int = 0
    datagram_bytes: int = 0

    def __post_init__(self) -> None:
        self.session = RollbackSession(self.config, self.local(self.made_at))
        self.seats = [seat for seat, owner in enumerate(self.config.owners) if owner == self.config.peer]
        self.next_frame = 0

    def local(self, now: float) -> float:
        """This peer's clock."""
        return now * self.clock_rate + self.clock_offset

    def deadline(self) -> float:
        """When the session wants to be called, on the network's clock."""
        return (self.session.next_deadline() - self.clock_offset) / self.clock_rate

    def receive(self, peer: int, data: bytes, now: float) -> None:
        self.session.receive_datagram(peer, data, self.local(now))
        self.perform()

    def tick(self, now: float) -> None:
        session = self.session
        frame = session.current_frame
        for seat in self.seats:
            session.add_local_input(seat, self.script(seat, frame), self.local(now))
        session.tick(self.local(now))
        assert session.current_frame <= frame + 1 or session.phase != "running"
        self.perform()

    def perform(self) -> None:
        session, game, states = self.session, self.game, self.states
        closing = session.phase in ("closing", "closed")
        for effect in session.effects():
            match effect:
                case LoadState(frame):
                    assert frame in states, "loads only what was saved"
                    assert frame < self.next_frame, "never at or past the current frame"
                    assert frame > session.published_frame, "never what is confirmed"
                    assert closing or frame > self.confirmed, "never what cannot change"
                    game.state = states[frame]
                    self.loads += 1
                    self.next_frame = frame
                case SaveState(frame):
                    assert frame == self.next_frame
                    if frame == self.corrupt_at:
                        game.state = State(game.state.frame, game.state.mix ^ 1, game.state.over)
                    states[frame] = game.state
                    session.state_saved(frame, over=game.state.over)
                case Step(frame, inputs, predicted):
                    assert frame == self.next_frame
                    assert frame > len(self.log) - 1, "never steps what is confirmed"
                    self.shown.setdefault(frame, inputs)
                    self.stepped[frame] = (inputs, predicted)
                    game.step(inputs)
                    self.next_frame = frame + 1
                case Confirm(frame, inputs, predicted, corrected):
                    assert frame == len(self.log), "exactly once, in order"
                    assert frame + 1 in states
                    assert self.stepped[frame][0] == inputs, "what was stepped last is what is confirmed"
                    for player, after in enumerate(corrected):
                        changed = self.shown[frame][player] != inputs[player]
                        assert not changed or after, "a correction is told"
                        assert not after or predicted >> player & 1, "only predictions are corrected"
                    del self.shown[frame], self.stepped[frame]
                    self.log.append(inputs)
                    self.confirms.append(effect)
                    for old in [old for old in states if old < frame - 1]:
                        del states[old]
                case Checksum(frame):
                    assert frame == len(self.log), "asked as soon as the state is final"
                    value = game.checksum(states[frame])
                    self.checksums[frame] = value
                    session.checksum_computed(frame, value)
                case SendDatagram(peer, data):
                    self.largest_datagram = max(self.largest_datagram, len(data))
                    self.datagrams += 1
                    self.datagram_bytes += len(data)
                    self.send(self.config.peer, peer, data)
        window = self.config.max_prediction
        assert len(states) <= 2 * (window + max(self.config.max_delay, session.delay)) + 8
        if not closing:
            assert session.current_frame <= session.confirmed_frame + window + 1
            assert session.published_frame <= session.confirmed_frame
            assert session.confirmed_frame >= self.confirmed, "no frame is taken back"
            self.confirmed = session.confirmed_frame
        self.events += session.events()

    def of(self, kind: type[Kind]) -> list[Kind]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


def configure(peer: int, owners: tuple[int, ...], **changes: object) -> SessionConfig:
    """A config with small, usual values."""
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


Overrides = Mapping[int, Mapping[str, object]]
