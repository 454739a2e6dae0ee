"""Two people share an orchard: `coplay run examples/orchard/pair.py`."""

from functools import partial

from orchard_env import DOWN, LEFT, RIGHT, STAY, UP, Orchard

import coplay
import orchard
from coplay import keys, scenes

study = coplay.Study("orchard-pair", version="1")

study.scenes = [
    scenes.Instructions("welcome.md", title="The orchard", button="Find another"),
    scenes.Lobby(
        size=2,
        patience="3 min",
        otherwise=scenes.Finish(
            "Nobody else came to play this time. Thank you for waiting!", title="Nobody came", code="WAITED"
        ),
    ),
    scenes.Play(
        partial(Orchard, n_players=2),
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
        label="pair",
        title="The orchard",
    ),
    scenes.Finish("The harvest is in. Thank you for playing!", title="Thank you", code="APPLES"),
]
