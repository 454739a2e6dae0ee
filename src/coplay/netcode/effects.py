"""What a session asks of its caller. Every effect must be performed, in the order given."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoadState:
    """Make the state saved for `frame` the current one."""

    frame: int
    """The frame that the loaded state is about to step."""


@dataclass(frozen=True, slots=True)
class SaveState:
    """Keep the current state as the one before `frame` is stepped; answer with
    `RollbackSession.state_saved`."""

    frame: int
    """The frame that the saved state is about to step."""


@dataclass(frozen=True, slots=True)
class Step:
    """Step the simulation by one frame."""

    frame: int
    """The frame to step, from 0."""
    inputs: tuple[bytes, ...]
    """One encoded action per player."""
    predicted: int
    """Bitmask of the players whose input is a guess."""


@dataclass(frozen=True, slots=True)
class StepAgain:
    """Step frames again, one after the other. Keep the state after each as for `SaveState`, and answer
    each time with `RollbackSession.state_saved`. One effect for all: they are done in one frame's time."""

    frame: int
    """The first frame to step; the current state is the one before it."""
    inputs: tuple[tuple[bytes, ...], ...]
    """Of each frame: one encoded action per player."""
    predicted: tuple[int, ...]
    """Of each frame: bitmask of the players whose input is a guess."""


@dataclass(frozen=True, slots=True)
class SendDatagram:
    """Give one datagram to the link to a peer. Losing it is harmless: the next one supersedes it."""

    peer: int
    """Whom to send to."""
    data: bytes
    """At most 1150 bytes; layout in protocol/datagrams.md."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """A frame will never change again. Given once per frame, in order."""

    frame: int
    """The frame that is now certain."""
    inputs: tuple[bytes, ...]
    """One encoded action per player; those with which it was stepped last."""
    predicted: int = 0
    """Bitmask of the players who were first shown with a prediction."""
    corrected_after: bytes = b""
    """One byte per player: how many frames later the shown input was last corrected; 0 never, 255 that or
    more."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """Hash the state saved for `frame`, which is final; answer with `RollbackSession.checksum_computed`."""

    frame: int
    """The frame that the state is about to step."""


@dataclass(frozen=True, slots=True)
class Examine:
    """Step again from the state saved for `frame`, and hash the state after every step; then return to the
    current state. Keep the states until the next `Examine`. Answer with `RollbackSession.examined`."""

    frame: int
    """The frame of the state to begin with: 0, or one whose checksum was asked for."""
    inputs: tuple[tuple[bytes, ...], ...]
    """The inputs of the frames to step, from `frame` on."""


@dataclass(frozen=True, slots=True)
class ExportState:
    """Write a state as bytes for another peer; answer with `RollbackSession.state_exported`."""

    peer: int
    """Whom it is for."""
    frame: int
    """The frame that the state is about to step."""
    examined: bool
    """Whether the state of the last `Examine` is meant instead of the saved one."""


@dataclass(frozen=True, slots=True)
class ImportState:
    """Make another peer's state the current one, and save it; answer with `RollbackSession.state_imported`,
    or `state_refused`."""

    frame: int
    """The frame that the state is about to step."""
    data: bytes
    """From another peer: not to be trusted."""


@dataclass(frozen=True, slots=True)
class CompareState:
    """Say in what another peer's state differs from that of the last `Examine`; answer with
    `RollbackSession.state_compared`."""

    frame: int
    """The frame that both states are about to step."""
    data: bytes
    """From another peer: not to be trusted."""


Effect = (
    LoadState
    | SaveState
    | Step
    | StepAgain
    | SendDatagram
    | Confirm
    | Checksum
    | Examine
    | ExportState
    | ImportState
    | CompareState
)
