"""How a game is set up, what a peer measures while it plays, and how it reports the end."""

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

LinkType: TypeAlias = Literal["direct", "turn", "relay"]
"""How datagrams travel between two peers: directly, through a TURN server, or through the study's server."""

SeatFate: TypeAlias = Literal["end", "default", "bot"]
"""What happens to a seat after its player left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IceServer:
    """A STUN or TURN server, as `RTCPeerConnection` takes it."""

    urls: tuple[str, ...]
    """Addresses such as `turn:turn.example.org:3478?transport=udp`."""
    username: str | None = None
    """`<expiry>:<game_id>-<player_id>`; TURN only."""
    credential: str | None = None
    """Base64 of the HMAC-SHA1 of the username; TURN only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedGameConfig:
    """The part of a game's configuration that is the same for all its pages."""

    game_id: str
    """The game: 20 hexadecimal digits."""
    scene_index: int
    """Index of the play scene in the study."""
    owners: tuple[int, ...]
    """Per seat, the seat of the person whose browser supplies its inputs."""
    peers: tuple[int, ...]
    """The seats of all persons, ascending."""
    seed: int
    """0 to 2**53 - 1, so that JavaScript carries it exactly."""
    fps: float
    """Frames per second."""
    input_delay: Literal["auto"] | int
    """Frames between an input and the frame that uses it; "auto" is chosen from the round trips."""
    max_prediction: int
    """How many frames a peer may run ahead of the inputs that it holds."""
    episodes: int
    """Number of episodes, at least 1."""
    max_frames: int | None
    """Longest episode, in frames; null for no limit."""
    countdown_frames: int
    """Frames before each episode begins."""
    when_left: SeatFate
    """What happens to a seat after its player left."""
    on_desync: Literal["resync", "end"]
    """Whether peers whose states differ copy the lowest peer's state, or end the game."""
    digest: dict[str, str]
    """Texts that all peers must agree on before frame 0."""
    ice_policy: Literal["all", "relay"]
    """The value for `iceTransportPolicy`."""
    epoch: int
    """Always 0: the first signaling epoch of every pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GameConfig(SharedGameConfig):
    """The data of the event `game`: one game, as one of its pages has to set it up."""

    EVENT: ClassVar = "game"

    player_id: int
    """The seat of this page's participant."""
    incarnations: dict[str, int]
    """Per person's seat, how many pages held it before the current one."""
    epochs: dict[str, int]
    """Per other person's seat, the signaling epoch of the pair."""
    rejoining: bool
    """True if an earlier page held this seat: the game may have begun."""
    left: tuple[int, ...]
    """The players who left for good."""
    ice_servers: tuple[IceServer, ...]
    """STUN and TURN servers with credentials for this player; often empty."""
    token: str
    """Authorizes this page's uploads; bound to game, player and incarnation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchConfig:
    """The answer to `GET /api/watch/<game_id>`: a game, as a spectator has to set it up."""

    game_id: str
    """The game: 20 hexadecimal digits."""
    scene_index: int
    """Index of the play scene in the study."""
    seed: int
    """0 to 2**53 - 1."""
    fps: float
    """Frames per second."""
    episodes: int
    """Number of episodes, at least 1."""
    max_frames: int | None
    """Longest episode, in frames; null for no limit."""
    countdown_frames: int
    """Frames before each episode begins."""
    peers: tuple[int, ...]
    """The seats of all persons, ascending."""
    input_sizes: tuple[int, ...]
    """Per seat, the length of an input in bytes, 1 to 64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFigures:
    """The browser's own measurements of the path to one peer, below the game's datagrams."""

    rtt_ms: float | None
    """Round trip of ICE's own checks, in milliseconds; null before the first answer."""
    bytes_sent: int
    """Bytes sent since the connection began, over every path that it tried."""
    bytes_received: int
    """Bytes received since the connection began, over every path that it tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChecksum:
    """The checksum of a confirmed state."""

    frame: int
    """The frame that this state is about to step."""
    checksum: str
    """The checksum: 16 hexadecimal digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GameStats:
    """Figures of a running game; field names are part of the automation contract."""

    game_id: str
    """The game: 20 hexadecimal digits."""
    player_id: int
    """The seat of this peer."""
    frame: int
    """The next frame to be stepped."""
    confirmed_frame: int
    """The last confirmed frame; -1 before the first."""
    rollbacks: int
    """How often the game went back to an earlier frame."""
    max_rollback_frames: int
    """Length of the longest rollback, in frames."""
    resimulated_frames: int
    """Frames that were stepped again."""
    stalled_frames: int
    """Frame times spent waiting for other peers."""
    rtt_ms: dict[str, float | None]
    """Per other peer, the round trip of the game's datagrams in milliseconds; null until measured."""
    packets_sent: int
    """Datagrams sent to all peers."""
    bytes_sent: int
    """Bytes of these datagrams."""
    input_delay: int
    """Frames between an input and the frame that uses it."""
    state_checksum: StateChecksum | None
    """The newest checksum; null before the first."""
    netcode_tick_ms_p50: float
    """Median time of the netcode in one tick, in milliseconds."""
    netcode_tick_ms_p99: float
    """99th percentile of the netcode's time in one tick, in milliseconds."""
    step_ms_p50: float
    """Median time of one frame's step with its snapshot, in milliseconds."""
    draw_ms_p50: float
    """Median time of drawing one picture, in milliseconds."""
    buffered_amount: dict[str, int | None] | None = None
    """Per other peer, the most bytes that waited in the data channel in the last second of the record."""
    first_frame_ms: float | None = None
    """Time from the game's start to its first picture, in milliseconds; 0 before it."""
    link: dict[str, LinkType] | None = None
    """Per other peer, how datagrams travel; added by the page."""
    paths: dict[str, PathFigures] | None = None
    """Per other peer, the browser's own figures; added by the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DesyncRow:
    """States of two peers that differed."""

    frame: int
    """The first frame before which they differed."""
    peer: int
    """The other peer."""
    paths: tuple[str, ...]
    """What differed, by attribute path; at most 20."""
    resynced_at: int | None
    """From this frame on the states were equal again; null if they never were."""


SeatChange: TypeAlias = tuple[int, int, Literal["default", "bot", "end", "back"]]
"""Player, last frame of the inputs of the seat's person (-1 for none), and what happened to the seat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GameReport:
    """The body of `POST /api/games/<game_id>/report`: how a peer saw the end of a game."""

    player_id: int
    """The seat of the peer that reports."""
    verdict: str
    """The session's verdict: identical, truncated, divergent, unverified or mismatch."""
    last_frame: int
    """The last confirmed frame; -1 for none."""
    chain_hash: str
    """Hash of everything confirmed, in hexadecimal digits."""
    reason: str
    """The session's reason for the end; may be empty."""
    delay: int
    """Input delay, in frames."""
    total_scores: tuple[float, ...]
    """Return of the whole game, by player."""
    seats: tuple[SeatChange, ...]
    """Seats that changed hands, in order, as the peers agreed."""
    desyncs: tuple[DesyncRow, ...]
    """States that differed from another peer's, in order."""
    stats: GameStats
    """The figures at the end."""
