"""A deterministic game whose state depends on every input, and scripts of its players' inputs."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

_MULTIPLIER = 6364136223846793005
_MASK = (1 << 64) - 1

Script = Callable[[int, int], bytes]
"""(player, frame) -> the input that the player wants to give at that frame."""


@dataclass(frozen=True, slots=True)
class State:
    """Two numbers and an end: enough to notice any input that is missing, wrong or in another order."""

    frame: int = 0
    mix: int = 1
    over: bool = False

    def corrupted(self) -> "State":
        """Return this state with one bit flipped."""
        return State(self.frame, self.mix ^ 1, self.over)


class ToyGame:
    """A game that ends after `frames`, or pseudo-randomly, depending on the inputs, in its second half."""

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
    """Return a script of inputs that are held for up to `2 * hold` frames, like keys."""
    tables: list[list[bytes]] = [[] for _ in sizes]
    generators = [Random(seed * 1000 + player) for player in range(len(sizes))]

    def script(player: int, frame: int) -> bytes:
        table = tables[player]
        if len(table) <= frame:
            random = generators[player]
            while len(table) <= frame:
                table += [random.randbytes(sizes[player])] * random.randint(1, 2 * hold)
        return table[frame]

    return script


def unique_inputs(seed: int, sizes: tuple[int, ...]) -> Script:
    """Return a script with another input in every frame: repeating the last one is always wrong."""

    def script(player: int, frame: int) -> bytes:
        return (
            ((frame * 2654435761 + player * 97 + seed) & 0xFFFFFFFF)
            .to_bytes(4, "little")[: sizes[player]]
            .ljust(sizes[player], b"\1")
        )

    return script


def idle_hands(_seed: int, sizes: tuple[int, ...]) -> Script:
    """Return a script without any key press: every prediction is right."""
    inputs = [bytes(size) for size in sizes]
    return lambda player, _frame: inputs[player]
