"""Four people share an orchard: `coplay run examples/orchard/study.py`."""

import bot
import orchard_scenes
from orchard_env import Orchard

import coplay

study = coplay.Study("orchard", version="1")

study.scenes = [
    orchard_scenes.welcome("Find the others"),
    orchard_scenes.lobby(4),
    orchard_scenes.play(
        Orchard, label="orchard", when_someone_leaves="bot", substitute=bot.pick, hold="15 s"
    ),
    orchard_scenes.FINISH,
]
