"""Turns a canvas's display list into SVG, to look at what an example draws.

`python tests/examples/picture.py volley 90 150` writes PNGs of those frames, painted by Chromium as the page
paints them, apart from tweening.
"""

import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from coplay.study.canvas import CIRCLE, CLEAR, LINE, POLYGON, RECT, SOUND, TEXT, Canvas

EXAMPLES = Path(__file__).parents[2] / "examples"
_ANCHOR = ("start", "middle", "end")


def to_svg(canvas: Canvas, strings: list[str]) -> str:
    """Draw the canvas's frame.

    Args:
        canvas: Whose frame.
        strings: Everything that `new_strings` gave so far, this frame's included; this call adds to it.
    """
    strings += canvas.new_strings()
    ops = list(canvas.ops())
    width, height = canvas.size
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}">']
    at = 0

    def take(count: int) -> list[float]:
        nonlocal at
        at += count
        return ops[at - count : at]

    while at < len(ops):
        code, _ = take(2)
        if code == CLEAR:
            out.append(f'<rect width="{width:g}" height="{height:g}" fill="{strings[int(take(1)[0])]}"/>')
        elif code == RECT:
            x, y, w, h, radius, color = take(6)
            out.append(
                f'<rect x="{x:.2f}" y="{y:.2f}" width="{w:.2f}" height="{h:.2f}" '
                f'rx="{radius:.2f}" fill="{strings[int(color)]}"/>'
            )
        elif code == CIRCLE:
            x, y, r, color = take(4)
            out.append(f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{r:.2f}" fill="{strings[int(color)]}"/>')
        elif code == LINE:
            x1, y1, x2, y2, thickness, color = take(6)
            out.append(
                f'<line x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}" '
                f'stroke="{strings[int(color)]}" stroke-width="{thickness:.2f}" stroke-linecap="round"/>'
            )
        elif code == POLYGON:
            count, color = take(2)
            points = " ".join(f"{n:.2f}" for n in take(2 * int(count)))
            out.append(f'<polygon points="{points}" fill="{strings[int(color)]}"/>')
        elif code == TEXT:
            x, y, size, align, bold, color, string = take(7)
            weight = ' font-weight="bold"' if bold else ""
            out.append(
                f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size:g}" font-family="system-ui, sans-serif" '
                f'dominant-baseline="central" text-anchor="{_ANCHOR[int(align)]}"{weight} '
                f'fill="{strings[int(color)]}">{escape(strings[int(string)])}</text>'
            )
        elif code == SOUND:
            take(1)
        else:
            raise ValueError(f"operation {code} has no picture")
    return "\n".join([*out, "</svg>"])


def to_png(svg: str, path: Path, width: int) -> None:
    """Have Chromium paint it."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(f"<body style='margin:0'>{svg}</body>", "utf-8")
        view = svg.split('viewBox="0 0 ')[1].split('"')[0].split()
        height = round(width * float(view[1]) / float(view[0]))
        subprocess.run(
            [
                *("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
                *(f"--user-data-dir={folder}", f"--window-size={width},{height}"),
                *(f"--screenshot={path}", page.as_uri()),
            ],
            check=True,
            capture_output=True,
            timeout=60,
        )


def _volley(frame: int) -> tuple[Any, Any]:
    from bot import policy
    from court import draw
    from volley_env import Volley

    env = Volley()
    env.reset(seed=2)
    for _ in range(frame):
        env.step({"left": policy(env, 0), "right": policy(env, 1)})
    print({name: value for name, value in vars(env).items() if name in ("frame", "score", "dead", "rally")})
    return env, draw


def _overcooked(frame: int) -> tuple[Any, Any]:
    from cogrid.envs import registry
    from kitchen import draw

    env = registry.make("Overcooked-CrampedRoom-V0")
    env.reset(seed=2)
    chance = random.Random(4)
    for _ in range(frame):
        env.step({0: chance.randrange(7), 1: chance.randrange(7)})
    return env, draw


if __name__ == "__main__":
    name, *frames = sys.argv[1:]
    sys.path.insert(0, str(EXAMPLES / name))
    for number in frames or ["100"]:
        env, draw = {"volley": _volley, "overcooked": _overcooked}[name](int(number))
        canvas = Canvas()
        draw(env, canvas)
        target = Path(tempfile.gettempdir()) / f"{name}-{number}.png"
        to_png(to_svg(canvas, []), target, 1200)
        print(target)
