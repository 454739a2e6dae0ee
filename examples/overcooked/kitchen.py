"""Draws cogrid's Overcooked kitchens: any of its grids, from the environment's state alone."""

from collections.abc import Callable
from typing import Any

from cogrid.core.objects import idx_to_object
from cogrid.envs.overcooked.overcooked_grid_objects import Pot

from coplay.study.canvas import Canvas

FPS = 30
COOKING_FRAMES = Pot.recipes[0].cook_time

CELL = 120
BAR = 48  # above the grid

INK, WHITE = "#20242c", "#ffffff"
FLOOR = ("#d9d3c7", "#cfc8ba")
WOOD, WOOD_EDGE, WOOD_LIGHT = "#a9784a", "#7d5530", "#bc8b5c"
SHADOW = "rgba(30, 20, 10, 0.25)"
STEEL, STEEL_DARK, HOB = "#8d97a3", "#525b66", "#2f343b"
SOUP = {"onion": "#e3b04b", "tomato": "#c8402f"}
READY = "#2fa36b"
# Okabe and Ito's orange and blue; the toques tell the chefs apart without colour.
APRON = ("#e69f00", "#3f9fdb", "#cc79a7", "#2fa36b")
APRON_DARK = ("#a87300", "#1f6fa5", "#97527a", "#1d7049")

AHEAD = ((1, 0), (0, 1), (-1, 0), (0, -1))  # right, down, left, up: cogrid's agent_dir, as x and y

_names: dict[int, str] = {}


def draw(env: Any, canvas: Canvas) -> None:
    """Draw the kitchen as it is now.

    Args:
        env: cogrid's environment, unchanged; only its `get_state` and `max_steps` are used.
        canvas: The canvas to draw on.
    """
    state = env.get_state()
    cells, counters = state["object_type_map"], state["object_state_map"]
    width = CELL * state["width"]
    canvas.view(width, CELL * state["height"] + BAR)
    canvas.clear(INK)
    for row, line in enumerate(cells):
        for column, kind in enumerate(line):
            _cell(canvas, CELL * column, CELL * row + BAR, row + column, name_of(kind), counters[row][column])
    _pots(canvas, state["extra_state"], state["t"])
    # Chefs who stand lower are nearer, so they are painted later and cover others.
    for chef in sorted(range(state["n_agents"]), key=lambda chef: int(state["agent_pos"][chef][0])):
        _chef(canvas, chef, state["agent_pos"][chef], state["agent_dir"][chef], state["agent_inv"][chef][0])
    _clock(canvas, width, 1.0 - state["t"] / env.max_steps, -(-(env.max_steps - state["t"]) // FPS))
    canvas.sound("score", count=round(state["cumulative_score"]))


def name_of(kind: int) -> str:
    """Return the name of one of cogrid's object numbers; "" for nothing."""
    if kind not in _names:
        _names[kind] = (idx_to_object(kind, scope="overcooked") or "") if kind > 0 else ""
    return _names[kind]


# The room


def _cell(canvas: Canvas, x: float, y: float, parity: int, name: str, on_it: int) -> None:
    surface = SURFACES.get(name)
    if surface is None:  # floor, and perhaps something that was put down there
        canvas.rect(x, y, CELL + 1, CELL + 1, FLOOR[parity % 2])  # overlapping: no seams at any scale
        if name in ITEMS:
            ITEMS[name](canvas, x + CELL / 2, y + CELL / 2, None)
        return
    canvas.rect(x, y, CELL + 1, CELL + 1, WOOD_EDGE)
    canvas.rect(x + 1, y + 1, CELL - 2, CELL - 16, WOOD, radius=5)
    canvas.rect(x + 7, y + 6, CELL - 14, 4, WOOD_LIGHT, radius=2)
    surface(canvas, x, y)
    if on_it and name == "counter":
        ITEMS[name_of(on_it)](canvas, x + CELL / 2, y + 52, None)


def _counter(canvas: Canvas, x: float, y: float) -> None:
    pass


def _crate(canvas: Canvas, x: float, y: float) -> None:
    canvas.rect(x + 14, y + 20, 92, 78, SHADOW, radius=8)
    canvas.rect(x + 14, y + 16, 92, 78, "#6a4526", radius=8)
    canvas.rect(x + 20, y + 22, 80, 66, "#4b2f18", radius=5)


def _onions(canvas: Canvas, x: float, y: float) -> None:
    _crate(canvas, x, y)
    for dx, dy in ((38, 44), (82, 44), (60, 38), (46, 68), (76, 68)):
        _onion(canvas, x + dx, y + dy, None)


def _tomatoes(canvas: Canvas, x: float, y: float) -> None:
    _crate(canvas, x, y)
    for dx, dy in ((38, 44), (82, 44), (60, 38), (46, 68), (76, 68)):
        _tomato(canvas, x + dx, y + dy, None)


def _plates(canvas: Canvas, x: float, y: float) -> None:
    canvas.circle(x + 62, y + 62, 38, SHADOW)
    for lift in (0, 5, 10, 15):
        canvas.circle(x + 60, y + 60 - lift, 36, "#9aa3ad")
        canvas.circle(x + 60, y + 58 - lift, 36, WHITE)
    canvas.circle(x + 60, y + 43, 24, "#dfe4ea")
    canvas.circle(x + 60, y + 44, 22, "#f3f5f8")


def _soups(canvas: Canvas, x: float, y: float) -> None:
    _onion_soup(canvas, x + 60, y + 52, None)


def _delivery(canvas: Canvas, x: float, y: float) -> None:
    canvas.rect(x + 8, y + 8, CELL - 16, CELL - 30, "#1d7049", radius=8)
    canvas.rect(x + 14, y + 14, CELL - 28, CELL - 42, READY, radius=5)
    # A bell marks the place to deliver soup.
    canvas.circle(x + 60, y + 26, 4, INK)
    canvas.circle(x + 60, y + 50, 22, "#f4d35e")
    canvas.rect(x + 36, y + 50, 48, 24, READY)
    canvas.rect(x + 34, y + 50, 52, 7, INK, radius=3)
    canvas.text(x + 60, y + 77, "SERVE", 17, WHITE, align="center", bold=True)


def _hob(canvas: Canvas, x: float, y: float) -> None:
    canvas.rect(x + 8, y + 6, CELL - 16, CELL - 26, HOB, radius=8)
    canvas.circle(x + 60, y + 52, 42, "#474e58")
    canvas.circle(x + 60, y + 52, 39, HOB)


def _pots(canvas: Canvas, extra: dict[str, Any], frame: int) -> None:
    contents, timers = extra["overcooked.pot_contents"]["data"], extra["overcooked.pot_timer"]["data"]
    for place, inside, timer in zip(extra["overcooked.pot_positions"]["data"], contents, timers, strict=True):
        x, y = CELL * place[1] + 60, CELL * place[0] + BAR + 52
        names = [name_of(kind) for kind in inside if kind > 0]
        full = len(names) == len(inside)
        canvas.circle(x, y, 40, STEEL_DARK)
        canvas.rect(x - 52, y - 7, 104, 14, STEEL_DARK, radius=7)
        canvas.circle(x, y, 37, STEEL)
        canvas.circle(x, y, 31, "#3a4048")
        if names:
            canvas.circle(x, y, 30, SOUP.get(names[0], SOUP["onion"]) if full else "#5e6b73")
        if not full:
            for index, name in enumerate(names):
                ITEMS[name](canvas, x + (-13, 13, 0)[index % 3], y + (-9, -9, 13)[index % 3], None)
        elif timer > 0:
            for bubble in range(3):
                size = 3 + (frame + 5 * bubble) // 3 % 4
                canvas.circle(
                    x + (-14, 12, 1)[bubble], y + (-4, -12, 12)[bubble], size, "rgba(255, 255, 255, 0.6)"
                )
        else:
            canvas.circle(x, y, 30, "rgba(255, 240, 200, 0.35)")
        _progress(canvas, x, y, len(names), len(inside), timer)


def _progress(canvas: Canvas, x: float, y: float, filled: int, room: int, timer: int) -> None:
    """Draw a pip per ingredient under the pot, then a bar that fills, then "READY"."""
    y += 40
    if filled < room:
        for pip in range(room):
            canvas.circle(x + 20 * (pip - (room - 1) / 2), y + 10, 7, INK)
            canvas.circle(
                x + 20 * (pip - (room - 1) / 2), y + 10, 5, "#f4d35e" if pip < filled else "#5b6069"
            )
    elif timer > 0:
        canvas.rect(x - 44, y + 2, 88, 16, INK, radius=8)
        canvas.rect(x - 41, y + 5, 82, 10, "#5b6069", radius=5)
        done = max(10.0, 82 * (1 - timer / COOKING_FRAMES))
        canvas.rect(x - 41, y + 5, done, 10, "#f4d35e", radius=5, id="cooking")
    else:
        canvas.rect(x - 40, y - 1, 80, 22, INK, radius=11)
        canvas.rect(x - 38, y + 1, 76, 18, READY, radius=9)
        canvas.text(x, y + 10, "READY", 14, WHITE, align="center", bold=True)


# Things that can be carried. A thing with an id is held by a chef and moves; one without lies still.


def _onion(canvas: Canvas, x: float, y: float, id: str | None) -> None:
    canvas.line(x + 1, y - 10, x + 3, y - 20, "#6f8f3a", 5, id=id)
    canvas.circle(x, y, 16, "#8a5a16", id=id)
    canvas.circle(x - 0.5, y - 1, 14.5, "#e8b84a", id=id)
    canvas.circle(x - 4, y - 5, 5, "#f7dd94", id=id)


def _tomato(canvas: Canvas, x: float, y: float, id: str | None) -> None:
    canvas.circle(x, y, 16, "#7d1f14", id=id)
    canvas.circle(x - 0.5, y - 1, 14.5, "#d84a38", id=id)
    canvas.line(x - 6, y - 11, x + 6, y - 11, "#3f7a34", 5, id=id)
    canvas.circle(x - 5, y - 4, 4, "#f08c7c", id=id)


def _plate(canvas: Canvas, x: float, y: float, id: str | None) -> None:
    canvas.circle(x, y + 2, 25, "#8f98a3", id=id)
    canvas.circle(x, y, 25, WHITE, id=id)
    canvas.circle(x, y, 17, "#d5dbe2", id=id)
    canvas.circle(x, y + 1, 15.5, "#eef1f5", id=id)


def _onion_soup(canvas: Canvas, x: float, y: float, id: str | None) -> None:
    _soup(canvas, x, y, id, SOUP["onion"])


def _tomato_soup(canvas: Canvas, x: float, y: float, id: str | None) -> None:
    _soup(canvas, x, y, id, SOUP["tomato"])


def _soup(canvas: Canvas, x: float, y: float, id: str | None, color: str) -> None:
    canvas.circle(x, y + 2, 25, "#8f98a3", id=id)
    canvas.circle(x, y, 25, WHITE, id=id)
    canvas.circle(x, y, 18, INK, id=id)
    canvas.circle(x, y, 16.5, color, id=id)
    canvas.circle(x - 5, y - 5, 4.5, "rgba(255, 255, 255, 0.6)", id=id)


# The chefs


def _chef(canvas: Canvas, chef: int, place: list[int], facing: int, held: int) -> None:
    x, y = CELL * place[1] + 60, CELL * place[0] + BAR + 62
    dx, dy = AHEAD[facing]
    body, dark = APRON[chef % 4], APRON_DARK[chef % 4]
    name = f"chef {chef}"
    item = ITEMS.get(name_of(held))
    canvas.rect(x - 34, y + 24, 68, 24, SHADOW, radius=12, id=name)
    canvas.circle(x, y + 2, 39, dark, id=f"{name} back")
    canvas.circle(x, y, 37, body, id=f"{name} body")
    # Hands reach where the chef looks.
    for hand in (-1, 1):
        hand_x, hand_y = x + 26 * dx - 22 * hand * dy, y + 8 + 20 * dy + 22 * hand * dx * 0.5
        canvas.circle(hand_x, hand_y, 10, dark, id=f"{name} hand {hand}")
        canvas.circle(hand_x, hand_y, 8, "#f2c9a1", id=f"{name} palm {hand}")
    head_x, head_y = x + 5 * dx, y - 12 + 3 * dy
    skin, rim = ("#f2c9a1", "#b9855a") if dy >= 0 else ("#6b4a2f", "#4a311c")
    canvas.circle(head_x, head_y, 25, rim, id=f"{name} rim")
    canvas.circle(head_x, head_y, 23.5, skin, id=f"{name} head")
    if dy >= 0:
        for eye in (-1, 1):
            eye_x = head_x + 11 * dx + 8 * eye * (1 if dy else 0.75)
            canvas.circle(eye_x, head_y + 4 + 2 * dy, 4, INK, id=f"{name} eye {eye}")
    _toque(canvas, chef, head_x, head_y, dark, name)
    if chef == canvas.player_id:
        # Shows people which chef they are.
        canvas.polygon([(x - 11, y - 66), (x + 11, y - 66), (x, y - 54)], "#0d1630", id=f"{name} you rim")
        canvas.polygon([(x - 8, y - 65), (x + 8, y - 65), (x, y - 56)], "#f4d35e", id=f"{name} you")
    if item:
        # Held in front; to the side if the chef faces away from us and would hide it.
        item(
            canvas, x + (36 * dx if dy >= 0 else 34), y + (20 + 16 * dy if dy >= 0 else -14), f"{name} holds"
        )


def _toque(canvas: Canvas, chef: int, x: float, y: float, dark: str, name: str) -> None:
    """Draw the hat: round for the first chef, tall and square for the second."""
    body = APRON[chef % 4]
    if chef % 2:
        canvas.rect(x - 20, y - 43, 40, 30, "#8f98a3", radius=7, id=f"{name} hat")
        canvas.rect(x - 18.5, y - 41.5, 37, 27, WHITE, radius=6, id=f"{name} hat 2")
    else:
        for puff, dx in enumerate((-14, 14, 0)):
            canvas.circle(x + dx, y - 28 - (6 if puff == 2 else 0), 14, "#8f98a3", id=f"{name} puff {puff}")
        for puff, dx in enumerate((-14, 14, 0)):
            canvas.circle(x + dx, y - 28 - (6 if puff == 2 else 0), 12.5, WHITE, id=f"{name} fluff {puff}")
    canvas.rect(x - 20, y - 22, 40, 11, dark, radius=4, id=f"{name} band")
    canvas.rect(x - 19, y - 21, 38, 8, body, radius=3, id=f"{name} ribbon")


def _clock(canvas: Canvas, width: float, left: float, seconds: int) -> None:
    canvas.rect(16, 17, width - 92, 14, "#4a505b", radius=7)
    canvas.rect(16, 17, max(14.0, (width - 92) * left), 14, "#f4d35e" if left > 0.2 else "#ff8a75", radius=7)
    canvas.text(width - 16, 25, f"{seconds} s", 22, WHITE, align="right", bold=True)


Painter = Callable[[Canvas, float, float], None]
SURFACES: dict[str, Painter] = {
    "counter": _counter,
    "wall": _counter,
    "onion_stack": _onions,
    "tomato_stack": _tomatoes,
    "plate_stack": _plates,
    "onion_soup_stack": _soups,
    "tomato_soup_stack": _soups,
    "delivery_zone": _delivery,
    "pot": _hob,
}
ITEMS: dict[str, Callable[[Canvas, float, float, str | None], None]] = {
    "onion": _onion,
    "tomato": _tomato,
    "plate": _plate,
    "onion_soup": _onion_soup,
    "tomato_soup": _tomato_soup,
}
