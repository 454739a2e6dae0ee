"""The worker's side of looking on: a game of others, played from what they have agreed on, and drawn."""

import json
from collections.abc import Mapping
from typing import Any

from coplay.browser.session_setup import PreparedScene, make_game
from coplay.browser.spectating.follower import Follower

_TELL_S = 0.2


class Spectator:
    """One game that is looked on at.

    Args:
        stage: The prepared scene.
        config: The server's answer; fields in protocol/README.md.
        host: The worker's JavaScript side.
    """

    def __init__(self, stage: PreparedScene, config: Mapping[str, Any], host: Any) -> None:
        self._view = stage.view
        self._view.canvas.player_id = config["peers"][0]
        self._follower = Follower(make_game(stage.environment, config), config["input_sizes"], config["fps"])
        self._host = host
        self._tell_at = 0.0

    def add(self, first: int, inputs: bytes) -> None:
        """Take confirmed frames; see `Follower.add`."""
        self._follower.add(first, inputs)

    def tick(self, now: float) -> float:
        """Play and draw what is due; return when to call again, in seconds."""
        follower = self._follower
        if follower.tick(now):
            self._view.show(self._host, False, follower.frame)
        if now >= self._tell_at:
            self._tell_at = now + _TELL_S
            game = follower.game
            watched = {
                "frame": follower.frame,
                "received": follower.frames,
                "phase": game.phase,
                "scores": game.scores,
                "episode": game.episode,
            }
            self._host.post("watched", json.dumps(watched))
        return follower.next_deadline(now)
