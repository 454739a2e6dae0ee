"""Draws Volley: a dusk court by the sea, two round players, and a ball that glows as the rally quickens."""

from math import cos, sin, sqrt

from volley_env import (
    BALL_GRAVITY,
    BALL_RADIUS,
    HITS_IN_A_ROW,
    NET_HEIGHT,
    NET_RADIUS,
    PLAYER_RADIUS,
    POINT_FRAMES,
    SERVE_FRAMES,
    Volley,
)

from coplay.study.canvas import Canvas

WIDTH, HEIGHT = 800, 450
NET, FLOOR = WIDTH / 2, 404

# Left and right differ in shape (ears, antenna) as well as in hue: orange and blue, after Okabe and Ito.
BODY = ("#f0a020", "#4fb0ec")
SHADE = ("#c97a08", "#2a7fbd")
NAMES = ("left", "right")
PARTS = ("shadow", "shade", "body", "eye 1", "eye 2", "pupil 1", "pupil 2", "mouth", "lip", "ear 1", "ear 2")
HIT_IDS = [[f"{name} hit {hit}" for hit in range(HITS_IN_A_ROW + 1)] for name in NAMES]
IDS = [{part: f"{name} {part}" for part in PARTS} for name in NAMES]
INK, WHITE = "#0d1630", "#ffffff"
SKY = ("#172349", "#1f2f5e", "#2b3d72", "#3d4d83", "#565d90", "#746d97")
SEA, SAND, WET_SAND, LINE = "#203a68", "#ecd9ac", "#c9b184", "#fff7e0"
SHADOW = "rgba(40, 28, 10, 0.28)"
# From a cool rally to a hot one.
BALL = ("#fffdf2", "#fff3bf", "#ffe08a", "#ffc65c", "#ffa640", "#ff8534")
TRAIL = (
    "rgba(255, 250, 225, 0.34)",
    "rgba(255, 240, 190, 0.24)",
    "rgba(255, 230, 160, 0.16)",
    "rgba(255, 220, 140, 0.09)",
)
TRAIL_IDS = [f"trail {step}" for step in range(len(TRAIL) + 1)]
FLASH = ("rgba(255, 205, 130, 0.22)", "rgba(120, 200, 255, 0.22)")
RING = ("rgba(255, 255, 255, 0.42)", "rgba(255, 255, 255, 0.28)", "rgba(255, 255, 255, 0.14)")


def draw(env: Volley, canvas: Canvas) -> None:
    """Draw the game as it is now, from its state alone."""
    canvas.view(WIDTH, HEIGHT)
    _scenery(canvas)
    if env.dead:
        _point_behind(env, canvas)
    _shadows(env, canvas)
    _net(canvas)
    _trail(env, canvas)
    _player(env, 0, canvas)
    _player(env, 1, canvas)
    _ball(env, canvas)
    _score(env, canvas)
    canvas.sound("start", count=env.serves - (env.hanging > 0))
    canvas.sound("hit", count=env.hits)
    canvas.sound("score", count=env.score[0] + env.score[1])


def _scenery(canvas: Canvas) -> None:
    canvas.clear(SKY[0])
    for band, color in enumerate(SKY[1:], 1):
        canvas.rect(0, 52 * band + 18, WIDTH, HEIGHT, color)
    canvas.circle(NET, 322, 62, "#f7c873")
    canvas.rect(0, 322, WIDTH, 70, SEA)
    for y, half in ((331, 52), (341, 40), (352, 26), (364, 15)):
        canvas.line(NET - half, y, NET + half, y, "rgba(247, 200, 115, 0.55)", 3)
    canvas.rect(0, 376, WIDTH, 74, WET_SAND)
    canvas.rect(0, 386, WIDTH, 64, SAND)
    canvas.line(24, FLOOR + 14, WIDTH - 24, FLOOR + 14, LINE, 4)


def _net(canvas: Canvas) -> None:
    top = FLOOR - NET_HEIGHT
    canvas.rect(NET - 26, FLOOR + 10, 52, 8, SHADOW, radius=4)
    canvas.rect(NET - NET_RADIUS, top, 2 * NET_RADIUS, NET_HEIGHT + 14, INK)
    canvas.rect(NET - NET_RADIUS + 2, top, 2 * NET_RADIUS - 4, NET_HEIGHT + 12, "#dfe6f2")
    canvas.rect(NET + 1, top, NET_RADIUS - 3, NET_HEIGHT + 12, "#9fabc4")
    canvas.rect(
        NET - NET_RADIUS - 1, top - NET_RADIUS - 1, 2 * NET_RADIUS + 2, 34, INK, radius=NET_RADIUS + 1
    )
    canvas.rect(
        NET - NET_RADIUS + 1, top - NET_RADIUS + 1, 2 * NET_RADIUS - 2, 30, WHITE, radius=NET_RADIUS - 1
    )
    canvas.rect(NET - NET_RADIUS + 1, top + 4, 2 * NET_RADIUS - 2, 9, "#d1495b")


def _shadows(env: Volley, canvas: Canvas) -> None:
    for player in (0, 1):
        half = PLAYER_RADIUS * (1.0 - env.y[player] / 500)
        canvas.rect(
            NET + env.x[player] - half, FLOOR - 3, 2 * half, 9, SHADOW, radius=4.5, id=IDS[player]["shadow"]
        )
    half = BALL_RADIUS * (1.1 - env.ball_y / 700)
    canvas.rect(NET + env.ball_x - half, FLOOR - 1, 2 * half, 6, SHADOW, radius=3, id="ball shadow")


def _player(env: Volley, player: int, canvas: Canvas) -> None:
    body, shade, ids = BODY[player], SHADE[player], IDS[player]
    forward = -1 if player else 1
    x, y, vx, vy = NET + env.x[player], FLOOR - env.y[player], env.vx[player], env.vy[player]
    # Tall while rising or falling, flat for a moment after a hit.
    stretch = min(abs(vy) * 0.012, 0.12) - 0.06 * max(0, 6 - env.since[player]) / 6
    w, h = PLAYER_RADIUS * (1.0 - stretch), PLAYER_RADIUS * (1.0 + stretch)
    if env.y[player] <= PLAYER_RADIUS:
        y += PLAYER_RADIUS - h
    lean = vx * 0.9

    if player:
        tip_x, tip_y = x - 1.5 * lean, y - h - 15
        canvas.line(x, y - h + 6, tip_x, tip_y, shade, 4, id=ids["ear 1"])
        canvas.circle(tip_x, tip_y, 6.5, WHITE, id=ids["ear 2"])
    else:
        for ear, part in ((-1, "ear 1"), (1, "ear 2")):
            outer = (x + ear * 0.9 * w, y - 0.45 * h)
            inner = (x + ear * 0.22 * w, y - 0.92 * h)
            canvas.polygon([outer, (x + ear * 0.82 * w - lean, y - h - 13), inner], shade, id=ids[part])
    canvas.rect(x - w, y - h, 2 * w, 2 * h, shade, radius=min(w, h), id=ids["shade"])
    canvas.rect(x - 0.95 * w, y - 0.98 * h, 1.9 * w, 1.84 * h, body, radius=0.92 * min(w, h), id=ids["body"])

    if player == canvas.player_id and env.hanging:
        # Before each serve, shows people which player they are.
        canvas.text(x, y - h - 46, "you", 18, WHITE, align="center", bold=True)
        canvas.polygon([(x - 9, y - h - 33), (x + 9, y - h - 33), (x, y - h - 22)], WHITE)

    # The eyes look at the ball; the player who just lost the point shuts them.
    lost = env.dead > 0 and env.server == player
    face = x + 5 * forward + 0.5 * lean
    eye_y = y - 0.22 * h
    look_x, look_y = NET + env.ball_x - face, FLOOR - env.ball_y - eye_y
    far = sqrt(look_x * look_x + look_y * look_y) + 1.0
    for eye_x, eye, pupil in ((face - 13, "eye 1", "pupil 1"), (face + 13, "eye 2", "pupil 2")):
        if lost:
            canvas.line(eye_x - 6, eye_y + 2, eye_x + 6, eye_y + 2, INK, 3.5)
        else:
            canvas.circle(eye_x, eye_y, 10.5, WHITE, id=ids[eye])
            canvas.circle(eye_x + 5 * look_x / far, eye_y + 5 * look_y / far, 5, INK, id=ids[pupil])
    mouth_y = y + 0.34 * h
    if lost:
        canvas.circle(face, mouth_y + 4, 6, INK)
        canvas.circle(face, mouth_y + 8, 7, body)
    elif env.dead:
        canvas.circle(face, mouth_y + 2, 8, INK)
        canvas.rect(face - 9, mouth_y - 8, 18, 8, body)
    else:
        canvas.circle(face, mouth_y, 7, INK, id=ids["mouth"])
        canvas.circle(face, mouth_y - 3.5, 7.5, body, id=ids["lip"])


def _trail(env: Volley, canvas: Canvas) -> None:
    """Draw the ball's path since the last bounce, computed backwards, and a ring where a player hit it."""
    if env.hanging:
        return
    if env.struck >= 0 and 0 < env.flight <= 9:
        x, y = _ball_before(env, env.flight)
        canvas.circle(NET + x, FLOOR - y, 20 + 4 * env.flight, RING[(env.flight - 1) // 3])
    for step, color in enumerate(TRAIL, 1):
        age = 2 * step
        if age > env.flight:
            break
        x, y = _ball_before(env, age)
        canvas.circle(NET + x, FLOOR - y, BALL_RADIUS * (1.0 - 0.13 * step), color, id=TRAIL_IDS[step])


def _ball_before(env: Volley, age: int) -> tuple[float, float]:
    back = env.pace * age
    return (
        env.ball_x - back * env.ball_vx,
        env.ball_y - back * (env.ball_vy + BALL_GRAVITY * env.pace * (age - 1) / 2),
    )


def _ball(env: Volley, canvas: Canvas) -> None:
    x, y = NET + env.ball_x, FLOOR - env.ball_y
    color = BALL[min(env.rally // 2, len(BALL) - 1)]
    if env.hanging:
        # A ring that closes around the ball counts down to the drop.
        canvas.circle(x, y, BALL_RADIUS + 3 + 22 * env.hanging / SERVE_FRAMES, RING[1], id="ring")
    canvas.circle(x, y, BALL_RADIUS, "#a8743a", id="ball")
    canvas.circle(x - 1, y - 1, BALL_RADIUS - 2, color, id="ball skin")
    # Its stripe rolls the way it goes.
    turn = env.ball_x / 30
    across, along = 13 * cos(turn), 13 * sin(turn)
    canvas.line(x - across, y - along, x + across, y + along, "#d1495b", 5, id="stripe")
    canvas.circle(x - 7, y - 8, 3.5, WHITE, id="shine")
    if y < -BALL_RADIUS:
        size = max(7.0, 13.0 + y / 40)
        canvas.polygon([(x, 5), (x - size, 5 + 1.5 * size), (x + size, 5 + 1.5 * size)], WHITE, id="above")


def _score(env: Volley, canvas: Canvas) -> None:
    for player in (0, 1):
        side = 1 if player else -1
        just = env.dead > POINT_FRAMES - 20 and env.server != player
        canvas.text(
            NET + side * 62,
            44,
            str(env.score[player]),
            56 if just else 44,
            BODY[player],
            align="center",
            bold=True,
        )
        for pip in range(env.points):
            color = BODY[player] if pip < env.score[player] else "rgba(255, 255, 255, 0.18)"
            canvas.circle(NET + side * (106 + 17 * pip), 46, 5.5, color)
        # Hits in a row: the fourth would cost the point.
        for hit in range(env.row[player]):
            color = "#c8102e" if hit >= HITS_IN_A_ROW - 1 else INK
            canvas.circle(NET + env.x[player] + 12 * (hit - 1), FLOOR + 30, 4, color, id=HIT_IDS[player][hit])
    left = max(env.max_frames - env.frame, 0)
    seconds = -(-left // 60)
    canvas.rect(NET - 26, 24, 52, 36, "rgba(13, 22, 48, 0.55)", radius=10)
    canvas.text(NET, 43, str(seconds), 22, "#ff9c8f" if seconds <= 10 else WHITE, align="center", bold=True)


def _point_behind(env: Volley, canvas: Canvas) -> None:
    """Light up the scorer's half for a moment, and say whose point it was."""
    scorer = 1 - env.server
    side = 1 if scorer else -1
    if env.dead > POINT_FRAMES - 12:
        canvas.rect(NET if scorer else 0, 0, NET, FLOOR - 18, FLASH[scorer])
    won = env.score[scorer] >= env.points
    fault = env.row[env.server] > HITS_IN_A_ROW
    words = "wins!" if won else "four hits" if fault else "point!"
    x = NET + (-side if fault and not won else side) * 200
    canvas.text(x, 128, words, 40, WHITE, align="center", bold=True)
