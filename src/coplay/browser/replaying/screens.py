"""Draws a replayed game as its players saw it, for films."""

import base64
from collections.abc import Sequence
from typing import Any

from coplay.browser.view import View
from coplay.envs import Environment, Game
from coplay.study.scenes import Play


class Screens:
    """One screen per player.

    Args:
        scene: The scene, with its draw function.
        environment: The environment that is drawn.
        players: The players whose screens are drawn.
    """

    def __init__(self, scene: Play, environment: Environment, players: Sequence[int]) -> None:
        self._views = {player: View(environment, scene.draw) for player in players}
        for player, view in self._views.items():
            view.canvas.player_id = player
        self._drawn = 0

    def draw(self, game: Game, frame: int, players: Sequence[int] | None = None) -> list[dict[str, Any]]:
        """Draw the current state; the environment's state is restored afterwards.

        Args:
            game: The replayed game.
            frame: The frame that the state is about to step.
            players: The players whose screens are drawn; None for all.

        Returns:
            Per screen: `frame player order width height strings ops`. `strings` are new to this screen, `ops`
            are 32-bit floats in base64. A screen with an image also has `pixels` and `pixels_shape`.
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
        # A study's draw function or the environment's `render` may have changed the state.
        game.load(saved)
        return drawn
