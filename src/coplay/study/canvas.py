"""The canvas that a study draws on: one flat array of numbers per frame.

A study's `draw(env, canvas)` runs in the worker, together with the simulation. It builds a display list: an
array of floats, and each string (colour, text, id) once, when it is first used. The page paints that list at
the screen's refresh rate; a shape with an `id` moves smoothly from its previous position:

    def draw(env, canvas):
        canvas.view(400, 300)  # the world's size; the page scales it to the screen
        canvas.clear("#10243e")
        canvas.circle(env.ball_x, env.ball_y, 8, "#f6f7eb", id="ball")
        canvas.text(200, 40, f"{env.left} : {env.right}", 24, "#f6f7eb", align="center")
        canvas.sound("hit", count=env.hits)

x goes right and y goes down, both in world units, with 0, 0 at the top left. Shapes are painted in the order
of the calls. Colours are CSS strings: "#e69f00", "rgba(0, 0, 0, 0.3)", "tomato".

Draw from the environment's state alone: a frame may be simulated more than once, or never drawn.
"""

from array import array
from collections.abc import Iterable
from typing import Any

from coplay.errors import StudyError

CLEAR, RECT, CIRCLE, LINE, POLYGON, TEXT, IMAGE, SOUND = range(8)
"""Operation codes: the first number of each operation. The second is the index of its id, or -1."""

_ALIGN = {"left": 0, "center": 1, "right": 2}


class _Strings(dict[str | None, int]):
    """The index of each string; a lookup takes one dict access, since lookups are most of a canvas's work."""

    def __init__(self) -> None:
        super().__init__({None: -1})
        self.fresh: list[str] = []

    def __missing__(self, string: str | None) -> int:
        if not isinstance(string, str):
            raise StudyError(
                f"The canvas was given {string!r} where it needs a string.",
                'Colours are CSS strings ("#e69f00"), ids are strings, and text takes str(value).',
            )
        index = self[string] = len(self) - 1
        self.fresh.append(string)
        return index


class Canvas:
    """A display list under construction.

    Args:
        width: Width of the world in its own units; `view` changes it.
        height: Height of the world in its own units.

    Every distinct string is kept for the rest of the game. A few colours and texts that change now and then
    (a score, whole seconds) are fine; a new string in every frame (milliseconds, a colour per opacity) adds
    up.
    """

    def __init__(self, width: float = 600, height: float = 400) -> None:
        self.size: tuple[float, float] = (width, height)
        """Width and height of the world, as set by `view`."""
        self.player_id = 0
        """Seat of the person at this screen."""
        self.pixels: bytes | None = None
        """The frame's image, three bytes (red, green, blue) per pixel, row by row; None without an image."""
        self.pixels_shape: tuple[int, int] = (0, 0)
        """Rows and columns of `pixels`."""
        self._ops: list[float] = []
        self._strings = _Strings()
        self._heard: dict[str, int] = {}
        self._hearing: dict[str, int] = {}

    # For a study's draw function

    def view(self, width: float, height: float) -> None:
        """Set the size of the world. The page scales it to the screen and keeps its proportions."""
        self.size = (width, height)

    def clear(self, color: str) -> None:
        """Fill the whole view."""
        self._ops += (CLEAR, -1, self._strings[color])

    def rect(
        self, x: float, y: float, w: float, h: float, color: str, *, radius: float = 0, id: str | None = None
    ) -> None:
        """Draw a filled rectangle.

        Args:
            x: Left edge.
            y: Top edge.
            w: Width.
            h: Height.
            color: CSS colour.
            radius: Radius of its corners.
            id: Name of a shape that persists between frames; see `circle`.
        """
        strings = self._strings
        self._ops += (RECT, strings[id], x, y, w, h, radius, strings[color])

    def circle(self, x: float, y: float, r: float, color: str, *, id: str | None = None) -> None:
        """Draw a filled circle.

        Args:
            x: Centre.
            y: Centre.
            r: Radius.
            color: CSS colour.
            id: Name of a shape that persists between frames, such as "ball". The page moves it smoothly
                between frames and eases the jump when a late input corrects its position. Several shapes may
                share an id if their order stays the same. Leave it out for shapes that jump or never move.
        """
        strings = self._strings
        self._ops += (CIRCLE, strings[id], x, y, r, strings[color])

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        color: str,
        width: float = 1,
        *,
        id: str | None = None,
    ) -> None:
        """Draw a straight line with round ends.

        Args:
            x1: Start.
            y1: Start.
            x2: End.
            y2: End.
            color: CSS colour.
            width: Thickness.
            id: Name of a shape that persists between frames; see `circle`.
        """
        strings = self._strings
        self._ops += (LINE, strings[id], x1, y1, x2, y2, width, strings[color])

    def polygon(self, points: Iterable[tuple[float, float]], color: str, *, id: str | None = None) -> None:
        """Draw a filled polygon.

        Args:
            points: Corners in order, as (x, y). The polygon is closed automatically.
            color: CSS colour.
            id: Name of a shape that persists between frames; see `circle`. The number of corners must not
                change.
        """
        strings = self._strings
        flat = [coordinate for point in points for coordinate in point]
        self._ops += (POLYGON, strings[id], len(flat) // 2, strings[color])
        self._ops += flat

    def text(
        self,
        x: float,
        y: float,
        string: str,
        size: float,
        color: str,
        *,
        align: str = "left",
        bold: bool = False,
        id: str | None = None,
    ) -> None:
        """Write one line of text.

        Args:
            x: Horizontal anchor.
            y: Vertical middle.
            string: The text.
            size: Height of the letters.
            color: CSS colour.
            align: Which part of the text is at `x`: "left", "center" or "right".
            bold: Whether to write it bold.
            id: Name of a shape that persists between frames; see `circle`.
        """
        strings = self._strings
        self._ops += (TEXT, strings[id], x, y, size, _ALIGN[align], bold, strings[color], strings[string])

    def image(self, x: float, y: float, w: float, h: float, rgb_array: Any) -> None:
        """Draw a picture, scaled to w by h. At most one per frame.

        Args:
            x: Left edge.
            y: Top edge.
            w: Width in the world.
            h: Height in the world.
            rgb_array: uint8 array of shape (rows, columns, 3): an environment's `rgb_array` rendering.

        Raises:
            StudyError: The array has another shape or type.
        """
        shape = tuple(int(n) for n in rgb_array.shape)
        if len(shape) != 3 or shape[2] != 3 or rgb_array.dtype.itemsize != 1:
            raise StudyError(
                f"canvas.image was given an array of shape {shape} and type {rgb_array.dtype}.",
                "It takes a uint8 array of shape (rows, columns, 3).",
            )
        self.pixels, self.pixels_shape = rgb_array.tobytes(), shape[:2]
        self._ops += (IMAGE, -1, x, y, w, h)

    def sound(self, name: str, *, count: int | None = None) -> None:
        """Play a short sound: "hit", "score" or "start".

        Args:
            name: Name of the sound.
            count: How often its cause has occurred in the episode so far, from the environment's state. The
                sound plays when this number grows. Call this in every frame: each occurrence is heard once,
                whichever frames are drawn or simulated again. 0 resets it. None plays the sound now.
        """
        if count is not None:
            heard = self._heard.get(name, 0)
            if count > heard or count == 0:
                self._hearing[name] = count
            if count <= heard:
                return
        self._ops += (SOUND, -1, self._strings[name])

    # For the code that shows the canvas

    def begin(self) -> None:
        """Start a new frame."""
        # A new list, since an array made from the old one may still be in flight to the page.
        self._ops = []
        self._hearing.clear()
        self.pixels = None

    def ops(self) -> "array[float]":
        """Return the operations of the frame, as 32-bit floats."""
        # Only frames that are shown count, because nobody heard the sound of a frame that was not.
        self._heard |= self._hearing
        return array("f", self._ops)

    def new_strings(self) -> list[str]:
        """Return the strings first used since the last call, in order of their indices."""
        fresh, self._strings.fresh = self._strings.fresh, []
        return fresh
