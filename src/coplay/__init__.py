"""Real-time multiplayer experiments from Gymnasium and PettingZoo environments."""

from coplay.errors import CoplayError
from coplay.study import Study, keys, load_study, scenes
from coplay.study.canvas import Canvas

__all__ = ["Canvas", "CoplayError", "Study", "keys", "load_study", "scenes"]
