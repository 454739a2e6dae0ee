"""Effects: what the caller of a session must do, in the order given."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoadState:
    """Restore the state that was saved for `frame`."""

    frame: int
    """The frame that the restored state is about to step."""


@dataclass(frozen=True, slots=True)
class SaveState:
    """Save the current state under `frame`; answer with `RollbackSession.state_saved`."""

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
    """Bitmask of the players whose input is predicted."""


@dataclass(frozen=True, slots=True)
class StepAgain:
    """Re-simulate successive frames within the time of one frame.

    Save the state after each frame as for `SaveState`, and answer each time with
    `RollbackSession.state_saved`.
    """

    frame: int
    """The first frame to step; the current state is about to step it."""
    inputs: tuple[tuple[bytes, ...], ...]
    """Per frame, one encoded action per player."""
    predicted: tuple[int, ...]
    """Per frame, bitmask of the players whose input is predicted."""


@dataclass(frozen=True, slots=True)
class SendDatagram:
    """Send one datagram to a peer. It may be dropped: the next one supersedes it."""

    peer: int
    """The receiver."""
    data: bytes
    """At most 1150 bytes; layout in protocol/datagrams.md."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """Record a frame that will never change again; issued once per frame, in order."""

    frame: int
    """The confirmed frame."""
    inputs: tuple[bytes, ...]
    """One encoded action per player, as in the last `Step` or `StepAgain` of the frame."""
    predicted: int = 0
    """Bitmask of the players whose input was predicted when the frame was first stepped."""
    corrected_after: bytes = b""
    """One byte per player: frames until the input was last corrected; 0 for never, 255 for that or more."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """Hash the confirmed state saved for `frame`; answer with `RollbackSession.checksum_computed`."""

    frame: int
    """The frame that the state is about to step."""


@dataclass(frozen=True, slots=True)
class Examine:
    """Re-simulate from the state saved for `frame` and hash the state after every step.

    Then restore the current state. Keep the re-simulated states until the next `Examine`, and answer with
    `RollbackSession.examined`.
    """

    frame: int
    """The first frame to step: 0, or one for which `Checksum` was given."""
    inputs: tuple[tuple[bytes, ...], ...]
    """Per frame from `frame` on, one encoded action per player."""


@dataclass(frozen=True, slots=True)
class ExportState:
    """Serialize a state for another peer; answer with `RollbackSession.state_exported`."""

    peer: int
    """The peer that will receive the state."""
    frame: int
    """The frame that the state is about to step."""
    examined: bool
    """True for the state of the last `Examine`, False for the saved one."""


@dataclass(frozen=True, slots=True)
class ImportState:
    """Restore a state from another peer and save it under `frame`.

    Answer with `RollbackSession.state_imported`, or with `state_refused` if the bytes are not a state.
    """

    frame: int
    """The frame that the state is about to step."""
    data: bytes
    """Untrusted bytes from another peer."""


@dataclass(frozen=True, slots=True)
class CompareState:
    """Compare another peer's state with that of the last `Examine`.

    Answer with `RollbackSession.state_compared`.
    """

    frame: int
    """The frame that both states are about to step."""
    data: bytes
    """Untrusted bytes from another peer."""


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
