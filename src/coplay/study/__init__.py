"""What a researcher writes: studies, scenes, keys; and the pure rules of a participant's path and of a
lobby.
"""

from coplay.study import keys, scenes
from coplay.study.loading import load_study
from coplay.study.study import Study

__all__ = ["Study", "keys", "load_study", "scenes"]
