"""Two people cook together in cogrid's Overcooked: `coplay run examples/overcooked/study.py`."""

import kitchen

import coplay
from coplay import keys, scenes

study = coplay.Study("overcooked", version="1", packages=["cogrid==0.3.2"])

UP, DOWN, LEFT, RIGHT, TAKE, NOTHING = 0, 1, 2, 3, 4, 6  # cogrid's "cardinal_actions"

# One step per key stroke: at 30 frames a second, a held key would cross the kitchen too quickly to control.
KEYS = keys.arrows(
    up=UP,
    down=DOWN,
    left=LEFT,
    right=RIGHT,
    noop=NOTHING,
    more={"w": UP, "s": DOWN, "a": LEFT, "d": RIGHT, " ": TAKE, "x": TAKE},
    mode="stroke",
)

study.scenes = [
    scenes.Instructions("welcome.md", title="Soup for everyone", button="Find a partner"),
    scenes.Lobby(
        size=2,
        patience="3 min",
        otherwise=scenes.Finish(
            "Nobody else came to cook this time. Thank you for waiting!", title="No partner", code="WAITED"
        ),
    ),
    scenes.Play(
        "cogrid:Overcooked-CrampedRoom-V0",
        keys=KEYS,
        controls="**Arrow keys** (or **W A S D**) walk, one step a stroke. **Space** takes or puts down.",
        draw=kitchen.draw,
        fps=kitchen.FPS,
        episodes=2,  # cogrid ends each after 1,000 frames
        countdown="3 s",
        label="cramped room",
        title="The kitchen",
    ),
    scenes.Finish("The kitchen is closed. Thank you for cooking!", title="Thank you", code="SOUP"),
]
