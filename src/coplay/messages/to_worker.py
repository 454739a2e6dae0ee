"""Messages from the page to its worker, discriminated by `kind`."""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from coplay.messages.encoding import ArrayBuffer, BrowserType
from coplay.messages.game import GameConfig, LinkType, PathFigures, WatchConfig
from coplay.messages.study import BundleInfo, RuntimeInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """Load Python and the study."""

    kind: Literal["boot"] = "boot"
    runtime: RuntimeInfo
    """The browser's Python."""
    bundle: BundleInfo
    """The study's code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareScene:
    """Build a play scene's environment before its game is known."""

    kind: Literal["prepare"] = "prepare"
    scene_index: int
    """The scene's index in the study."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartGame:
    """Play a game."""

    kind: Literal["start"] = "start"
    config: GameConfig
    """The game, as the server described it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferChannel:
    """Take over the data channel to a peer."""

    kind: Literal["channel"] = "channel"
    peer: int
    """The peer at the other end."""
    connection: int
    """Number of the connection to this peer, from 1."""
    channel: Annotated[bytes, BrowserType("RTCDataChannel")]
    """The transferred channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelOpened:
    """A channel that the page could not transfer is open."""

    kind: Literal["channel_open"] = "channel_open"
    peer: int
    """The peer at the other end."""
    connection: int
    """Number of the connection to this peer, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelClosed:
    """A channel that the page could not transfer has closed."""

    kind: Literal["channel_closed"] = "channel_closed"
    peer: int
    """The peer at the other end."""
    connection: int
    """Number of the connection to this peer, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatagramReceived:
    """A datagram arrived at the page."""

    kind: Literal["datagram"] = "datagram"
    peer: int
    """The peer that sent it."""
    data: ArrayBuffer
    """The datagram: 1 to 1,200 bytes."""
    direct: bool
    """True if it came over a channel that the page keeps; false if it came through the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchRelay:
    """Start or stop sending datagrams through the server as well."""

    kind: Literal["relay"] = "relay"
    peer: int
    """The peer that they are for."""
    on: bool
    """Whether to start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysHeld:
    """The keys that are held changed."""

    kind: Literal["keys"] = "keys"
    pressed: tuple[str, ...]
    """Names as in `KeyboardEvent.key`, in the order of their presses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConditions:
    """Imitate a slower network, for the demo and for tests."""

    kind: Literal["conditions"] = "conditions"
    latency_ms: float
    """Delay added to each datagram that is sent, in milliseconds."""
    loss: float
    """Fraction of datagrams that are dropped, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageVisibility:
    """The participant's page was hidden or shown."""

    kind: Literal["visibility"] = "visibility"
    hidden: bool
    """Whether it is hidden now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePeer:
    """A player left for good, according to the server."""

    kind: Literal["peer_left"] = "peer_left"
    peer: int
    """The player."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPeer:
    """A new page holds a player's seat; it knows nothing of the game."""

    kind: Literal["peer_returned"] = "peer_returned"
    peer: int
    """The player."""
    incarnation: int
    """How many pages held the seat before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchGame:
    """Watch a game of others."""

    kind: Literal["watch"] = "watch"
    config: WatchConfig
    """The game, as the server described it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedFrames:
    """Confirmed frames of the game that is watched."""

    kind: Literal["frames"] = "frames"
    first: int
    """The first frame."""
    data: ArrayBuffer
    """All players' inputs of this frame, then of the next, and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChanged:
    """The path of the datagrams to a peer changed."""

    kind: Literal["link"] = "link"
    peer: int
    """The peer at the other end."""
    link: LinkType | Literal[""]
    """How they travel; empty while the peer cannot be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathMeasured:
    """The browser's measurements of the path to a peer, once per second."""

    kind: Literal["path"] = "path"
    peer: int
    """The peer at the other end."""
    path: PathFigures
    """The browser's figures."""
    buffered_amount: int | None
    """Most bytes that waited in a channel that the page keeps; null without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopGame:
    """Abandon the game, and close its channels."""

    kind: Literal["stop"] = "stop"


ToWorker: TypeAlias = (
    Boot
    | PrepareScene
    | StartGame
    | TransferChannel
    | ChannelOpened
    | ChannelClosed
    | DatagramReceived
    | SwitchRelay
    | KeysHeld
    | NetworkConditions
    | PageVisibility
    | RemovePeer
    | RestartPeer
    | WatchGame
    | ConfirmedFrames
    | LinkChanged
    | PathMeasured
    | StopGame
)
"""Every message from the page to its worker."""
