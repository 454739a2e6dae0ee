"""Draws a replayed game as its players' screens did, for films of it."""

import base64
from collections.abc import Sequence
from typing import Any

from coplay.browser.view import View
from coplay.envs import Environment, Game
from coplay.study.scenes import Play


class Screens:
    """One screen for each player who looks.

    Args:
        scene: How it is drawn.
        environment: What is drawn.
        players: Whose screens.
    """

    def __init__(self, scene: Play, environment: Environment, players: Sequence[int]) -> None:
        self._views = {player: View(environment, scene.draw) for player in players}
        for player, view in self._views.items():
            view.canvas.player_id = player
        self._drawn = 0

    def draw(self, game: Game, frame: int, players: Sequence[int] | None = None) -> list[dict[str, Any]]:
        """Draw the state before a frame, on all screens or some; afterwards the environment is as it was.

        Returns:
            For each screen: `frame player order width height strings ops`, where strings are those new to it,
            and operations 32-bit floats; and of a picture `pixels` and `pixels_shape`.
        """
        saved = game.save()
        drawn = []
        for player, view in self._views.items():
            if players is not None and player not in players:
                continue
            view.draw()
            canvas = view.canvas
            picture = {
                "frame": frame,
                "player": player,
                "width": canvas.size[0],
                "height": canvas.size[1],
                "order": self._drawn,
                "strings": canvas.new_strings(),
                "ops": base64.b64encode(canvas.ops().tobytes()).decode("ascii"),
            }
            if canvas.pixels is not None:
                picture["pixels"] = base64.b64encode(canvas.pixels).decode("ascii")
                picture["pixels_shape"] = canvas.pixels_shape
            self._drawn += 1
            drawn.append(picture)
        game.load(saved)
        return drawn
