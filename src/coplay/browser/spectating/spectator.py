"""Shows a game of others on a spectator's page."""

import json
from typing import Any

from coplay.browser.session_setup import PreparedScene, make_game
from coplay.browser.spectating.follower import Follower
from coplay.messages.encoding import to_json
from coplay.messages.from_python import WatchedState
from coplay.messages.game import WatchConfig

_STATE_INTERVAL_S = 0.2


class Spectator:
    """One game that is watched.

    Args:
        prepared: The scene.
        config: The game, as the server configured it.
        host: The worker's JavaScript side, as in `coplay.browser.worker`.
    """

    def __init__(self, prepared: PreparedScene, config: WatchConfig, host: Any) -> None:
        self._view = prepared.view
        self._view.canvas.player_id = config.peers[0]
        self._follower = Follower(make_game(prepared.environment, config), config.input_sizes, config.fps)
        self._host = host
        self._next_state = 0.0

    def add(self, first: int, inputs: bytes) -> None:
        """Add confirmed frames; see `Follower.add`."""
        self._follower.add(first, inputs)

    def tick(self, now: float) -> float:
        """Play and draw all frames that are due.

        Args:
            now: Monotonic seconds.

        Returns:
            When to call again, in seconds of the same clock.
        """
        follower = self._follower
        if follower.tick(now):
            self._view.show(self._host, False, follower.frame)
        if now >= self._next_state:
            self._next_state = now + _STATE_INTERVAL_S
            game = follower.game
            state = WatchedState(
                frame=follower.frame,
                received=follower.frames,
                phase=game.phase,
                scores=game.scores,
                episode=game.episode,
            )
            self._host.post(json.dumps(to_json(state)))
        return follower.next_deadline(now)
