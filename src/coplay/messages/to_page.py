"""Events that the server sends to a page. Each class names its event in `EVENT`."""

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from coplay.messages.game import GameConfig
from coplay.messages.signals import IncomingSignal


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionsProps:
    """The data of the event `scene` for a page of instructions."""

    EVENT: ClassVar = "scene"

    index: int
    """The scene's index in the study."""
    prepare: int | None
    """Index of the next play scene, to be loaded meanwhile; null if there is none."""
    title: str
    """Heading; may be empty."""
    html: str
    """The text as HTML; markup that the study's author wrote is escaped."""
    button: str
    """Label of the button that goes on."""
    kind: Literal["instructions"] = "instructions"
    """The kind of scene."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LobbyProps:
    """The data of the event `scene` for a lobby."""

    EVENT: ClassVar = "scene"

    index: int
    """The scene's index in the study."""
    prepare: int | None
    """Index of the next play scene, to be loaded meanwhile; null if there is none."""
    title: str
    """Heading; may be empty."""
    size: int
    """Number of participants in a group."""
    patience_s: float
    """The longest wait, in seconds."""
    kind: Literal["lobby"] = "lobby"
    """The kind of scene."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayProps:
    """The data of the event `scene` for a play scene."""

    EVENT: ClassVar = "scene"

    index: int
    """The scene's index in the study."""
    prepare: int | None
    """Index of this play scene."""
    label: str
    """The scene's name in the data; may be empty."""
    title: str
    """Heading; may be empty."""
    controls_html: str
    """How to play, as HTML."""
    scores: bool
    """Whether the page shows each player's return."""
    keys: tuple[str, ...]
    """Names of the keys that the page takes from the browser, as in `KeyboardEvent.key`."""
    play_scene: int
    """Index of this play scene, as in `scene_index` of its games."""
    kind: Literal["play"] = "play"
    """The kind of scene."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishProps:
    """The data of the event `scene` for the end of the study."""

    EVENT: ClassVar = "scene"

    index: int
    """The scene's index in the study."""
    title: str
    """Heading."""
    html: str
    """The text as HTML; markup that the study's author wrote is escaped."""
    code: str
    """Completion code to show; may be empty."""
    redirect: str
    """Where a button leads back to (`https://…`); may be empty."""
    kind: Literal["finish"] = "finish"
    """The kind of scene."""


Scene: TypeAlias = InstructionsProps | LobbyProps | PlayProps | FinishProps
"""The data of the event `scene`: what the participant sees now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LobbyState:
    """The data of the event `lobby`: the state of a lobby for one waiting participant."""

    EVENT: ClassVar = "lobby"

    present: int
    """How many are here, this participant included."""
    size: int
    """Number of participants in a group."""
    waited_s: float
    """How long this participant has waited, in seconds."""
    patience_s: float
    """The longest wait, in seconds."""
    reason: str
    """Why the game has not begun yet: a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerLeft:
    """The data of the event `player_left`: a player will not come back."""

    EVENT: ClassVar = "player_left"

    game_id: str
    """The game."""
    player_id: int
    """The seat that was given up."""
    reason: str
    """Why, in a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerBack:
    """The data of the event `player_back`: a new page holds a player's seat."""

    EVENT: ClassVar = "player_back"

    game_id: str
    """The game."""
    player_id: int
    """The seat."""
    incarnation: int
    """How many pages held the seat before."""
    epoch: int
    """The new signaling epoch of this pair of players."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """The data of the event `removed`: the participant's own seat was given up."""

    EVENT: ClassVar = "removed"

    game_id: str
    """The game that continues, or ended, without this page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The data of the event `notice`: a sentence for the participant."""

    EVENT: ClassVar = "notice"

    text: str
    """What to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextToken:
    """The data of the event `resume`: the token for this page's next socket."""

    EVENT: ClassVar = "resume"

    token: str
    """To be sent back with the event `resume_kept`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storing:
    """The data of the event `storing`: whether the server can store data."""

    EVENT: ClassVar = "storing"

    ok: bool
    """False while nothing can be stored; what the page waits for is delayed until then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The data of the event `failed`, of a refused connection, and of every HTTP error."""

    EVENT: ClassVar = "failed"

    error: str
    """A sentence: what happened."""
    hint: str | None = None
    """What to do; may be empty."""
    reference: str | None = None
    """A number that the server's log contains, too; may be empty."""


ToPage: TypeAlias = (
    InstructionsProps
    | LobbyProps
    | PlayProps
    | FinishProps
    | LobbyState
    | GameConfig
    | IncomingSignal
    | PlayerLeft
    | PlayerBack
    | Removed
    | Notice
    | NextToken
    | Storing
    | Failure
)
"""The data of every event that the server sends to a page, except the bytes of `datagram`."""
