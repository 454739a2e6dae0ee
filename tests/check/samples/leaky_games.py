"""Environments with one leak each, and some that only look like it."""

import itertools
import math
import random
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import gymnasium as gym
import leaky_rules
import numpy as np
from pettingzoo import ParallelEnv

LEVEL = (Path(__file__).parent / "level.json").read_text()


class Game(gym.Env[Any, Any]):
    """One number out, two actions in; what a subclass's `change` gives is added to `value`."""

    action_space = gym.spaces.Discrete(2)
    observation_space = gym.spaces.Box(-np.inf, np.inf, (1,))

    def __init__(self) -> None:
        self.begin()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.value = float(self.np_random.integers(100))
        self.steps = 0
        self.begin()
        return np.array([self.value]), {}

    def step(self, action: Any) -> Any:
        print("step")
        self.steps += 1
        self.value = (self.value + int(action) + self.change()) % leaky_rules.MODULUS
        return np.array([self.value]), 0.0, self.steps % 7 == 0, False, {}

    def begin(self) -> None:
        """Make what an episode needs."""

    def change(self) -> Any:
        return 0


# Tamed: safe, and it is said why


class UnseededGenerator(Game):
    def change(self) -> float:
        return float(np.random.default_rng().random())


class PythonRandom(Game):
    def change(self) -> float:
        return random.random() + random.choice([0.25, 0.5])


class NumpyRandom(Game):
    def change(self) -> float:
        return float(np.random.rand())


class Clock(Game):
    def change(self) -> float:
        return time.time() % 100 + time.perf_counter() + datetime.now().microsecond


class ClassAttribute(Game):
    seen: ClassVar[list[int]] = []

    def change(self) -> int:
        self.seen.append(self.steps)
        return len(self.seen)


class StringSet(Game):
    def change(self) -> int:
        names = {"onion", "tomato", "dish", "soup", f"pot{self.steps}"}
        return len(next(iter(names)))


# Safe, and nothing to say


class DictOrder(Game):
    def begin(self) -> None:
        self.orders: dict[str, int] = {}

    def change(self) -> int:
        key = f"order{self.steps % 5}"
        if self.orders.pop(key, None) is None or self.steps % 3:
            self.orders[key] = self.steps
        return next(iter(self.orders.values()), 0)


class FloatSum(Game):
    def change(self) -> float:
        return sum(0.1 * math.sin(number) for number in range(self.steps)) / 3


class PureCache(Game):
    def change(self) -> int:
        return leaky_rules.squared(self.steps)


# Leaks


class OtherModulesCounter(Game):
    def change(self) -> int:
        return next(leaky_rules.counter)


class OtherModulesList(Game):
    def change(self) -> int:
        leaky_rules.scores.append(self.steps)
        return len(leaky_rules.scores)


class OtherClassAttribute(Game):
    def change(self) -> int:
        leaky_rules.Unit.made += 1
        return leaky_rules.Unit.made


class ImpureCache(Game):
    def change(self) -> int:
        return leaky_rules.learnt(int(self.value) % 50)


class Address(Game):
    def change(self) -> int:
        return id(self) >> 4


class ObjectSet(Game):
    def begin(self) -> None:
        self.units = {leaky_rules.Unit(number) for number in range(12)}

    def change(self) -> int:
        return next(iter(self.units)).number


class ObjectHash(Game):
    def begin(self) -> None:
        self.unit = leaky_rules.Unit(0)

    def change(self) -> int:
        return hash(self.unit)


class Thread(Game):
    def begin(self) -> None:
        self.ticks = 0
        if not hasattr(self, "thread"):
            self.thread = threading.Thread(target=self.tick, daemon=True)
            self.thread.start()

    def tick(self) -> None:
        while True:
            self.ticks += 1
            threading.Event().wait(0.001)

    def change(self) -> int:
        return self.ticks


class Generator(Game):
    def begin(self) -> None:
        self.numbers = self.count()

    def count(self) -> Iterator[int]:
        yield from itertools.count()

    def change(self) -> int:
        return next(self.numbers)


class Range(Game):
    def begin(self) -> None:
        self.numbers = iter(range(10_000))

    def change(self) -> int:
        return next(self.numbers)


class OpenFile(Game):
    def begin(self) -> None:
        self.level = open(Path(__file__).parent / "level.json")  # noqa: SIM115 (the leak)

    def change(self) -> int:
        return len(self.level.read(1))


class NotANumber(Game):
    def change(self) -> float:
        self.odd = np.array([0.0]) * np.inf
        return 0.0


class Draws(Game):
    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"]}

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        super().__init__()

    def render(self) -> Any:
        self.value += 1
        return np.zeros((4, 6, 3), np.uint8)


def _first_seed(step: int, seed: int, known: dict[int, int] = {}) -> int:  # noqa: B006 (the leak)
    return known.setdefault(step, seed % 1000)


class Remembers(Game):
    """What it learnt in one game it knows in the next; within a game nothing shows."""

    def change(self) -> int:
        return _first_seed(self.steps % 3, int(self.np_random_seed or 0))


# Cautions


class WritesFile(Game):
    def change(self) -> int:
        Path("log.txt").write_text("played")
        return 0


class IgnoresSeed(Game):
    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.value, self.steps = 0.0, 0
        return np.array([0.0]), {}


class ConstantNan(Game):
    def begin(self) -> None:
        self.target = math.nan


class Huge(Game):
    def begin(self) -> None:
        self.board = np.zeros(3_000_000)

    def change(self) -> int:
        self.board[self.steps] += 1
        return 0


class ScoresNan(Game):
    def step(self, action: Any) -> Any:
        observation, _, over, cut, info = super().step(action)
        return observation, math.nan, over, cut, info


# They do not run


class Raises(Game):
    def change(self) -> int:
        return 1 // (5 - self.steps)


class NeedsRender(Game):
    def change(self) -> int:
        return len(self.surface.pixels)  # type: ignore[attr-defined]


class Exits(Game):
    def change(self) -> int:
        import os

        os._exit(3)


class Hangs(Game):
    def change(self) -> int:
        while True:
            pass


# Several players


class Survivors(ParallelEnv[str, Any, int]):
    """One agent after the other dies."""

    metadata: ClassVar[dict[str, Any]] = {"name": "survivors"}

    def __init__(self) -> None:
        self.possible_agents = ["red", "green", "blue"]
        self.agents: list[str] = []

    def action_space(self, agent: str) -> Any:
        return gym.spaces.MultiDiscrete([3, 2])

    def observation_space(self, agent: str) -> Any:
        return gym.spaces.Box(0, np.inf, (2,))

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.agents = self.possible_agents[:]
        self.generator = np.random.default_rng(seed)
        self.lives = {agent: int(self.generator.integers(2, 9)) for agent in self.agents}
        return {agent: np.zeros(2) for agent in self.agents}, {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, Any]) -> Any:
        acting = self.agents
        for agent in acting:
            self.lives[agent] -= int(actions[agent][1])
        dead = {agent: self.lives[agent] <= 0 for agent in acting}
        self.agents = [agent for agent in acting if not dead[agent]]
        no = dict.fromkeys(acting, False)
        return (
            {agent: np.array(actions[agent], float) for agent in acting},
            dict.fromkeys(acting, 1.0),
            dead,
            no,
            {agent: {} for agent in acting},
        )
