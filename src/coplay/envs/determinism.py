"""A test of whether an environment reaches the same states again after a rollback.

It plays with random inputs in one process. After every frame it goes back some frames and plays them again
with the same inputs, as a rollback does. Finally it plays everything again from the start. Where two states
differ, it names the attributes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from coplay.envs.environment import Environment
from coplay.envs.game import Game


@dataclass(frozen=True, slots=True)
class DeterminismReport:
    """The result of a determinism check.

    Attributes:
        deterministic: True if every frame led to the same state each time and all of the state can be saved.
        frames: Number of frames played, not counting those that were played again.
        resimulated: Number of frames played again.
        first_difference: First frame whose state differed; None if there was no difference.
        differing: Paths of the attributes that differed, such as `env.state[2]`; at most 20.
        unwalkable: Parts of the state that cannot be saved, as `path (type)`.
        final_checksum: Checksum of the last state, for comparing processes and builds.
    """

    deterministic: bool
    frames: int
    resimulated: int
    first_difference: int | None
    differing: list[str] = field(default_factory=list)
    unwalkable: list[str] = field(default_factory=list)
    final_checksum: int = 0


def check_environment(
    environment: Environment, *, frames: int = 300, rollback: int = 4, episodes: int = 3, seed: int = 1
) -> DeterminismReport:
    """Return a report on an environment that was rolled back at every frame.

    Args:
        environment: The environment to check.
        frames: Frames to play, at least 1; the game may end earlier.
        rollback: Frames to go back after each frame, at least 1.
        episodes: Episodes to play, at least 1; several, so that resets are checked too.
        seed: Seed of the game and of the random inputs.
    """
    game = Game(
        environment, seed=seed, episodes=episodes, max_frames=max(1, frames // episodes), pause_frames=2
    )
    inputs = _random_inputs(environment, frames, seed)
    game.start()
    saves = [game.save()]
    resimulated = 0
    difference: tuple[int, list[str]] | None = None

    def compare(frame: int) -> bool:
        nonlocal difference
        again = game.save()
        if game.checksum(again) == game.checksum(saves[frame]):
            return True
        difference = frame, game.diff(saves[frame], again)
        return False

    frame = 0
    while frame < frames and not game.over and difference is None:
        game.step(inputs[frame])
        frame += 1
        saves.append(game.save())
        first = max(0, frame - rollback)
        game.load(saves[first])
        for back in range(first, frame):
            game.step(inputs[back])
            resimulated += 1
            if not compare(back + 1):
                break
    if difference is None:
        game.start()
        for again in range(frame + 1):
            if not compare(again) or again == frame:
                break
            game.step(inputs[again])
            resimulated += 1
    unwalkable = game.unwalkable()
    return DeterminismReport(
        deterministic=difference is None and not unwalkable,
        frames=frame,
        resimulated=resimulated,
        first_difference=difference[0] if difference else None,
        differing=difference[1][:20] if difference else [],
        unwalkable=unwalkable,
        final_checksum=game.checksum(saves[frame]),
    )


def _random_inputs(environment: Environment, frames: int, seed: int) -> list[tuple[bytes, ...]]:
    source = random.Random(seed)
    return [tuple(codec.sample(source) for codec in environment.codecs) for _ in range(frames)]
