"""One person plays Volley against a bot: `coplay run examples/volley/solo.py`."""

import bot
import controls
import court
from volley_env import Volley

import coplay
from coplay import scenes

study = coplay.Study("volley-solo", version="1")

study.scenes = [
    scenes.Instructions("welcome.md", title="Volley", button="Play against the bot"),
    scenes.Play(
        Volley,
        players=1,
        bots={1: bot.policy},
        keys=controls.KEYS,
        controls=controls.TEXT,
        draw=court.draw,
        scores=False,
        countdown="3 s",
        label="solo",
        title="You are on the left",
    ),
    scenes.Finish("That was the match. Thank you for playing!", title="Thank you", code="SOLO"),
]
