"""Three people share an orchard: `coplay run examples/orchard/trio.py`."""

from functools import partial

import orchard_scenes
from orchard_env import Orchard

import coplay

study = coplay.Study("orchard-trio", version="1")

study.scenes = [
    orchard_scenes.welcome("Find two others"),
    orchard_scenes.lobby(3),
    # The seat of a player who leaves stands still.
    orchard_scenes.play(
        partial(Orchard, n_players=3), label="trio", when_someone_leaves="default", hold="15 s"
    ),
    orchard_scenes.FINISH,
]
