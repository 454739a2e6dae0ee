"""Two people meet on a star: `coplay run study.py`. Change anything; this file is yours."""

from math import cos, pi, sin

from meet_env import SIZE, Meet

import coplay
from coplay import keys, scenes

study = coplay.Study("meet", version="1")

CELL = 40


def draw(env, canvas):
    """Draw one frame; called after each step, with the environment itself."""
    canvas.view(SIZE * CELL, SIZE * CELL + 50)
    canvas.clear("#14213d")
    for x in range(SIZE):
        for y in range(SIZE):
            canvas.rect(x * CELL + 1, y * CELL + 51, CELL - 2, CELL - 2, "#22335c", radius=6)
    x, y = env.star
    points = [(cos(pi * k / 5), sin(pi * k / 5), 18 - 10 * (k % 2)) for k in range(10)]
    canvas.polygon([(x * CELL + 20 + r * s, y * CELL + 71 - r * c) for c, s, r in points], "#fca311")
    for player, color in ((0, "#56b4e9"), (1, "#e5e5e5")):
        x, y = env.places[player]
        canvas.circle(x * CELL + 20, y * CELL + 70, 13 - 3 * player, color, id=f"player {player}")
    mine = ("blue", "white")[canvas.player_id]
    canvas.text(12, 25, f"You are {mine}. Meet on the star!", 16, "#e5e5e5")
    canvas.text(SIZE * CELL - 12, 25, str(env.score), 22, "#fca311", align="right", bold=True)
    canvas.sound("score", count=env.score)


study.scenes = [
    scenes.Instructions("welcome.md", title="Meet on the star", button="Find a partner"),
    scenes.Lobby(size=2, patience="3 min"),
    scenes.Play(
        Meet,
        # One step for each stroke. mode="held" would repeat the action for as long as the key is down.
        keys=keys.arrows(up=1, down=2, left=3, right=4, noop=0, mode="stroke"),
        draw=draw,
        scores=False,
        title="Meet on the star",
        max_frames=30 * 60,  # a minute
        countdown="3 s",
        controls="**Arrow keys** move one cell.",
    ),
    scenes.Finish("Thank you for taking part!", title="The end", code="MEET"),
]
