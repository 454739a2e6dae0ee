"""Volley: two players keep a ball off their own half of a court, over a net.

A PettingZoo `ParallelEnv` like any other: nothing in this file depends on people playing it over a network.
"""

from math import sqrt
from random import Random
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

# Lengths are in court units, times in frames (1/60 s). x = 0 is the net and y = 0 the floor; y grows upwards.
# So the game is mirrored by negating x, and neither side is favoured, not even by rounding.
HALF_COURT = 400.0
NET_HEIGHT = 116.0
NET_RADIUS = 6.0
PLAYER_RADIUS = 36.0
BALL_RADIUS = 19.0

RUN_SPEED = 7.0
RUN_GAIN = 0.16  # share of the missing speed that a frame on the floor makes good
AIR_GAIN = 0.07
JUMP_SPEED = 11.0
PLAYER_GRAVITY = 0.55

BALL_GRAVITY = 0.34
SLOWEST_HIT = 9.4
FASTEST_HIT = 14.0
BOUNCE = 0.86  # of walls and net; a player returns all, and adds their own movement
PACE_GAIN = 0.05  # each hit of a rally makes time run faster for the ball
FASTEST_PACE = 1.7

HITS_IN_A_ROW = 3
SAME_HIT = 10  # contacts of one player within so many frames count as one hit

SERVE_HEIGHT = 250.0
SERVE_FRAMES = 40  # the ball hangs in the air before it drops
POINT_FRAMES = 75  # from a point to the next serve, or to the end

Observation = NDArray[np.float32]


class Volley(ParallelEnv[str, Observation, int]):
    """A game of volleyball for two players.

    The ball scores for the other side when it lands, or when one side touches it a fourth time in a row.
    Every hit of a rally quickens the ball. The first serve goes to a side that the seed determines, each
    further one to the side that lost the previous point.

    Args:
        points: The number of points that wins the game.
        max_frames: The frame after which the game is truncated.

    | Action | 0 | 1 | 2 | 3 | 4 | 5 |
    |---|---|---|---|---|---|---|
    | Meaning | none | left | right | jump | left and jump | right and jump |

    Each player observes the court as if they were the one on the left:

    | Index | Meaning | Unit | Range |
    |---|---|---|---|
    | 0, 1 | own x, y | court units | -364 … -42, 36 … 150 |
    | 2, 3 | own velocity | units a frame | -7 … 7, -11 … 11 |
    | 4, 5 | the other's x, y | court units | 42 … 364, 36 … 150 |
    | 6, 7 | the other's velocity | units a frame | -7 … 7, -11 … 11 |
    | 8, 9 | the ball's x, y | court units | -381 … 381, 19 … 700 |
    | 10, 11 | the ball's velocity at pace 1 | units a frame | -16 … 16 |
    | 12 | the ball's pace | factor | 1 … 1.6 |
    | 13, 14 | hits in a row: own, the other's | hits | 0 … 3 |
    | 15 | frames until the ball moves on | frames | 0 … 75 |

    Rewards: 1 for the side that scores, -1 for the other, else 0.
    """

    metadata: ClassVar[dict[str, Any]] = {"name": "volley_v1", "render_modes": [], "render_fps": 60}
    possible_agents: ClassVar[list[str]] = ["left", "right"]

    hanging: int  # frames until the ball that hangs in the air drops
    dead: int  # frames left of the pause after a point

    def __init__(self, points: int = 5, max_frames: int = 60 * 75) -> None:
        self.points = points
        self.max_frames = max_frames
        self.agents: list[str] = []

    def observation_space(self, agent: str) -> spaces.Box:
        """Return the space described in the class's second table."""
        return _OBSERVATIONS

    def action_space(self, agent: str) -> spaces.Discrete:
        """Return the space described in the class's first table."""
        return _ACTIONS

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        """Start a game.

        Args:
            seed: Determines everything random: the first serve, and how each serve drifts.
            options: Unused.
        """
        self.agents = list(self.possible_agents)
        random = Random(seed)
        # All of a game's randomness is drawn here: the state is a few numbers, quick to save and to load.
        self.drifts = tuple(random.uniform(-0.9, 0.9) for _ in range(2 * self.points))
        self.server = random.randrange(2)
        self.frame = 0
        self.score = [0, 0]
        self.hits = 0  # of the game
        self.serves = 0

        self.x = [-HALF_COURT / 2, HALF_COURT / 2]
        self.y = [PLAYER_RADIUS, PLAYER_RADIUS]
        self.vx = [0.0, 0.0]
        self.vy = [0.0, 0.0]
        self.row = [0, 0]  # hits in a row
        self.since = [SAME_HIT, SAME_HIT]  # frames since each player's last contact with the ball
        self._serve()
        return self._observations(), {"left": {}, "right": {}}

    def step(
        self, actions: dict[str, int]
    ) -> tuple[
        dict[str, Observation],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """Play one frame with the actions of both players."""
        self.frame += 1
        self._move_player(0, actions["left"])
        self._move_player(1, actions["right"])

        gain = 0.0  # for the left side
        over = False
        if self.hanging:
            self.hanging -= 1
        else:
            self._move_ball()
            if self.dead:
                self.dead -= 1
                if not self.dead:
                    over = max(self.score) >= self.points
                    if not over:
                        self._serve()
            else:
                loser = self._loser()
                if loser >= 0:
                    gain = 1.0 if loser else -1.0
                    self.score[1 - loser] += 1
                    self.server = loser
                    self.dead = POINT_FRAMES

        late = not over and self.frame >= self.max_frames
        if over or late:
            self.agents = []
        return (
            self._observations(),
            {"left": gain, "right": -gain},
            {"left": over, "right": over},
            {"left": late, "right": late},
            {"left": {}, "right": {}},
        )

    def _serve(self) -> None:
        side = 1.0 if self.server else -1.0
        drift = self.drifts[self.serves % len(self.drifts)]
        self.ball_x = side * HALF_COURT / 2
        self.ball_y = SERVE_HEIGHT
        self.ball_vx = -side * drift
        self.ball_vy = 0.0
        self.pace = 1.0
        self.flight = 0  # frames since the ball last bounced off anything
        self.struck = -1  # who hit it then: a player, or -1 for a wall, the net, the floor or a serve
        self.rally = 0  # hits since the serve
        self.row[0] = self.row[1] = 0
        self.since[0] = self.since[1] = SAME_HIT
        self.hanging = SERVE_FRAMES
        self.dead = 0
        self.serves += 1

    def _move_player(self, player: int, action: int) -> None:
        x, y, vx, vy = self.x[player], self.y[player], self.vx[player], self.vy[player]
        heading = _HEADING[action]
        if y > PLAYER_RADIUS:
            # In the air a player steers a little, and keeps their speed when no key is held.
            if heading:
                vx += AIR_GAIN * (heading * RUN_SPEED - vx)
            vy -= PLAYER_GRAVITY
        else:
            vx += RUN_GAIN * (heading * RUN_SPEED - vx)
            if action >= 3:
                vy = JUMP_SPEED
        x += vx
        y += vy
        if y <= PLAYER_RADIUS:
            y, vy = PLAYER_RADIUS, 0.0
        near, far = NET_RADIUS + PLAYER_RADIUS, HALF_COURT - PLAYER_RADIUS
        side = 1.0 if player else -1.0
        if side * x < near:
            x, vx = side * near, 0.0
        elif side * x > far:
            x, vx = side * far, 0.0
        self.x[player], self.y[player], self.vx[player], self.vy[player] = x, y, vx, vy

    def _move_ball(self) -> None:
        self.since[0] += 1
        self.since[1] += 1
        self.flight += 1
        self.ball_vy -= BALL_GRAVITY * self.pace
        self.ball_x += self.ball_vx * self.pace
        self.ball_y += self.ball_vy * self.pace

        if not self.dead:
            # The player in the ball's half comes first, so that a ball between both players favours neither.
            first = 1 if self.ball_x > 0 else 0
            self._meet_player(first)
            self._meet_player(1 - first)
        self._meet_net()

        far = HALF_COURT - BALL_RADIUS
        if self.ball_x < -far or self.ball_x > far:
            self.ball_x = far if self.ball_x > 0 else -far
            self._bounced(-1)
            self.ball_vx *= -BOUNCE
        if self.ball_y < BALL_RADIUS:
            self.ball_y = BALL_RADIUS
            self._bounced(-1)
            self.ball_vy *= -0.6
            self.ball_vx *= 0.8

    def _meet_player(self, player: int) -> None:
        dx, dy = self.ball_x - self.x[player], self.ball_y - self.y[player]
        reach = PLAYER_RADIUS + BALL_RADIUS
        square = dx * dx + dy * dy
        if square >= reach * reach or square == 0.0:
            return
        distance = sqrt(square)
        nx, ny = dx / distance, dy / distance
        # The player's velocity as the ball's quickened time sees it.
        px, py = self.vx[player] / self.pace, self.vy[player] / self.pace
        closing = (self.ball_vx - px) * nx + (self.ball_vy - py) * ny
        self.ball_x, self.ball_y = self.x[player] + nx * reach, self.y[player] + ny * reach
        if closing >= 0.0:
            return
        vx, vy = self.ball_vx - 2.0 * closing * nx, self.ball_vy - 2.0 * closing * ny
        speed = sqrt(vx * vx + vy * vy)
        wanted = min(max(speed, SLOWEST_HIT), FASTEST_HIT)
        if speed > 0.0:
            vx, vy = vx * wanted / speed, vy * wanted / speed
        self.ball_vx, self.ball_vy = vx, vy
        if self.since[player] >= SAME_HIT:
            self.hits += 1
            self.rally += 1
            self.row[player] += 1
            self.row[1 - player] = 0
            self.pace = min(1.0 + PACE_GAIN * self.rally, FASTEST_PACE)
        self.since[player] = 0
        self._bounced(player)

    def _meet_net(self) -> None:
        x = self.ball_x
        reach = NET_RADIUS + BALL_RADIUS
        if x <= -reach or x >= reach:
            return
        if self.ball_y < NET_HEIGHT:
            side = 1.0 if x > 0 or (x == 0.0 and self.ball_vx < 0) else -1.0
            self.ball_x = side * reach
            if self.ball_vx * side < 0:
                self.ball_vx *= -BOUNCE
                self._bounced(-1)
            return
        dy = self.ball_y - NET_HEIGHT
        square = x * x + dy * dy
        if square >= reach * reach or square == 0.0:
            return
        distance = sqrt(square)
        nx, ny = x / distance, dy / distance
        self.ball_x, self.ball_y = nx * reach, NET_HEIGHT + ny * reach
        closing = self.ball_vx * nx + self.ball_vy * ny
        if closing < 0.0:
            self.ball_vx -= (1.0 + BOUNCE) * closing * nx
            self.ball_vy -= (1.0 + BOUNCE) * closing * ny
            self._bounced(-1)

    def _bounced(self, struck: int) -> None:
        self.flight = 0
        self.struck = struck

    def _loser(self) -> int:
        """Return the player who loses the point in this frame; -1 for nobody."""
        for player in (0, 1):
            if self.row[player] > HITS_IN_A_ROW:
                return player
        if self.ball_y <= BALL_RADIUS:
            return 1 if self.ball_x > 0 else 0
        return -1

    def _observations(self) -> dict[str, Observation]:
        (lx, rx), (ly, ry), (lvx, rvx), (lvy, rvy) = self.x, self.y, self.vx, self.vy
        bx, by, bvx, bvy = self.ball_x, self.ball_y, self.ball_vx, self.ball_vy
        pace, (left_row, right_row), wait = self.pace, self.row, self.hanging or self.dead
        left = (lx, ly, lvx, lvy, rx, ry, rvx, rvy, bx, by, bvx, bvy, pace, left_row, right_row, wait)
        right = (-rx, ry, -rvx, rvy, -lx, ly, -lvx, lvy, -bx, by, -bvx, bvy, pace, right_row, left_row, wait)
        return {"left": np.array(left, np.float32), "right": np.array(right, np.float32)}


_HEADING = (0.0, -1.0, 1.0, 0.0, -1.0, 1.0)  # by action
_ACTIONS = spaces.Discrete(6)
_HIGH = [400, 200, 8, 12, 400, 200, 8, 12, 400, 800, 20, 20, FASTEST_PACE, 4, 4, POINT_FRAMES]
_LOW = [-400, 0, -8, -12, -400, 0, -8, -12, -400, 0, -20, -20, 1, 0, 0, 0]
_OBSERVATIONS = spaces.Box(np.array(_LOW, np.float32), np.array(_HIGH, np.float32))
