"""A game: one or more episodes of an environment as a single deterministic simulation, frame by frame.

Resets, countdowns, pauses and ends are state transitions of the simulation, so they roll back like any frame:

```
start ──> countdown ──> playing ──> between ──> countdown ──> playing ──> over
          (if any)              (if any pause)
```

A frame in `countdown` or `between` does not step the environment. The frame that ends the last episode leaves
the game over; any frame after that changes nothing.
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

_DEFAULT_FPS = 30.0  # of simulated clocks, when the environment does not say


class FrameRow(NamedTuple):
    """What one frame did, for the record.

    Attributes:
        episode: Which episode the frame belongs to, from 0.
        stepped: Whether the environment was stepped; the rest is zeros when not.
        rewards: By player.
        terminated: By player; true in the frame in which it happened only.
        truncated: By player; likewise. True for everyone acting when `max_frames` ends the episode.
    """

    episode: int
    stepped: bool
    rewards: tuple[float, ...]
    terminated: tuple[bool, ...]
    truncated: tuple[bool, ...]


class SavedGame:
    """A game at the start of one frame; opaque, only for the game that gave it."""

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
_IDENTITY = 3  # how many values of an exported state say which game it is of


class Game:
    """One run of an environment, to be stepped by inputs.

    Two games made from equal environments with equal arguments and given equal inputs are equal, frame by
    frame, whatever was saved, loaded and stepped again in between. An environment serves one game at a time;
    a new game starts from the environment as it was when it was first given to one.

    Args:
        environment: What to play.
        seed: Everything random in the game derives from it.
        episodes: How many, at least 1.
        max_frames: Steps after which an episode is truncated; None leaves it to the environment.
        countdown_frames: Frames to wait before each episode.
        pause_frames: Frames to show the end of an episode before the next one.

    Attributes:
        frame: The next frame to be stepped.
        phase: What the next frame will do.
        episode: From 0.
        frame_in_episode: Environment steps so far in this episode.
        countdown_left: Frames of countdown left.
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
        # Taken as soon as a frame has touched the environment, whether or not anyone asks for it: taking it
        # also gives sets their canonical order, which a replay needs as much as a peer. Drawing cannot leak
        # into it either.
        self._snapshot: Snapshot | None = None
        taming.install()

    @property
    def over(self) -> bool:
        """Whether the last episode has ended."""
        return self.phase == "over"

    # Playing

    def start(self) -> None:
        """Go to the state before frame 0."""
        environment = self.environment
        if environment.pristine is None:
            restore_first_values(self._roots)
            environment.pristine = self._walk.take()
        else:
            self._walk.restore(environment.pristine)
        taming.seed_unseeded(self._walk.generators(environment.pristine), self.seed)
        self.frame = -1  # the frame whose stream of draws the first reset uses
        self.episode = 0
        self.total_scores = self._idle.rewards
        self._begin_episode()
        self._snapshot = self._walk.take()
        self.frame = 0

    def step(self, inputs: tuple[bytes, ...]) -> FrameRow:
        """Advance by one frame, of whatever phase.

        Args:
            inputs: Each player's encoded action, in order of player. Bytes that encode no action are taken
                as the codec says.
        """
        episode = self.episode
        if self.phase == "playing":
            outcome = self._play(inputs)
            stepped = True
            self._snapshot = self._walk.take()
        else:
            outcome, stepped = self._idle, False
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
                return FrameRow(episode, False, *outcome)
        self.frame += 1
        return FrameRow(episode, stepped, *outcome)

    def _play(self, inputs: tuple[bytes, ...]) -> StepResult:
        environment = self.environment
        actions = tuple(map(call, self._decoders, inputs))
        with self._simulated_frame():
            outcome = environment.step(actions)
        self.frame_in_episode += 1
        rewards = outcome.rewards
        if any(rewards):
            self.scores = tuple(map(add, self.scores, rewards))
            self.total_scores = tuple(map(add, self.total_scores, rewards))
        ended = environment.episode_over
        if not ended and self.max_frames is not None and self.frame_in_episode >= self.max_frames:
            ended = True
            outcome = outcome._replace(truncated=environment.live.present)
        if ended:
            self._end_episode()
        return outcome

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
        """Save the state before the next frame. Costs next to nothing: stepping took the snapshot already.

        What happened to the environment since the last frame, by drawing or by a bot's policy, is not in it.
        """
        if self._snapshot is None:
            raise RuntimeError("a game is started before it is saved")
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
        """Go back to a saved state, any number of times."""
        self._set_fields(saved.fields)
        self._walk.restore(saved.snapshot)
        self._snapshot = saved.snapshot

    def checksum(self, saved: SavedGame | None = None) -> int:
        """Give 64 bits that are equal on every peer in the same state.

        Args:
            saved: A saved state; None for the current one.
        """
        saved = saved or self.save()
        return self._walk.checksum(saved.snapshot, saved.fields)

    def export_state(self, saved: SavedGame | None = None) -> bytes:
        """Give a state as bytes that a game on an equal environment can import.

        Args:
            saved: A saved state; None for the current one.

        Raises:
            StateTransferError: Some of it cannot be sent, or it is larger than 16 MiB.
        """
        saved = saved or self.save()
        return export_state(self._walk, saved.snapshot, (*self._identity(), *saved.fields))

    def import_state(self, data: bytes) -> None:
        """Make an exported state this game's: `save()` and `checksum()` equal the exporter's afterwards.

        The environment stays the same object, as with `load`, and what was saved before can still be loaded.

        Args:
            data: From anybody. Only classes that the environment uses here as well are made of it.

        Raises:
            StateTransferError: It is malformed, too large or of another game; this one is as it was.
        """
        self.save()
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
            raise StateTransferError(f"a state that was received is of another game: {extra[:_IDENTITY]}")
        phase, *counts, scores, total_scores = extra[_IDENTITY + 1 :]
        fit = phase in get_args(Phase) and len(scores) == len(total_scores) == self.environment.n_players
        fit = fit and all(type(count) is int and count >= 0 for count in (extra[_IDENTITY], *counts))
        if not fit or not all(type(score) is float for score in scores + total_scores):
            raise StateTransferError("a state that was received has fields that no game has")

    def diff(self, mine: SavedGame, theirs: SavedGame) -> list[str]:
        """Name what differs between two saved states: `env.state[2]`, `game.scores`."""
        fields = zip(_FIELDS, mine.fields, theirs.fields, strict=True)
        return [f"game.{name}" for name, a, b in fields if a != b] + self._walk.diff(
            mine.snapshot, theirs.snapshot
        )

    def unwalkable(self) -> list[str]:
        """Name the parts of the environment whose state cannot be saved."""
        return self._walk.unwalkable()
