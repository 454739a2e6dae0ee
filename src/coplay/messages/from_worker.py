"""Messages from the worker to its page, discriminated by `kind`, except those of `from_python`."""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from coplay.messages.encoding import ArrayBuffer, BrowserType
from coplay.messages.from_python import FromPython


@dataclass(frozen=True, slots=True, kw_only=True)
class BootProgress:
    """How far loading has come."""

    kind: Literal["progress"] = "progress"
    stage: str
    """What is being loaded, for the participant."""
    fraction: float
    """How much is done, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonReady:
    """Python has started."""

    kind: Literal["ready"] = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawMessage:
    """One picture. The layout of `ops` is described in web/src/draw/DisplayList.ts."""

    kind: Literal["draw"] = "draw"
    game_id: str
    """The game."""
    ops: Annotated[bytes, BrowserType("Float32Array")]
    """The drawing operations."""
    strings: tuple[str, ...]
    """Strings that continue the table begun by this worker's earlier pictures."""
    pixels: Annotated[bytes | None, BrowserType("Uint8ClampedArray")] = None
    """RGB, three bytes per pixel, for the image operation."""
    pixels_shape: tuple[int, int] | None = None
    """Rows and columns of `pixels`."""
    width: float
    """Width of the drawing, in its own units."""
    height: float
    """Height of the drawing, in its own units."""
    corrected: bool
    """Whether a rollback changed what was shown before."""
    frame: int
    """The next frame to be stepped."""
    now: float
    """When it was drawn: milliseconds of `performance.now()`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadBatch:
    """A batch for the server."""

    kind: Literal["upload"] = "upload"
    game_id: str
    """The game."""
    number: int
    """The batch's number."""
    body: ArrayBuffer
    """The encoded batch; layout in protocol/README.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """The data channel to a peer opened or closed."""

    kind: Literal["channel_state"] = "channel_state"
    peer: int
    """The peer at the other end."""
    connection: int
    """Number of the connection to this peer, from 1."""
    open: bool
    """Whether it is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelHearing:
    """Datagrams arrive over the peer's channel again, or have not for a while."""

    kind: Literal["hearing"] = "hearing"
    peer: int
    """The peer at the other end."""
    connection: int
    """Number of the connection to this peer, from 1."""
    direct: bool
    """Whether datagrams arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDatagramRequest:
    """A datagram that the page has to send."""

    kind: Literal["send"] = "send"
    peer: int
    """The peer that it is for."""
    data: ArrayBuffer
    """The datagram: 1 to 1,200 bytes."""
    direct: bool
    """True for the channel that the page keeps, false for the server's relay."""


FromWorker: TypeAlias = (
    BootProgress
    | PythonReady
    | DrawMessage
    | UploadBatch
    | ChannelState
    | ChannelHearing
    | SendDatagramRequest
    | FromPython
)
"""Every message from the worker to its page."""
