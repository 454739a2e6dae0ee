"""Messages that the worker's Python sends to the page, discriminated by `kind`."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from coplay.messages.game import GameReport, GameStats

GamePhase: TypeAlias = Literal["loading", "waiting", "connecting", "playing", "paused", "ended"]
"""The phase of a play scene, as `<body data-phase>` has it."""

SimulationPhase: TypeAlias = Literal["countdown", "playing", "between", "over"]
"""What the next frame of the simulation does."""


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
    """A peer fell silent, or its datagrams arrive again."""

    kind: Literal["partner"] = "partner"
    game_id: str
    """The game."""
    peer: int
    """The peer."""
    present: bool
    """Whether its datagrams arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMessage(GameReport):
    """How this peer saw the end of the game."""

    kind: Literal["report"] = "report"
    game_id: str
    """The game."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClosed:
    """All peers have confirmed the outcome; this peer is no longer needed."""

    kind: Literal["closed"] = "closed"
    game_id: str
    """The game."""


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


FromPython: TypeAlias = (
    ScenePrepared
    | PhaseChanged
    | Hud
    | StatsMessage
    | WatchedState
    | PeerPresence
    | ReportMessage
    | SessionClosed
    | WorkerFault
)
"""The messages to the page that the worker's Python writes as JSON."""
