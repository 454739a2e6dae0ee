"""The parts of a study file (studies, scenes, keys, canvas), and the pure rules of paths and lobbies."""

from coplay.study import keys, scenes
from coplay.study.loading import load_study
from coplay.study.study import Study

__all__ = ["Study", "keys", "load_study", "scenes"]
