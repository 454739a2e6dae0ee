"""What a study may name by mistake: each function here gives something that cannot be played."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from sample_environments import OddState, Tag


class Sided(gym.Env[Any, Any]):
    """Draws pictures."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 (as environments have it)
    action_space = observation_space = gym.spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None, **_others: Any) -> None:
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        return 0, {}

    def step(self, action: Any) -> Any:
        return 0, 0.0, False, False, {}

    def render(self) -> Any:
        return [f"picture {self.render_mode}"]


class TakingTurns(Tag):
    """A turn-based environment."""

    def agent_iter(self) -> Any:
        return iter(())


class Deserted(Tag):
    """No agent at all."""

    def __init__(self) -> None:
        super().__init__()
        self.possible_agents = []


def copies() -> Any:
    return gym.vector.SyncVectorEnv([OddState, OddState])


def make_with_drawing(render_mode: str = "human") -> Any:
    return Sided(render_mode)


def make_without_dependency() -> Any:
    raise ModuleNotFoundError("No module named 'cv2'", name="cv2")


def make_saying_nothing() -> Any:
    raise RuntimeError


def make_unusable() -> Any:
    from coplay.envs import load_environment

    return load_environment("CartPole-v9")
