"""Draws Orchard: six apple trees on a mown lawn, and pickers whose hats tell them apart."""

from orchard_env import (
    APPLE,
    BUDS,
    COLUMNS,
    GLIDE,
    MOVES,
    ROWS,
    SPOTS,
    SPOTS_OF,
    TREES,
    UP,
    Orchard,
)

from coplay.study.canvas import Canvas

CELL = 40
HEDGE = 26  # around the lawn
BAR = 58  # above it
WIDTH, HEIGHT = CELL * COLUMNS + 2 * HEDGE, CELL * ROWS + 2 * HEDGE + BAR

# Blue, orange, pink, yellow, violet and white: far from lawn and apples, and from each other in lightness.
BODY = ("#3f9fdb", "#f29d1f", "#e88cc0", "#f7e05a", "#8d6fd1", "#e4e0d6")
DARK = ("#1b5f8f", "#a8620a", "#a3487c", "#ad9414", "#55398f", "#7a766c")
INK, WHITE, STRAW, STRAW_DARK = "#20281f", "#ffffff", "#f0d58c", "#b8924a"
LAWN, STRIPE, BLADE, DAISY = "#9cc76c", "#93bf63", "#7fad52", "#fdfbe9"
LEAVES, LEAVES_LIGHT, LEAVES_DARK = "#2f6b3c", "#3d7f49", "#214d2c"
SOIL, SOIL_EDGE, SPROUT = "#6b4a31", "#7f5b3e", "#8fc25a"
DRY, DRY_EDGE = "#a08a6b", "#b39d7d"
RIND, SKIN, SHINE, STALK = "#8f1d18", "#e5433a", "#ff9d8a", "#b9e07a"
BAR_COLOR = "#3a4638"
SHADOW = "rgba(25, 35, 15, 0.28)"
WOOD, WOOD_LIGHT = "#5e5348", "#7d7166"
# Colours of a tree's shade, crown and light: with no apples left, with few, with enough.
CROWN = (
    ("#8a7a4a", "#a8965c", "#bfae76"),
    ("#55782f", "#73993f", "#93b553"),
    ("#2c6434", "#3f8246", "#5aa05c"),
)
FEW = 6

PARTS = ("shadow", "ring", "rim", "body", "eyes", "pupils", "cheeks", "hat", "plus", "you")
IDS = [{part: f"player {player} {part}" for part in PARTS} for player in range(6)]


def draw(env: Orchard, canvas: Canvas) -> None:
    """Draw the game as it is now, from its state alone."""
    canvas.view(WIDTH, HEIGHT)
    _garden(canvas)
    left = [sum(env.field[spot] == APPLE for spot in SPOTS_OF[tree]) for tree in TREES]
    for tree, apples in zip(TREES, left, strict=True):
        _bed(apples, tree, canvas)
    _spots(env, canvas)
    for tree, apples in zip(TREES, left, strict=True):
        _tree(apples, tree, canvas)
    # Players who stand lower are nearer, so they are painted later and cover others.
    places = [_where(env, player) for player in range(env.n_players)]
    for player in sorted(range(env.n_players), key=lambda player: places[player][1]):
        _player(env, player, places[player], canvas)
    for player, (x, y) in enumerate(places):
        _plus(env, player, x, y, canvas)
    _bar(env, canvas)
    canvas.sound("score", count=env.score[canvas.player_id])


def _middle(cell: int) -> tuple[float, float]:
    row, column = divmod(cell, COLUMNS)
    return HEDGE + CELL * column + CELL / 2, BAR + HEDGE + CELL * row + CELL / 2


def _where(env: Orchard, player: int) -> tuple[float, float]:
    """Return a player's position on the way from one cell to the next."""
    x, y = _middle(env.place[player])
    from_x, from_y = _middle(env.came[player])
    left = env.walking[player] / GLIDE
    return x + (from_x - x) * left, y + (from_y - y) * left


# The garden

MIDDLES = [_middle(spot) for spot in SPOTS]
TUFTS = [
    _middle(row * COLUMNS + column) for column, row in ((0, 1), (6, 6), (13, 7), (20, 5), (1, 12), (14, 0))
]
DAISIES = [
    _middle(row * COLUMNS + column) for column, row in ((7, 2), (14, 11), (21, 8), (0, 6), (9, 6), (14, 4))
]


def _garden(canvas: Canvas) -> None:
    canvas.clear(INK)
    canvas.rect(0, BAR, WIDTH, HEIGHT - BAR, LEAVES_DARK)
    for x in range(0, WIDTH + 1, 70):
        for y in (BAR + 10, HEIGHT - 10):
            canvas.circle(x, y, 26, LEAVES)
            canvas.circle(x + 30, y - 3, 15, LEAVES_LIGHT)
    for y in range(BAR + 60, HEIGHT - 30, 66):
        for x in (8, WIDTH - 8):
            canvas.circle(x, y, 26, LEAVES)
            canvas.circle(x, y + 30, 15, LEAVES_LIGHT)
    canvas.rect(HEDGE - 4, BAR + HEDGE - 4, CELL * COLUMNS + 8, CELL * ROWS + 8, LEAVES_DARK, radius=12)
    canvas.rect(HEDGE, BAR + HEDGE, CELL * COLUMNS, CELL * ROWS, LAWN, radius=9)
    for column in range(2, COLUMNS, 4):
        canvas.rect(HEDGE + CELL * column, BAR + HEDGE, 2 * CELL, CELL * ROWS, STRIPE)
    for x, y in TUFTS:
        for dx, top in ((-6, -4), (0, -9), (6, -5)):
            canvas.line(x + dx / 2, y + 6, x + dx, y + top, BLADE, 3)
    for x, y in DAISIES:
        for dx, dy in ((-4, 0), (4, 0), (0, -4), (0, 4)):
            canvas.circle(x + dx, y + dy, 3.2, DAISY)
        canvas.circle(x, y, 2.6, "#f2b632")


def _bed(left: int, tree: int, canvas: Canvas) -> None:
    """Draw the ground around a tree, dry if no apple is left."""
    x, y = _middle(tree)
    half = 2.5 * CELL
    canvas.rect(x - half, y - half, 2 * half, 2 * half, SOIL_EDGE if left else DRY_EDGE, radius=1.2 * CELL)
    half -= 4
    canvas.rect(x - half, y - half, 2 * half, 2 * half, SOIL if left else DRY, radius=1.1 * CELL)


def _spots(env: Orchard, canvas: Canvas) -> None:
    """Draw the apples, and a sprout where one can grow back: the larger, the likelier."""
    field, near = env.field, env.near
    ages = {env.buds[(env.frame - age) % BUDS]: age for age in range(BUDS - 1, -1, -1)}
    for index, spot in enumerate(SPOTS):
        x, y = MIDDLES[index]
        if field[spot] == APPLE:
            size = (ages.get(index, BUDS - 1) + 1) / BUDS
            canvas.circle(x + 1, y + 2, 11 * size, RIND)
            canvas.circle(x - 0.5, y, 10 * size, SKIN)
            canvas.circle(x - 4, y - 4, 2.6 * size, SHINE)
            canvas.line(x, y - 8 * size, x + 4, y - 13 * size, STALK, 3)
        elif near[spot]:
            canvas.circle(x, y, 2 + near[spot] / 3, SPROUT)


def _tree(left: int, tree: int, canvas: Canvas) -> None:
    x, y = _middle(tree)
    shade, crown, light = CROWN[0 if not left else 1 if left < FEW else 2]
    if not left:
        # Bare branches.
        canvas.circle(x, y, 9, WOOD)
        for dx, dy in ((-20, -10), (18, -15), (21, 9), (-13, 18), (2, -23), (4, 22)):
            canvas.line(x, y, x + dx, y + dy, WOOD, 5)
            canvas.line(x + dx / 2, y + dy / 2, x + dx / 2 - dy / 2.5, y + dy / 2 + dx / 2.5, WOOD, 3)
        canvas.circle(x - 1, y - 1, 5, WOOD_LIGHT)
        return
    canvas.circle(x + 3, y + 7, 27, SHADOW)
    for dx, dy in ((-13, 5), (13, 5), (0, 14), (-9, -10), (10, -10)):
        canvas.circle(x + dx, y + dy, 16, shade)
    for dx, dy in ((-10, 1), (10, 1), (0, 8), (-6, -11), (7, -11)):
        canvas.circle(x + dx, y + dy, 13, crown)
    for dx, dy in ((-8, -9), (5, -13), (9, -2)):
        canvas.circle(x + dx, y + dy, 5, light)


# The players


def _player(env: Orchard, player: int, place: tuple[float, float], canvas: Canvas) -> None:
    ids, heading = IDS[player], env.facing[player]
    dx, dy = MOVES[heading]
    # A hop from cell to cell.
    step = env.walking[player] / GLIDE
    x, y = place[0], place[1] - 14 * step * (1 - step)
    canvas.rect(place[0] - 16, place[1] + 9, 32, 13, SHADOW, radius=6.5, id=ids["shadow"])
    if player == canvas.player_id:
        # Shows people which player they are.
        canvas.circle(x, y, 23, INK, id=ids["ring"])
        canvas.circle(x, y, 21.5, WHITE, id=ids["ring"])
        if env.frame < 60:
            canvas.text(x, y - 40, "you", 17, INK, align="center", bold=True, id=ids["you"])
    canvas.circle(x, y, 18, DARK[player], id=ids["rim"])
    canvas.circle(x, y, 16.2, BODY[player], id=ids["body"])
    if heading != UP:
        for side in (-1, 1):
            eye_x, eye_y = x + 5 * dx + 6.5 * side, y + 2 + 2 * dy
            canvas.circle(eye_x, eye_y, 4.6, WHITE, id=ids["eyes"])
            canvas.circle(eye_x + 1.8 * dx, eye_y + 1.4 * dy, 2.6, INK, id=ids["pupils"])
    _hat(player, x + 1.5 * dx, y - 11 + dy, canvas, ids["hat"])


def _hat(player: int, x: float, y: float, canvas: Canvas, id: str | None) -> None:
    """Draw a hat, which distinguishes players without colour, in the garden and in the bar."""
    body, dark = BODY[player], DARK[player]
    match player:
        case 0:  # a straw hat
            canvas.rect(x - 18, y - 3, 36, 8, STRAW_DARK, radius=4, id=id)
            canvas.rect(x - 11, y - 13, 22, 15, STRAW_DARK, radius=6, id=id)
            canvas.rect(x - 18, y - 4, 36, 7, STRAW, radius=3.5, id=id)
            canvas.rect(x - 10, y - 12, 20, 12, STRAW, radius=5, id=id)
            canvas.rect(x - 10, y - 5, 20, 4, dark, id=id)
        case 1:  # a cat's ears
            for side in (-1, 1):
                tip = (x + 15 * side, y - 13)
                canvas.polygon([(x + 16 * side, y + 7), tip, (x + 3 * side, y - 4)], dark, id=id)
                tip = (x + 13.5 * side, y - 8)
                canvas.polygon([(x + 14 * side, y + 4), tip, (x + 6 * side, y - 2)], body, id=id)
        case 2:  # a bow
            for side in (-1, 1):
                canvas.polygon([(x, y - 4), (x + 14 * side, y - 13), (x + 14 * side, y + 4)], dark, id=id)
                canvas.polygon(
                    [(x + 2 * side, y - 4), (x + 12 * side, y - 9), (x + 12 * side, y + 1)], "#fbd3e8", id=id
                )
            canvas.circle(x, y - 4, 4.5, dark, id=id)
        case 3:  # a cap, its peak to the side
            canvas.rect(x - 13, y - 11, 26, 14, dark, radius=7, id=id)
            canvas.rect(x + 4, y - 2, 19, 6, dark, radius=3, id=id)
            canvas.circle(x, y - 11, 3, WHITE, id=id)
        case 4:  # two feelers
            for side in (-1, 1):
                canvas.line(x + 4 * side, y, x + 9 * side, y - 12, dark, 3, id=id)
                canvas.circle(x + 9 * side, y - 13, 4.5, STRAW, id=id)
        case _:  # a leaf
            canvas.line(x, y, x, y - 7, dark, 3, id=id)
            canvas.polygon([(x, y - 6), (x + 8, y - 16), (x + 18, y - 12), (x + 9, y - 4)], "#3f8246", id=id)


def _plus(env: Orchard, player: int, x: float, y: float, canvas: Canvas) -> None:
    age = env.frame - env.picked[player]
    if age < 14:
        canvas.circle(x + 17, y - 26 - age, 9, DARK[player], id=IDS[player]["plus"])
        canvas.text(x + 17, y - 26 - age, "+1", 12, WHITE, align="center", bold=True, id=IDS[player]["plus"])


# The bar


def _bar(env: Orchard, canvas: Canvas) -> None:
    """Draw everybody's apples, one's own with a frame, and the remaining time."""
    room = min((WIDTH - 2 * HEDGE - 90) / env.n_players, 160)
    for player in range(env.n_players):
        x = HEDGE + room * player
        mine = player == canvas.player_id
        if mine:
            canvas.rect(x - 3, 6, room - 4, 46, WHITE, radius=23)
        canvas.rect(x, 9, room - 10, 40, BAR_COLOR, radius=20)
        canvas.circle(x + 22, 32, 14, DARK[player])
        canvas.circle(x + 22, 32, 12.5, BODY[player])
        _hat(player, x + 22, 24, canvas, None)
        canvas.text(x + 46, 30, str(env.score[player]), 23, WHITE, bold=True)
        if mine:
            canvas.text(x + room - 21, 31, "you", 13, WHITE, align="right")
    left = -(-(env.max_cycles - env.frame) // 30)
    canvas.text(WIDTH - HEDGE, 30, f"{left // 60}:{left % 60:02}", 26, WHITE, align="right", bold=True)
