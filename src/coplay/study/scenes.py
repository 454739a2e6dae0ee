"""The kinds of scene that a study lists: instructions, lobby, play, finish."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from coplay.errors import StudyError
from coplay.study.durations import Duration, seconds
from coplay.study.keys import Keys

MAX_PLAYERS = 8
MAX_HOLD_S = 600.0

Bot: TypeAlias = Callable[[Any, int], Any] | Literal["idle"]


@dataclass(frozen=True, slots=True)
class Instructions:
    """A page to read.

    Attributes:
        text: A Markdown file beside the study file (`"welcome.md"`), or the Markdown itself.
        title: Heading; may be empty.
        button: Label of the button that continues.
    """

    text: str
    title: str = ""
    button: str = "Continue"


@dataclass(frozen=True, slots=True)
class Finish:
    """The last scene of a path.

    Attributes:
        text: Markdown, or the name of a Markdown file.
        code: Completion code to show; may be empty.
        redirect: Address that a button leads back to (`https://…`); may be empty.
        title: Heading.
    """

    text: str = "Thank you for taking part. You may close this page now."
    code: str = ""
    redirect: str = ""
    title: str = "The end"

    def __post_init__(self) -> None:
        if self.redirect and not self.redirect.startswith(("https://", "http://")):
            raise StudyError(f"Finish redirects to {self.redirect!r}", "Give a full address: https://…")


@dataclass(frozen=True, slots=True)
class Lobby:
    """A waiting room that forms groups, first come, first served.

    Attributes:
        size: Number of people in a group, 2 to 8.
        patience: Longest time that anyone waits here: `"3 min"`.
        otherwise: Ending for a participant who waited that long without being matched.
        title: Heading.
    """

    size: int
    patience: Duration = "3 min"
    otherwise: Finish = field(
        default=Finish(
            "Nobody else came to play with you this time. Thank you for waiting.", title="Nobody came"
        )
    )
    title: str = "Waiting for others"

    def __post_init__(self) -> None:
        if not isinstance(self.size, int) or not 2 <= self.size <= MAX_PLAYERS:
            raise StudyError(f"Lobby has the size {self.size!r}", f"A group is 2 to {MAX_PLAYERS} people.")
        if seconds(self.patience, what="the Lobby's patience") < 1:
            raise StudyError("the Lobby's patience is under a second", 'Write for example patience="3 min".')
        if not isinstance(self.otherwise, Finish):
            raise StudyError(
                f"the Lobby's otherwise is a {type(self.otherwise).__name__}",
                "It must be a scenes.Finish(…).",
            )

    @property
    def patience_s(self) -> float:
        """Longest wait, in seconds."""
        return seconds(self.patience)


@dataclass(frozen=True, slots=True, eq=False)
class Play:
    """A game: an environment, played in real time by the members of a group, or by one person.

    Attributes:
        env: Gymnasium id, `"package:id"`, `"module:factory"`, `EnvSpec`, environment, `ParallelEnv`, or a
            factory.
        players: Number of people who play; None for every seat without a bot.
        bots: Seat → policy `(env, player_id) -> action`, or `"idle"`.
        keys: Mapping from keys to actions; one `Keys` for all, or one per player_id.
        fps: Frames per second, 1 to 120; None for the environment's own `render_fps`, else 30.
        episodes: Number of episodes in the game.
        max_frames: Longest episode, in frames; None to let the environment end it.
        countdown: Pause before each episode begins: `"3 s"`.
        input_delay: Frames between a key and its effect, 0 to 8; `"auto"` fits it to the connection.
        max_prediction: Most frames shown ahead of the confirmed frame, 1 to 16.
        draw: Function `(env, canvas)`; None shows the environment's own rendering.
        label: Name of the scene in the data.
        title: Heading.
        controls: Markdown shown under the game: which key does what.
        scores: Show each player's return on the page. Turn it off if the drawing shows scores itself.
        when_someone_leaves: What happens to the seat of a person who has left, from a frame that all peers
            agree on: `"end"` ends the game, `"default"` plays the default action, `"bot"` plays `substitute`.
        substitute: Policy that takes over, as in `bots`; required for `"bot"`.
        hold: How long the game waits for a person who reloads or loses the connection: `"10 s"`.
        on_desync: What happens when the states of two browsers differ: `"resync"` copies the state of the
            lowest player to all and marks the data, `"end"` ends the game.
    """

    env: Any
    players: int | None = None
    bots: Mapping[int, Bot] = field(default_factory=dict)
    keys: Keys | Mapping[int, Keys] | None = None
    fps: float | None = None
    episodes: int = 1
    max_frames: int | None = None
    countdown: Duration = 1.0
    input_delay: int | Literal["auto"] = "auto"
    max_prediction: int = 8
    draw: Callable[[Any, Any], None] | None = None
    label: str = ""
    title: str = ""
    controls: str = ""
    scores: bool = True
    when_someone_leaves: Literal["end", "default", "bot"] = "end"
    substitute: Bot | None = None
    hold: Duration = "10 s"
    on_desync: Literal["resync", "end"] = "resync"

    def __post_init__(self) -> None:
        if self.players is not None:
            _within("players", self.players, 1, MAX_PLAYERS)
        if not isinstance(self.keys, Keys) and not (
            isinstance(self.keys, Mapping) and all(isinstance(keys, Keys) for keys in self.keys.values())
        ):
            raise StudyError(
                "Play has no keys",
                'Say what the keys mean, for example keys=keys.Keys({"ArrowLeft": 0}, noop=1).',
            )
        _within("episodes", self.episodes, 1, 1000)
        if self.max_frames is not None:
            _within("max_frames", self.max_frames, 1, 10_000_000)
        _within("max_prediction", self.max_prediction, 1, 16)
        if self.input_delay != "auto":
            _within("input_delay", self.input_delay, 0, 8)
        if self.fps is not None and not (isinstance(self.fps, int | float) and 1 <= self.fps <= 120):
            raise StudyError(f"Play has fps={self.fps!r}", "Frames a second lie between 1 and 120.")
        seconds(self.countdown, what="Play's countdown")
        for seat, policy in self.bots.items():
            if not isinstance(seat, int) or not (callable(policy) or policy == "idle"):
                raise StudyError(
                    f"Play has the bot {seat!r}: {policy!r}",
                    'Bots are {seat: policy}; a policy is a function (env, player_id) -> action, or "idle".',
                )
        if self.draw is not None and not callable(self.draw):
            raise StudyError("Play's draw is not a function", "Give a function draw(env, canvas).")
        if not 0 <= seconds(self.hold, what="Play's hold") <= MAX_HOLD_S:
            raise StudyError(
                f"Play has hold={self.hold!r}", "A game waits at most 10 minutes for one person."
            )
        self._check_leaving()

    def _check_leaving(self) -> None:
        if self.when_someone_leaves not in ("end", "default", "bot"):
            raise StudyError(
                f"Play has when_someone_leaves={self.when_someone_leaves!r}",
                'It must be "end", "default" or "bot".',
            )
        if self.on_desync not in ("resync", "end"):
            raise StudyError(f"Play has on_desync={self.on_desync!r}", 'It must be "resync" or "end".')
        if (self.when_someone_leaves == "bot") != (self.substitute is not None):
            raise StudyError(
                'Play needs a substitute for when_someone_leaves="bot", and only for that',
                "Give substitute=policy, a function (env, player_id) -> action.",
            )
        if self.substitute is not None and not (callable(self.substitute) or self.substitute == "idle"):
            raise StudyError(
                f"Play has substitute={self.substitute!r}",
                'A policy is a function (env, player_id) -> action, or "idle".',
            )

    @property
    def hold_s(self) -> float:
        """How long a seat is held for a disconnected page, in seconds."""
        return seconds(self.hold)

    @property
    def countdown_s(self) -> float:
        """Pause before each episode, in seconds."""
        return seconds(self.countdown)

    def keys_for(self, player_id: int) -> Keys:
        """Return the key mapping of one player.

        Raises:
            StudyError: The study gives no keys for this player.
        """
        if isinstance(self.keys, Keys):
            return self.keys
        if self.keys is None or player_id not in self.keys:
            raise StudyError(f"Play has no keys for player {player_id}", "Add them to the keys of the scene.")
        return self.keys[player_id]


Scene: TypeAlias = Instructions | Lobby | Play | Finish


def _within(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise StudyError(f"Play has {name}={value!r}", f"It must be a whole number from {low} to {high}.")
