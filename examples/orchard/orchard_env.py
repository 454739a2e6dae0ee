"""Orchard: players pick apples that grow back only where apples are left.

A commons: players who pick quickly have more than the others, and all have less in the end. This is a
PettingZoo `ParallelEnv` like any other: nothing in this file depends on people playing it over a network.

Sources of the idea: Janssen, Holahan, Lee and Ostrom, "Lab experiments for the study of social-ecological
systems", Science 328 (2010), where tokens come back with a probability that rises with the number of tokens
around; Perolat, Leibo and others, "A multi-agent reinforcement learning model of common-pool resource
appropriation", NeurIPS 2017, known since as Commons Harvest.
"""

from random import Random
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

# Cells are numbered row by row from the top left: cell = row * COLUMNS + column.
COLUMNS, ROWS = 22, 14
# The lower row is the upper one turned by half a circle: no corner is better than another.
TREES = tuple(
    row * COLUMNS + column for column, row in ((3, 3), (10, 3), (17, 3), (4, 10), (11, 10), (18, 10))
)

STAY, UP, DOWN, LEFT, RIGHT = range(5)
MOVES = ((0, 0), (0, -1), (0, 1), (-1, 0), (1, 0))  # by action: columns, rows

GLIDE = 5  # frames from one cell to the next: six cells a second
FULL = 12  # so many apples nearby make a bare spot bear again for sure when its turn comes
BUDS = 10  # frames for which an apple is new: it is drawn smaller
NONE = 255

GROUND, TREE, APPLE, OTHER, SELF = range(5)

Observation = NDArray[np.uint8]


class Orchard(ParallelEnv[str, Observation, int]):
    """A game in which 2 to 6 players share an orchard.

    Six trees stand in the orchard. The 20 cells around each are its spots: places where apples grow. In each
    frame one spot, drawn from all 120, has its turn: if it is bare and nobody stands there, an apple grows
    with probability `n / 12`, `n` being the number of apples within two cells of it, 0 to 12. So a bare tree
    stays bare, and an orchard with half its apples left bears most.

    A player walks from cell to cell in 5 frames and picks the apple of a cell on arrival. Nobody walks
    through trees or players; who goes first changes from frame to frame. A direction that begins while a
    player is still walking is remembered until the next cell.

    Args:
        n_players: 2 to 6.
        max_cycles: Frames of an episode, which ends by truncation; 2,700 are a minute and a half.

    Raises:
        ValueError: `n_players` is out of its range.

    | Action | 0 | 1 | 2 | 3 | 4 |
    |---|---|---|---|---|---|
    | Meaning | stay | up | down | left | right |

    Each player observes the whole orchard as uint8 of shape (14, 22), rows from the top:

    | Value | 0 | 1 | 2 | 3 | 4 |
    |---|---|---|---|---|---|
    | Meaning | ground | tree | apple | another player | the player |

    Rewards: 1 for an apple, else 0.
    """

    metadata: ClassVar[dict[str, Any]] = {"name": "orchard_v1", "render_modes": [], "render_fps": 30}

    def __init__(self, n_players: int = 4, max_cycles: int = 2700) -> None:
        if not 2 <= n_players <= 6:
            raise ValueError(f"Orchard takes 2 to 6 players, not {n_players}.")
        self.n_players = n_players
        self.max_cycles = max_cycles
        self.possible_agents = [f"player_{player}" for player in range(n_players)]
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
            seed: Determines everything random: the first apples, the players' places, and what grows.
            options: Unused.
        """
        self.agents = list(self.possible_agents)
        random = Random(seed)
        self.frame = 0
        self.score = [0] * self.n_players
        self.apples = 0  # how many hang now
        self.field = bytearray(COLUMNS * ROWS)  # GROUND, TREE or APPLE, by cell
        self.near = bytearray(COLUMNS * ROWS)  # apples within two cells, by cell
        self.buds = bytearray([NONE] * BUDS)  # which spot bore an apple in frame n, at n % BUDS, for as long
        for tree in TREES:
            self.field[tree] = TREE
        for spot in random.sample(SPOTS, 3 * len(SPOTS) // 4):
            self._hang(spot, 1)

        # By the rules a player is in `place`; it is drawn on the way from `came` for `walking` more frames.
        self.place = _places(self.n_players)
        random.shuffle(self.place)
        self.came = list(self.place)
        self.walking = [0] * self.n_players
        self.facing = [DOWN] * self.n_players
        self.held = [STAY] * self.n_players  # each player's last action
        self.wanted = [STAY] * self.n_players  # a direction that began while walking
        self.picked = [-99] * self.n_players  # frame of each player's last apple
        self.chance = random.randrange(1, _PRIME)
        return self._observations(), {agent: {} for agent in self.agents}

    def step(
        self, actions: dict[str, int]
    ) -> tuple[
        dict[str, Observation],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """Play one frame with the actions of all players."""
        agents, count = self.agents, self.n_players
        self.frame += 1
        rewards = dict.fromkeys(agents, 0.0)
        for turn in range(self.frame, self.frame + count):
            player = turn % count
            agent = agents[player]
            if self._move(player, actions[agent]):
                rewards[agent] = 1.0
        self._grow()
        late = self.frame >= self.max_cycles
        results = (
            self._observations(),
            rewards,
            dict.fromkeys(agents, False),
            dict.fromkeys(agents, late),
            {agent: {} for agent in agents},
        )
        if late:
            self.agents = []
        return results

    def _move(self, player: int, action: int) -> bool:
        """Move one player by a frame. Return True if the player picked an apple in it."""
        began = action != self.held[player]
        self.held[player] = action
        if self.walking[player]:
            if began and action:
                self.wanted[player] = action
            self.walking[player] -= 1
            return not self.walking[player] and self._pick(player)
        here = self.place[player]
        for heading in (self.wanted[player], action):
            if heading:
                self.facing[player] = heading
                there = NEXT[here][heading]
                if there != here and there not in self.place:
                    self.place[player] = there
                    self.came[player] = here
                    self.walking[player] = GLIDE - 1
                    break
        self.wanted[player] = STAY
        return False

    def _pick(self, player: int) -> bool:
        cell = self.place[player]
        if self.field[cell] != APPLE:
            return False
        self._hang(cell, -1)
        self.score[player] += 1
        self.picked[player] = self.frame
        return True

    def _grow(self) -> None:
        turn = self._draw() % len(SPOTS)
        cell = SPOTS[turn]
        luck = self._draw() % FULL
        bears = luck < self.near[cell] and self.field[cell] == GROUND and cell not in self.place
        if bears:
            self._hang(cell, 1)
        self.buds[self.frame % BUDS] = turn if bears else NONE

    def _hang(self, cell: int, change: int) -> None:
        """Add (1) or remove (-1) the apple of a spot."""
        self.field[cell] = APPLE if change > 0 else GROUND
        self.apples += change
        near = self.near
        for other in NEARBY[cell]:
            near[other] += change

    def _draw(self) -> int:
        # Lehmer's generator with Park and Miller's modulus: its state is one number, quick to save and load.
        self.chance = self.chance * 48271 % _PRIME
        return self.chance

    def _observations(self) -> dict[str, Observation]:
        board = bytearray(self.field)
        for cell in self.place:
            board[cell] = OTHER
        observations = {}
        for agent, cell in zip(self.agents, self.place, strict=True):
            board[cell] = SELF
            observations[agent] = np.array(board, np.uint8).reshape(ROWS, COLUMNS)
            board[cell] = OTHER
        return observations


def _places(n_players: int) -> list[int]:
    """Return the players' first cells, evenly spaced in a row across the middle."""
    columns = [(2 * player + 1) * COLUMNS // (2 * n_players) for player in range(n_players)]
    return [(ROWS // 2 - 1 + player % 2) * COLUMNS + column for player, column in enumerate(columns)]


def _around(cell: int, square: int) -> tuple[int, ...]:
    """Return the other cells whose squared distance from this one is at most `square`."""
    row, column = divmod(cell, COLUMNS)
    return tuple(
        r * COLUMNS + c
        for r in range(ROWS)
        for c in range(COLUMNS)
        if 0 < (r - row) ** 2 + (c - column) ** 2 <= square
    )


def _next(cell: int) -> tuple[int, ...]:
    """Return the cell to which each action leads; the same cell if a tree or the edge is in the way."""
    row, column = divmod(cell, COLUMNS)
    targets = []
    for dx, dy in MOVES:
        inside = 0 <= column + dx < COLUMNS and 0 <= row + dy < ROWS
        target = (row + dy) * COLUMNS + column + dx
        targets.append(target if inside and target not in TREES else cell)
    return tuple(targets)


SPOTS = tuple(spot for tree in TREES for spot in _around(tree, 5))
"""The cells where apples grow, tree by tree, 20 each."""
SPOTS_OF = {tree: _around(tree, 5) for tree in TREES}
"""For each tree, the cells where its apples grow."""
NEARBY = tuple(_around(cell, 4) for cell in range(COLUMNS * ROWS))
"""For each cell, the other cells within two cells."""
NEXT = tuple(_next(cell) for cell in range(COLUMNS * ROWS))
"""For each cell, the cell to which each action leads."""

_PRIME = 2**31 - 1
_ACTIONS = spaces.Discrete(5)
_OBSERVATIONS = spaces.Box(0, 4, (ROWS, COLUMNS), np.uint8)
