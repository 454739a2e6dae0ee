"""What a session is told before it begins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from coplay.errors import SessionMisuseError
from coplay.netcode.input_queue import RING

Predictor = Callable[[int, int, bytes], bytes]
"""(player_id, frame, the player's last confirmed input) -> the input to use until the real one is here. Must
be pure."""

Fate = Literal["end", "default", "bot"]
"""What becomes of a seat whose peer left: the game ends, it gets the default input, or the lowest remaining
peer writes it."""

MAX_PLAYERS = 8
MAX_CHECKSUM_INTERVAL = 64
MAX_INPUT_SIZE = 64


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """The rules of one game, as one peer sees them.

    All peers must hold equal values, except `peer`, `prediction`, `epochs`, `rejoining` and `step_cost`.

    Raises:
        SessionMisuseError: A value is out of its range.
    """

    owners: tuple[int, ...]
    """Per player, the peer that supplies its inputs; 1 to 8 players, peers 0 to 255."""
    peer: int
    """Which peer this is."""
    default_inputs: tuple[bytes, ...]
    """Per player, the input before any was given; its length, 1 to 64 bytes, is that player's input size."""
    fps: float
    """Frames per second, 1 to 240."""
    delay: int | None = None
    """Frames between giving an input and its effect; None lets the lowest peer choose it from the measured
    links."""
    max_delay: int = 8
    """The largest delay that may be chosen, in frames."""
    max_prediction: int = 8
    """How many frames play may run ahead of the last one whose every input is here; at least 1."""
    checksum_interval: int = 30
    """Frames between two compared checksums, 1 to 64."""
    prediction: Literal["repeat", "default"] | Predictor = "repeat"
    """What a missing input is taken to be: the player's last confirmed input, its default, or a function of
    these."""
    epochs: Mapping[int, int] = field(default_factory=dict)
    """By peer, the number of the connection, 0 to 255, 0 by default; datagrams of another epoch are dropped.
    Raised when the process at either end begins anew."""
    rejoining: bool = False
    """Whether an earlier process of this peer was in this game: then play goes on from what others hold."""
    fates: tuple[Fate, ...] = ()
    """Per player, what becomes of the seat when its peer leaves; empty for `end` everywhere."""
    on_desync: Literal["resync", "end"] = "end"
    """When states differ: take the lowest peer's and go on, or end."""
    digest: Mapping[str, str] = field(default_factory=dict)
    """What must be equal at all peers, by name: at most 32 names of at most 40 bytes."""
    step_cost: float = 0.0
    """Measured seconds that one environment step takes here; weighs in choosing the delay."""

    def __post_init__(self) -> None:
        players = len(self.owners)
        if not self.fates:
            object.__setattr__(self, "fates", ("end",) * players)
        longest_delay = self.max_delay if self.delay is None else self.delay
        checks = (
            (1 <= players <= MAX_PLAYERS, f"a game has 1 to {MAX_PLAYERS} players, not {players}"),
            (all(0 <= owner <= 255 for owner in self.owners), "peers are numbered 0 to 255"),
            (0 <= self.peer <= 255, "peers are numbered 0 to 255"),
            (len(self.default_inputs) == players, "default_inputs needs one input per player"),
            (
                all(1 <= len(value) <= MAX_INPUT_SIZE for value in self.default_inputs),
                f"an input is 1 to {MAX_INPUT_SIZE} bytes long",
            ),
            (1 <= self.fps <= 240, "fps must be 1 to 240"),
            (self.delay is None or self.delay >= 0, "delay must not be negative"),
            (self.max_delay >= 0, "max_delay must not be negative"),
            (self.max_prediction >= 1, "max_prediction must be at least 1"),
            (
                self.max_prediction + longest_delay < RING,
                f"max_prediction + delay must stay below the {RING} frames that an input queue holds",
            ),
            (
                1 <= self.checksum_interval <= MAX_CHECKSUM_INTERVAL,
                f"checksum_interval must be 1 to {MAX_CHECKSUM_INTERVAL}",
            ),
            (len(self.fates) == players, "fates needs one fate per player"),
            (all(fate in ("end", "default", "bot") for fate in self.fates), "unknown fate"),
            (self.on_desync in ("resync", "end"), "unknown on_desync"),
            (callable(self.prediction) or self.prediction in ("repeat", "default"), "unknown prediction"),
            (all(0 <= epoch <= 255 for epoch in self.epochs.values()), "an epoch must be 0 to 255"),
            (len(self.digest) <= 32, "digest has at most 32 fields"),
            (
                sum(len(name.encode()) + 9 for name in self.digest) <= 900,
                "the names of the digest's fields are too long in all",
            ),
            (
                all(len(name.encode()) <= 40 for name in self.digest),
                "a digest field's name is at most 40 bytes",
            ),
            (self.step_cost >= 0, "step_cost must not be negative"),
        )
        for holds, message in checks:
            if not holds:
                raise SessionMisuseError(f"This session cannot be set up: {message}.")
