"""CartPole for two players who push the same cart. The pole never ends an episode, so that play goes on."""

from math import inf
from typing import Any, ClassVar

import gymnasium
from pettingzoo import ParallelEnv


class SharedCartPole(ParallelEnv[str, Any, int]):
    """Gymnasium's CartPole; the cart goes left if both players choose the same action."""

    metadata: ClassVar[dict[str, Any]] = {"name": "shared_cartpole", "render_fps": 50}

    def __init__(self) -> None:
        self.possible_agents = ["ada", "bob"]
        self.agents = list(self.possible_agents)
        pole: Any = gymnasium.make("CartPole-v1").unwrapped
        pole.x_threshold = pole.theta_threshold_radians = inf
        self._pole = pole

    def observation_space(self, agent: str) -> Any:
        return self._pole.observation_space

    def action_space(self, agent: str) -> Any:
        return self._pole.action_space

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        observation, _info = self._pole.reset(seed=seed)
        self.agents = list(self.possible_agents)
        return dict.fromkeys(self.agents, observation), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, int]) -> Any:
        observation, reward, terminated, truncated, _info = self._pole.step(actions["ada"] ^ actions["bob"])
        agents = self.agents
        return (
            dict.fromkeys(agents, observation),
            dict.fromkeys(agents, reward),
            dict.fromkeys(agents, terminated),
            dict.fromkeys(agents, truncated),
            {agent: {} for agent in agents},
        )
