"""Does an environment give the same again? The sync test behind `coplay check`.

One process plays, and after every frame goes back some frames and plays them again, with the same inputs:
what a rollback does, at every frame. Then it plays the whole from the start. Wherever the states differ, the
attributes are named.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from coplay.envs.environment import Environment
from coplay.envs.game import Game


@dataclass(frozen=True, slots=True)
class DeterminismReport:
    """What a check found.

    Attributes:
        deterministic: Whether every frame gave the same each time, and nothing was out of sight.
        frames: How many were played, resimulated ones not counted.
        resimulated: How many were played again.
        first_difference: The first frame that came out differently; None when none did.
        differing: The attributes that differed, at most 20, such as `env.state[2]`.
        unwalkable: Parts of the state that cannot be saved, as `path (type)`.
        final_checksum: Of the last state: equal in every process and build that agrees.
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
    """Play random inputs, roll back at every frame, and compare.

    Args:
        environment: What to check.
        frames: How many to play; fewer when the episodes end before.
        rollback: How many frames to go back, at each frame.
        episodes: How many to play, so that resets are checked too.
        seed: Of the game and of the inputs.
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
