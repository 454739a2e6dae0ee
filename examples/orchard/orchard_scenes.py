"""The scenes that the three orchard studies share."""

from typing import Any

from orchard_env import DOWN, LEFT, RIGHT, STAY, UP

import orchard
from coplay import keys, scenes

FINISH = scenes.Finish("The harvest is in. Thank you for playing!", title="Thank you", code="APPLES")


def welcome(button: str) -> scenes.Instructions:
    """Return the first page, with a label for its button."""
    return scenes.Instructions("welcome.md", title="The orchard", button=button)


def lobby(people: int) -> scenes.Lobby:
    """Return a lobby that forms groups of `people`."""
    alone = "Not enough others came to play this time. Thank you for waiting!"
    return scenes.Lobby(
        people, patience="3 min", otherwise=scenes.Finish(alone, title="Too few", code="WAITED")
    )


def play(env: Any, **options: Any) -> scenes.Play:
    """Return the game; `options` are more arguments of `scenes.Play`, such as `when_someone_leaves`."""
    return scenes.Play(
        env,
        keys=keys.arrows(
            up=UP,
            down=DOWN,
            left=LEFT,
            right=RIGHT,
            noop=STAY,
            more={"w": UP, "s": DOWN, "a": LEFT, "d": RIGHT},
        ),
        controls="**Arrow keys** (or **W A S D**) walk.",
        draw=orchard.draw,
        scores=False,  # the bar above the orchard shows them
        countdown="3 s",
        title="The orchard",
        **options,
    )
