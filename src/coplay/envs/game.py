"""A game: one or more episodes of an environment as a single deterministic simulation, frame by frame.

Resets, countdowns, pauses and ends are state transitions of the simulation, which roll back like any frame:

```
start ──> countdown ──> playing ──> between ──> countdown ──> playing ──> over
          (if any)              (if any pause)
```

A frame in `countdown` or `between` does not step the environment. The frame that ends the last episode also
ends the game; frames after that change nothing.
"""

from __future__ import annotations

from operator import add, call
from typing import Any, Literal, NamedTuple, get_args

from coplay.envs import taming
from coplay.envs.environment import Environment, StepResult
from coplay.envs.state.globals import restore_first_values
from coplay.envs.state.snapshot import Snapshot
from coplay.envs.state.walk import StateWalk
from coplay.envs.transfer.state_bytes import export_state, import_state
from coplay.errors import StateTransferError

Phase = Literal["countdown", "playing", "between", "over"]

_DEFAULT_FPS = 30.0  # at which simulated clocks run if the environment has no `render_fps`


class FrameRow(NamedTuple):
    """What one frame did, as it is recorded.

    Attributes:
        episode: The episode of the frame, from 0.
        stepped: True if the environment was stepped; otherwise the other values are zeros.
        rewards: Rewards by player.
        terminated: By player; true only in the frame in which it happened.
        truncated: By player, likewise; true for all that still act when `max_frames` ends the episode.
    """

    episode: int
    stepped: bool
    rewards: tuple[float, ...]
    terminated: tuple[bool, ...]
    truncated: tuple[bool, ...]


class SavedGame:
    """The state of a game at the start of a frame. It is opaque, and only its own game can load it."""

    __slots__ = ("fields", "snapshot")

    def __init__(self, fields: tuple[Any, ...], snapshot: Snapshot) -> None:
        self.fields = fields
        self.snapshot = snapshot


_FIELDS = (
    "frame",
    "phase",
    "episode",
    "frame_in_episode",
    "countdown_left",
    "pause_left",
    "scores",
    "total_scores",
)
_IDENTITY = 3  # number of values of an exported state that identify the game


class Game:
    """One run of an environment, stepped by the players' inputs.

    Two games with equal environments, arguments and inputs have equal states at each frame, no matter what
    was saved, loaded and stepped again in between. An environment serves one game at a time. A new game
    starts from the environment's state before its first game.

    Args:
        environment: The environment to play.
        seed: Seed from which everything random in the game is derived.
        episodes: Number of episodes, at least 1.
        max_frames: Steps after which an episode is truncated; None leaves that to the environment.
        countdown_frames: Frames to wait before each episode.
        pause_frames: Frames between the end of an episode and the next one.

    Attributes:
        frame: Number of the next frame.
        phase: What the next frame does.
        episode: Current episode, from 0.
        frame_in_episode: Environment steps so far in this episode.
        countdown_left: Frames of countdown left.
        pause_left: Frames of pause left.
        scores: Return of this episode so far, by player.
        total_scores: Return of the whole game so far, by player.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        seed: int,
        episodes: int = 1,
        max_frames: int | None = None,
        countdown_frames: int = 0,
        pause_frames: int = 0,
    ) -> None:
        self.environment = environment
        self.seed = seed
        self.episodes = max(1, episodes)
        self.max_frames = max_frames
        self.countdown_frames = countdown_frames
        self.pause_frames = pause_frames

        self.frame = 0
        self.phase: Phase = "playing"
        self.episode = 0
        self.frame_in_episode = 0
        self.countdown_left = 0
        self.pause_left = 0
        zeros = (0.0,) * environment.n_players
        nobody = (False,) * environment.n_players
        self.scores = self.total_scores = zeros
        self._idle = StepResult(zeros, nobody, nobody)
        self._frame_s = 1.0 / (environment.render_fps or _DEFAULT_FPS)
        self._decoders = tuple(codec.decode for codec in environment.codecs)
        self._roots = environment.roots()
        self._walk = StateWalk(self._roots)
        # Taken directly after each frame, even if nobody saves it: taking it puts sets into canonical order,
        # which must happen at the same frames at every peer and in every replay. What drawing changes later
        # is not in it.
        self._snapshot: Snapshot | None = None
        taming.install()

    @property
    def over(self) -> bool:
        """True if the last episode has ended."""
        return self.phase == "over"

    # Playing

    def start(self) -> None:
        """Set the game to the state before frame 0. It can be started again at any time."""
        environment = self.environment
        if environment.pristine is None:
            restore_first_values(self._roots)
            environment.pristine = self._walk.take()
        else:
            self._walk.restore(environment.pristine)
        taming.seed_unseeded(self._walk.generators(environment.pristine), self.seed)
        self.frame = -1  # so that the first reset draws from a stream of its own
        self.episode = 0
        self.total_scores = self._idle.rewards
        self._begin_episode()
        self._snapshot = self._walk.take()
        self.frame = 0

    def step(self, inputs: tuple[bytes, ...]) -> FrameRow:
        """Advance by one frame, in any phase.

        Args:
            inputs: Each player's encoded action, by player. Bytes that encode no action are decoded to one as
                the table in `actions` says.
        """
        episode = self.episode
        if self.phase == "playing":
            result = self._play(inputs)
            stepped = True
            self._snapshot = self._walk.take()
        else:
            result, stepped = self._idle, False
            if self.phase == "countdown":
                self.countdown_left -= 1
                if self.countdown_left == 0:
                    self.phase = "playing"
            elif self.phase == "between":
                self.pause_left -= 1
                if self.pause_left == 0:
                    self._begin_next_episode()
                    self._snapshot = self._walk.take()
            else:
                return FrameRow(episode, False, *result)
        self.frame += 1
        return FrameRow(episode, stepped, *result)

    def _play(self, inputs: tuple[bytes, ...]) -> StepResult:
        environment = self.environment
        actions = tuple(map(call, self._decoders, inputs))
        with self._simulated_frame():
            result = environment.step(actions)
        self.frame_in_episode += 1
        rewards = result.rewards
        if any(rewards):
            self.scores = tuple(map(add, self.scores, rewards))
            self.total_scores = tuple(map(add, self.total_scores, rewards))
        ended = environment.episode_over
        if not ended and self.max_frames is not None and self.frame_in_episode >= self.max_frames:
            ended = True
            result = result._replace(truncated=environment.live.present)
        if ended:
            self._end_episode()
        return result

    def _end_episode(self) -> None:
        if self.episode + 1 >= self.episodes:
            self.phase = "over"
        elif self.pause_frames > 0:
            self.phase = "between"
            self.pause_left = self.pause_frames
        else:
            self._begin_next_episode()

    def _begin_next_episode(self) -> None:
        self.episode += 1
        self._begin_episode()

    def _begin_episode(self) -> None:
        with self._simulated_frame():
            self.environment.reset(taming.derive_seed(self.seed, "episode", self.episode) & 0x7FFFFFFF)
        self._walk.begin_plan()
        self.frame_in_episode = 0
        self.scores = self._idle.rewards
        self.countdown_left = self.countdown_frames
        self.phase = "countdown" if self.countdown_left > 0 else "playing"

    def _simulated_frame(self) -> taming.SimulatedFrame:
        return taming.SimulatedFrame(self.seed, self.frame, self.frame * self._frame_s)

    # Saving

    def save(self) -> SavedGame:
        """Return the state before the next frame.

        This is cheap, because stepping has taken the snapshot already. It does not include what drawing or a
        bot's policy did to the environment since the last frame.

        Raises:
            RuntimeError: The game was not started.
        """
        if self._snapshot is None:
            raise RuntimeError("The game cannot be saved before it is started; call start() first.")
        fields = (
            self.frame,
            self.phase,
            self.episode,
            self.frame_in_episode,
            self.countdown_left,
            self.pause_left,
            self.scores,
            self.total_scores,
        )
        return SavedGame(fields, self._snapshot)

    def load(self, saved: SavedGame) -> None:
        """Go to a saved state.

        Args:
            saved: A state that this game saved; it can be loaded any number of times.
        """
        self._set_fields(saved.fields)
        self._walk.restore(saved.snapshot)
        self._snapshot = saved.snapshot

    def checksum(self, saved: SavedGame | None = None) -> int:
        """Return 64 bits that are equal on every peer in the same state.

        Args:
            saved: A saved state; None for the current one.
        """
        saved = saved or self.save()
        return self._walk.checksum(saved.snapshot, saved.fields)

    def export_state(self, saved: SavedGame | None = None) -> bytes:
        """Return a state as bytes that a game on an equal environment can import.

        Args:
            saved: A saved state; None for the current one.

        Raises:
            StateTransferError: Part of the state cannot be sent, or it is larger than 16 MiB.
        """
        saved = saved or self.save()
        return export_state(self._walk, saved.snapshot, (*self._identity(), *saved.fields))

    def import_state(self, data: bytes) -> None:
        """Go to a state that another game exported, so that `checksum()` equals the exporter's.

        The environment stays the same object, as with `load`, and states saved earlier can still be loaded.

        Args:
            data: Bytes from an untrusted peer. Only classes that this environment uses are instantiated.

        Raises:
            StateTransferError: The data are malformed, too large or of another game. This game is unchanged.
        """
        self.save()  # raises if the game was not started
        self._snapshot, extra = import_state(self._walk, data, self._accept)
        self._set_fields(extra[_IDENTITY:])

    def _set_fields(self, fields: tuple[Any, ...]) -> None:
        (
            self.frame,
            self.phase,
            self.episode,
            self.frame_in_episode,
            self.countdown_left,
            self.pause_left,
            self.scores,
            self.total_scores,
        ) = fields

    def _identity(self) -> tuple[Any, ...]:
        return type(self.environment.unwrapped).__qualname__, self.environment.n_players, self.seed

    def _accept(self, extra: tuple[Any, ...]) -> None:
        if extra[:_IDENTITY] != self._identity():
            raise StateTransferError(f"the received state belongs to another game: {extra[:_IDENTITY]}")
        phase, *counts, scores, total_scores = extra[_IDENTITY + 1 :]
        fit = phase in get_args(Phase) and len(scores) == len(total_scores) == self.environment.n_players
        fit = fit and all(type(count) is int and count >= 0 for count in (extra[_IDENTITY], *counts))
        if not fit or not all(type(score) is float for score in scores + total_scores):
            raise StateTransferError("the received state has values that no game can have")

    def diff(self, mine: SavedGame, theirs: SavedGame) -> list[str]:
        """Return the attribute paths that differ between two saved states, such as `env.state[2]`.

        Args:
            mine: One state that this game saved.
            theirs: Another.
        """
        fields = zip(_FIELDS, mine.fields, theirs.fields, strict=True)
        return [f"game.{name}" for name, a, b in fields if a != b] + self._walk.diff(
            mine.snapshot, theirs.snapshot
        )

    def unwalkable(self) -> list[str]:
        """Return the parts of the environment's state that cannot be saved, as `path (type)`."""
        return self._walk.unwalkable()
