"""What a session reports. Events may be ignored."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Running:
    """The hello is complete; frame 0 is next."""


@dataclass(frozen=True, slots=True)
class DelayChosen:
    """The input delay is settled, or was changed."""

    delay: int
    """Frames between giving an input and its effect."""


@dataclass(frozen=True, slots=True)
class HelloMismatch:
    """A peer came with something else than this peer has; the game does not start."""

    peer: int
    """The peer that differs."""
    field: str
    """The name of the digest field that differs."""


@dataclass(frozen=True, slots=True)
class PeerSuspected:
    """Nothing was heard of a peer for a second."""

    peer: int
    """The silent peer."""


@dataclass(frozen=True, slots=True)
class PeerBack:
    """A suspected peer was heard again."""

    peer: int
    """The peer that is back."""


@dataclass(frozen=True, slots=True)
class PeerLeft:
    """A peer is no longer part of the game, for all that remain."""

    peer: int
    """The peer that left."""


@dataclass(frozen=True, slots=True)
class PeerReturned:
    """The process of a peer began anew; play goes on once it knows what the others know."""

    peer: int
    """The peer."""


@dataclass(frozen=True, slots=True)
class SeatCut:
    """All remaining peers agree on where the inputs of a player whose peer left end."""

    player: int
    """Whose seat."""
    last_frame: int
    """The last frame with an input of the peer that left; -1 for none."""
    fate: str
    """`end`, `default` or `bot`, from the next frame on."""


@dataclass(frozen=True, slots=True)
class Rejoined:
    """This peer is back in its game, after its process began anew."""

    frame: int
    """The first frame that is played here."""


@dataclass(frozen=True, slots=True)
class Stalled:
    """Play waits at the prediction window. Given once at the start of each wait."""

    frame: int
    """The frame that cannot be stepped yet."""
    waiting_for: tuple[int, ...]
    """The peers whose news is missing."""


@dataclass(frozen=True, slots=True)
class DesyncFound:
    """Two peers hold different states of the same final frame.

    Given once per peer and row of such frames.
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
    """Both peers have stepped again the frames before one whose states differ, and compared each state."""

    frame: int
    """The first frame whose state differs; that of the checksum when stepping again shows no difference."""
    peer: int
    """The peer that differs from this one."""
    reproduced: bool
    """Whether the states of stepping again differ, too. If not, something outside the state had its hand in
    it."""


@dataclass(frozen=True, slots=True)
class DesyncExplained:
    """What differs, by the walk over both states. Only the peer with the higher number learns it."""

    frame: int
    """The frame whose states were compared."""
    peer: int
    """The peer that differs from this one."""
    paths: tuple[str, ...]
    """Names of what differs, in the order of the walk; empty when nothing could be compared."""


@dataclass(frozen=True, slots=True)
class Resynced:
    """This peer has given up its state for that of the lowest peer."""

    frame: int
    """The frame that the adopted state is about to step."""
    peer: int
    """Whose state it is."""


@dataclass(frozen=True, slots=True)
class DatagramRejected:
    """A datagram could not be used.

    The first sixteen of each peer are reported, all are counted in the statistics.
    """

    peer: int
    """The peer whose link it came over."""
    reason: str
    """What was wrong with it."""


@dataclass(frozen=True, slots=True)
class GameAgreed:
    """The game has ended, and this is what the peers know of each other's logs. Given once."""

    verdict: str
    """One of

    - `identical`: all peers hold the same log;
    - `truncated`: a peer left, and the log is whole up to `last_frame`;
    - `divergent`: the logs differ;
    - `unverified`: a peer never answered;
    - `mismatch`: the game never started.
    """
    last_frame: int
    """The last confirmed frame; -1 when there is none."""
    chain_hash: bytes
    """16 bytes over inputs, leaves and checksums; equal at all peers whose logs are equal."""
    reason: str
    """The verdict in one sentence."""


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
