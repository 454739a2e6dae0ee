"""The rollback probe: plays one game several times, each time rolled back by another distance.

Every state is compared with that of a game without rollbacks; `netcode.SyncTest` decides the loads and steps.
"""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from coplay.envs import Environment, Game, SavedGame
from coplay.netcode.effects import LoadState, SaveState, Step
from coplay.netcode.sync_test import SyncTest

DISTANCES: Final = range(1, 9)
"""Rollback distances in frames; a session's window is 8."""
_EPISODES = 1000
_FEWEST_FRAMES = 12
_HELD_FRAMES = 25  # in turn: random at every frame, and keys held for a while

Inputs = Sequence[tuple[bytes, ...]]


def new_game(environment: Environment, frames: int, seed: int = 1) -> Game:
    """Return a game that has at least three episodes in this many frames."""
    return Game(environment, seed=seed, episodes=_EPISODES, max_frames=max(1, frames // 3), pause_frames=2)


def random_inputs(environment: Environment, frames: int, seed: int = 1) -> list[tuple[bytes, ...]]:
    """Return random inputs from each player's whole action space, some held as a person holds a key.

    Args:
        environment: The environment to play.
        frames: Number of frames.
        seed: Seed of the inputs; the same seed yields the same inputs.
    """
    source = random.Random(seed)
    inputs: list[tuple[bytes, ...]] = []
    for frame in range(frames):
        hold = 0.85 if frame // _HELD_FRAMES % 2 else 0.0
        before = inputs[-1] if inputs else (None,) * environment.n_players
        inputs.append(
            tuple(
                last if last is not None and source.random() < hold else codec.sample(source)
                for codec, last in zip(environment.codecs, before, strict=True)
            )
        )
    return inputs


@dataclass(slots=True)
class StateDifference:
    """A state that differs after a rollback."""

    frame: int
    """The frame before which the state was compared."""
    differing: list[str]
    """Paths of the attributes that differ; empty if none can be seen."""
    distance: int = 0
    """How many frames the game was rolled back."""


@dataclass(slots=True)
class RollbackResult:
    """The result of rolling back at every frame."""

    resimulated: int = 0
    """Number of frames that were simulated again."""
    distances: dict[int, int] = field(default_factory=dict)
    """Number of frames played at each distance; fewer than asked for if time was short."""
    difference: StateDifference | None = None
    """The first difference, or None."""


def roll_back(
    environment: Environment, inputs: Inputs, trace: Sequence[int], seconds: float, found: RollbackResult
) -> Iterator[float]:
    """Play with each rollback distance; yields the progress in [0, 1].

    Args:
        environment: The environment to play.
        inputs: The inputs of each frame.
        trace: The checksum before each frame of the undisturbed game, and after the last.
        seconds: About how long it may take; distances that do not fit play fewer frames.
        found: Takes what was found.
    """
    until = time.monotonic() + seconds
    frames = len(trace) - 1
    for number, distance in enumerate(DISTANCES):
        began = time.monotonic()
        share = began + max(0.0, until - began) / (len(DISTANCES) - number)
        for frame in _at_distance(environment, inputs[:frames], trace, distance, found):
            yield (number + frame / frames) / len(DISTANCES)
            if found.difference is not None:
                return
            if frame >= max(_FEWEST_FRAMES, 2 * distance) and time.monotonic() > share:
                break


def _at_distance(
    environment: Environment, inputs: Inputs, trace: Sequence[int], distance: int, found: RollbackResult
) -> Iterator[int]:
    game = new_game(environment, len(inputs))
    game.start()
    test = SyncTest(distance)
    player = _SyncTestRunner(game, trace, distance)
    for frame, given in enumerate(inputs, start=1):
        test.advance(given)
        player.perform(test)
        found.distances[distance] = frame
        found.resimulated += max(0, player.stepped - 1)
        player.stepped = 0
        found.difference = player.difference
        if player.difference is not None and not player.difference.differing:
            player.difference.differing = _against_plain(environment, inputs, player)
        yield frame
        if found.difference is not None:
            return


class _SyncTestRunner:
    """Performs a sync test's effects on a game, and compares its states."""

    def __init__(self, game: Game, trace: Sequence[int], distance: int) -> None:
        self.difference: StateDifference | None = None
        self.odd: SavedGame | None = None
        self.stepped = 0
        self._game = game
        self._trace = trace
        self._distance = distance
        self._first: dict[int, SavedGame] = {}
        self._last: dict[int, SavedGame] = {}

    def perform(self, test: SyncTest) -> None:
        """Perform the effects, and compare the newest state.

        The states in between are compared when a shorter distance is played.
        """
        game = self._game
        for effect in test.effects():
            match effect:
                case LoadState(frame):
                    game.load(self._last[frame])
                case Step(_, inputs):
                    game.step(inputs)
                    self.stepped += 1
                case SaveState(frame):
                    saved = self._last[frame] = game.save()
                    self._first.setdefault(frame, saved)
                    test.state_saved(frame, game.over)
        newest = test.current_frame
        if game.checksum() != self._trace[newest]:
            self._find_first(newest)
        for saves in (self._first, self._last):
            saves.pop(newest - self._distance - 1, None)

    def _find_first(self, newest: int) -> None:
        """Look back for the first state that differs."""
        frames = range(max(0, newest - self._distance), newest + 1)
        frame = next(f for f in frames if f == newest or self._game.checksum(self._last[f]) != self._trace[f])
        self.odd = self._last[frame]
        differing = self._game.diff(self._first[frame], self.odd)[:20]
        self.difference = StateDifference(frame, differing, self._distance)


def _against_plain(environment: Environment, inputs: Inputs, player: _SyncTestRunner) -> list[str]:
    """Return what differs from the game without rollbacks, which is played again to that frame."""
    assert player.difference is not None  # noqa: S101 (asked before)
    assert player.odd is not None  # noqa: S101 (set together)
    game = new_game(environment, len(inputs))
    game.start()
    for given in inputs[: player.difference.frame]:
        game.step(given)
    return game.diff(player.odd, game.save())[:20]


def traced(
    environment: Environment, inputs: Inputs, *, seed: int = 1, draw: int = 0
) -> Iterator[tuple[Game, int, Any]]:
    """Play without rollbacks; yields the game, the checksum before each frame, and the previous frame's row.

    Args:
        environment: The environment to play.
        inputs: The inputs of each frame.
        seed: The game's seed.
        draw: Render after every `draw` frames; 0 for never.
    """
    game = new_game(environment, len(inputs), seed)
    game.start()
    yield game, game.checksum(), None
    for frame, given in enumerate(inputs, start=1):
        row = game.step(given)
        yield game, game.checksum(), row
        if draw and frame % draw == 0:
            environment.render()
