"""The pictures that the page receives."""

import json
from typing import Any

import numpy as np

from coplay.browser.view import View
from coplay.envs import load_environment
from coplay.study.canvas import Canvas


class Page:
    """The worker's JavaScript side."""

    def __init__(self) -> None:
        self.drawn: list[tuple[Any, ...]] = []

    def draw(self, *drawn: Any) -> None:
        self.drawn.append(drawn)


def test_image_reaches_the_page_with_its_rows_and_columns() -> None:
    picture = np.arange(2 * 5 * 3, dtype=np.uint8).reshape(2, 5, 3)

    def draw(_env: Any, canvas: Canvas) -> None:
        canvas.view(90, 90)
        canvas.clear("black")
        canvas.image(0, 0, 10, 80, picture)

    page = Page()
    View(load_environment("CartPole-v1"), draw).show(page, corrected=True, frame=7)
    (ops, strings, pixels, rows, columns, width, height, corrected, frame) = page.drawn[0]
    assert list(ops) == [0, -1, 0, 6, -1, 0, 0, 10, 80]
    assert json.loads(strings) == ["black"]
    assert pixels == picture.tobytes()
    assert (rows, columns) == (2, 5)
    assert (width, height, corrected, frame) == (90, 90, True, 7)
