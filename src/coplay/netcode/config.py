"""The rules of one game, as passed to a session."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from coplay.errors import SessionMisuseError
from coplay.netcode.input_queue import RING
from coplay.netcode.wire.format import MAX_DETAIL, MAX_FIELDS

Predictor = Callable[[int, int, bytes], bytes]
"""A pure function that returns the predicted input for (player_id, frame, last confirmed input)."""

Fate = Literal["end", "default", "bot"]
"""What happens to a seat after its peer left.

The game ends, the seat gets its default input, or the lowest remaining peer supplies its inputs.
"""
FATES: tuple[Fate, ...] = get_args(Fate)

MAX_PLAYERS = 8
MAX_CHECKSUM_INTERVAL = MAX_DETAIL
"""A detail section must hold a checksum for every frame of the interval."""
MAX_INPUT_SIZE = 64
MAX_DIGEST_FIELDS = MAX_FIELDS - 9
"""A hello has nine fields of its own, see `phases.hello.digest_fields`."""


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """The rules of one game at one peer.

    Values must be equal at all peers, except for `peer`, `prediction`, `epochs`, `rejoining` and `step_cost`.

    Raises:
        SessionMisuseError: A value is out of range.
    """

    owners: tuple[int, ...]
    """Per player, the peer that supplies its inputs; 1 to 8 players, peers 0 to 255."""
    peer: int
    """Number of this peer."""
    default_inputs: tuple[bytes, ...]
    """Per player, the input before the first real one: 1 to 64 bytes, as long as all the player's inputs."""
    fps: float
    """Frames per second, 1 to 240."""
    delay: int | None = None
    """Frames between giving an input and its effect; None if the lowest peer chooses it at the start."""
    max_delay: int = 8
    """The largest delay that may be chosen, in frames."""
    max_prediction: int = 8
    """How many frames may be stepped after the last one for which all inputs have arrived; at least 1."""
    checksum_interval: int = 30
    """Frames between two checksums that peers compare, 1 to 64."""
    prediction: Literal["repeat", "default"] | Predictor = "repeat"
    """How a missing input is predicted: the last confirmed input, the default input, or a function."""
    epochs: Mapping[int, int] = field(default_factory=dict)
    """By peer, the number of the connection, 0 to 255, by default 0; other epochs' datagrams are dropped.

    It is raised whenever the process at either end restarts.
    """
    rejoining: bool = False
    """True if an earlier process of this peer was in this game, so that its state comes from other peers."""
    fates: tuple[Fate, ...] = ()
    """Per player, what happens to the seat when its peer leaves; empty for `end` everywhere."""
    on_desync: Literal["resync", "end"] = "end"
    """After a desync: adopt the state of the lowest peer and go on, or end the game."""
    digest: Mapping[str, str] = field(default_factory=dict)
    """Further values that must be equal at all peers, by name: at most 31 names of at most 40 bytes."""
    step_cost: float = 0.0
    """Measured seconds that one environment step takes here; used to choose the delay."""

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
            (all(fate in FATES for fate in self.fates), "a fate must be end, default or bot"),
            (self.on_desync in ("resync", "end"), "on_desync must be resync or end"),
            (
                callable(self.prediction) or self.prediction in ("repeat", "default"),
                "prediction must be repeat, default or a function",
            ),
            (all(0 <= epoch <= 255 for epoch in self.epochs.values()), "an epoch must be 0 to 255"),
            (len(self.digest) <= MAX_DIGEST_FIELDS, f"digest has at most {MAX_DIGEST_FIELDS} fields"),
            (
                sum(len(name.encode()) + 9 for name in self.digest) <= 900,
                "the names of the digest fields are too long in total",
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
