"""A bot for Volley that plays decently, and can be beaten."""

from math import sqrt

from volley_env import BALL_GRAVITY, BALL_RADIUS, HALF_COURT, PLAYER_RADIUS, Volley

_FAR = HALF_COURT - BALL_RADIUS
_HEAD = PLAYER_RADIUS + BALL_RADIUS
_REACTION = 16  # frames, about a quarter of a second
_MISJUDGED = (0, 52, -34, 16, -48, 30, -10, 58, -44, 8, -22)


def policy(env: Volley, player_id: int) -> int:
    """Choose an action from nothing but the state of the game.

    The bot runs to where the ball will come down and stands a little behind, so that the ball goes forward.
    Three habits make it beatable: it notices a hit late, misjudges each landing by a distance that depends on
    the hit, and jumps at every ball that comes down near the net.

    Args:
        env: The game.
        player_id: 0 for the left side, 1 for the right.

    Returns:
        One of Volley's six actions.
    """
    side = 1.0 if player_id else -1.0
    # From here on x counts from the net towards the bot's own wall.
    x, vx = side * env.x[player_id], side * env.vx[player_id]
    ball_x = side * env.ball_x
    frames, landing = _landing(ball_x, env.ball_y, side * env.ball_vx, env.ball_vy)

    if env.struck >= 0 and env.flight < _REACTION:
        goal = x
    elif landing > 0:
        misjudged = _MISJUDGED[(env.hits + 3 * env.serves + 5 * player_id) % len(_MISJUDGED)]
        goal = landing + 15.0 + misjudged * min(frames / 30, 1.0)
    else:
        goal = HALF_COURT / 2
    ahead = min(max(goal, 60.0), HALF_COURT - PLAYER_RADIUS) - x - 4.0 * vx

    above = env.ball_y - env.y[player_id]
    behind = -58 < ball_x - x < 10
    jump = behind and 60 < above < 125 and env.ball_vy < 1.0 and ball_x < 240 and not env.hanging

    # Away from the net is to the left for the player on the left.
    steer = 0 if abs(ahead) < 7 else 2 if ahead * side > 0 else 1
    return steer + 3 if jump else steer


def _landing(x: float, y: float, vx: float, vy: float) -> tuple[float, float]:
    """Return in how many frames at pace 1 the ball falls to head height, and its x then, without the net."""
    frames = (vy + sqrt(max(vy * vy + 2.0 * BALL_GRAVITY * (y - _HEAD), 0.0))) / BALL_GRAVITY
    landing = x + vx * frames
    if landing > _FAR:
        landing = 2 * _FAR - landing
    elif landing < -_FAR:
        landing = -2 * _FAR - landing
    return frames, landing
