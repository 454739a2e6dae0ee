"""Converts display lists to SVG and PNG: the pictures of a player's canvas, without a browser.

The operations and their fields are those of `coplay.study.canvas`, painted as `web/src/draw/paintItem.ts`
paints them.
"""

import base64
from array import array
from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from coplay.export.optional_packages import require_package
from coplay.export.png import encode_png
from coplay.study.canvas import CIRCLE, CLEAR, IMAGE, LINE, POLYGON, RECT, SOUND, TEXT

LONGER_SIDE: Final = 720
_ROUNDING: Final = 0.02
_ANCHOR: Final = ("start", "middle", "end")


class SvgCanvas:
    """A player's canvas, painted without a browser.

    Paint pictures in order, because each one refers to strings that earlier ones introduced.
    """

    def __init__(self) -> None:
        self._strings: list[str] = []
        self._size: tuple[int, int] | None = None

    def png(self, drawn: Mapping[str, Any]) -> bytes:
        """Paint one picture as PNG; all pictures have the size of the first.

        Args:
            drawn: A display list, as `coplay.browser.replaying.screens` returns it.

        Raises:
            UsageError: vl-convert-python is not installed.
        """
        picture: bytes = require_package("vl_convert", "film").svg_to_png(self.svg(drawn))
        return picture

    def svg(self, drawn: Mapping[str, Any]) -> str:
        """Paint one picture as SVG; see `png`."""
        self._strings += drawn["strings"]
        ops = array("f")
        ops.frombytes(base64.b64decode(drawn["ops"]))
        width, height = drawn["width"], drawn["height"]
        if self._size is None:
            scale = LONGER_SIDE / max(width, height)
            # Video encoders want even numbers of pixels.
            self._size = (2 * max(1, round(width * scale / 2)), 2 * max(1, round(height * scale / 2)))
        items = "".join(self._items(ops, drawn))
        # A world that differs only by the rounding is stretched, which leaves no edge; a world that changed
        # its shape is centred.
        alike = abs(self._size[0] * height / (self._size[1] * width) - 1) < _ROUNDING
        fit = "none" if alike else "xMidYMid"
        world = f'width="{width:g}" height="{height:g}"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self._size[0]}" height="{self._size[1]}" '
            f'viewBox="0 0 {width:g} {height:g}" preserveAspectRatio="{fit}">'
            f'<rect {world} fill="black"/>{items}</svg>'
        )

    def _items(self, ops: "array[float]", drawn: Mapping[str, Any]) -> list[str]:
        items, at = [], 0
        while at < len(ops):
            code = int(ops[at])
            at += 2  # skips the id, which only matters for easing between two pictures
            if code == POLYGON:
                count = int(ops[at])
                corners = ops[at + 2 : at + 2 + 2 * count]
                points = " ".join(f"{value:g}" for value in corners)
                items.append(f'<polygon points="{points}" fill={self._string(ops[at + 1])}/>')
                at += 2 + 2 * count
                continue
            fields = ops[at : at + _FIELDS[code]]
            at += _FIELDS[code]
            items.append(self._item(code, fields, drawn))
        return items

    def _item(self, code: int, fields: "array[float]", drawn: Mapping[str, Any]) -> str:
        text = [f"{value:g}" for value in fields]
        match code:
            case 0:  # clear
                return f'<rect width="100%" height="100%" fill={self._string(fields[0])}/>'
            case 1:  # rect
                x, y, w, h, radius = text[:5]
                fill = self._string(fields[5])
                return f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="{radius}" fill={fill}/>'
            case 2:  # circle
                x, y, _ = text[:3]
                fill = self._string(fields[3])
                return f'<circle cx="{x}" cy="{y}" r="{max(0.0, fields[2]):g}" fill={fill}/>'
            case 3:  # line
                x1, y1, x2, y2, width = text[:5]
                stroke = f'stroke={self._string(fields[5])} stroke-width="{width}" stroke-linecap="round"'
                return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" {stroke}/>'
            case 5:  # text
                x, y, size = text[:3]
                style = f'text-anchor="{_ANCHOR[int(fields[3])]}" dominant-baseline="central"'
                weight = "bold" if fields[4] else "normal"
                font = f'font-family="sans-serif" font-weight="{weight}" font-size="{size}"'
                words = escape(self._strings[int(fields[6])])
                return f'<text x="{x}" y="{y}" {font} {style} fill={self._string(fields[5])}>{words}</text>'
            case 6 if "pixels" in drawn:  # image
                x, y, w, h = text[:4]
                place = f'x="{x}" y="{y}" width="{w}" height="{h}" preserveAspectRatio="none"'
                return f'<image {place} href="{_data_url(drawn)}"/>'
            case _:  # a sound
                return ""

    def _string(self, index: float) -> str:
        return quoteattr(self._strings[int(index)])


_FIELDS: Final = {CLEAR: 1, RECT: 6, CIRCLE: 4, LINE: 6, TEXT: 7, IMAGE: 4, SOUND: 1}
"""How many numbers follow the code and the id of each operation; a polygon states its own number."""


def _data_url(drawn: Mapping[str, Any]) -> str:
    rows, columns = drawn["pixels_shape"]
    picture = encode_png(base64.b64decode(drawn["pixels"]), rows, columns)
    return "data:image/png;base64," + base64.b64encode(picture).decode("ascii")
