"""Events that a page sends to the server, and the server's answers. Each class names its event in `EVENT`."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from coplay.messages.game import IceServer
from coplay.messages.signals import OutgoingSignal


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketAuth:
    """The `auth` of a page's Socket.IO connection."""

    token: str
    """The newest token that the page has."""
    offset: str | None = None
    """Number of the last event that the page received; missing on the page's first socket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Continue:
    """The data of the event `continue`: the participant pressed a scene's button."""

    EVENT: ClassVar = "continue"

    index: int
    """The scene's index in the study."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """The data of the event `leave`: the participant leaves the study."""

    EVENT: ClassVar = "leave"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The data of the event `prepared`: the page has loaded a play scene; informational."""

    EVENT: ClassVar = "prepared"

    index: int
    """The scene's index in the study."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeKept:
    """The data of the event `resume_kept`: the page has the token that `resume` brought."""

    EVENT: ClassVar = "resume_kept"

    token: str
    """That token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IceServersRequest:
    """The data of the event `ice_servers`: the page asks for fresh credentials."""

    EVENT: ClassVar = "ice_servers"


@dataclass(frozen=True, slots=True, kw_only=True)
class GameOver:
    """The data of the event `game_over`: the report and all batches are acknowledged."""

    EVENT: ClassVar = "game_over"

    game_id: str
    """The game."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """The answer to every event of a page, except `datagram`, which has none."""

    ok: bool
    """Whether the server did what was asked."""
    error: str | None = None
    """The reason why not, as a sentence."""
    reason: str | None = None
    """Why a signal was refused, in a word."""
    hint: str | None = None
    """What to do about a fault of the server."""
    reference: str | None = None
    """A number that the server's log contains, too."""
    ice_servers: tuple[IceServer, ...] | None = None
    """Servers with fresh credentials; in the answer to `ice_servers` alone."""


ToServer: TypeAlias = Continue | Leave | Prepared | ResumeKept | OutgoingSignal | IceServersRequest | GameOver
"""The data of every event that a page sends to the server, except the bytes of `datagram`."""
