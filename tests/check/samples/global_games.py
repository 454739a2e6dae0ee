"""An environment whose state is in its module."""

import numpy as np
from leaky_games import Game

_generator = np.random.default_rng()
_total = 0.0


class ModuleGlobal(Game):
    def change(self) -> float:
        global _total
        _total += _generator.random()
        return _total
