"""Four people share an orchard: `coplay run examples/orchard/study.py`."""

import bot
from orchard_env import DOWN, LEFT, RIGHT, STAY, UP, Orchard

import coplay
import orchard
from coplay import keys, scenes

study = coplay.Study("orchard", version="1")

study.scenes = [
    scenes.Instructions("welcome.md", title="The orchard", button="Find the others"),
    scenes.Lobby(
        size=4,
        patience="3 min",
        otherwise=scenes.Finish(
            "Not enough others came to play this time. Thank you for waiting!", title="Too few", code="WAITED"
        ),
    ),
    scenes.Play(
        Orchard,
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
        when_someone_leaves="bot",
        substitute=bot.pick,
        hold="15 s",
        countdown="3 s",
        label="orchard",
        title="The orchard",
    ),
    scenes.Finish("The harvest is in. Thank you for playing!", title="Thank you", code="APPLES"),
]
