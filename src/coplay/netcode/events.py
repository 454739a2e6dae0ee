"""Events: what a session reports. The caller may ignore them.

The data of a game keeps events under the names of these classes and of their fields.
"""

from dataclasses import dataclass
from typing import Literal

from coplay.netcode.config import Fate

LogVerdict = Literal["identical", "truncated", "divergent", "unverified", "mismatch"]
"""How a game ended, see `GameAgreed.verdict`."""


@dataclass(frozen=True, slots=True)
class Running:
    """The hello phase is complete, and the game runs."""


@dataclass(frozen=True, slots=True)
class DelayChosen:
    """The input delay was chosen or changed."""

    delay: int
    """Frames between giving an input and its effect."""


@dataclass(frozen=True, slots=True)
class HelloMismatch:
    """A peer has another configuration than this one; the game does not start."""

    peer: int
    """The peer that differs."""
    field: str
    """The name of the first field that differs."""


@dataclass(frozen=True, slots=True)
class PeerSuspected:
    """No datagram came from a peer for a second."""

    peer: int
    """The silent peer."""


@dataclass(frozen=True, slots=True)
class PeerBack:
    """A datagram came from a suspected peer again."""

    peer: int
    """The peer that is not suspected any more."""


@dataclass(frozen=True, slots=True)
class PeerLeft:
    """A peer is no longer part of the game."""

    peer: int
    """The peer that left."""


@dataclass(frozen=True, slots=True)
class PeerReturned:
    """The process of a peer restarted; the game waits at the prediction window until it has caught up."""

    peer: int
    """The peer whose process restarted."""


@dataclass(frozen=True, slots=True)
class SeatCut:
    """All remaining peers agree on the last input of a player whose peer left."""

    player: int
    """The player whose peer left."""
    last_frame: int
    """The last frame with an input from the peer that left; -1 for none."""
    fate: Fate
    """What happens to the seat from the next frame on."""


@dataclass(frozen=True, slots=True)
class Rejoined:
    """This peer is back in its game after a restart of its process."""

    frame: int
    """The first frame that this process steps."""


@dataclass(frozen=True, slots=True)
class Stalled:
    """The game waits at the prediction window; reported once, at the start of each wait."""

    frame: int
    """The frame that cannot be stepped yet."""
    waiting_for: tuple[int, ...]
    """The peers whose inputs or acknowledgements are missing."""


@dataclass(frozen=True, slots=True)
class DesyncFound:
    """Two peers hold different states of the same confirmed frame.

    Reported once per peer for a run of successive mismatches.
    """

    frame: int
    """The frame whose state differs."""
    peer: int
    """The peer that differs from this one."""
    mine: int
    """This peer's 64-bit checksum."""
    theirs: int
    """The other peer's 64-bit checksum."""


@dataclass(frozen=True, slots=True)
class DesyncLocated:
    """The first frame at which two peers differ was found by re-simulation on both sides."""

    frame: int
    """The first frame whose state differs; the frame of the checksum if re-simulation shows no difference."""
    peer: int
    """The peer that differs from this one."""
    reproduced: bool
    """True if the re-simulated states differ, too. If not, something outside the state had an influence."""


@dataclass(frozen=True, slots=True)
class DesyncExplained:
    """The parts of the state that differ, reported at the peer with the higher number only."""

    frame: int
    """The frame whose states were compared."""
    peer: int
    """The peer that differs from this one."""
    paths: tuple[str, ...]
    """Paths of the parts that differ, in the order of the state walk; empty if none could be compared."""


@dataclass(frozen=True, slots=True)
class Resynced:
    """This peer has replaced its state with that of the lowest peer."""

    frame: int
    """The frame that the adopted state is about to step."""
    peer: int
    """The peer that sent the state."""


@dataclass(frozen=True, slots=True)
class DatagramRejected:
    """A datagram was dropped because it is malformed or of another connection.

    The first sixteen of each peer are reported; all are counted in the statistics.
    """

    peer: int
    """The sender, as established by the link."""
    reason: str
    """Why the datagram was dropped."""


@dataclass(frozen=True, slots=True)
class GameAgreed:
    """The game has ended with this verdict about the peers' logs; reported once."""

    verdict: LogVerdict
    """One of these:

    - `identical`: all peers hold the same log;
    - `truncated`: a peer left, and the log is complete up to `last_frame`;
    - `divergent`: the logs or the states differ;
    - `unverified`: a peer did not answer, so its log could not be compared;
    - `mismatch`: the game never started.
    """
    last_frame: int
    """The last confirmed frame; -1 for none."""
    chain_hash: bytes
    """16-byte hash over inputs, leaves and checksums; equal at all peers whose logs are equal."""
    reason: str
    """The cause of the verdict, in one sentence."""


Event = (
    Running
    | DelayChosen
    | HelloMismatch
    | PeerSuspected
    | PeerBack
    | PeerLeft
    | PeerReturned
    | SeatCut
    | Rejoined
    | Stalled
    | DesyncFound
    | DesyncLocated
    | DesyncExplained
    | Resynced
    | DatagramRejected
    | GameAgreed
)
