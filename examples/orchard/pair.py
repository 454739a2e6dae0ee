"""Two people share an orchard: `coplay run examples/orchard/pair.py`."""

from functools import partial

import orchard_scenes
from orchard_env import Orchard

import coplay

study = coplay.Study("orchard-pair", version="1")

study.scenes = [
    orchard_scenes.welcome("Find another"),
    orchard_scenes.lobby(2),
    orchard_scenes.play(partial(Orchard, n_players=2), label="pair"),
    orchard_scenes.FINISH,
]
