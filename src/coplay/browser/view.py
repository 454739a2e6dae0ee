"""Draws what a player sees: with the study's draw function, or as the environment renders itself."""

import json
from collections.abc import Callable
from typing import Any

from coplay.envs import Environment
from coplay.study.canvas import Canvas


class View:
    """Draws an environment's current state on a canvas.

    Args:
        environment: The environment of the game.
        draw: The study's `draw(env, canvas)`, given the original environment; None draws the environment's
            own `rgb_array` or `ansi` rendering.

    Attributes:
        canvas: The canvas; holds the last drawing.
    """

    def __init__(self, environment: Environment, draw: Callable[[Any, Canvas], None] | None) -> None:
        self.canvas = Canvas()
        self._environment = environment
        self._draw = draw or self._render

    def draw(self) -> None:
        """Draw the environment's current state on the canvas."""
        self.canvas.begin()
        self._draw(self._environment.unwrapped, self.canvas)

    def show(self, host: Any, corrected: bool, frame: int) -> None:
        """Draw, and send the picture to the page.

        Args:
            host: The worker's JavaScript side, as in `coplay.browser.worker`.
            corrected: Whether a rollback changed what was shown before.
            frame: The next frame to be stepped.
        """
        self.draw()
        canvas = self.canvas
        strings = canvas.new_strings()
        width, height = canvas.size
        names = json.dumps(strings) if strings else None
        rows, columns = canvas.pixels_shape
        host.draw(canvas.ops(), names, canvas.pixels, rows, columns, width, height, corrected, frame)

    def _render(self, _original: Any, canvas: Canvas) -> None:
        picture = self._environment.render()
        if picture is None:
            canvas.view(480, 120)
            canvas.text(
                240,
                60,
                "This environment draws nothing; add a draw function to its scene.",
                14,
                "#888",
                align="center",
            )
        elif isinstance(picture, str):
            lines = picture.splitlines()
            width = max((len(line) for line in lines), default=1)
            canvas.view(max(240, 10 * width + 20), 20 * len(lines) + 20)
            for row, line in enumerate(lines):
                canvas.text(10, 20 * row + 20, line, 16, "#888")
        else:
            height, width = picture.shape[:2]
            canvas.view(width, height)
            canvas.image(0, 0, width, height, picture)
