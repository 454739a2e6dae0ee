"""A small environment to begin with: two players meet on a star, as often as they can."""

from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.utils import seeding
from pettingzoo import ParallelEnv

SIZE = 9
MOVES = ((0, 0), (0, -1), (0, 1), (-1, 0), (1, 0))  # stay, up, down, left, right


class Meet(ParallelEnv):
    """A game in which both players earn 1 each time they stand on the star together; then it moves.

    | Action | Meaning |
    |---|---|
    | 0 | stay |
    | 1, 2, 3, 4 | one cell up, down, left, right |

    Observations are the columns and rows of player 0, player 1 and the star: 6 numbers from 0 to 8.
    """

    metadata = {"name": "meet_v0", "render_fps": 30, "render_modes": []}  # noqa: RUF012  (the interface's own form)
    render_mode = None

    def __init__(self) -> None:
        self.possible_agents = ["first", "second"]
        self._sees = Box(0, SIZE - 1, (6,), np.int64)
        self._does = Discrete(len(MOVES))
        self.agents: list[str] = []
        self.places = [(0, 0), (0, 0)]
        self.star = (0, 0)
        self.score = 0

    def observation_space(self, agent: str) -> Box:
        """Return the space of six columns and rows."""
        return self._sees

    def action_space(self, agent: str) -> Discrete:
        """Return the space of the five actions."""
        return self._does

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Put the players into opposite corners, and the star into a random cell."""
        self._random, _ = seeding.np_random(seed)
        self.agents = self.possible_agents[:]
        self.places = [(0, 0), (SIZE - 1, SIZE - 1)]
        self.score = 0
        self._move_star()
        return self._observations(), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, int]) -> tuple[dict[str, Any], ...]:
        """Move both players by one frame."""
        for player, agent in enumerate(self.agents):
            dx, dy = MOVES[actions[agent]]
            x, y = self.places[player]
            self.places[player] = (min(SIZE - 1, max(0, x + dx)), min(SIZE - 1, max(0, y + dy)))
        met = self.places[0] == self.places[1] == self.star
        if met:
            self.score += 1
            self._move_star()
        no = dict.fromkeys(self.agents, False)
        rewards = dict.fromkeys(self.agents, float(met))
        return self._observations(), rewards, no, dict(no), {agent: {} for agent in self.agents}

    def _move_star(self) -> None:
        x, y = self._random.integers(0, SIZE, 2)
        self.star = (int(x), int(y))

    def _observations(self) -> dict[str, Any]:
        seen = np.array([*self.places[0], *self.places[1], *self.star], np.int64)
        return {agent: seen.copy() for agent in self.agents}
