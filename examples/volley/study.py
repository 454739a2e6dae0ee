"""Two people play Volley against each other: `coplay run examples/volley/study.py`."""

import controls
import court
from volley_env import Volley

import coplay
from coplay import scenes

study = coplay.Study("volley", version="1")

study.scenes = [
    scenes.Instructions("welcome.md", title="Volley", button="Find an opponent"),
    scenes.Lobby(
        size=2,
        patience="3 min",
        otherwise=scenes.Finish(
            "Nobody else came to play this time. Thank you for waiting!", title="No opponent", code="WAITED"
        ),
    ),
    scenes.Play(
        Volley,
        keys=controls.KEYS,
        controls=controls.TEXT,
        draw=court.draw,
        scores=False,  # the court shows them
        max_prediction=16,
        countdown="3 s",
        label="match",
        title="First to five",
    ),
    scenes.Finish("That was the match. Thank you for playing!", title="Thank you", code="VOLLEY"),
]
