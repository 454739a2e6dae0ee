"""Messages from the worker to its page, discriminated by `kind`."""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from coplay.messages.encoding import ArrayBuffer, BrowserType
from coplay.messages.game import GameReport, GameStats

GamePhase: TypeAlias = Literal["loading", "waiting", "connecting", "playing", "paused", "ended"]
"""The phase of a play scene, as `<body data-phase>` has it."""

SimulationPhase: TypeAlias = Literal["countdown", "playing", "between", "over"]
"""What the next frame of the simulation does."""


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
class ScenePrepared:
    """A play scene's environment is built."""

    kind: Literal["prepared"] = "prepared"
    scene_index: int
    """The scene's index in the study."""
    step_cost_ms: float
    """Median time of one simulated frame with its snapshot, in milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseChanged:
    """The game entered another phase."""

    kind: Literal["phase"] = "phase"
    game_id: str
    """The game."""
    phase: GamePhase
    """The phase that it is in now."""


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
class Hud:
    """What the page shows around the picture; sent when it changes."""

    kind: Literal["hud"] = "hud"
    game_id: str
    """The game."""
    phase: SimulationPhase
    """What the next frame does."""
    scores: tuple[float, ...]
    """Return of this episode so far, by player."""
    episode: int
    """The episode, from 0."""
    countdown: int
    """Seconds until the episode begins, rounded up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsMessage(GameStats):
    """The game's figures, several times per second."""

    kind: Literal["stats"] = "stats"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedState:
    """How far a spectator is in the game that it watches, several times per second."""

    kind: Literal["watched"] = "watched"
    frame: int
    """The next frame to be played."""
    received: int
    """Number of frames received."""
    phase: SimulationPhase
    """What the next frame does."""
    scores: tuple[float, ...]
    """Return of this episode so far, by player."""
    episode: int
    """The episode, from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerPresence:
    """A peer fell silent, or is heard again."""

    kind: Literal["partner"] = "partner"
    game_id: str
    """The game."""
    peer: int
    """The peer."""
    present: bool
    """Whether it is heard."""


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
class ReportMessage(GameReport):
    """How this peer saw the end of the game."""

    kind: Literal["report"] = "report"
    game_id: str
    """The game."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClosed:
    """All peers have confirmed the outcome; this peer is needed no longer."""

    kind: Literal["closed"] = "closed"
    game_id: str
    """The game."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFault:
    """The game could not be loaded, or stopped."""

    kind: Literal["error"] = "error"
    error: str
    """A sentence for the participant: what happened."""
    hint: str
    """What the participant can do."""
    detail: str
    """For the browser's console."""


FromWorker: TypeAlias = (
    BootProgress
    | PythonReady
    | ScenePrepared
    | PhaseChanged
    | DrawMessage
    | Hud
    | StatsMessage
    | WatchedState
    | PeerPresence
    | UploadBatch
    | ReportMessage
    | SessionClosed
    | ChannelState
    | ChannelHearing
    | SendDatagramRequest
    | WorkerFault
)
"""Every message from the worker to its page."""
